//! The fold's Store over ClickHouse. Calls block: each partition has a thread of its own.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use ::clickhouse::Row;
use ::clickhouse::query::Query;
use serde::Deserialize;
use tokio::runtime::Handle;

use super::native::{self, Block};
use super::void::{Void, counted};
use super::{Client, Error};
use crate::core::decision::stream::Generation;
use crate::core::ledger::batch::LedgerBatch;
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::bucket::BucketBatch;
use crate::core::word::{Instant, Kind, Offset, Partition};
use crate::fold::checkpoint::{Checkpoint, Counts, LastRecord};
use crate::fold::error::SeamError;
use crate::fold::seam::{
    ArraySpan, EventQuery, LedgerBelow, LedgerEvent, LedgerIdentity, LedgerReading, LedgerRow, LedgerSpan, Store,
};

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

/// Whether a partition's state is made of more than its own rows.
fn has_history(generation: &Generation) -> bool {
    !generation.earlier.is_empty() || !generation.holes.is_empty()
}

/// The rows that a partition's state is made of: its own below an offset, and those of earlier generations whose arrays belong to it, as
/// Kafka's default partitioner says. Void ones are none of them.
fn belonging(generation: &Generation) -> String {
    match has_history(generation) {
        false => OWN.to_owned(),
        true => format!("(({OWN}) OR (stream IN {{earlier:Array(String)}} AND {BELONGS})) AND {}", counted("")),
    }
}

/// The void events of a partition's arrays. Offsets stand in the text, so that the primary key is of use.
fn void_of(generation: &Generation, partition: Partition) -> String {
    let place =
        |(p, (from, to)): (u32, (u64, u64))| format!("(partition = {p} AND offset >= {from} AND offset < {to})");
    let mut spans: Vec<String> = Vec::new();
    for (number, earlier) in generation.earlier.iter().enumerate() {
        let past_ends = earlier.ends.iter().flatten().map(|end| (end.0, u64::MAX));
        let holes = earlier.holes.iter().map(|hole| (hole.partition.0, (hole.from.0, hole.to.0)));
        let places: Vec<String> = (0..).zip(past_ends).chain(holes).map(place).collect();
        spans.push(format!(
            "(stream = {{earlier:Array(String)}}[{}] AND {BELONGS} AND ({}))",
            number + 1,
            places.join(" OR ")
        ));
    }
    for hole in generation.holes(partition) {
        spans.push(format!("(stream = {{stream:String}} AND {})", place((partition.0, (hole.from.0, hole.to.0)))));
    }
    if spans.is_empty() { "0".to_owned() } else { format!("({})", spans.join(" OR ")) }
}

fn seam_error(error: Error, what: &str) -> SeamError {
    match error {
        Error::Retryable(failure) => SeamError::retryable(format!("{what}: {failure}")),
        Error::Permanent(failure) => SeamError::refused(format!("{what}: {failure}")),
    }
}

