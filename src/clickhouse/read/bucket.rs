//! Buckets as they are stored, whole: for whoever compares them with the ledger.

use clickhouse::Row;
use serde::Deserialize;

use super::borrowed::Borrowed;
use crate::clickhouse::{Client, Error};
use crate::core::metering::bucket::{Bucket, BucketCell, SeriesKey};
use crate::core::word::Hour;

/// A row of `usage_bucket`, borrowed from the answer.
#[derive(Debug, Row, Deserialize)]
pub struct StoredBucket<'a> {
    /// Who runs the array.
    pub provider: &'a str,
    /// The array.
    pub array: &'a str,
    /// What is measured, by number.
    pub kind: i8,
    /// Which one.
    pub resource: &'a str,
    /// The quantity.
    pub meter: &'a str,
    /// The hour, in seconds since 1970.
    pub hour: u32,
    /// Generation and `as_of` in one number.
    pub version: u64,
    /// The stream whose fold wrote it.
    pub stream: &'a str,
    /// The partition.
    pub partition: u32,
    /// It counts every record below this offset.
    pub as_of: u64,
    /// The meter's kind, by number.
    pub meter_kind: i8,
    /// Length of a cell.
    pub cell_minutes: u8,
    cell_index: Vec<u8>,
    #[serde(borrow)]
    cell_customer: Vec<&'a str>,
    #[serde(borrow)]
    cell_tier: Vec<&'a str>,
    #[serde(borrow)]
    cell_site: Vec<&'a str>,
    cell_amount: Vec<i128>,
    cell_observed_ms: Vec<u32>,
    cell_count: Vec<u32>,
    cell_min: Vec<u64>,
    cell_max: Vec<u64>,
    cell_last: Vec<u64>,
    /// A hash over all columns, where it was asked for.
    pub hash: &'a str,
}

/// All columns of `usage_bucket`.
pub const COLUMNS: &str = "provider, array, kind, resource, meter, hour, version, stream, partition, as_of, meter_kind, cell_minutes, \
    cell_index, cell_customer, cell_tier, cell_site, cell_amount, cell_observed_ms, cell_count, cell_min, cell_max, cell_last";

/// The hash over all columns, in SQL.
#[must_use]
pub fn hash_sql() -> String {
    format!("hex(sipHash128(tuple({COLUMNS})))")
}

impl StoredBucket<'_> {
    /// Its hour.
    #[must_use]
    pub fn hour(&self) -> Hour {
        Hour(i64::from(self.hour) / 3600)
    }

    /// Whether it has no cell: what was written of that hour before is void, and nothing is left of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cell_index.is_empty() && self.cell_amount.is_empty()
    }

    /// Where it stands among the buckets of its array: the table's own order.
    #[must_use]
    pub fn place(&self) -> Place<'_> {
        (self.meter, self.kind, self.resource, self.hour().0)
    }

    /// Whether all that it says is what metering puts out: the definition and every figure of every cell.
    #[must_use]
    pub fn says(&self, bucket: &Bucket, cells: &[BucketCell]) -> bool {
        let definition = &bucket.definition;
        let same_definition =
            self.meter_kind == definition.kind as i8 && self.cell_minutes == definition.cell_minutes();
        let lengths = [
            self.cell_index.len(),
            self.cell_customer.len(),
            self.cell_tier.len(),
            self.cell_site.len(),
            self.cell_amount.len(),
            self.cell_observed_ms.len(),
            self.cell_count.len(),
            self.cell_min.len(),
            self.cell_max.len(),
            self.cell_last.len(),
        ];
        same_definition
            && lengths.iter().all(|length| *length == cells.len())
            && cells.iter().enumerate().all(|(place, cell)| self.cell_says(place, cell))
    }

    /// In words how it differs from what metering puts out: sums, or the first cell.
    #[must_use]
    pub fn difference(&self, bucket: &Bucket, cells: &[BucketCell]) -> String {
        let (stored, metered): (i128, i128) =
            (self.cell_amount.iter().sum(), cells.iter().map(|cell| cell.amount).sum());
        if self.meter_kind != bucket.definition.kind as i8 || self.cell_minutes != bucket.definition.cell_minutes() {
            return "stored under another definition of the meter".to_owned();
        }
        if stored != metered {
            return format!("stored amount {stored}, the ledger gives {metered}");
        }
        format!("amount {stored} in both; cells, tags or other figures differ")
    }

    fn cell_says(&self, place: usize, cell: &BucketCell) -> bool {
        let text = |tag: &Option<Box<str>>, stored: &str| tag.as_deref().unwrap_or_default() == stored;
        self.cell_index[place] == cell.index
            && self.cell_amount[place] == cell.amount
            && self.cell_observed_ms[place] == cell.observed_ms
            && self.cell_count[place] == cell.count
            && self.cell_min[place] == cell.min
            && self.cell_max[place] == cell.max
            && self.cell_last[place] == cell.last
            && text(&cell.tags.customer, self.cell_customer[place])
            && text(&cell.tags.tier, self.cell_tier[place])
            && text(&cell.tags.site, self.cell_site[place])
    }
}

/// The order of an array's buckets: meter, kind by number, resource, hour.
pub type Place<'a> = (&'a str, i8, &'a str, i64);

/// Where a metered bucket stands among those of its array.
#[must_use]
pub fn place<'a>(series: &'a SeriesKey, hour: Hour) -> Place<'a> {
    (&series.meter, series.kind as i8, &series.resource, hour.0)
}

/// Which buckets.
#[derive(Clone, Debug)]
pub struct BucketQuery<'a> {
    /// Of this provider; else of all.
    pub provider: Option<&'a str>,
    /// Of these arrays; of all if none is named.
    pub arrays: Vec<&'a str>,
    /// The first hour.
    pub from: Hour,
    /// The hour after the last.
    pub to: Hour,
}

/// The newest versions of buckets by provider, array and [`Place`].
///
/// # Errors
/// A statement that cannot be sent.
pub fn read(client: &Client, query: &BucketQuery<'_>) -> Result<Borrowed<StoredBucket<'static>>, Error> {
    select(client, query, ("FINAL", "''"))
}

/// All rows of buckets, merged or not, with their hashes, in the same order.
///
/// # Errors
/// A statement that cannot be sent.
pub fn read_all(client: &Client, query: &BucketQuery<'_>) -> Result<Borrowed<StoredBucket<'static>>, Error> {
    select(client, query, ("", &hash_sql()))
}

fn select(
    client: &Client,
    query: &BucketQuery<'_>,
    (is_final, hash): (&str, &str),
) -> Result<Borrowed<StoredBucket<'static>>, Error> {
    let provider = if query.provider.is_some() { " AND provider = {provider:String}" } else { "" };
    let arrays = if query.arrays.is_empty() { "" } else { " AND has({arrays:Array(String)}, array)" };
    let sql = format!(
        "SELECT {COLUMNS}, {hash} AS hash FROM usage_bucket {is_final} \
         WHERE hour >= toDateTime({{from:Int64}}, 'UTC') AND hour < toDateTime({{to:Int64}}, 'UTC'){provider}{arrays} \
         ORDER BY provider, array, meter, kind, resource, hour"
    );
    let select = client.select(&sql).param("from", query.from.0 * 3600).param("to", query.to.0 * 3600);
    let select = select.param("provider", query.provider.unwrap_or_default()).param("arrays", &query.arrays);
    Borrowed::of(client, select)
}
