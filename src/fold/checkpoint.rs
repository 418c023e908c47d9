//! A checkpoint: the manifest that says up to where a partition's ledger and buckets are durable.

use crate::core::ledger::digest::SpanDigest;
use crate::core::word::{Disposition, Instant, Offset, Partition, Reason, StreamId};

/// How many records became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accepted.
    pub accepted: u64,
    /// Duplicate.
    pub duplicate: u64,
    /// Late.
    pub late: u64,
    /// Quarantined.
    pub quarantined: u64,
}

impl Counts {
    /// Counts one record.
    pub fn add(&mut self, disposition: Disposition) {
        match disposition {
            Disposition::Accepted => self.accepted += 1,
            Disposition::Duplicate => self.duplicate += 1,
            Disposition::Late => self.late += 1,
            Disposition::Quarantined(_) => self.quarantined += 1,
        }
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.accepted + self.duplicate + self.late + self.quarantined
    }
}

/// What a fold has judged since its state was rebuilt, the quarantined by reason: for figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By disposition.
    pub counts: Counts,
    /// The quarantined, in the order of [`Reason::ALL`].
    pub by_reason: [u64; Reason::ALL.len()],
}

impl Totals {
    /// Counts one record.
    pub fn add(&mut self, disposition: Disposition) {
        self.counts.add(disposition);
        if let Some(reason) = disposition.reason() {
            self.by_reason[reason as usize] += 1;
        }
    }
}

/// The last record below a checkpoint, to recognise the log by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRecord {
    /// Its offset.
    pub offset: Offset,
    /// [`record_hash`](crate::core::ledger::digest::record_hash) of it.
    pub hash: u128,
}

/// One row of the table `checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The stream.
    pub stream: StreamId,
    /// Its generation.
    pub generation: u32,
    /// The partition.
    pub partition: Partition,
    /// Where the span that this checkpoint counts begins: the checkpoint before it.
    pub from: Offset,
    /// Ledger and buckets are durable below this offset.
    pub next: Offset,
    /// Every decision below this offset of `billing-control` is reflected.
    pub control: Offset,
    /// The greatest append time below `next`.
    pub log_time: Instant,
    /// Records in the span.
    pub consumed: u64,
    /// What became of them.
    pub counts: Counts,
    /// [`SpanDigest`] of the span's ledger rows.
    pub digest: u128,
    /// The last record below `next`; none before the first record of a partition.
    pub last: Option<LastRecord>,
    /// Append time of the span's first record.
    pub first_append_time: Instant,
}

/// What has been folded since the last checkpoint.
#[derive(Clone, Debug)]
pub struct Span {
    /// Where it begins.
    pub from: Offset,
    /// Records in it.
    pub consumed: u64,
    /// What became of them.
    pub counts: Counts,
    /// The digest of their ledger rows.
    pub digest: SpanDigest,
    /// The append time of the first of them.
    pub first_append_time: Option<Instant>,
}

impl Span {
    /// An empty span that begins at `from`.
    #[must_use]
    pub fn new(from: Offset) -> Self {
        Self { from, consumed: 0, counts: Counts::default(), digest: SpanDigest::default(), first_append_time: None }
    }
}
