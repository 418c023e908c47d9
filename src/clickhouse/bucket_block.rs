//! Buckets as blocks of `usage_bucket`, and the version by which one row of a bucket stays.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::native::{Block, KIND};
use crate::core::ledger::column::DictionaryColumn;
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::bucket::{Bucket, BucketBatch, BucketCell, SeriesKey};
use crate::core::word::{Offset, Partition};

const METER_KIND: &str = "Enum8('gauge' = 1, 'delta' = 2, 'counter' = 3)";

/// A bucket's version: of two rows of one bucket the later generation, then the greater `as_of`, stays.
#[must_use]
pub fn bucket_version(generation: u32, as_of: Offset) -> u64 {
    (u64::from(generation) << 48) | (as_of.0 & ((1 << 48) - 1))
}

/// The blocks of `usage_bucket` rows, one a month with its number of rows: an insert then touches one table partition.
#[must_use]
pub fn usage_bucket(
    rules: &StreamRules,
    partition: Partition,
    as_of: Offset,
    buckets: &BucketBatch,
) -> Vec<(u64, Block)> {
    let mut months: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for (bucket, cells) in buckets.iter() {
        months.entry(month(bucket.hour.start().0)).or_default().push((bucket, cells));
    }
    // in the table's own order the server has nothing to sort, and sorting array columns is most of what an insert costs it
    months.values_mut().for_each(|rows| rows.sort_by(|(a, _), (b, _)| table_order(a, b)));
    months.into_values().map(|rows| (rows.len() as u64, bucket_block(rules, partition, as_of, &rows))).collect()
}

/// The order of `usage_bucket`: (provider, array, meter, kind, resource, hour).
fn table_order(a: &Bucket, b: &Bucket) -> Ordering {
    let of_name = |a: &SeriesKey, b: &SeriesKey| {
        let (one, other) = ((&a.provider, &a.array, &a.meter), (&b.provider, &b.array, &b.meter));
        one.cmp(&other).then((a.kind as u8).cmp(&(b.kind as u8))).then_with(|| a.resource.cmp(&b.resource))
    };
    let name = if Arc::ptr_eq(&a.series, &b.series) { Ordering::Equal } else { of_name(&a.series, &b.series) };
    name.then(a.hour.cmp(&b.hour))
}

fn bucket_block(rules: &StreamRules, partition: Partition, as_of: Offset, rows: &[(&Bucket, &[BucketCell])]) -> Block {
    let mut block = Block::new(rows.len(), rows.len() * 200);
    let series = || rows.iter().map(|(bucket, _)| &*bucket.series);
    let version = bucket_version(rules.generation, as_of);
    block.dictionary("provider", &dictionary(series().map(|series| series.provider.as_bytes())));
    block.dictionary("array", &dictionary(series().map(|series| series.array.as_bytes())));
    let kinds: Vec<u8> = series().map(|series| series.kind as u8).collect();
    block.bytes("kind", KIND, &kinds);
    block.texts("resource", series().map(|series| series.resource.as_bytes()));
    block.dictionary("meter", &dictionary(series().map(|series| series.meter.as_bytes())));
    let hours = rows.iter().map(|(bucket, _)| ((bucket.hour.start().0 / 1000) as u32).to_le_bytes());
    block.numbers("hour", "DateTime('UTC')", hours);
    block.numbers("version", "UInt64", rows.iter().map(|_| version.to_le_bytes()));
    block.constant("stream", &rules.stream.0);
    block.numbers("partition", "UInt32", rows.iter().map(|_| partition.0.to_le_bytes()));
    block.numbers("as_of", "UInt64", rows.iter().map(|_| as_of.0.to_le_bytes()));
    let meter_kinds: Vec<u8> = rows.iter().map(|(bucket, _)| bucket.definition.kind as u8).collect();
    block.bytes("meter_kind", METER_KIND, &meter_kinds);
    let minutes: Vec<u8> = rows.iter().map(|(bucket, _)| bucket.definition.cell_minutes()).collect();
    block.bytes("cell_minutes", "UInt8", &minutes);
    let mut count = 0;
    let ends: Vec<u64> = rows
        .iter()
        .map(|(_, cells)| {
            count += cells.len() as u64;
            count
        })
        .collect();
    let cells = || rows.iter().flat_map(|(_, cells)| cells.iter());
    block.number_arrays("cell_index", "UInt8", &ends, cells().map(|cell| [cell.index]));
    let customers = dictionary(cells().map(|cell| cell.tags.customer.as_deref().unwrap_or_default().as_bytes()));
    block.dictionary_arrays("cell_customer", &ends, &customers);
    let tiers = dictionary(cells().map(|cell| cell.tags.tier.as_deref().unwrap_or_default().as_bytes()));
    block.dictionary_arrays("cell_tier", &ends, &tiers);
    let sites = dictionary(cells().map(|cell| cell.tags.site.as_deref().unwrap_or_default().as_bytes()));
    block.dictionary_arrays("cell_site", &ends, &sites);
    block.number_arrays("cell_amount", "Int128", &ends, cells().map(|cell| cell.amount.to_le_bytes()));
    block.number_arrays("cell_observed_ms", "UInt32", &ends, cells().map(|cell| cell.observed_ms.to_le_bytes()));
    block.number_arrays("cell_count", "UInt32", &ends, cells().map(|cell| cell.count.to_le_bytes()));
    block.number_arrays("cell_min", "UInt64", &ends, cells().map(|cell| cell.min.to_le_bytes()));
    block.number_arrays("cell_max", "UInt64", &ends, cells().map(|cell| cell.max.to_le_bytes()));
    block.number_arrays("cell_last", "UInt64", &ends, cells().map(|cell| cell.last.to_le_bytes()));
    block
}

fn dictionary<'t>(values: impl Iterator<Item = &'t [u8]>) -> DictionaryColumn {
    let mut column = DictionaryColumn::default();
    values.for_each(|value| column.push(value));
    column
}

/// A number for the UTC month of an instant.
fn month(ms: i64) -> i64 {
    use chrono::Datelike;
    chrono::DateTime::from_timestamp_millis(ms).map_or(0, |time| i64::from(time.year()) * 12 + i64::from(time.month0()))
}
