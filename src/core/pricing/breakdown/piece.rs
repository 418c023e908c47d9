//! Pieces of a line: which cells to read for them, and how they are put together.

use std::collections::BTreeMap;

use super::super::decimal::Decimal;
use super::super::error::{Overflow, RateError, at};
use super::super::period::Span;
use super::super::quantity::{by_window, pool};
use super::super::selection::{Grain, LineSelection};
use super::super::series::{estimates, series};
use super::super::terms;
use super::super::usage::LineUsage;
use super::super::window::windows;
use super::{Basis, By, Piece, Terms, UsedWindow};
use crate::core::book::model::Per;
use crate::core::word::{HOUR_MS, Instant};

impl Terms<'_> {
    /// The selection that reads the pieces of a span; [`Self::pieces`] makes them of its usage. None of an empty span.
    #[must_use]
    pub fn broken_down(&self, selection: &LineSelection, by: By, span: Span) -> Option<LineSelection> {
        let part: Vec<Span> = self.part.iter().filter_map(|own| own.meet(span)).collect();
        let (from, until) = (part.first()?.from, part.last()?.until);
        let mut edges: Vec<Instant> = part.iter().flat_map(|span| [span.from, span.until]).collect();
        let hull = Span { from, until };
        match by {
            By::Array | By::Resource => {}
            By::Day => edges.extend(windows(self.zone, &[hull], &[]).into_iter().map(|window| window.from)),
            By::Hour => edges.extend((from.hour().0..=until.hour().0).map(|hour| Instant(hour * HOUR_MS))),
        }
        edges.retain(|edge| hull.holds(*edge));
        edges.sort_unstable();
        edges.dedup();
        let per = match by {
            By::Array => Some(Per::Array),
            By::Resource => Some(Per::Resource),
            By::Day | By::Hour => None,
        };
        Some(LineSelection { per, grain: Grain::Window(edges.into()), from, until, part, ..selection.clone() })
    }

    /// The pieces in the usage of a selection that was broken down. `whole` is the line's own usage: it tells what was held in gaps.
    ///
    /// # Errors
    /// Out of range.
    pub fn pieces(
        &self,
        (selection, usage): (&LineSelection, &LineUsage),
        by: By,
        whole: &LineUsage,
    ) -> Result<Vec<Piece>, RateError> {
        let Grain::Window(edges) = &selection.grain else { return Ok(Vec::new()) };
        let span_of = |start: Instant| {
            let next = edges.partition_point(|edge| *edge <= start);
            let from = next.checked_sub(1).and_then(|place| edges.get(place)).copied().unwrap_or(selection.from);
            Span { from, until: edges.get(next).copied().unwrap_or(selection.until) }
        };
        let all = Span { from: selection.from, until: selection.until };
        let is_time = matches!(by, By::Day | By::Hour);
        let mut pieces: BTreeMap<(String, Instant), Piece> = BTreeMap::new();
        let mut add = |name: &str, start: Instant, (amount, held): (i128, i128)| {
            let span = if is_time { span_of(start) } else { all };
            let key = (name.to_owned(), span.from);
            let piece = pieces.entry(key).or_insert_with(|| Piece { name: name.to_owned(), span, amount: 0, held: 0 });
            piece.amount = piece.amount.checked_add(amount).ok_or(Overflow)?;
            piece.held = piece.held.checked_add(held).ok_or(Overflow)?;
            Ok::<(), Overflow>(())
        };
        let counts = |start: Instant| selection.part.iter().any(|span| span.holds(start));
        for part in &usage.parts {
            for slot in part.slots.iter().filter(|slot| counts(slot.start)) {
                add(&part.name, slot.start, (slot.amount, 0)).map_err(at(&self.line.id))?;
            }
        }
        for (resource, slots) in estimates(self.line, self.rate, &self.part, whole, self.meter_hold_ms)? {
            let array = resource.split_once('/').map_or(resource, |(array, _)| array);
            // the line's own usage is of all its arrays, the selection may be of one
            if !selection.arrays.is_empty() && !selection.arrays.iter().any(|own| own == array) {
                continue;
            }
            let name = match by {
                By::Resource => resource,
                By::Array => array,
                By::Day | By::Hour => "",
            };
            for slot in slots.iter().filter(|slot| counts(slot.start)) {
                add(name, slot.start, (slot.amount, slot.amount)).map_err(at(&self.line.id))?;
            }
        }
        Ok(pieces.into_values().collect())
    }

    /// The line's pool by window: for a commitment, what was used in each, and above what.
    ///
    /// # Errors
    /// What the rating would refuse.
    pub fn by_day(&self, usage: &LineUsage) -> Result<Vec<UsedWindow>, RateError> {
        let series = series(self.line, self.rate, &self.part, usage, self.meter_hold_ms)?;
        let pooled = pool(series.parts.iter().map(|(_, slots)| &**slots)).map_err(at(&self.line.id))?;
        let amounts = by_window(&pooled, &self.days).map_err(at(&self.line.id))?;
        let window = |(day, amount): (&Span, i128)| {
            let committed =
                if self.line.commitment.is_empty() { None } else { Some(terms::committed(self.line, day.from)?) };
            let one = self.unit.size.checked_mul(i128::from(day.ms())).ok_or(Overflow).map_err(at(&self.line.id))?;
            let basis = Basis { span: *day, one, amount };
            let level = basis.quantity(amount).map_err(at(&self.line.id))?;
            let over = match committed {
                Some(committed) if level > committed => Some(level.minus(committed).map_err(at(&self.line.id))?),
                Some(_) => Some(Decimal::ZERO),
                None => None,
            };
            Ok(UsedWindow { basis, level, committed, over })
        };
        self.days.iter().zip(amounts).map(window).collect()
    }
}
