//! The checkpoint vector: up to where every partition's ledger and buckets are durable, and which meters its buckets reflect.

use clickhouse::Row;
use serde::Deserialize;

use super::error::AuditError;
use crate::clickhouse::bucket_block::bucket_version;
use crate::clickhouse::{Client, Error};
use crate::core::cut::CutPoint;
use crate::core::decision::stream::StreamRegister;
use crate::core::word::{Instant, Offset, Partition, StreamId};
use crate::remeter::{Cut, Source};

pub use crate::core::cut::Stand;

impl Stand {
    /// The version of a bucket that counts everything below the point: the greatest that may be there.
    #[must_use]
    pub fn version(&self) -> u64 {
        bucket_version(self.generation, self.point.offset)
    }
}

/// Where all partitions stand, by stream and partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vector(Vec<Stand>);

#[derive(Row, Deserialize)]
struct StandRow {
    stream: String,
    partition: u32,
    generation: u32,
    next: u64,
    reflected: u64,
    logged: i64,
}

impl Vector {
    /// The newest checkpoints.
    ///
    /// # Errors
    /// The server's.
    pub async fn newest(client: &Client) -> Result<Self, Error> {
        Self::read(client, "", &[]).await
    }

    /// The checkpoints at a cut. A point at which no checkpoint was made stands for nothing: it is left out.
    ///
    /// # Errors
    /// The server's.
    pub async fn at(client: &Client, cut: &[CutPoint]) -> Result<Self, Error> {
        let condition = "WHERE has(arrayZip({streams:Array(String)}, {partitions:Array(UInt32)}, {offsets:Array(UInt64)}), \
                         (toString(stream), partition, next_offset))";
        Self::read(client, condition, cut).await
    }

    async fn read(client: &Client, condition: &str, cut: &[CutPoint]) -> Result<Self, Error> {
        let sql = format!(
            "SELECT toString(stream) AS stream, partition, argMax(generation, (next_offset, control)) AS generation, \
             max(next_offset) AS next, argMax(control, (next_offset, control)) AS reflected, \
             toUnixTimestamp64Milli(argMax(log_time, (next_offset, control))) AS logged \
             FROM checkpoint {condition} GROUP BY stream, partition ORDER BY stream, partition"
        );
        let streams: Vec<&str> = cut.iter().map(|point| point.stream.0.as_str()).collect();
        let partitions: Vec<u32> = cut.iter().map(|point| point.partition.0).collect();
        let offsets: Vec<u64> = cut.iter().map(|point| point.offset.0).collect();
        let select = client.select(&sql).param("streams", streams).param("partitions", partitions);
        let rows: Vec<StandRow> = client.fetch_all(select.param("offsets", offsets)).await?;
        Ok(Self(rows.into_iter().map(Stand::from).collect()))
    }

    /// Without partitions that no decision opened: nobody's buckets count what somebody's hand wrote there.
    #[must_use]
    pub fn of_opened(mut self, register: &StreamRegister) -> Self {
        self.0.retain(|stand| is_known(register, &stand.point.stream.0, stand.point.partition.0));
        self
    }

    /// The partitions.
    #[must_use]
    pub fn stands(&self) -> &[Stand] {
        &self.0
    }

    /// The cut that it makes.
    ///
    /// # Errors
    /// A stream whose id names no generation.
    pub fn cut(&self) -> Result<Cut, AuditError> {
        Ok(Cut::new(&self.0.iter().map(|stand| stand.point.clone()).collect::<Vec<_>>())?)
    }

    /// Where a partition stands.
    #[must_use]
    pub fn stand(&self, stream: &str, partition: Partition) -> Option<&Stand> {
        self.0.iter().find(|stand| stand.point.stream.0 == stream && stand.point.partition == partition)
    }

    /// Where the partition stands that owns some arrays.
    #[must_use]
    pub fn of(&self, owner: &Source) -> Option<&Stand> {
        self.stand(&owner.stream.0, owner.partition)
    }
}

/// Whether a decision opened a partition.
#[must_use]
pub fn is_known(register: &StreamRegister, stream: &str, partition: u32) -> bool {
    register.get(&StreamId(stream.to_owned())).is_some_and(|generation| partition < generation.rules.partitions)
}

impl From<StandRow> for Stand {
    fn from(row: StandRow) -> Self {
        let offset = Offset(row.next);
        let point = CutPoint { stream: StreamId(row.stream), partition: Partition(row.partition), offset };
        let (generation, control, log_time) = (row.generation, Offset(row.reflected), Instant(row.logged));
        Self { point, generation, control, log_time }
    }
}
