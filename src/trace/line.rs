//! A usage row traced: its line's usage, broken down.

use std::collections::HashMap;

use super::item::{Item, Sum};
use super::{TraceError, TraceQuery};
use crate::clickhouse::Client;
use crate::clickhouse::read::below::Below;
use crate::clickhouse::read::position::{self, Positions};
use crate::clickhouse::read::whole::Digits;
use crate::clickhouse::void::Void;
use crate::core::billing::row::DocumentRow;
use crate::core::cut::CutPoint;
use crate::core::pricing::breakdown::{Basis, By, Piece, Terms, UsedWindow};
use crate::core::pricing::row_kind::RowKind;
use crate::core::pricing::selection::LineSelection;
use crate::core::pricing::usage::LineUsage;
use crate::core::word::Instant;
use crate::prove::{Ledger, Progress};

/// Pieces on a page: for so many at a time positions are looked up.
pub const PAGE: usize = 500;

/// A usage row and its pieces.
#[derive(Debug)]
pub struct LineTrace {
    row: DocumentRow,
    client: Client,
    cut: Vec<CutPoint>,
    void: Void,
    by: By,
    hold_ms: i64,
    /// What was broken down, with its pieces and what their quantity was taken of.
    broken: Vec<Broken>,
    windows: Vec<UsedWindow>,
    sum: Sum,
}

#[derive(Debug)]
struct Broken {
    selection: LineSelection,
    basis: Basis,
    pieces: Vec<Piece>,
}

/// A line of a contract, and whose ledger it reads.
pub(super) struct Subject<'a> {
    pub(super) ledger: Ledger<'a>,
    pub(super) terms: Terms<'a>,
    pub(super) selection: &'a LineSelection,
    pub(super) row: DocumentRow,
}

impl LineTrace {
    /// Breaks a line down whose usage has been read.
    pub(super) async fn of(
        subject: Subject<'_>,
        query: &TraceQuery,
        usage: &LineUsage,
        progress: Progress<'_>,
    ) -> Result<Self, TraceError> {
        let Subject { ledger, terms, selection, row } = subject;
        let bases = terms.bases(usage)?;
        // of a resource's own peak there is nothing smaller than the resource
        let is_of_resource = !terms.takes_all() && bases.iter().any(|(name, _)| name.contains('/'));
        let by = if is_of_resource { By::Resource } else { query.by };
        let mut wanted = Vec::new();
        if terms.takes_all() {
            // one sum, whoever it is of: parts are added up after each was rounded, amounts are whole
            if let Some((_, first)) = bases.first() {
                let amount = bases.iter().try_fold(0i128, |sum, (_, basis)| sum.checked_add(basis.amount));
                let basis = Basis { amount: amount.ok_or(crate::core::pricing::error::Overflow)?, ..*first };
                wanted
                    .extend(terms.broken_down(selection, by, basis.span).map(|broken| (broken, basis, String::new())));
            }
        } else {
            for (name, basis) in &bases {
                let broken = terms.broken_down(selection, by, basis.span);
                wanted.extend(broken.map(|broken| (of_part(broken, name), *basis, name.clone())));
            }
        }
        if let Some(array) = &query.array {
            // a line, or a part of one, that is of other arrays has nothing of it
            wanted.retain(|(broken, ..)| broken.arrays.is_empty() || broken.arrays.contains(array));
            wanted.iter_mut().for_each(|(broken, ..)| broken.arrays = vec![array.clone()]);
        }
        let selections: Vec<LineSelection> = wanted.iter().map(|(broken, ..)| broken.clone()).collect();
        let usages = ledger.usages(&selections, |_, effort| progress(effort)).await?;
        let mut broken = Vec::new();
        for ((selection, basis, part), own) in wanted.into_iter().zip(&usages) {
            let mut pieces = terms.pieces((&selection, own), by, usage)?;
            pieces.retain(|piece| is_asked(&piece.name, query) && (!is_of_resource || piece.name == part));
            broken.push(Broken { selection, basis, pieces });
        }
        let windows =
            if matches!(row.kind, RowKind::Commitment | RowKind::Overage) { terms.by_day(usage)? } else { Vec::new() };
        let sum = sum(&broken, &bases)?;
        let hold_ms = ledger.meters.get(&selection.meter).map_or(0, |definition| definition.max_hold_ms);
        let (client, cut, void) = (ledger.client.clone(), ledger.cut.to_vec(), ledger.streams.void().clone());
        Ok(Self { row, client, cut, void, by, hold_ms, broken, windows, sum })
    }

    /// The row.
    #[must_use]
    pub fn row(&self) -> &DocumentRow {
        &self.row
    }

    /// The sum of the pieces, and whether it is what was priced.
    #[must_use]
    pub fn sum(&self) -> &Sum {
        &self.sum
    }

