//! The ledger in the order of the log: what became of every record.
//!
//! Records of several partitions are put in the order of their log time, the greatest append time so far of their partition: it never goes
//! back, so a partition's own records keep their order whatever the broker's clock did.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::whole::Whole;
use crate::clickhouse::{Client, Error};
use crate::core::word::{Instant, StreamId};

/// Offsets asked for at once, of all partitions together: the bound of what the server sorts and of rows in memory.
const SPAN: u64 = 50_000;
/// Of one partition however many there are: less would be a question for a handful of rows.
const SPAN_MIN: u64 = 500;

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
    appended: i64,
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
    /// When it was appended.
    pub append_time: String,
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
            append_time: Instant(self.appended).rfc3339(),
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

/// A partition that is being read.
#[derive(Debug)]
struct Lane {
    partition: u32,
    /// What is not asked for yet.
    from: u64,
    last: u64,
    /// What is, and not handed over.
    ready: VecDeque<EventRow>,
    /// The greatest append time up to the first of them.
    log_time: i64,
}

impl Lane {
    /// The log time of the next row, which is asked for if need be; none after the last.
    async fn next(&mut self, client: &Client, stream: &StreamId, step: u64) -> Result<Option<i64>, Error> {
        while self.ready.is_empty() && self.from <= self.last {
            let to = self.from.saturating_add(step).min(self.last.saturating_add(1));
            self.ready = span(client, stream, self.partition, self.from, to).await?.into();
            self.from = to;
        }
        Ok(self.ready.front().map(|row| {
            self.log_time = self.log_time.max(row.appended);
            self.log_time
        }))
    }
}

/// Calls `each` with every row of the part: by log time, then by partition and offset. Memory is bounded by [`SPAN`].
///
/// # Errors
/// The server's, and those of `each`.
pub async fn read<E: From<Error>>(
    client: &Client,
    part: &Part,
    mut each: impl FnMut(&EventRow) -> Result<(), E>,
) -> Result<(), E> {
    let lane = |Bounds { partition, first, last }| Lane {
        partition,
        from: first,
        last,
        ready: VecDeque::new(),
        log_time: i64::MIN,
    };
    let mut lanes: Vec<Lane> = bounds(client, part).await?.into_iter().map(lane).collect();
    let step = step(lanes.len());
    let mut next = BinaryHeap::new();
    for (place, lane) in lanes.iter_mut().enumerate() {
        next.extend(lane.next(client, &part.stream, step).await?.map(|log_time| Reverse((log_time, place))));
    }
    while let Some(Reverse((_, place))) = next.pop() {
        let Some(lane) = lanes.get_mut(place) else { break };
        if let Some(row) = lane.ready.pop_front() {
            each(&row)?;
        }
        next.extend(lane.next(client, &part.stream, step).await?.map(|log_time| Reverse((log_time, place))));
    }
    Ok(())
}

/// Offsets of each of so many partitions that are asked for at once.
fn step(partitions: usize) -> u64 {
    (SPAN / u64::try_from(partitions).unwrap_or(SPAN).max(1)).max(SPAN_MIN)
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

async fn span(client: &Client, stream: &StreamId, partition: u32, from: u64, to: u64) -> Result<Vec<EventRow>, Error> {
    let sql = "SELECT partition, offset, toUnixTimestamp64Milli(append_time) AS appended, toString(disposition) AS disposition, toString(reason) AS reason, \
               toString(provider) AS provider, toString(array) AS array, toUnixTimestamp64Milli(time) AS measured, readings \
               FROM usage_event FINAL \
               WHERE stream = {stream:String} AND partition = {partition:UInt32} AND offset >= {from:UInt64} AND offset < {to:UInt64} \
               ORDER BY offset";
    let query = client.select(sql).param("stream", stream).param("partition", partition);
    client.fetch_all(query.param("from", from).param("to", to)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_share_the_rows_in_memory_down_to_a_least_part() {
        assert_eq!([0, 1, 2, 100, 101, 10_000].map(step), [SPAN, SPAN, SPAN / 2, 500, 500, SPAN_MIN]);
    }
}
