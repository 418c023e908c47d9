//! What a rating reads: exact sums per cell for one line of a contract, and when its arrays were observed.

use clickhouse::Row;
use serde::Deserialize;

use crate::clickhouse::{Client, Error};
use crate::core::book::model::Per;
use crate::core::pricing::selection::LineSelection;
use crate::core::pricing::usage::{ArrayCoverage, LineUsage, PartUsage, Slot};
use crate::core::word::{Instant, Offset, Partition, StreamId};

/// Where the checkpoint vector stood: stream, partition, next offset.
pub type Vector = Vec<(StreamId, Partition, Offset)>;

#[derive(Debug, Row, Deserialize)]
struct SlotRow {
    part: String,
    start: i64,
    length: i64,
    amount: i128,
}

#[derive(Debug, Row, Deserialize)]
struct ObservedRow {
    array: String,
    start: i64,
    observed_ms: i64,
}

#[derive(Debug, Row, Deserialize)]
struct FirstRow {
    array: String,
    first: i64,
}

#[derive(Debug, Row, Deserialize)]
struct VectorRow {
    stream: String,
    partition: u32,
    next: u64,
}

#[derive(Debug, Row, Deserialize)]
struct TagRow {
    customer: String,
}

/// The cells of a line, before they are grouped. Empty lists mean "all"; `tier` '' means any tier.
const CELLS: &str = "FROM usage_bucket FINAL \
     ARRAY JOIN cell_index AS index, cell_customer AS customer, cell_tier AS tier, cell_site AS site, cell_amount AS amount \
     WHERE provider = {provider:String} AND meter = {meter:String} AND kind = {kind:String} \
     AND hour >= toDateTime(intDiv({from:Int64}, 3600000) * 3600, 'UTC') AND hour < toDateTime({until:Int64} / 1000, 'UTC') \
     AND ({tier:String} = '' OR tier = {tier:String}) \
     AND (empty({sites:Array(String)}) OR has({sites:Array(String)}, site)) \
     AND (empty({arrays:Array(String)}) OR has({arrays:Array(String)}, array)) \
     AND ({retail:UInt8} = 0 OR has({customers:Array(String)}, customer)) \
     AND NOT (has({demo:Array(String)}, array) AND toUnixTimestamp(hour) * 1000 + index * cell_minutes * 60000 \
              < {demo_until:Array(Int64)}[indexOf({demo:Array(String)}, array)])";

/// Everything that rating one line needs.
///
/// # Errors
/// The server's.
pub async fn line_usage(client: &Client, selection: &LineSelection) -> Result<LineUsage, Error> {
    Ok(LineUsage { parts: parts(client, selection).await?, arrays: coverage(client, selection).await? })
}

fn bind(client: &Client, sql: &str, selection: &LineSelection) -> clickhouse::query::Query {
    let demo: Vec<&str> = selection.demo.iter().map(|(array, _)| array.as_str()).collect();
    let until = |until: &Option<Instant>| until.map_or(i64::MAX, |until| until.0);
    let demo_until: Vec<i64> = selection.demo.iter().map(|(_, at)| until(at)).collect();
    client
        .select(sql)
        .param("provider", &selection.provider)
        .param("meter", &selection.meter)
        .param("kind", selection.kind.as_str())
        .param("from", selection.from.0)
        .param("until", selection.until.0)
        .param("tier", selection.tier.as_deref().unwrap_or_default())
        .param("sites", &selection.sites)
        .param("arrays", &selection.arrays)
        .param("retail", u8::from(selection.customers.is_some()))
        .param("customers", selection.customers.as_deref().unwrap_or_default())
        .param("demo", demo)
        .param("demo_until", demo_until)
}

async fn parts(client: &Client, selection: &LineSelection) -> Result<Vec<PartUsage>, Error> {
    let part = match selection.per {
        None => "''",
        Some(Per::Array) => "toString(array)",
        Some(Per::Resource) => "concat(array, '/', resource)",
    };
    let sql = format!(
        "SELECT {part} AS part, toInt64(toUnixTimestamp(hour)) * 1000 + index * cell_minutes * 60000 AS start, \
         toInt64(cell_minutes) * 60000 AS length, toInt128(sum(amount)) AS amount {CELLS} \
         GROUP BY part, start, length HAVING start >= {{from:Int64}} AND start < {{until:Int64}} ORDER BY part, start"
    );
    let rows: Vec<SlotRow> = client.fetch_all(bind(client, &sql, selection)).await?;
    let mut parts: Vec<PartUsage> = Vec::new();
    for row in rows {
        if parts.last().is_none_or(|part| part.name != row.part) {
            parts.push(PartUsage { name: row.part.clone(), slots: Vec::new() });
        }
        if let Some(part) = parts.last_mut() {
            part.slots.push(Slot { start: Instant(row.start), length_ms: row.length, amount: row.amount });
        }
    }
    Ok(parts)
}

