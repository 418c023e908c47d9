//! How far each partition has come, and whether what is stored of it adds up: for the people who run the workers.

use clickhouse::Row;
use serde::Deserialize;

use crate::clickhouse::{Client, Error};
use crate::core::word::Instant;

/// Checkpoints of a partition that are looked at: those of a day, where one is made each ten seconds.
pub const CHECKPOINTS: usize = 10_000;

/// A stream as its decision opened it.
#[derive(Clone, Debug, Row, Deserialize)]
pub struct OpenedRow {
    /// The stream's id.
    pub stream: String,
    /// Its topic.
    pub topic: String,
    /// Its partitions.
    pub partitions: u32,
    /// Whether a later generation has closed it.
    pub closed: u8,
}

/// A partition's newest checkpoint, and all of them together.
#[derive(Clone, Debug, Default, Row, Deserialize)]
pub struct NewestRow {
    /// The stream's id.
    pub stream: String,
    /// The partition.
    pub partition: u32,
    /// The newest one begins here.
    pub begin: u64,
    /// Everything below is durable.
    pub next: u64,
    /// Every decision below is in it.
    pub control: u64,
    /// The greatest append time below `next`, in milliseconds since 1970.
    pub log_time: i64,
    /// Records that the newest one counts.
    pub consumed: u64,
    /// Of them.
    pub accepted: u64,
    /// Of them.
    pub duplicate: u64,
    /// Of them.
    pub late: u64,
    /// Of them.
    pub quarantined: u64,
    /// The newest checkpoints of the partition whose dispositions do not add up to what they consumed.
    pub unequal: u64,
}

/// What the ledger holds of a partition from an offset on.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub struct LedgerRow {
    /// Behind its last row; 0 if there is none.
    pub next: u64,
    /// When that was appended, in milliseconds since 1970; 0 if there is none.
    pub newest: i64,
    /// When the oldest row behind the newest checkpoint was appended; 0 if there is none.
    pub waiting: i64,
    /// Accepted rows in the newest checkpoint's span.
    pub accepted: u64,
    /// Duplicate ones.
    pub duplicate: u64,
    /// Late ones.
    pub late: u64,
    /// Quarantined ones.
    pub quarantined: u64,
    /// Accepted rows appended lately.
    pub lately_accepted: u64,
    /// Duplicate ones.
    pub lately_duplicate: u64,
    /// Late ones.
    pub lately_late: u64,
    /// Quarantined ones.
    pub lately_quarantined: u64,
}

/// What audits found of days, of each the newest.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub struct AuditRow {
    /// Days of arrays.
    pub days: u64,
    /// Those with findings.
    pub red: u64,
    /// When the last audit was, in milliseconds since 1970; 0 if there was none.
    pub newest: i64,
}

/// The newest mirrored decision.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
pub struct MirrorRow {
    /// Behind it; 0 if there is none.
    pub next: u64,
    /// When it was appended, in milliseconds since 1970; 0 if there is none.
    pub newest: i64,
}

/// All streams, in the order of their names.
///
/// # Errors
/// The server's.
pub async fn opened(client: &Client) -> Result<Vec<OpenedRow>, Error> {
    let sql = "SELECT JSONExtractString(body, 'rules', 'stream') AS stream, JSONExtractString(body, 'rules', 'topic') AS topic, \
               toUInt32(JSONExtractUInt(body, 'rules', 'partitions')) AS partitions, \
               toUInt8(stream IN (SELECT JSONExtractString(body, 'closes', 'stream') FROM decision WHERE kind = 'StreamOpened')) AS closed \
               FROM decision FINAL WHERE kind = 'StreamOpened' ORDER BY stream, offset LIMIT 1 BY stream";
    client.fetch_all(client.select(sql)).await
}

