//! A log held against what was folded of it, without folding it.

use std::collections::BTreeMap;

use super::checkpoint::LastRecord;
use super::partition::{hash_of, limits_of};
use super::seam::LedgerRow;
use crate::core::event::{self, Limits};
use crate::core::ledger::judge::LogRecord;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::Offset;

/// Records that the log must show again.
#[derive(Debug)]
pub struct Comparison {
    limits: Limits,
    last: Option<LastRecord>,
    rows: BTreeMap<u64, LedgerRow>,
    begin: Option<Offset>,
    end: Offset,
    is_changed: bool,
}

impl Comparison {
    /// Of the last record below a checkpoint and the ledger's rows at and above it.
    #[must_use]
    pub fn new(rules: &StreamRules, last: Option<LastRecord>, rows: Vec<LedgerRow>) -> Self {
        let rows: BTreeMap<u64, LedgerRow> = rows.into_iter().map(|row| (row.offset, row)).collect();
        let first = last.map(|last| last.offset).or(rows.keys().next().map(|offset| Offset(*offset)));
        let greatest = rows.keys().next_back().map(|offset| Offset(*offset)).or(last.map(|last| last.offset));
        let end = greatest.map_or(Offset(0), |greatest| Offset(greatest.0 + 1));
        Self { limits: limits_of(rules), last, rows, begin: first, end, is_changed: false }
    }

    /// The offsets that have to be read; none if nothing can be compared.
    #[must_use]
    pub fn span(&self) -> Option<(Offset, Offset)> {
        self.begin.map(|begin| (begin, self.end))
    }

    /// Compares one record of the log.
    pub fn meet(&mut self, record: &LogRecord<'_>) {
        if let Some(last) = self.last.take_if(|last| last.offset == record.offset) {
            self.is_changed |= hash_of(record, &self.limits) != last.hash;
        } else if let Some(row) = self.rows.remove(&record.offset.0) {
            self.is_changed |= !is_row_of(&row, record, &self.limits);
        }
    }

    /// Whether a record was another one, or is not there any more.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.is_changed || self.last.is_some() || !self.rows.is_empty()
    }
}

/// Whether a ledger row can have been made of a record: both were appended at one instant and say the same.
fn is_row_of(row: &LedgerRow, record: &LogRecord<'_>, limits: &Limits) -> bool {
    let says_the_same = match event::decode(&record.raw, limits) {
        Ok(event) => {
            row.identity == event::identity(&event.provider, &event.array, &event.source, &event.id)
                && row.content == event::content(&event)
        }
        Err(_) => row.identity == 0,
    };
    says_the_same && row.append_time == record.append_time
}
