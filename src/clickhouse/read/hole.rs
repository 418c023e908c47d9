//! Positions that a checkpoint counts and the ledger lacks.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::below::Below;
use crate::clickhouse::void::Void;
use crate::clickhouse::{Client, Error};
use crate::core::cut::CutPoint;
use crate::core::word::{Offset, Partition, StreamId};

/// Holes that are listed; of more, the first.
pub const MAX_LISTED: usize = 100;

/// A span of offsets in which the ledger has another number of rows than its checkpoint counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hole {
    /// The stream.
    pub stream: StreamId,
    /// The partition.
    pub partition: Partition,
    /// The first offset of the span.
    pub from: Offset,
    /// The offset after its last.
    pub to: Offset,
    /// How many records the checkpoint counted.
    pub counted: u64,
    /// How many rows are there.
    pub found: u64,
}

#[derive(Debug, Row, Deserialize)]
struct SpanRow {
    from: u64,
    next: u64,
    consumed: u64,
}

#[derive(Debug, Row, Deserialize)]
struct StretchRow {
    start: u64,
    rows: u64,
}

const SPANS: &str = "checkpoint AS e WHERE e.stream = {cut_stream:Array(String)}[1] AND e.partition = {cut_partition:Array(UInt32)}[1] \
                     AND e.from_offset < e.next_offset AND e.next_offset <= {cut_offset:Array(UInt64)}[1]";

/// The spans of checkpoints below a cut whose rows are not all there, the first [`MAX_LISTED`].
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, cut: &[CutPoint]) -> Result<Vec<Hole>, Error> {
    let mut holes = Vec::new();
    for point in cut {
        // a process that had stood still may have checkpointed from where another one had gone on, so spans can overlap: rows are
        // counted between any two ends of spans
        // a checkpoint counts what is void now as well
        let below = Below { cut: Some(std::slice::from_ref(point)), void: &Void::default() };
        let stretches = format!(
            "SELECT s.start AS start, count() AS rows FROM (SELECT 1 AS key, e.offset AS offset FROM usage_event AS e FINAL WHERE {}) AS r \
             ASOF INNER JOIN (SELECT DISTINCT 1 AS key, arrayJoin([e.from_offset, e.next_offset]) AS start FROM {SPANS}) AS s \
             ON r.key = s.key AND r.offset >= s.start GROUP BY start",
            below.condition()
        );
        let rows: Vec<StretchRow> = client.fetch_all(below.bind(client.select(&stretches))).await?;
        let rows: BTreeMap<u64, u64> = rows.into_iter().map(|row| (row.start, row.rows)).collect();
        let spans = format!(
            "SELECT DISTINCT e.from_offset AS from, e.next_offset AS next, e.consumed AS consumed FROM {SPANS} ORDER BY from, next"
        );
        for span in client.fetch_all::<SpanRow>(below.bind(client.select(&spans))).await? {
            let found = rows.range(span.from..span.next).map(|(_, rows)| *rows).sum();
            if found != span.consumed && holes.len() < MAX_LISTED {
                let (stream, partition) = (point.stream.clone(), point.partition);
                let (from, to) = (Offset(span.from), Offset(span.next));
                holes.push(Hole { stream, partition, from, to, counted: span.consumed, found });
            }
        }
    }
    Ok(holes)
}
