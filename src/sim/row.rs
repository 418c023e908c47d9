//! The rows of the simulated tables, made from the batches that the fold writes.

use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::Datelike;

use super::database::Part;
use crate::core::ledger::batch::{LedgerBatch, MaybeInstants};
use crate::core::ledger::column::DictionaryColumn;
use crate::core::metering::bucket::{BucketBatch, BucketCell, SeriesKey};
use crate::core::word::{Hour, Kind};
use crate::fold::ledger::LedgerReading;

/// A row of `usage_event`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EventRow {
    pub(super) offset: u64,
    pub(super) append_ms: i64,
    pub(super) disposition: u8,
    pub(super) reason: String,
    pub(super) provider: String,
    pub(super) array: String,
    pub(super) site: String,
    pub(super) id: String,
    pub(super) time: Option<i64>,
    pub(super) recorded: Option<i64>,
    pub(super) identity: u128,
    pub(super) content: u64,
    pub(super) decision: i64,
    pub(super) count: u32,
    pub(super) readings: Vec<LedgerReading>,
}

/// A row of `quarantine`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QuarantineRow {
    pub(super) raw: Vec<u8>,
    pub(super) detail: String,
}

/// The key of `usage_bucket`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BucketKey {
    pub(super) series: std::sync::Arc<SeriesKey>,
    pub(super) hour: Hour,
}

/// The rest of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BucketRow {
    pub(super) partition: u32,
    pub(super) as_of: u64,
    pub(super) cells: Vec<BucketCell>,
}

/// The parts of a ledger insert, in the order in which they are sent: the bytes of what was not accepted, then rows by month.
pub(super) fn ledger_parts(partition: u32, batch: &LedgerBatch) -> Vec<Part> {
    let mut parts = Vec::new();
    if !batch.quarantine.is_empty() {
        let rows = batch.quarantine.iter().map(|row| {
            let kept = QuarantineRow { raw: row.raw.clone(), detail: row.detail.clone() };
            (batch.offsets[row.row], kept)
        });
        parts.push(Part::Quarantine(partition, rows.collect()));
    }
    let mut months: BTreeMap<i64, Vec<Rc<EventRow>>> = BTreeMap::new();
    for row in 0..batch.len() {
        months.entry(month(batch.append_times[row])).or_default().push(Rc::new(event_row(batch, row)));
    }
    parts.extend(months.into_values().map(|rows| Part::Events(partition, rows)));
    parts
}

/// The parts of a bucket insert, by month.
pub(super) fn bucket_parts(partition: u32, generation: u32, as_of: u64, batch: &BucketBatch) -> Vec<Part> {
    let mut months: BTreeMap<i64, Vec<(BucketKey, Rc<BucketRow>)>> = BTreeMap::new();
    for (bucket, cells) in batch.iter() {
        let key = BucketKey { series: std::sync::Arc::clone(&bucket.series), hour: bucket.hour };
        let row = Rc::new(BucketRow { partition, as_of, cells: cells.to_vec() });
        months.entry(month(bucket.hour.start().0)).or_default().push((key, row));
    }
    let version = u64::from(generation) << 48 | as_of;
    months.into_values().map(|rows| Part::Buckets(version, rows)).collect()
}

fn event_row(batch: &LedgerBatch, row: usize) -> EventRow {
    let text = |column: &DictionaryColumn| owned(column.get(row));
    let maybe = |column: &MaybeInstants| (column.absent[row] == 0).then(|| column.ms[row]);
    let first = if row == 0 { 0 } else { batch.readings.ends[row - 1] };
    EventRow {
        offset: batch.offsets[row],
        append_ms: batch.append_times[row],
        disposition: batch.dispositions[row],
        reason: text(&batch.reasons),
        provider: text(&batch.providers),
        array: text(&batch.arrays),
        site: text(&batch.sites),
        id: owned(batch.ids.get(row)),
        time: maybe(&batch.times),
        recorded: maybe(&batch.recorded_times),
        identity: batch.identities[row],
        content: batch.contents[row],
        decision: batch.decisions[row],
        count: batch.reading_counts[row],
        readings: (first..batch.readings.ends[row]).map(|place| reading(batch, place as usize)).collect(),
    }
}

fn reading(batch: &LedgerBatch, place: usize) -> LedgerReading {
    let columns = &batch.readings;
    LedgerReading {
        kind: Kind::from_number(columns.kinds[place]).unwrap_or(Kind::Array),
        resource: owned(columns.resources.get(place)),
        customer: owned(columns.customers.get(place)),
        tier: owned(columns.tiers.get(place)),
        meter: owned(columns.meters.get(place)),
        value: columns.values[place],
    }
}

fn owned(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// A number for the UTC month of an instant.
fn month(ms: i64) -> i64 {
    chrono::DateTime::from_timestamp_millis(ms).map_or(0, |time| i64::from(time.year()) * 12 + i64::from(time.month0()))
}
