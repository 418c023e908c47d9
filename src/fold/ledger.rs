//! What a fold reads back of the ledger and of buckets.

use crate::core::decision::stream::Generation;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Hour, Instant, Kind, Offset, Partition};

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
