//! The fold's Store over ClickHouse. Calls block: each partition has a thread of its own.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use ::clickhouse::query::Query;
use tokio::runtime::Handle;

use super::belonging::{OWN, belonging, events_sql, has_history, newest_filter, past_ends, void_of, went_on};
use super::ledger_row::{AnyRow, DigestRow, EventRow, IdentityRow, PlaceRow, SpanRow};
use super::native::{Block, table_ms};
use super::read::checkpoint::{COLUMNS, CheckpointRow};
use super::void::Void;
use super::{Client, Error, bucket_block, checkpoint_block, ledger_block};
use crate::core::ledger::batch::LedgerBatch;
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::bucket::BucketBatch;
use crate::core::word::{Instant, Kind, Offset, Partition};
use crate::fold::checkpoint::Checkpoint;
use crate::fold::error::SeamError;
use crate::fold::ledger::{
    ArraySpan, BucketPlace, EventQuery, LedgerBelow, LedgerEvent, LedgerIdentity, LedgerRow, LedgerSpan,
};
use crate::fold::seam::Store;

/// Bytes handed to the connection at a time, so that a slow server slows us and not our memory.
const SEND_BYTES: usize = 1 << 20;

/// Most checkpoints that are read when a partition is taken over: at one in 10 s, the last hour of log has 360.
const CHECKPOINTS_READ: u64 = 1_000;

