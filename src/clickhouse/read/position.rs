//! Where in the log the events lie that are behind pieces of a line.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::below::Below;
use crate::clickhouse::{Client, Error};
use crate::core::pricing::breakdown::By;
use crate::core::pricing::selection::{Grain, LineSelection};
use crate::core::word::Instant;

/// Offsets of one partition: the first and the last, and how many events between them count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Positions {
    /// The stream.
    pub stream: String,
    /// The partition.
    pub partition: u32,
    /// The first offset.
    pub first: u64,
    /// The last offset.
    pub last: u64,
    /// How many events.
    pub events: u64,
}

/// Positions of one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The piece's name; empty where pieces are of time.
    pub name: String,
    /// Where it begins, where pieces are of time.
    pub start: Instant,
    /// Where its events lie.
    pub positions: Positions,
}

#[derive(Debug, Row, Deserialize)]
struct PositionRow {
    name: String,
    start: i64,
    stream: String,
    partition: u32,
    first: u64,
    last: u64,
    events: u64,
}

/// The events below a cut with a reading that the selection (as it was broken down) counts, by piece, of these names only if pieces
/// have names. What was measured up to `hold_ms` before the selection begins may reach into it and counts for its first piece.
///
/// # Errors
/// The server's.
pub async fn read(
    client: &Client,
    (selection, by): (&LineSelection, By),
    names: &[String],
    hold_ms: i64,
    below: &Below<'_>,
) -> Result<Vec<Located>, Error> {
    let select = select(client, &sql(selection, by, below), selection, names, hold_ms);
    let rows: Vec<PositionRow> = client.fetch_all(below.bind(select)).await?;
    let located = |row: PositionRow| {
        let PositionRow { name, start, stream, partition, first, last, events } = row;
        Located { name, start: Instant(start), positions: Positions { stream, partition, first, last, events } }
    };
    Ok(rows.into_iter().map(located).collect())
}

fn select(
    client: &Client,
    sql: &str,
    selection: &LineSelection,
    names: &[String],
    hold_ms: i64,
) -> clickhouse::query::Query {
    let edges: Vec<i64> = match &selection.grain {
        Grain::Window(edges) => edges.iter().map(|edge| edge.0).collect(),
        Grain::Cell => Vec::new(),
    };
    let half = (client.settings().query_max_memory_bytes / 2).to_string();
    client
        .select(sql)
        .with_setting("max_bytes_before_external_group_by", half)
        .param("provider", &selection.provider)
        .param("meter", &selection.meter)
        .param("kind", selection.kind.as_str())
        .param("tier", selection.tier.as_deref().unwrap_or_default())
        .param("sites", &selection.sites)
        .param("arrays", &selection.arrays)
        .param("customers", selection.customers.as_deref().unwrap_or_default())
        .param("demo", selection.demo.iter().map(|(array, _)| array.as_str()).collect::<Vec<_>>())
        .param("demo_until", selection.demo.iter().map(|(_, at)| at.map_or(i64::MAX, |at| at.0)).collect::<Vec<_>>())
        .param("from", selection.from.plus_ms(-hold_ms).0.max(0))
        .param("until", selection.until.0)
        .param("edges", edges)
        .param("names", names)
}

fn sql(selection: &LineSelection, by: By, below: &Below<'_>) -> String {
    let mut counts = vec!["k = {kind:String}", "m = {meter:String}"];
    if selection.tier.is_some() {
        counts.push("t = {tier:String}");
    }
    if selection.customers.is_some() {
        counts.push("has({customers:Array(String)}, c)");
    }
    let counts = counts.join(" AND ");
    let lists = "reading_kind, reading_meter, reading_tier, reading_customer";
    let (name, join, counted) = match by {
        By::Resource => (
            "concat(toString(e.array), '/', r)",
            "ARRAY JOIN reading_kind AS k, reading_meter AS m, reading_tier AS t, reading_customer AS c, reading_resource AS r",
            counts,
        ),
        By::Array => ("toString(e.array)", "", format!("arrayExists((k, m, t, c) -> {counts}, {lists})")),
        By::Day | By::Hour => ("''", "", format!("arrayExists((k, m, t, c) -> {counts}, {lists})")),
    };
    let measured = "toUnixTimestamp64Milli(assumeNotNull(e.time))";
    let named = if matches!(by, By::Array | By::Resource) { "AND has({names:Array(String)}, name)" } else { "" };
    format!(
        "SELECT {name} AS name, roundDown({measured}, {{edges:Array(Int64)}}) AS start, toString(e.stream) AS stream, e.partition AS partition, \
         min(e.offset) AS first, max(e.offset) AS last, uniqExact(e.offset) AS events FROM usage_event AS e {join} \
         WHERE e.disposition = 'accepted' AND e.provider = {{provider:String}} \
         AND e.time >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC') AND e.time < fromUnixTimestamp64Milli({{until:Int64}}, 'UTC') \
         AND (empty({{arrays:Array(String)}}) OR has({{arrays:Array(String)}}, e.array)) \
         AND (empty({{sites:Array(String)}}) OR has({{sites:Array(String)}}, e.site)) \
         AND NOT (has({{demo:Array(String)}}, e.array) AND {measured} < {{demo_until:Array(Int64)}}[indexOf({{demo:Array(String)}}, e.array)]) \
         AND {counted} AND {} {named} GROUP BY name, start, stream, partition ORDER BY name, start, stream, partition",
        below.condition()
    )
}
