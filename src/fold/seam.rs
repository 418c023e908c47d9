//! The three seams between the fold and the world: Log, Store, Clock. The simulator replaces them; nothing else does.

use std::sync::Arc;

use crate::core::decision::Recorded;
use crate::core::decision::stream::Generation;
use crate::core::ledger::batch::LedgerBatch;
use crate::core::ledger::judge::LogRecord;
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::bucket::BucketBatch;
use crate::core::metering::definition::Meters;
use crate::core::word::{Instant, Offset, Partition, StreamId};

use super::checkpoint::Checkpoint;
use super::error::SeamError;
use super::ledger::{
    ArraySpan, BucketPlace, EventQuery, LedgerBelow, LedgerEvent, LedgerIdentity, LedgerRow, LedgerSpan,
};

/// Whether to hand over more records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// There is room.
    More,
    /// Enough for now.
    Enough,
}

/// Offsets at which a partition's log begins and ends (exclusive) now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEnds {
    /// The first record that is still there.
    pub first: Offset,
    /// Where the next record will be.
    pub end: Offset,
}

/// One partition of a usage log.
pub trait Log {
    /// Where the log begins and ends.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    fn ends(&mut self) -> Result<LogEnds, SeamError>;

    /// Makes `from` the next record that [`Log::fetch`] gives.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    fn start_at(&mut self, from: Offset) -> Result<(), SeamError>;

    /// Hands over records in offset order until `sink` has enough, none is there, or `max_wait_ms` have passed. Returns how many.
    ///
    /// # Errors
    /// What `sink` says, or the log's own trouble.
    fn fetch(
        &mut self,
        max_wait_ms: u64,
        sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<Flow, SeamError>,
    ) -> Result<u64, SeamError>;

    /// An offset below which nothing is left to be given, if the log has ended without a record there: with what is no record, such as the end of
    /// a transaction. Asked after a [`Log::fetch`] that gave nothing.
    fn nothing_below(&self) -> Option<Offset> {
        None
    }

    /// Tells lag tools where the partition's work stands. A courtesy: nothing reads it back, so it may fail.
    fn commit(&mut self, next: Offset);
}

/// The control log: `billing-control`, as one more log.
pub trait ControlLog {
    /// Reads it to its end and returns that offset (exclusive).
    ///
    /// # Errors
    /// Retryable while the broker is away.
    fn end(&mut self) -> Result<Offset, SeamError>;

    /// The offset (exclusive) up to which it has been read so far, without asking the broker.
    fn known_end(&self) -> Offset;

    /// The decision at an offset; the log is read to its end first if the offset lies further than was read.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    fn decision(&mut self, offset: Offset) -> Result<Option<Recorded>, SeamError>;

    /// The meters defined by price books below `control`.
    fn meters(&self, control: Offset) -> Meters;

    /// What is decided of a stream, as far as was read; none if nobody has opened it.
    fn generation(&self, stream: &StreamId) -> Option<Arc<Generation>>;
}

/// The database.
pub trait Store {
    /// The newest checkpoints of a partition, newest first, that reach back at least `back_ms` of log time, one at least if any.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn checkpoints(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        back_ms: i64,
    ) -> Result<Vec<Checkpoint>, SeamError>;

    /// All rows of a partition in [from, below), void or not, in offset order, for their digest.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn rows(&mut self, span: LedgerSpan<'_>, sink: &mut dyn FnMut(LedgerRow)) -> Result<(), SeamError>;

    /// The identities of accepted rows appended at `appended_from` or later.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn identities(
        &mut self,
        below: LedgerBelow<'_>,
        appended_from: Instant,
        sink: &mut dyn FnMut(LedgerIdentity),
    ) -> Result<(), SeamError>;

    /// The arrays of a partition with the span of their accepted events.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn arrays(&mut self, below: LedgerBelow<'_>, appended_from: Instant) -> Result<Vec<ArraySpan>, SeamError>;

    /// Accepted events with their readings.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn events(
        &mut self,
        below: LedgerBelow<'_>,
        query: &EventQuery,
        meters: Option<&[String]>,
        sink: &mut dyn FnMut(LedgerEvent),
    ) -> Result<(), SeamError>;

    /// Accepted events that are void, of the arrays that belong to a partition: past the end of an earlier generation, or in a recorded
    /// hole. Whatever their offsets.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn voided(&mut self, below: LedgerBelow<'_>, sink: &mut dyn FnMut(Partition, LedgerEvent))
    -> Result<(), SeamError>;

    /// Buckets that count now, of the arrays that belong to a partition, and that an earlier generation wrote past its end.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn past_ends(&mut self, below: LedgerBelow<'_>, sink: &mut dyn FnMut(BucketPlace)) -> Result<(), SeamError>;

    /// Makes ledger and quarantine rows durable. The same batch may come again and collapses.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn insert_ledger(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        batch: &LedgerBatch,
    ) -> Result<(), SeamError>;

    /// Makes buckets durable that count every record below `as_of`.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn insert_buckets(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        as_of: Offset,
        buckets: &BucketBatch,
    ) -> Result<(), SeamError>;

    /// Makes a checkpoint durable.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn insert_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), SeamError>;
}

/// Time that passes, for when to flush and nothing else: no result depends on it.
pub trait Clock {
    /// Milliseconds since some fixed moment; never falls.
    fn now_ms(&self) -> u64;
}