/// What is told of every insert: table, rows, seconds.
pub type InsertObserver = Arc<dyn Fn(&'static str, u64, Duration) + Send + Sync>;

/// The ledger, buckets and checkpoints in ClickHouse.
#[derive(Clone)]
pub struct ClickHouseStore {
    client: Client,
    runtime: Handle,
    observer: InsertObserver,
}

impl ClickHouseStore {
    /// A store that runs its calls on `runtime`, from threads that are not its own.
    #[must_use]
    pub fn new(client: Client, runtime: Handle, observer: InsertObserver) -> Self {
        Self { client, runtime, observer }
    }

    /// Sends one block and waits until the server says that it is durable.
    fn insert(&self, table: &'static str, rows: u64, block: Block) -> Result<(), SeamError> {
        let started = Moment::now();
        let sql = format!("INSERT INTO {table} ({}) FORMAT Native", block.columns());
        let body = bytes::Bytes::from(block.finish());
        let limit = self.client.settings().insert_timeout;
        let sent = self.runtime.block_on(self.client.in_time(limit, async {
            // Nothing that ClickHouse would do on its own to spare or merge inserts: exactness comes from keys (DESIGN §2).
            let mut insert = self
                .client
                .raw()
                .insert_formatted_with(sql)
                .with_setting("insert_deduplicate", "0")
                .with_setting("async_insert", "0")
                // A batch holds each key once: the pass that would collapse it at insert finds nothing and costs a third of it.
                .with_setting("optimize_on_insert", "0")
                .with_setting("deduplicate_blocks_in_dependent_materialized_views", "0");
            for start in (0..body.len()).step_by(SEND_BYTES) {
                insert.send(body.slice(start..body.len().min(start + SEND_BYTES))).await?;
            }
            insert.end().await
        }));
        sent.map_err(|error| seam_error(error, &format!("insert into {table}")))?;
        (self.observer)(table, rows, started.elapsed());
        Ok(())
    }

    /// Reads all rows of a query, one at a time.
    fn each<T>(&self, query: Query, sink: &mut dyn FnMut(T)) -> Result<(), SeamError>
    where
        T: ::clickhouse::RowOwned + ::clickhouse::RowRead,
    {
        let read = self.runtime.block_on(async {
            let mut cursor = query.fetch::<T>().map_err(Error::from)?;
            loop {
                let next = self.client.in_time(self.client.settings().query_timeout, cursor.next()).await?;
                match next {
                    Some(row) => sink(row),
                    None => return Ok::<(), Error>(()),
                }
            }
        });
        read.map_err(|error| seam_error(error, "read the ledger"))
    }

    fn select(&self, sql: &str, span: LedgerSpan<'_>) -> Query {
        self.client
            .select(sql)
            .param("stream", &span.rules.stream.0)
            .param("partition", span.partition.0)
            .param("from", span.from.0)
            .param("below", span.below.0)
    }

    /// A statement over [`belonging`].
    fn select_below(&self, sql: &str, below: LedgerBelow<'_>) -> Query {
        let LedgerBelow { generation, partition, below } = below;
        let query = self.select(sql, LedgerSpan { rules: &generation.rules, partition, from: Offset(0), below });
        if !has_history(generation) {
            return query;
        }
        let earlier: Vec<&String> = generation.earlier.iter().map(|earlier| &earlier.rules.stream.0).collect();
        let query = query.param("earlier", earlier).param("partitions", generation.rules.partitions);
        Void::of(generation.earlier.iter().chain([generation])).bind(query)
    }
}

fn seam_error(error: Error, what: &str) -> SeamError {
    match error {
        Error::Retryable(failure) => SeamError::retryable(format!("{what}: {failure}")),
        Error::Permanent(failure) => SeamError::refused(format!("{what}: {failure}")),
    }
}

impl Store for ClickHouseStore {
    fn checkpoints(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        back_ms: i64,
    ) -> Result<Vec<Checkpoint>, SeamError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM checkpoint FINAL WHERE stream = {{stream:String}} AND partition = {{partition:UInt32}} \
             AND next_offset < {{below:UInt64}} ORDER BY next_offset DESC, control DESC LIMIT {{limit:UInt64}}"
        );
        let all = LedgerSpan { rules, partition, from: Offset(0), below: Offset(u64::MAX) };
        let mut found: Vec<Checkpoint> = Vec::new();
        self.each::<CheckpointRow>(self.select(&sql, all).param("limit", CHECKPOINTS_READ), &mut |row| {
            let newest = found.first().map_or(row.log_time, |newest| newest.log_time.0);
            if found.is_empty() || row.log_time >= newest - back_ms {
                found.push(row.checkpoint(&rules.stream, partition));
            }
        })?;
        Ok(found)
    }

    fn rows(&mut self, span: LedgerSpan<'_>, sink: &mut dyn FnMut(LedgerRow)) -> Result<(), SeamError> {
        let sql = format!(
            "SELECT offset, toUnixTimestamp64Milli(append_time) AS append_ms, disposition, identity, content, readings FROM usage_event FINAL \
             WHERE {OWN} AND offset >= {{from:UInt64}} ORDER BY offset"
        );
        self.each::<DigestRow>(self.select(&sql, span), &mut |row| {
            sink(LedgerRow {
                offset: row.offset,
                append_time: Instant(row.append_ms),
                disposition: row.disposition as u8,
                identity: row.identity,
                content: row.content,
                readings: row.readings,
            });
        })
    }

    fn identities(
        &mut self,
        below: LedgerBelow<'_>,
        appended_from: Instant,
        sink: &mut dyn FnMut(LedgerIdentity),
    ) -> Result<(), SeamError> {
        // without FINAL: a row that is there twice is the same identity twice
        let sql = format!(
            "SELECT offset, toUnixTimestamp64Milli(append_time) AS append_ms, toUnixTimestamp64Milli(assumeNotNull(time)) AS time_ms, \
             identity, content FROM usage_event WHERE {} AND disposition = 'accepted' \
             AND append_time >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')",
            belonging(below.generation)
        );
        let query = self.select_below(&sql, below).param("since", table_ms(appended_from));
        self.each::<IdentityRow>(query, &mut |row| {
            sink(LedgerIdentity {
                offset: row.offset,
                append_time: Instant(row.append_ms),
                time: Instant(row.time_ms),
                identity: row.identity,
                content: row.content,
            });
        })
    }

    fn arrays(&mut self, below: LedgerBelow<'_>, appended_from: Instant) -> Result<Vec<ArraySpan>, SeamError> {
        let sql = format!(
            "SELECT provider, array, toUnixTimestamp64Milli(min(assumeNotNull(time))) AS oldest, \
             toUnixTimestamp64Milli(max(assumeNotNull(time))) AS newest FROM usage_event WHERE {} AND disposition = 'accepted' \
             AND append_time >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') GROUP BY provider, array ORDER BY provider, array",
            belonging(below.generation)
        );
        let mut spans = Vec::new();
        let query = self.select_below(&sql, below).param("since", table_ms(appended_from));
        self.each::<SpanRow>(query, &mut |row| {
            spans.push(ArraySpan {
                provider: row.provider,
                array: row.array,
                oldest: Instant(row.oldest),
                newest: Instant(row.newest),
            });
        })?;
        Ok(spans)
    }

    fn events(
        &mut self,
        below: LedgerBelow<'_>,
        query: &EventQuery,
        meters: Option<&[String]>,
        sink: &mut dyn FnMut(LedgerEvent),
    ) -> Result<(), SeamError> {
        let belonging = belonging(below.generation);
        let query = match query {
            EventQuery::Newest { horizon_ms, appended_from } => {
                let select =
                    self.select_below(&events_sql(&newest_filter(below.generation), &belonging, meters), below);
                select.param("since", table_ms(*appended_from)).param("horizon", *horizon_ms)
            }
            EventQuery::OfArray { provider, array, from, to } => {
                let filter = "provider = {provider:String} AND array = {array:String} \
                              AND time >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND time < fromUnixTimestamp64Milli({until:Int64}, 'UTC')";
                let select = self.select_below(&events_sql(filter, &belonging, meters), below);
                let select = select.param("provider", provider).param("array", array);
                select.param("since", table_ms(*from)).param("until", table_ms(*to))
            }
        };
        let query = match meters {
            Some(meters) => query.param("meters", meters),
            None => query,
        };
        self.each::<EventRow>(query, &mut |row| sink(row.event(below.generation)))
    }

    fn voided(
        &mut self,
        below: LedgerBelow<'_>,
        sink: &mut dyn FnMut(Partition, LedgerEvent),
    ) -> Result<(), SeamError> {
        let sql = events_sql("1", &void_of(below.generation, below.partition), None);
        self.each::<EventRow>(self.select_below(&sql, below), &mut |row| {
            let partition = Partition(row.partition);
            sink(partition, row.event(below.generation));
        })
    }

    fn past_ends(&mut self, below: LedgerBelow<'_>, sink: &mut dyn FnMut(BucketPlace)) -> Result<(), SeamError> {
        let is_any = |sql: String| -> Result<bool, SeamError> {
            let mut found = false;
            self.each::<AnyRow>(self.select_below(&sql, below), &mut |row| found |= row.found > 0)?;
            Ok(found)
        };
        let past_ends = past_ends(below.generation);
        // a bucket past an end has a ledger row past it, which is there first: mostly there is none, and the primary key says so
        let went_on = is_any(format!("SELECT count() AS found FROM usage_event WHERE {}", went_on(below.generation)))?;
        if !went_on || !is_any(format!("SELECT count() AS found FROM usage_bucket WHERE {past_ends}"))? {
            return Ok(());
        }
        let sql = format!(
            "SELECT toString(provider) AS provider, toString(array) AS array, toInt8(kind) AS kind, resource, toString(meter) AS meter, \
             toInt64(toUnixTimestamp(hour)) AS hour_s FROM usage_bucket FINAL WHERE {past_ends}"
        );
        self.each::<PlaceRow>(self.select_below(&sql, below), &mut |row| {
            sink(BucketPlace {
                provider: row.provider,
                array: row.array,
                // the column's type has no other numbers
                kind: Kind::from_number(row.kind as u8).unwrap_or(Kind::Array),
                resource: row.resource,
                meter: row.meter,
                hour: Instant(row.hour_s * 1000).hour(),
            });
        })
    }

    fn insert_ledger(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        batch: &LedgerBatch,
    ) -> Result<(), SeamError> {
        // quarantine first: a ledger row that says "quarantined" then always has its bytes
        if let Some(block) = ledger_block::quarantine(rules, partition, batch) {
            self.insert("quarantine", batch.quarantine.len() as u64, block)?;
        }
        self.insert("usage_event", batch.len() as u64, ledger_block::usage_event(rules, partition, batch))
    }

    fn insert_buckets(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        as_of: Offset,
        buckets: &BucketBatch,
    ) -> Result<(), SeamError> {
        for (rows, block) in bucket_block::usage_bucket(rules, partition, as_of, buckets) {
            self.insert("usage_bucket", rows, block)?;
        }
        Ok(())
    }

    fn insert_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), SeamError> {
        self.insert("checkpoint", 1, checkpoint_block::checkpoint(checkpoint))
    }
}