#[derive(Row, Deserialize)]
struct CheckpointRow {
    generation: u32,
    from_offset: u64,
    next_offset: u64,
    control: u64,
    log_time: i64,
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

#[derive(Row, Deserialize)]
struct DigestRow {
    offset: u64,
    append_ms: i64,
    disposition: i8,
    identity: u128,
    content: u64,
    readings: u32,
}

#[derive(Row, Deserialize)]
struct IdentityRow {
    offset: u64,
    append_ms: i64,
    time_ms: i64,
    identity: u128,
    content: u64,
}

#[derive(Row, Deserialize)]
struct SpanRow {
    provider: String,
    array: String,
    oldest: i64,
    newest: i64,
}

#[derive(Row, Deserialize)]
struct EventRow {
    of: String,
    partition: u32,
    offset: u64,
    time_ms: i64,
    recorded_ms: Option<i64>,
    provider: String,
    array: String,
    site: String,
    kinds: Vec<i8>,
    resources: Vec<String>,
    customers: Vec<String>,
    tiers: Vec<String>,
    meters: Vec<String>,
    values: Vec<u64>,
}

/// Where no last record exists yet.
const NO_OFFSET: u64 = u64::MAX;

const OWN: &str = "stream = {stream:String} AND partition = {partition:UInt32} AND offset < {below:UInt64}";

/// Whether an array belongs to the partition: (murmur2 & 0x7fffffff) mod N.
const BELONGS: &str = "kafkaMurmurHash(toString(array)) % {partitions:UInt32} = {partition:UInt32}";

impl Store for ClickHouseStore {
    fn checkpoints(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        back_ms: i64,
    ) -> Result<Vec<Checkpoint>, SeamError> {
        let sql = "SELECT generation, from_offset, next_offset, control, toUnixTimestamp64Milli(log_time) AS log_time, consumed, \
                   accepted, duplicate, late, quarantined, digest, last_offset, last_hash, \
                   toUnixTimestamp64Milli(first_append_time) AS first_append_time \
                   FROM checkpoint FINAL WHERE stream = {stream:String} AND partition = {partition:UInt32} \
                   AND next_offset < {below:UInt64} ORDER BY next_offset DESC, control DESC LIMIT {limit:UInt64}";
        let all = LedgerSpan { rules, partition, from: Offset(0), below: Offset(u64::MAX) };
        let mut found: Vec<Checkpoint> = Vec::new();
        self.each::<CheckpointRow>(self.select(sql, all).param("limit", CHECKPOINTS_READ), &mut |row| {
            let newest = found.first().map_or(row.log_time, |newest| newest.log_time.0);
            if found.is_empty() || row.log_time >= newest - back_ms {
                found.push(checkpoint(rules, partition, &row));
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
        self.each::<EventRow>(query, &mut |row| sink(event(below.generation, row)))
    }

    fn voided(
        &mut self,
        below: LedgerBelow<'_>,
        sink: &mut dyn FnMut(Partition, LedgerEvent),
    ) -> Result<(), SeamError> {
        let sql = events_sql("1", &void_of(below.generation, below.partition), None);
        self.each::<EventRow>(self.select_below(&sql, below), &mut |row| {
            let partition = Partition(row.partition);
            sink(partition, event(below.generation, row));
        })
    }

    fn insert_ledger(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        batch: &LedgerBatch,
    ) -> Result<(), SeamError> {
        // quarantine first: a ledger row that says "quarantined" then always has its bytes
        if let Some(block) = native::quarantine(rules, partition, batch) {
            self.insert("quarantine", batch.quarantine.len() as u64, block)?;
        }
        self.insert("usage_event", batch.len() as u64, native::usage_event(rules, partition, batch))
    }

    fn insert_buckets(
        &mut self,
        rules: &StreamRules,
        partition: Partition,
        as_of: Offset,
        buckets: &BucketBatch,
    ) -> Result<(), SeamError> {
        for (rows, block) in native::usage_bucket(rules, partition, as_of, buckets) {
            self.insert("usage_bucket", rows, block)?;
        }
        Ok(())
    }

    fn insert_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), SeamError> {
        self.insert("checkpoint", 1, checkpoint_block(checkpoint))
    }
}

/// Events newer than their array's newest by less than the horizon. The array columns are by far the widest: they are read for the
/// positions that matter and for no others.
fn newest_filter(generation: &Generation) -> String {
    let position = if has_history(generation) { "(stream, partition, offset)" } else { "offset" };
    let belonging = belonging(generation);
    format!(
        "{position} IN (SELECT {position} FROM usage_event AS event INNER JOIN (SELECT provider, array, max(time) AS newest \
         FROM usage_event WHERE {belonging} AND disposition = 'accepted' \
         AND append_time >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') GROUP BY provider, array) AS newest \
         USING (provider, array) WHERE {belonging} AND disposition = 'accepted' \
         AND append_time >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') \
         AND toUnixTimestamp64Milli(assumeNotNull(event.time)) > toUnixTimestamp64Milli(assumeNotNull(newest.newest)) - {{horizon:Int64}})"
    )
}

fn events_sql(filter: &str, belonging: &str, meters: Option<&[String]>) -> String {
    let column = |name: &str| match meters {
        Some(_) => {
            format!("arrayFilter((value, meter) -> has({{meters:Array(String)}}, meter), {name}, reading_meter)")
        }
        None => name.to_owned(),
    };
    format!(
        "SELECT toString(stream) AS of, partition, offset, toUnixTimestamp64Milli(assumeNotNull(time)) AS time_ms, \
         if(isNull(recorded_time), NULL, toUnixTimestamp64Milli(assumeNotNull(recorded_time))) AS recorded_ms, provider, array, site, \
         {} AS kinds, {} AS resources, {} AS customers, {} AS tiers, {} AS meters, {} AS values \
         FROM usage_event FINAL WHERE {belonging} AND disposition = 'accepted' AND {filter}",
        column("reading_kind"),
        column("reading_resource"),
        column("reading_customer"),
        column("reading_tier"),
        column("reading_meter"),
        column("reading_value"),
    )
}

fn event(generation: &Generation, row: EventRow) -> LedgerEvent {
    let earlier = generation.earlier.iter().find(|earlier| earlier.rules.stream.0 == row.of);
    let generation = earlier.map_or(generation.rules.generation, |earlier| earlier.rules.generation);
    let tags = row.customers.into_iter().zip(row.tiers);
    let names = row.kinds.into_iter().zip(row.resources).zip(row.meters);
    let readings = names.zip(tags).zip(row.values).map(|((((kind, resource), meter), (customer, tier)), value)| {
        // the column's type has no other numbers
        let kind = Kind::from_number(kind as u8).unwrap_or(Kind::Array);
        LedgerReading { kind, resource, customer, tier, meter, value }
    });
    LedgerEvent {
        generation,
        offset: row.offset,
        time: Instant(row.time_ms),
        recorded: row.recorded_ms.map(Instant),
        readings: readings.collect(),
        provider: row.provider,
        array: row.array,
        site: row.site,
    }
}

fn checkpoint(rules: &StreamRules, partition: Partition, row: &CheckpointRow) -> Checkpoint {
    Checkpoint {
        stream: rules.stream.clone(),
        generation: row.generation,
        partition,
        from: Offset(row.from_offset),
        next: Offset(row.next_offset),
        control: Offset(row.control),
        log_time: Instant(row.log_time),
        consumed: row.consumed,
        counts: Counts {
            accepted: row.accepted,
            duplicate: row.duplicate,
            late: row.late,
            quarantined: row.quarantined,
        },
        digest: row.digest,
        last: (row.last_offset != NO_OFFSET)
            .then_some(LastRecord { offset: Offset(row.last_offset), hash: row.last_hash }),
        first_append_time: Instant(row.first_append_time),
    }
}

fn checkpoint_block(checkpoint: &Checkpoint) -> Block {
    let mut block = Block::new(1, 200);
    let number = |value: u64| std::iter::once(value.to_le_bytes());
    block.constant("stream", &checkpoint.stream.0);
    block.numbers("generation", "UInt32", std::iter::once(checkpoint.generation.to_le_bytes()));
    block.numbers("partition", "UInt32", std::iter::once(checkpoint.partition.0.to_le_bytes()));
    block.numbers("from_offset", "UInt64", number(checkpoint.from.0));
    block.numbers("next_offset", "UInt64", number(checkpoint.next.0));
    block.numbers("control", "UInt64", number(checkpoint.control.0));
    let instant = |instant: Instant| std::iter::once(table_ms(instant).to_le_bytes());
    block.numbers("log_time", native::DATE_TIME_MS, instant(checkpoint.log_time));
    block.numbers("consumed", "UInt64", number(checkpoint.consumed));
    block.numbers("accepted", "UInt64", number(checkpoint.counts.accepted));
    block.numbers("duplicate", "UInt64", number(checkpoint.counts.duplicate));
    block.numbers("late", "UInt64", number(checkpoint.counts.late));
    block.numbers("quarantined", "UInt64", number(checkpoint.counts.quarantined));
    block.numbers("digest", "UInt128", std::iter::once(checkpoint.digest.to_le_bytes()));
    block.numbers("last_offset", "UInt64", number(checkpoint.last.map_or(NO_OFFSET, |last| last.offset.0)));
    let hash = checkpoint.last.map_or(0, |last| last.hash);
    block.numbers("last_hash", "UInt128", std::iter::once(hash.to_le_bytes()));
    block.numbers("first_append_time", native::DATE_TIME_MS, instant(checkpoint.first_append_time));
    block
}

/// An instant inside the range of a DateTime64: a partition without records has a log time before all time.
fn table_ms(instant: Instant) -> i64 {
    instant.0.clamp(0, 4_000_000_000_000)
}
