//! What the ledger gives for the span of a checkpoint.

use clickhouse::Row;
use serde::Deserialize;

use super::chain::Hole;
use crate::clickhouse::read::ledger::StoredAside;
use crate::core::ledger::digest::{Said, SpanDigest, record_hash};
use crate::core::word::{Instant, Offset};
use crate::fold::checkpoint::{Checkpoint, Counts, LastRecord};

pub(super) const ACCEPTED: i8 = 1;
pub(super) const DUPLICATE: i8 = 2;
const LATE: i8 = 3;

/// A row of the ledger, as far as checkpoints count it.
#[derive(Row, Deserialize)]
pub(super) struct EventRow {
    pub offset: u64,
    pub append_time: i64,
    pub disposition: i8,
    pub reason: String,
    pub identity: u128,
    pub content: u64,
    pub readings: u32,
}

/// What a checkpoint's row must say, by the ledger.
#[derive(Clone, Debug, Default)]
pub(super) struct SpanFigures {
    pub rows: u64,
    pub counts: Counts,
    pub digest: SpanDigest,
    pub greatest: Option<Instant>,
    pub first: Option<Instant>,
    pub last: Option<LastRecord>,
    /// The offsets that have a row, as long as something may be missing.
    seen: Vec<u64>,
}

impl SpanFigures {
    /// Adds a row; `aside` is what was put aside of its record.
    pub fn add(&mut self, row: &EventRow, aside: Option<&StoredAside>) {
        self.rows += 1;
        self.seen.push(row.offset);
        match row.disposition {
            ACCEPTED => self.counts.accepted += 1,
            DUPLICATE => self.counts.duplicate += 1,
            LATE => self.counts.late += 1,
            _ => self.counts.quarantined += 1,
        }
        self.digest.add(row.offset, row.disposition as u8, row.identity, row.content, row.readings);
        let append_time = Instant(row.append_time);
        self.greatest = self.greatest.max(Some(append_time));
        self.first.get_or_insert(append_time);
        // what could not be decoded has no identity and is known by its bytes
        let hash = match (row.identity, aside) {
            (0, None) => None,
            (0, Some(aside)) => Some(record_hash(append_time, Said::Bytes, aside.raw())),
            (identity, _) => Some(record_hash(append_time, Said::Event { identity, content: row.content }, &[])),
        };
        self.last = hash.map(|hash| LastRecord { offset: Offset(row.offset), hash });
    }

    /// The offsets of the span that have no row, apart from recorded holes.
    pub fn missing(&self, checkpoint: &Checkpoint, holes: &[Hole]) -> Vec<u64> {
        let is_lost = |offset: &u64| holes.iter().any(|hole| (hole.from.0..hole.to.0).contains(offset));
        let mut seen = self.seen.iter().copied().peekable();
        let mut missing = Vec::new();
        for offset in checkpoint.from.0..checkpoint.next.0 {
            while seen.next_if(|other| *other < offset).is_some() {}
            if seen.next_if_eq(&offset).is_none() && !is_lost(&offset) {
                missing.push(offset);
            }
        }
        missing
    }
}
