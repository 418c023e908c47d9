//! The three seams between the fold and the world: Log, Store, Clock. The simulator replaces them; nothing else does.

use std::sync::Arc;

use crate::core::decision::Recorded;
use crate::core::decision::stream::Generation;
use crate::core::ledger::batch::LedgerBatch;
use crate::core::ledger::judge::LogRecord;
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::bucket::BucketBatch;
use crate::core::metering::definition::Meters;
use crate::core::word::{Hour, Instant, Kind, Offset, Partition, StreamId};

use super::checkpoint::Checkpoint;
use super::error::SeamError;

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

/// An identity as the ledger remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerIdentity {
    /// The row's offset.
    pub offset: u64,
    /// The row's append time.
    pub append_time: Instant,
    /// When it was measured.
    pub time: Instant,
    /// The identity.
    pub identity: u128,
    /// Its content's hash.
    pub content: u64,
}

/// A ledger row as the span digest covers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The row's offset.
    pub offset: u64,
    /// The row's append time.
    pub append_time: Instant,
    /// Disposition by number.
    pub disposition: u8,
    /// Identity.
    pub identity: u128,
    /// Content hash.
    pub content: u64,
    /// Readings.
    pub readings: u32,
}

/// A reading as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerReading {
    /// What is measured.
    pub kind: Kind,
    /// Which one.
    pub resource: String,
    /// Tenant tag; empty = none.
    pub customer: String,
    /// Service tier; empty = none.
    pub tier: String,
    /// The quantity.
    pub meter: String,
    /// The value.
    pub value: u64,
}

/// An accepted event as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEvent {
    /// The generation of its stream.
    pub generation: u32,
    /// Its offset.
    pub offset: u64,
    /// When it was measured.
    pub time: Instant,
    /// When it was recorded.
    pub recorded: Option<Instant>,
    /// Who runs the array.
    pub provider: String,
    /// The array.
    pub array: String,
    /// The array's site; empty = none.
    pub site: String,
    /// Its readings; of the asked meters only, where meters were asked for.
    pub readings: Vec<LedgerReading>,
}

/// Which accepted events to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventQuery {
    /// Of each array, those newer than its newest accepted time less `horizon_ms`; rows appended before `appended_from` are not
    /// needed.
    Newest {
        /// How far back from an array's newest accepted time, in milliseconds.
        horizon_ms: i64,
        /// The oldest append time that can matter.
        appended_from: Instant,
    },
    /// Of one array, those measured in [from, to).
    OfArray {
        /// Its provider.
        provider: String,
        /// The array.
        array: String,
        /// From this instant.
        from: Instant,
        /// To this instant, exclusive.
        to: Instant,
    },
}

/// An array and the span of its accepted events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArraySpan {
    /// Its provider.
    pub provider: String,
    /// The array.
    pub array: String,
    /// The oldest accepted time.
    pub oldest: Instant,
    /// The newest accepted time.
    pub newest: Instant,
}

/// The part of the ledger that a partition's state is made of, and nothing else: its rows below an offset, and those of earlier
/// generations whose arrays belong to it now; without what is void.
#[derive(Clone, Copy, Debug)]
pub struct LedgerBelow<'a> {
    /// The stream's generation.
    pub generation: &'a Generation,
    /// The partition.
    pub partition: Partition,
    /// Exclusive.
    pub below: Offset,
}

/// Which bucket: a series and an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketPlace {
    /// Who runs the array.
    pub provider: String,
    /// The array.
    pub array: String,
    /// What is measured.
    pub kind: Kind,
    /// Which one.
    pub resource: String,
    /// The quantity.
    pub meter: String,
    /// The hour.
    pub hour: Hour,
}

/// Rows of one partition of one generation, as they lie.
#[derive(Clone, Copy, Debug)]
pub struct LedgerSpan<'a> {
    /// The stream's rules.
    pub rules: &'a StreamRules,
    /// The partition.
    pub partition: Partition,
    /// The first offset.
    pub from: Offset,
    /// Exclusive.
    pub below: Offset,
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