    /// The windows of a line with a commitment.
    #[must_use]
    pub fn windows(&self) -> Vec<Item> {
        let window = |window: &UsedWindow| {
            Some(Item::Window {
                start: window.basis.span.from.rfc3339(),
                end: window.basis.span.until.rfc3339(),
                amount: Digits(window.basis.amount),
                level: window.level.to_string(),
                committed: window.committed?.to_string(),
                over: window.over?.to_string(),
            })
        };
        self.windows.iter().filter_map(window).collect()
    }

    /// How many pages of pieces there are.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.broken.iter().map(|broken| broken.pieces.len().div_ceil(PAGE)).sum()
    }

    /// A page of pieces with their positions, from 0; empty after the last.
    ///
    /// # Errors
    /// The server's.
    pub async fn page(&self, page: usize) -> Result<Vec<Item>, TraceError> {
        let pages =
            self.broken.iter().flat_map(|broken| broken.pieces.chunks(PAGE).map(move |pieces| (broken, pieces)));
        let Some((broken, pieces)) = pages.into_iter().nth(page) else { return Ok(Vec::new()) };
        let names: Vec<String> = pieces.iter().map(|piece| piece.name.clone()).collect();
        let below = Below { cut: Some(&self.cut), void: &self.void };
        let located = position::read(&self.client, (&broken.selection, self.by), &names, self.hold_ms, &below).await?;
        let mut positions: HashMap<(String, Instant), Vec<Positions>> = HashMap::new();
        for one in located {
            let start = if self.is_time() { one.start } else { Instant(0) };
            positions.entry((one.name, start)).or_default().push(one.positions);
        }
        let mut item = |piece: &Piece| {
            let start = if self.is_time() { piece.span.from } else { Instant(0) };
            let positions = positions.remove(&(piece.name.clone(), start)).unwrap_or_default();
            let (array, resource) = match piece.name.split_once('/') {
                Some((array, resource)) => (Some(array.to_owned()), Some(resource.to_owned())),
                None => (Some(piece.name.clone()).filter(|name| !name.is_empty()), None),
            };
            Ok(Item::Piece {
                array,
                resource,
                start: piece.span.from.rfc3339(),
                end: piece.span.until.rfc3339(),
                amount: Digits(piece.amount),
                held: Digits(piece.held),
                quantity: broken.basis.quantity(piece.amount)?.to_string(),
                positions: merged(positions),
            })
        };
        pieces.iter().map(&mut item).collect()
    }

    fn is_time(&self) -> bool {
        matches!(self.by, By::Day | By::Hour)
    }
}

/// The part of a line's pieces that one part of the line is.
fn of_part(mut broken: LineSelection, name: &str) -> LineSelection {
    if let Some(array) = name.split('/').next().filter(|array| !array.is_empty()) {
        broken.arrays = vec![array.to_owned()];
    }
    broken
}

/// Whether a piece is of the array that was asked for; pieces of time are of it alone.
fn is_asked(name: &str, query: &TraceQuery) -> bool {
    let array = name.split('/').next().unwrap_or_default();
    array.is_empty() || query.array.as_ref().is_none_or(|asked| asked == array)
}

/// Positions of one partition put together, whatever window they were found in.
fn merged(positions: Vec<Positions>) -> Vec<Positions> {
    let mut merged: Vec<Positions> = Vec::new();
    for one in positions {
        match merged.iter_mut().find(|all| all.stream == one.stream && all.partition == one.partition) {
            Some(all) => {
                (all.first, all.last) = (all.first.min(one.first), all.last.max(one.last));
                all.events += one.events;
            }
            None => merged.push(one),
        }
    }
    merged
}

fn sum(broken: &[Broken], bases: &[(String, Basis)]) -> Result<Sum, TraceError> {
    let overflow = || TraceError::from(crate::core::pricing::error::Overflow);
    let pieces = || broken.iter().flat_map(|broken| &broken.pieces);
    let amount = pieces().try_fold(0i128, |sum, piece| sum.checked_add(piece.amount)).ok_or_else(overflow)?;
    let priced = bases.iter().try_fold(0i128, |sum, (_, basis)| sum.checked_add(basis.amount)).ok_or_else(overflow)?;
    let mut quantity = crate::core::pricing::decimal::Decimal::ZERO;
    for (_, basis) in bases {
        quantity = quantity.plus(basis.quantity(basis.amount)?)?;
    }
    let one = bases.first().map_or(1, |(_, basis)| basis.one);
    Ok(Sum {
        pieces: pieces().count(),
        amount: Digits(amount),
        priced: Digits(priced),
        one: Digits(one),
        quantity: quantity.to_string(),
        equal: amount == priced,
    })
}
