//! Rows of streams and partitions that no decision opened: no worker writes them, so a hand did. They count for nothing and are deleted.

use clickhouse::Row;
use serde::Deserialize;

use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use super::mend::delete;
use super::report::Extent;
use super::vector::is_known;
use crate::clickhouse::{Client, Error};
use crate::core::word::{Partition, StreamId};
use crate::kafka::control::ControlFollower;

/// A table whose rows say to which partition of which stream they belong.
struct Table {
    name: &'static str,
    /// Where its rows begin and end in the log.
    places: (&'static str, &'static str),
    has_provider: bool,
}

const TABLES: [Table; 4] = [
    Table { name: "usage_event", places: ("offset", "offset"), has_provider: true },
    Table { name: "quarantine", places: ("offset", "offset"), has_provider: true },
    Table { name: "checkpoint", places: ("from_offset", "next_offset"), has_provider: false },
    Table { name: "usage_bucket", places: ("as_of", "as_of"), has_provider: true },
];

#[derive(Row, Deserialize)]
struct PlaceRow {
    stream: String,
    partition: u32,
    count: u64,
    first: u64,
    last: u64,
}

/// Partitions without a decision of which there are rows, a finding a table.
///
/// # Errors
/// The server's and the broker's.
pub async fn find(client: &Client, control: &ControlFollower, extent: &Extent) -> Result<Vec<Finding>, AuditError> {
    let mut stored = Vec::new();
    for table in &TABLES {
        stored.extend(places(client, table, extent).await?.into_iter().map(|row| (table.name, row)));
    }
    // read after the rows: whatever a worker has written, its stream was open before
    tokio::task::block_in_place(|| control.read_to_end())?;
    let register = control.register();
    let strays = stored.into_iter().filter(|(_, row)| !is_known(&register, &row.stream, row.partition));
    Ok(strays.map(|(table, row)| finding(table, row)).collect())
}

async fn places(client: &Client, table: &Table, extent: &Extent) -> Result<Vec<PlaceRow>, Error> {
    let Table { name, places: (first, last), .. } = table;
    let mut sql = format!(
        "SELECT toString(stream) AS stream, partition, count() AS count, min({first}) AS first, max({last}) AS last FROM {name}"
    );
    let provider = extent.provider.as_deref().filter(|_| table.has_provider);
    if provider.is_some() {
        sql.push_str(" WHERE provider = {provider:String}");
    }
    sql.push_str(" GROUP BY stream, partition ORDER BY stream, partition");
    client.fetch_all(client.select(&sql).param("provider", provider.unwrap_or_default())).await
}

fn finding(table: &'static str, row: PlaceRow) -> Finding {
    let PlaceRow { stream, partition, count, first, last } = row;
    let detail = format!("{count} rows, at offsets {first} to {last}, of a partition that no decision opened");
    let place = Place::Partition(StreamId(stream), Partition(partition));
    Finding { invariant: "I1", table, fault: Fault::Surplus, place, detail }
}

/// Deletes the rows of a finding of [`find`] in the same extent.
///
/// # Errors
/// The server's.
pub async fn remove(client: &Client, finding: &Finding, extent: &Extent) -> Result<(), Error> {
    let Place::Partition(stream, partition) = &finding.place else { return Ok(()) };
    let Some(table) = TABLES.iter().find(|table| table.name == finding.table) else { return Ok(()) };
    let provider = extent.provider.as_deref().filter(|_| table.has_provider);
    let own = if provider.is_some() { " AND provider = {provider:String}" } else { "" };
    let sql = format!(
        "DELETE FROM {} WHERE stream = {{stream:String}} AND partition = {{partition:UInt32}}{own}",
        table.name
    );
    let query = client.raw().query_raw(&sql).param("stream", &stream.0).param("partition", partition.0);
    let query = match provider {
        Some(provider) => query.param("provider", provider),
        None => query,
    };
    delete(client, query).await
}
