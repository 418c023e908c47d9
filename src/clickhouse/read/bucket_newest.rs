//! Whether buckets count more than a cut.

use std::collections::HashMap;

use clickhouse::Row;
use serde::Deserialize;

use crate::clickhouse::bucket_block::bucket_version;
use crate::clickhouse::{Client, Error};
use crate::core::cut::CutPoint;
use crate::core::word::Instant;

#[derive(Row, Deserialize)]
struct NewestRow {
    stream: String,
    partition: u32,
    newest: u64,
}

/// Whether a bucket of a provider in [from, until) counts more than what lies below a cut.
///
/// # Errors
/// The server's.
pub async fn newer(client: &Client, provider: &str, span: (Instant, Instant), cut: &[CutPoint]) -> Result<bool, Error> {
    // rows that were replaced have older versions of the same partition, or count for a generation that was closed: FINAL only if need be
    Ok(counts_more(client, provider, span, cut, "").await? && counts_more(client, provider, span, cut, "FINAL").await?)
}

async fn counts_more(
    client: &Client,
    provider: &str,
    (from, until): (Instant, Instant),
    cut: &[CutPoint],
    merged: &str,
) -> Result<bool, Error> {
    let sql = format!(
        "SELECT toString(b.stream) AS stream, b.partition AS partition, max(b.version) AS newest FROM usage_bucket AS b {merged} \
         WHERE b.provider = {{provider:String}} AND b.hour >= toDateTime(intDiv({{from:Int64}}, 3600000) * 3600, 'UTC') \
         AND b.hour < toDateTime({{until:Int64}} / 1000, 'UTC') GROUP BY b.stream, b.partition"
    );
    let select = client.select(&sql).param("provider", provider).param("from", from.0.max(0)).param("until", until.0);
    let rows: Vec<NewestRow> = client.fetch_all(select).await?;
    let most: HashMap<(&str, u32), u64> = cut.iter().map(|point| (place(point), version(point))).collect();
    Ok(rows.iter().any(|row| most.get(&(row.stream.as_str(), row.partition)).is_none_or(|most| row.newest > *most)))
}

fn place(point: &CutPoint) -> (&str, u32) {
    (point.stream.0.as_str(), point.partition.0)
}

/// The version of a bucket that counts all below a point: a stream's id ends in its generation.
fn version(point: &CutPoint) -> u64 {
    let generation = point.stream.0.rsplit_once('-').and_then(|(_, generation)| generation.parse().ok());
    bucket_version(generation.unwrap_or(0), point.offset)
}