/// The arrays whose readings the line prices, at any time up to its end, with what was observed of them.
async fn coverage(client: &Client, selection: &LineSelection) -> Result<Vec<ArrayCoverage>, Error> {
    let ever = CELLS.replace("hour >= toDateTime(intDiv({from:Int64}, 3600000) * 3600, 'UTC') AND ", "");
    let arrays = format!("SELECT DISTINCT array {}", ever.replace("FROM usage_bucket FINAL", "FROM usage_bucket"));
    let first = format!(
        "SELECT toString(array) AS array, toInt64(min(toUnixTimestamp(hour) * 1000 \
         + cell_index[1] * cell_minutes * 60000 + cell_minutes * 60000 - cell_observed_ms[1])) AS first \
         FROM usage_bucket FINAL WHERE provider = {{provider:String}} AND meter = '$observed' AND array IN ({arrays}) \
         GROUP BY array ORDER BY array"
    );
    let observed = format!(
        "SELECT toString(array) AS array, toInt64(toUnixTimestamp(hour)) * 1000 + observed_index * cell_minutes * 60000 AS start, \
         toInt64(sum(observed)) AS observed_ms FROM usage_bucket FINAL \
         ARRAY JOIN cell_index AS observed_index, cell_observed_ms AS observed \
         WHERE provider = {{provider:String}} AND meter = '$observed' AND array IN ({arrays}) \
         AND hour >= toDateTime(intDiv({{from:Int64}}, 3600000) * 3600, 'UTC') AND hour < toDateTime({{until:Int64}} / 1000, 'UTC') \
         GROUP BY array, start HAVING start >= {{from:Int64}} AND start < {{until:Int64}} ORDER BY array, start"
    );
    let first: Vec<FirstRow> = client.fetch_all(bind(client, &first, selection)).await?;
    let observed: Vec<ObservedRow> = client.fetch_all(bind(client, &observed, selection)).await?;
    let mut arrays: Vec<ArrayCoverage> = first
        .into_iter()
        .map(|row| ArrayCoverage { array: row.array, first_reading: Some(Instant(row.first)), observed: Vec::new() })
        .collect();
    for row in observed {
        if let Ok(place) = arrays.binary_search_by(|array| array.array.cmp(&row.array)) {
            arrays[place].observed.push((Instant(row.start), row.observed_ms));
        }
    }
    Ok(arrays)
}

/// The newest checkpoint of every partition.
///
/// # Errors
/// The server's.
pub async fn vector(client: &Client) -> Result<Vector, Error> {
    let sql = "SELECT toString(stream) AS stream, partition, max(next_offset) AS next FROM checkpoint \
               GROUP BY stream, partition ORDER BY stream, partition";
    let rows: Vec<VectorRow> = client.fetch_all(client.select(sql)).await?;
    Ok(rows.into_iter().map(|row| (StreamId(row.stream), Partition(row.partition), Offset(row.next))).collect())
}

/// The tenant tags that a provider's resources carried in a span.
///
/// # Errors
/// The server's.
pub async fn tags(client: &Client, provider: &str, from: Instant, until: Instant) -> Result<Vec<String>, Error> {
    let sql = "SELECT DISTINCT toString(arrayJoin(cell_customer)) AS customer FROM usage_bucket \
               WHERE provider = {provider:String} AND kind != 'array' \
               AND hour >= toDateTime(intDiv({from:Int64}, 3600000) * 3600, 'UTC') AND hour < toDateTime({until:Int64} / 1000, 'UTC') \
               ORDER BY customer";
    let query = client.select(sql).param("provider", provider).param("from", from.0).param("until", until.0);
    let rows: Vec<TagRow> = client.fetch_all(query).await?;
    Ok(rows.into_iter().map(|row| row.customer).collect())
}

#[derive(Debug, Row, Deserialize)]
struct NextRow {
    next: u64,
}

/// The first offset of the control log that is not mirrored yet.
///
/// # Errors
/// The server's.
pub async fn next_decision(client: &Client) -> Result<u64, Error> {
    let sql = "SELECT if(count() = 0, 0, max(offset) + 1) AS next FROM decision";
    let row: Option<NextRow> = client.fetch_optional(client.select(sql)).await?;
    Ok(row.map_or(0, |row| row.next))
}
