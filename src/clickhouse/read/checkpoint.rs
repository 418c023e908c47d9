//! Checkpoints as they are stored.

use clickhouse::Row;
use serde::Deserialize;

use super::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::word::{Instant, Offset, Partition, StreamId};
use crate::fold::checkpoint::{Checkpoint, Counts, LastRecord};

/// What stands for the last record where a partition has none yet.
pub const NO_OFFSET: u64 = u64::MAX;

/// The columns of [`CheckpointRow`].
pub const COLUMNS: &str = "generation, from_offset, next_offset, control, log_time, consumed, accepted, duplicate, late, quarantined, digest, \
                           last_offset, last_hash, first_append_time";

/// A row of `checkpoint`, apart from stream and partition.
#[derive(Debug, Row, Deserialize)]
pub struct CheckpointRow {
    generation: u32,
    from_offset: u64,
    next_offset: u64,
    control: u64,
    /// In milliseconds since 1970.
    pub log_time: i64,
    consumed: u64,
    accepted: u64,
    duplicate: u64,
    late: u64,
    quarantined: u64,
    digest: u128,
    last_offset: u64,
    last_hash: u128,
    first_append_time: i64,
}

impl CheckpointRow {
    /// The checkpoint that it says.
    #[must_use]
    pub fn checkpoint(&self, stream: &StreamId, partition: Partition) -> Checkpoint {
        let last = LastRecord { offset: Offset(self.last_offset), hash: self.last_hash };
        Checkpoint {
            stream: stream.clone(),
            generation: self.generation,
            partition,
            from: Offset(self.from_offset),
            next: Offset(self.next_offset),
            control: Offset(self.control),
            log_time: Instant(self.log_time),
            consumed: self.consumed,
            counts: Counts {
                accepted: self.accepted,
                duplicate: self.duplicate,
                late: self.late,
                quarantined: self.quarantined,
            },
            digest: self.digest,
            last: (self.last_offset != NO_OFFSET).then_some(last),
            first_append_time: Instant(self.first_append_time),
        }
    }
}

/// All checkpoints of a partition whose log time is `since` or later, by where they end.
///
/// # Errors
/// The server's.
pub async fn since(
    client: &Client,
    stream: &StreamId,
    partition: Partition,
    since: Instant,
) -> Result<Vec<Checkpoint>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM checkpoint FINAL WHERE stream = {{stream:String}} AND partition = {{partition:UInt32}} \
         AND log_time >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') ORDER BY next_offset, from_offset"
    );
    let select = client.select(&sql).param("stream", &stream.0).param("partition", partition.0);
    let mut rows = Rows::<CheckpointRow>::of(client, select.param("since", since.0.max(0)))?;
    let mut checkpoints = Vec::new();
    while let Some(row) = rows.next().await? {
        checkpoints.push(row.checkpoint(stream, partition));
    }
    Ok(checkpoints)
}
