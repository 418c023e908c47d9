//! ClickHouse's Native format: blocks of columns. Measured to be the cheapest way in for both sides; the types in a block's
//! header are the tables' own, so the server converts nothing and refuses what does not fit.

use std::cmp::Ordering;
use std::sync::Arc;

use super::read::checkpoint::NO_OFFSET;
use crate::core::ledger::batch::{LedgerBatch, MaybeInstants};
use crate::core::ledger::column::DictionaryColumn;
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::bucket::{Bucket, BucketBatch, BucketCell, SeriesKey};
use crate::core::word::{Instant, Offset, Partition};
use crate::fold::checkpoint::Checkpoint;

/// The type of an instant in milliseconds.
pub const DATE_TIME_MS: &str = "DateTime64(3, 'UTC')";
const DISPOSITION: &str = "Enum8('accepted' = 1, 'duplicate' = 2, 'late' = 3, 'quarantined' = 4)";
/// The type of a resource's kind.
pub const KIND: &str =
    "Enum8('array' = 1, 'volume' = 2, 'pod' = 3, 'realm' = 4, 'file_system' = 5, 'object_bucket' = 6)";
const METER_KIND: &str = "Enum8('gauge' = 1, 'delta' = 2, 'counter' = 3)";
const DICTIONARY: &str = "LowCardinality(String)";

/// Of a `LowCardinality` column on the wire: the version of its form.
const DICTIONARY_VERSION: u64 = 1;
/// ... and that its keys come along and are all that the rows use.
const DICTIONARY_FLAGS: u64 = (1 << 9) | (1 << 10);

/// One block under construction.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    columns: Vec<&'static str>,
    rows: usize,
}

impl Block {
    /// A block of so many rows.
    #[must_use]
    pub fn new(rows: usize, bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), columns: Vec::new(), rows }
    }

    /// The columns' names, for the INSERT statement.
    #[must_use]
    pub fn columns(&self) -> String {
        self.columns.join(", ")
    }

    /// The finished block.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut block = Vec::with_capacity(self.bytes.len() + 16);
        varint(&mut block, self.columns.len() as u64);
        varint(&mut block, self.rows as u64);
        block.extend_from_slice(&self.bytes);
        block
    }

    fn head(&mut self, name: &'static str, kind: &str) -> &mut Vec<u8> {
        self.columns.push(name);
        text(&mut self.bytes, name.as_bytes());
        text(&mut self.bytes, kind.as_bytes());
        &mut self.bytes
    }

    /// A column of numbers of a fixed width.
    pub fn numbers<const N: usize>(&mut self, name: &'static str, kind: &str, values: impl Iterator<Item = [u8; N]>) {
        let bytes = self.head(name, kind);
        values.for_each(|value| bytes.extend_from_slice(&value));
    }

    /// A column of bytes.
    pub fn bytes(&mut self, name: &'static str, kind: &str, values: &[u8]) {
        self.head(name, kind).extend_from_slice(values);
    }

    /// A column of texts.
    pub fn texts<'t>(&mut self, name: &'static str, values: impl Iterator<Item = &'t [u8]>) {
        let bytes = self.head(name, "String");
        values.for_each(|value| text(bytes, value));
    }

    /// A `LowCardinality(String)` column.
    pub fn dictionary(&mut self, name: &'static str, column: &DictionaryColumn) {
        let bytes = self.head(name, DICTIONARY);
        bytes.extend_from_slice(&DICTIONARY_VERSION.to_le_bytes());
        dictionary_rows(bytes, column);
    }

    /// A `LowCardinality(String)` column whose rows are all the same.
    pub fn constant(&mut self, name: &'static str, value: &str) {
        let mut column = DictionaryColumn::default();
        (0..self.rows).for_each(|_| column.push(value.as_bytes()));
        self.dictionary(name, &column);
    }

    /// A nullable instant column.
    pub fn maybe_instants(&mut self, name: &'static str, column: &MaybeInstants) {
        let bytes = self.head(name, "Nullable(DateTime64(3, 'UTC'))");
        bytes.extend_from_slice(&column.absent);
        column.ms.iter().for_each(|ms| bytes.extend_from_slice(&ms.to_le_bytes()));
    }

    /// An array column of numbers.
    pub fn number_arrays<const N: usize>(
        &mut self,
        name: &'static str,
        element: &str,
        ends: &[u64],
        values: impl Iterator<Item = [u8; N]>,
    ) {
        let bytes = self.head(name, &format!("Array({element})"));
        ends.iter().for_each(|end| bytes.extend_from_slice(&end.to_le_bytes()));
        values.for_each(|value| bytes.extend_from_slice(&value));
    }

    /// An array column of texts.
    pub fn text_arrays<'t>(&mut self, name: &'static str, ends: &[u64], values: impl Iterator<Item = &'t [u8]>) {
        let bytes = self.head(name, "Array(String)");
        ends.iter().for_each(|end| bytes.extend_from_slice(&end.to_le_bytes()));
        values.for_each(|value| text(bytes, value));
    }

    /// An array column of `LowCardinality(String)`. Its dictionary's version stands before the ends.
    pub fn dictionary_arrays(&mut self, name: &'static str, ends: &[u64], column: &DictionaryColumn) {
        let bytes = self.head(name, "Array(LowCardinality(String))");
        bytes.extend_from_slice(&DICTIONARY_VERSION.to_le_bytes());
        ends.iter().for_each(|end| bytes.extend_from_slice(&end.to_le_bytes()));
        dictionary_rows(bytes, column);
    }
}

