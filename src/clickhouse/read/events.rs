//! The ledger in the order of the log: what became of every record.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::rows::Rows;
use super::whole::Whole;
use crate::clickhouse::{Client, Error};
use crate::core::word::{Instant, StreamId};

/// Offsets asked for at once: the bound of what the server sorts, and of what is lost when a connection breaks.
const SPAN: u64 = 100_000;

/// A part of the ledger.
#[derive(Clone, Debug)]
pub struct Part {
    /// The stream.
    pub stream: StreamId,
    /// One partition, or all of them.
    pub partition: Option<u32>,
    /// The first offset.
    pub from: u64,
    /// The offset after the last; `None` = to the end.
    pub to: Option<u64>,
}

/// What became of one record.
#[derive(Debug, Row, Deserialize)]
pub struct EventRow {
    partition: u32,
    offset: u64,
    disposition: String,
    reason: String,
    provider: String,
    array: String,
    measured: Option<i64>,
    readings: u32,
}

/// The same as it is printed.
#[derive(Debug, Serialize)]
pub struct Event<'a> {
    /// The stream's id.
    pub stream: &'a str,
    /// The partition.
    pub partition: u32,
    /// The offset.
    pub offset: Whole,
    /// accepted, duplicate, late or quarantined.
    pub disposition: &'a str,
    /// Why it was quarantined.
    pub reason: Option<&'a str>,
    /// Whose it is, where that can be known.
    pub provider: Option<&'a str>,
    /// The array, where that can be known.
    pub array: Option<&'a str>,
    /// When it was measured, where that can be known.
    pub time: Option<String>,
    /// How many readings it holds.
    pub readings: u32,
}

impl EventRow {
    /// Its offset.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The printed form.
    #[must_use]
    pub fn printed<'a>(&'a self, stream: &'a StreamId) -> Event<'a> {
        let some = |text: &'a String| Some(text.as_str()).filter(|text| !text.is_empty());
        Event {
            stream: &stream.0,
            partition: self.partition,
            offset: Whole(i128::from(self.offset)),
            disposition: &self.disposition,
            reason: some(&self.reason),
            provider: some(&self.provider),
            array: some(&self.array),
            time: self.measured.map(|time| Instant(time).rfc3339()),
            readings: self.readings,
        }
    }
}

#[derive(Debug, Row, Deserialize)]
struct Bounds {
    partition: u32,
    first: u64,
    last: u64,
}

/// Calls `each` with every row of the part, by partition and offset. Memory is bounded by [`SPAN`].
///
/// # Errors
/// The server's, and those of `each`.
pub async fn read<E: From<Error>>(
    client: &Client,
    part: &Part,
    mut each: impl FnMut(&EventRow) -> Result<(), E>,
) -> Result<(), E> {
    for Bounds { partition, first, last } in bounds(client, part).await? {
        let mut from = first;
        while from <= last {
            let to = from.saturating_add(SPAN).min(last.saturating_add(1));
            let mut rows = span(client, &part.stream, partition, from, to)?;
            while let Some(row) = rows.next().await? {
                each(&row)?;
            }
            from = to;
        }
    }
    Ok(())
}

async fn bounds(client: &Client, part: &Part) -> Result<Vec<Bounds>, Error> {
    let one = if part.partition.is_some() { "AND partition = {partition:UInt32}" } else { "" };
    let sql = format!(
        "SELECT partition, min(offset) AS first, max(offset) AS last FROM usage_event \
         WHERE stream = {{stream:String}} AND offset >= {{from:UInt64}} AND offset < {{to:UInt64}} {one} \
         GROUP BY partition ORDER BY partition"
    );
    let query = client.select(&sql).param("stream", &part.stream).param("from", part.from);
    let query = query.param("to", part.to.unwrap_or(u64::MAX)).param("partition", part.partition.unwrap_or(0));
    client.fetch_all(query).await
}

fn span(client: &Client, stream: &StreamId, partition: u32, from: u64, to: u64) -> Result<Rows<EventRow>, Error> {
    let sql = "SELECT partition, offset, toString(disposition) AS disposition, toString(reason) AS reason, \
               toString(provider) AS provider, toString(array) AS array, toUnixTimestamp64Milli(time) AS measured, readings \
               FROM usage_event FINAL \
               WHERE stream = {stream:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64} \
               ORDER BY offset";
    let query = client.select(sql).param("stream", stream).param("partition", partition);
    Rows::of(client, query.param("from", from).param("to", to))
}
