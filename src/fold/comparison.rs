//! A log held against what was folded of it, without folding it.

use std::collections::BTreeMap;

use super::checkpoint::LastRecord;
use super::ledger::LedgerRow;
use super::partition::{hash_of, limits_of};
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::RawRecord;
    use crate::core::ledger::sample;
    use crate::core::word::Instant;

    fn rules() -> StreamRules {
        StreamRules { max_event_bytes: 1000, max_event_readings: 10, max_id_bytes: 64, ..sample::rules("usage") }
    }

    fn record(offset: u64, append_ms: i64, value: &[u8]) -> LogRecord<'_> {
        let raw = RawRecord { key: None, headers: &[], value };
        LogRecord { offset: Offset(offset), append_time: Instant(append_ms), raw }
    }

    fn row(offset: u64, append_ms: i64) -> LedgerRow {
        LedgerRow { offset, append_time: Instant(append_ms), disposition: 4, identity: 0, content: 0, readings: 0 }
    }

    #[test]
    fn a_log_is_the_same_only_if_it_shows_everything_again() {
        let last = LastRecord { offset: Offset(4), hash: hash_of(&record(4, 40, b"four"), &limits_of(&rules())) };
        let compared = |log: &[LogRecord<'_>]| {
            let mut comparison = Comparison::new(&rules(), Some(last), vec![row(5, 50), row(7, 70)]);
            assert_eq!(comparison.span(), Some((Offset(4), Offset(8))));
            log.iter().for_each(|record| comparison.meet(record));
            comparison.is_changed()
        };
        let (four, five, seven) = (record(4, 40, b"four"), record(5, 50, b"five"), record(7, 70, b"seven"));
        assert!(!compared(&[four, five, seven]));
        assert!(!compared(&[four, five, record(6, 60, b"six"), seven]), "of what was not folded nothing is known");
        assert!(compared(&[record(4, 40, b"for"), five, seven]));
        assert!(compared(&[record(4, 41, b"four"), five, seven]));
        assert!(compared(&[four, record(5, 51, b"five"), seven]));
        assert!(compared(&[four, seven]) && compared(&[four, five]) && compared(&[five, seven]), "one is gone");
        assert_eq!(Comparison::new(&rules(), None, Vec::new()).span(), None);
    }
}