fn dictionary_rows(bytes: &mut Vec<u8>, column: &DictionaryColumn) {
    if column.rows().is_empty() {
        return;
    }
    let distinct = column.distinct().len();
    let width = match distinct {
        0..=0x100 => 0u64,
        0x101..=0x1_0000 => 1,
        _ => 2,
    };
    bytes.extend_from_slice(&(width | DICTIONARY_FLAGS).to_le_bytes());
    bytes.extend_from_slice(&(distinct as u64).to_le_bytes());
    column.distinct().iter().for_each(|value| text(bytes, value));
    bytes.extend_from_slice(&(column.rows().len() as u64).to_le_bytes());
    match width {
        0 => bytes.extend(column.rows().iter().map(|row| *row as u8)),
        1 => column.rows().iter().for_each(|row| bytes.extend_from_slice(&(*row as u16).to_le_bytes())),
        _ => column.rows().iter().for_each(|row| bytes.extend_from_slice(&row.to_le_bytes())),
    }
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn text(bytes: &mut Vec<u8>, value: &[u8]) {
    varint(bytes, value.len() as u64);
    bytes.extend_from_slice(value);
}

/// The block of `usage_event` rows.
#[must_use]
pub fn usage_event(rules: &StreamRules, partition: Partition, batch: &LedgerBatch) -> Block {
    let mut block = Block::new(batch.len(), batch.bytes());
    block.constant("stream", &rules.stream.0);
    block.numbers("partition", "UInt32", batch.offsets.iter().map(|_| partition.0.to_le_bytes()));
    block.numbers("offset", "UInt64", batch.offsets.iter().map(|offset| offset.to_le_bytes()));
    block.numbers("append_time", DATE_TIME_MS, batch.append_times.iter().map(|ms| ms.to_le_bytes()));
    block.bytes("disposition", DISPOSITION, &batch.dispositions);
    block.dictionary("reason", &batch.reasons);
    block.dictionary("provider", &batch.providers);
    block.dictionary("array", &batch.arrays);
    block.dictionary("array_name", &batch.array_names);
    block.dictionary("site", &batch.sites);
    block.dictionary("source", &batch.sources);
    block.texts("id", batch.ids.iter());
    block.maybe_instants("time", &batch.times);
    block.maybe_instants("recorded_time", &batch.recorded_times);
    block.numbers("identity", "UInt128", batch.identities.iter().map(|identity| identity.to_le_bytes()));
    block.numbers("content", "UInt64", batch.contents.iter().map(|content| content.to_le_bytes()));
    block.numbers("decision", "Int64", batch.decisions.iter().map(|decision| decision.to_le_bytes()));
    block.numbers("readings", "UInt32", batch.reading_counts.iter().map(|count| count.to_le_bytes()));
    let readings = &batch.readings;
    block.number_arrays("reading_kind", KIND, &readings.ends, readings.kinds.iter().map(|kind| [*kind]));
    block.dictionary_arrays("reading_resource", &readings.ends, &readings.resources);
    block.dictionary_arrays("reading_name", &readings.ends, &readings.names);
    block.dictionary_arrays("reading_customer", &readings.ends, &readings.customers);
    block.dictionary_arrays("reading_tier", &readings.ends, &readings.tiers);
    block.dictionary_arrays("reading_meter", &readings.ends, &readings.meters);
    block.number_arrays(
        "reading_value",
        "UInt64",
        &readings.ends,
        readings.values.iter().map(|value| value.to_le_bytes()),
    );
    block
}

/// The block of `quarantine` rows; none if there are none.
#[must_use]
pub fn quarantine(rules: &StreamRules, partition: Partition, batch: &LedgerBatch) -> Option<Block> {
    let rows = &batch.quarantine;
    if rows.is_empty() {
        return None;
    }
    let mut block = Block::new(rows.len(), rows.iter().map(|row| row.raw.len() + 300).sum());
    let of_event = |column: &DictionaryColumn| {
        let mut picked = DictionaryColumn::default();
        rows.iter().for_each(|row| picked.push(column.get(row.row)));
        picked
    };
    block.constant("stream", &rules.stream.0);
    block.numbers("partition", "UInt32", rows.iter().map(|_| partition.0.to_le_bytes()));
    block.numbers("offset", "UInt64", rows.iter().map(|row| batch.offsets[row.row].to_le_bytes()));
    block.numbers("append_time", DATE_TIME_MS, rows.iter().map(|row| batch.append_times[row.row].to_le_bytes()));
    let dispositions: Vec<u8> = rows.iter().map(|row| batch.dispositions[row.row]).collect();
    block.bytes("disposition", DISPOSITION, &dispositions);
    block.dictionary("reason", &of_event(&batch.reasons));
    block.texts("detail", rows.iter().map(|row| row.detail.as_bytes()));
    // what a record says of its owner is not believed: a bound stream's records are its provider's
    match &rules.provider {
        Some(own) => block.constant("provider", own),
        None => block.dictionary("provider", &of_event(&batch.providers)),
    }
    block.texts("array", rows.iter().map(|row| row.array.as_bytes()));
    block.texts("key", rows.iter().map(|row| &*row.key));
    let mut count = 0;
    let ends: Vec<u64> = rows
        .iter()
        .map(|row| {
            count += row.headers.len() as u64;
            count
        })
        .collect();
    let headers = || rows.iter().flat_map(|row| &row.headers);
    block.text_arrays("header_name", &ends, headers().map(|(name, _)| name.as_bytes()));
    block.text_arrays("header_value", &ends, headers().map(|(_, value)| &**value));
    block.texts("raw", rows.iter().map(|row| &*row.raw));
    block.numbers("raw_hash", "UInt128", rows.iter().map(|row| row.raw_hash.to_le_bytes()));
    Some(block)
}

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
    let mut months: std::collections::BTreeMap<i64, Vec<_>> = std::collections::BTreeMap::new();
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

/// A checkpoint.
#[must_use]
pub fn checkpoint(checkpoint: &Checkpoint) -> Block {
    let mut block = Block::new(1, 200);
    let number = |value: u64| std::iter::once(value.to_le_bytes());
    block.constant("stream", &checkpoint.stream.0);
    block.numbers("generation", "UInt32", std::iter::once(checkpoint.generation.to_le_bytes()));
    block.numbers("partition", "UInt32", std::iter::once(checkpoint.partition.0.to_le_bytes()));
    block.numbers("from_offset", "UInt64", number(checkpoint.from.0));
    block.numbers("next_offset", "UInt64", number(checkpoint.next.0));
    block.numbers("control", "UInt64", number(checkpoint.control.0));
    let instant = |instant: Instant| std::iter::once(table_ms(instant).to_le_bytes());
    block.numbers("log_time", DATE_TIME_MS, instant(checkpoint.log_time));
    block.numbers("consumed", "UInt64", number(checkpoint.consumed));
    block.numbers("accepted", "UInt64", number(checkpoint.counts.accepted));
    block.numbers("duplicate", "UInt64", number(checkpoint.counts.duplicate));
    block.numbers("late", "UInt64", number(checkpoint.counts.late));
    block.numbers("quarantined", "UInt64", number(checkpoint.counts.quarantined));
    block.numbers("digest", "UInt128", std::iter::once(checkpoint.digest.to_le_bytes()));
    block.numbers("last_offset", "UInt64", number(checkpoint.last.map_or(NO_OFFSET, |last| last.offset.0)));
    let hash = checkpoint.last.map_or(0, |last| last.hash);
    block.numbers("last_hash", "UInt128", std::iter::once(hash.to_le_bytes()));
    block.numbers("first_append_time", DATE_TIME_MS, instant(checkpoint.first_append_time));
    block
}

/// An instant inside the range of a DateTime64: a partition without records has a log time before all time.
#[must_use]
pub fn table_ms(instant: Instant) -> i64 {
    instant.0.clamp(0, 4_000_000_000_000)
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
