//! What the store reads of the ledger and of buckets, as the database hands it out.

use ::clickhouse::Row;
use serde::Deserialize;

use crate::core::decision::stream::Generation;
use crate::core::word::{Instant, Kind};
use crate::fold::ledger::{LedgerEvent, LedgerReading};

/// Whether there is a row: some number above 0.
#[derive(Row, Deserialize)]
pub(super) struct AnyRow {
    pub(super) found: u64,
}

/// Where a bucket is.
#[derive(Row, Deserialize)]
pub(super) struct PlaceRow {
    pub(super) provider: String,
    pub(super) array: String,
    pub(super) kind: i8,
    pub(super) resource: String,
    pub(super) meter: String,
    pub(super) hour_s: i64,
}

/// What the digest of a span is made of.
#[derive(Row, Deserialize)]
pub(super) struct DigestRow {
    pub(super) offset: u64,
    pub(super) append_ms: i64,
    pub(super) disposition: i8,
    pub(super) identity: u128,
    pub(super) content: u64,
    pub(super) readings: u32,
}

/// An accepted identity.
#[derive(Row, Deserialize)]
pub(super) struct IdentityRow {
    pub(super) offset: u64,
    pub(super) append_ms: i64,
    pub(super) time_ms: i64,
    pub(super) identity: u128,
    pub(super) content: u64,
}

/// From when to when an array has accepted events.
#[derive(Row, Deserialize)]
pub(super) struct SpanRow {
    pub(super) provider: String,
    pub(super) array: String,
    pub(super) oldest: i64,
    pub(super) newest: i64,
}

/// An accepted event with its readings.
#[derive(Row, Deserialize)]
pub(super) struct EventRow {
    pub(super) of: String,
    pub(super) partition: u32,
    pub(super) offset: u64,
    pub(super) time_ms: i64,
    pub(super) recorded_ms: Option<i64>,
    pub(super) provider: String,
    pub(super) array: String,
    pub(super) site: String,
    pub(super) kinds: Vec<i8>,
    pub(super) resources: Vec<String>,
    pub(super) customers: Vec<String>,
    pub(super) tiers: Vec<String>,
    pub(super) meters: Vec<String>,
    pub(super) values: Vec<u64>,
}

impl EventRow {
    /// The event, of the generation whose stream it was read of.
    pub(super) fn event(self, generation: &Generation) -> LedgerEvent {
        let row = self;
        let earlier = generation.earlier.iter().find(|earlier| earlier.rules.stream.0 == row.of);
        let generation = earlier.map_or(generation.rules.generation, |earlier| earlier.rules.generation);
        let tags = row.customers.into_iter().zip(row.tiers);
        let names = row.kinds.into_iter().zip(row.resources).zip(row.meters);
        let readings = names.zip(tags).zip(row.values).map(|((((kind, resource), meter), (customer, tier)), value)| {
            // the column's type has no other numbers
            let kind = Kind::from_number(kind as u8).unwrap_or(Kind::Array);
            LedgerReading { kind, resource, customer, tier, meter, value }
        });
        LedgerEvent {
            generation,
            offset: row.offset,
            time: Instant(row.time_ms),
            recorded: row.recorded_ms.map(Instant),
            readings: readings.collect(),
            provider: row.provider,
            array: row.array,
            site: row.site,
        }
    }
}