/// The newest checkpoint of a partition, and whether the last [`CHECKPOINTS`] of it add up; none before the first. However many there are,
/// those are read from the end of the table's key; audits look at all of them.
///
/// # Errors
/// The server's.
pub async fn newest(client: &Client, stream: &str, partition: u32) -> Result<Option<NewestRow>, Error> {
    let sql = "SELECT toString(c.stream) AS stream, c.partition AS partition, argMax(c.from_offset, (c.next_offset, c.control)) AS begin, \
               max(c.next_offset) AS next, argMax(c.control, (c.next_offset, c.control)) AS control, \
               toInt64(toUnixTimestamp64Milli(max(c.log_time))) AS log_time, argMax(c.consumed, (c.next_offset, c.control)) AS consumed, \
               argMax(c.accepted, (c.next_offset, c.control)) AS accepted, argMax(c.duplicate, (c.next_offset, c.control)) AS duplicate, \
               argMax(c.late, (c.next_offset, c.control)) AS late, argMax(c.quarantined, (c.next_offset, c.control)) AS quarantined, \
               countIf(c.consumed != c.accepted + c.duplicate + c.late + c.quarantined) AS unequal \
               FROM (SELECT * FROM checkpoint WHERE stream = {stream:String} AND partition = {partition:UInt32} \
               ORDER BY next_offset DESC, from_offset DESC, control DESC LIMIT 1 BY next_offset, from_offset LIMIT {most:UInt64}) AS c \
               GROUP BY c.stream, c.partition";
    let select = client.select(sql).param("stream", stream).param("partition", partition);
    client.fetch_optional(select.param("most", CHECKPOINTS as u64)).await
}

/// What the ledger holds of a partition: dispositions in the newest checkpoint's span, and what was appended at `lately` or later.
///
/// # Errors
/// The server's.
pub async fn ledger(client: &Client, newest: &NewestRow, lately: Instant) -> Result<LedgerRow, Error> {
    let counts = |prefix: &str, condition: &str| {
        let of = |name: &str| format!("countIf(e.disposition = '{name}' AND {condition}) AS {prefix}{name}");
        ["accepted", "duplicate", "late", "quarantined"].map(of).join(", ")
    };
    let in_span = counts("", "e.offset >= {from:UInt64} AND e.offset < {next:UInt64}");
    let appended = counts("lately_", "e.append_time >= fromUnixTimestamp64Milli({lately:Int64}, 'UTC')");
    // from where lately begins in the offsets: the primary key knows offsets, not times
    let sql = format!(
        "SELECT if(count() = 0, 0, max(e.offset) + 1) AS next, if(count() = 0, 0, toInt64(toUnixTimestamp64Milli(max(e.append_time)))) AS newest, \
         if(countIf(e.offset >= {{next:UInt64}}) = 0, 0, toInt64(toUnixTimestamp64Milli(minIf(e.append_time, e.offset >= {{next:UInt64}})))) AS waiting, \
         {in_span}, {appended} FROM usage_event AS e FINAL WHERE e.stream = {{stream:String}} AND e.partition = {{partition:UInt32}} \
         AND e.offset >= least({{from:UInt64}}, (SELECT if(count() = 0, {{from:UInt64}}, min(from_offset)) FROM checkpoint \
         WHERE stream = {{stream:String}} AND partition = {{partition:UInt32}} AND log_time >= fromUnixTimestamp64Milli({{lately:Int64}}, 'UTC')))"
    );
    let select = client.select(&sql).param("stream", &newest.stream).param("partition", newest.partition);
    let select = select.param("from", newest.begin).param("next", newest.next).param("lately", lately.0.max(0));
    Ok(client.fetch_optional(select).await?.unwrap_or_default())
}

/// What the newest audit of each array's day says, of days since `since`.
///
/// # Errors
/// The server's.
pub async fn audits(client: &Client, since: Instant) -> Result<AuditRow, Error> {
    let sql = "SELECT count() AS days, countIf(is_green = 0) AS red, if(count() = 0, 0, toInt64(toUnixTimestamp64Milli(max(at)))) AS newest \
               FROM (SELECT argMax(green, audited_at) AS is_green, max(audited_at) AS at FROM audit \
               WHERE day >= toDate(toDateTime({since:Int64} / 1000, 'UTC')) GROUP BY provider, array, day)";
    Ok(client.fetch_optional(client.select(sql).param("since", since.0.max(0))).await?.unwrap_or_default())
}

/// How far decisions are mirrored.
///
/// # Errors
/// The server's.
pub async fn mirror(client: &Client) -> Result<MirrorRow, Error> {
    let sql = "SELECT if(count() = 0, 0, max(offset) + 1) AS next, \
               if(count() = 0, 0, toInt64(toUnixTimestamp64Milli(max(append_time)))) AS newest FROM decision";
    Ok(client.fetch_optional(client.select(sql)).await?.unwrap_or_default())
}
