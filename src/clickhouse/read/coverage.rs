//! When the arrays of lines were observed (PRICING §12).

use std::collections::{BTreeMap, HashMap};

use clickhouse::Row;
use serde::Deserialize;

use super::question::{BUCKETS, Cells, bind};
use crate::clickhouse::{Client, Error};
use crate::core::pricing::selection::{Grain, LineSelection};
use crate::core::pricing::usage::{ArrayCoverage, HandOver, LineUsage};
use crate::core::word::Instant;

/// Lines for which the database is told whose tags it should look for.
const MAX_NAMED: usize = 64;

#[derive(Debug, Row, Deserialize)]
struct OwnRow {
    tag: String,
    owner: String,
}

#[derive(Debug, Row, Deserialize)]
struct FirstRow {
    array: String,
    first: i64,
}

#[derive(Debug, Row, Deserialize)]
struct ObservedRow {
    array: String,
    start: i64,
    observed_ms: i64,
}

/// Gives each line of a question the coverage of its arrays: those whose readings it prices, at any time up to its end.
///
/// # Errors
/// The server's.
pub(super) async fn read(
    client: &Client,
    selections: &[LineSelection],
    (like, lines): (&LineSelection, &[usize]),
    handed_over: &[HandOver],
    usages: &mut [LineUsage],
) -> Result<(), Error> {
    // a hand-over ends an array's time inside a window: that window is read in two
    let ends = handed_over.iter().map(|one| Instant(one.at.0 - one.at.0.rem_euclid(900_000)));
    let mut observed = observed(client, &like.cut_at(ends)).await?;
    for hand_over in handed_over {
        if let Some(array) = observed.get_mut(&hand_over.array) {
            array.end_at(hand_over.at);
        }
    }
    let mut by_tag: HashMap<String, Vec<&ArrayCoverage>> = HashMap::new();
    let own: Vec<OwnRow> =
        client.fetch_all(bind(client, &own_sql(selections, like, lines), like, &tags(selections, lines))).await?;
    for row in own {
        if let Some(array) = observed.get(&row.owner) {
            by_tag.entry(row.tag).or_default().push(array);
        }
    }
    for &line in lines {
        let none = [String::new()];
        let tags = selections[line].customers.as_deref().unwrap_or(&none);
        let mut arrays: Vec<&ArrayCoverage> =
            tags.iter().filter_map(|tag| by_tag.get(tag)).flatten().copied().collect();
        arrays.sort_by(|one, other| one.array.cmp(&other.array));
        arrays.dedup_by(|one, other| one.array == other.array);
        usages[line].arrays = arrays.into_iter().cloned().collect();
    }
    Ok(())
}

fn tags<'s>(selections: &'s [LineSelection], lines: &[usize]) -> Vec<&'s str> {
    if lines.len() > MAX_NAMED {
        return Vec::new();
    }
    lines.iter().filter_map(|line| selections[*line].customers.as_ref()).flatten().map(String::as_str).collect()
}

/// Which arrays have readings of whom. With FINAL: a row that was replaced may name a customer whom a correction took away. Grouped rather than
/// DISTINCT: that is done by one thread, and took eight times as long.
fn own_sql(selections: &[LineSelection], like: &LineSelection, lines: &[usize]) -> String {
    let (tag, by) = match like.customers {
        Some(_) => ("toString(customer)", "customer, array"),
        None => ("''", "array"),
    };
    let Cells { join, count } = Cells::of(like, !tags(selections, lines).is_empty());
    let join = if join.is_empty() { String::new() } else { format!("ARRAY JOIN {}", join.join(", ")) };
    format!(
        "SELECT {tag} AS tag, toString(array) AS owner FROM (SELECT array, cell_customer, cell_tier, cell_site FROM usage_bucket FINAL \
         WHERE {BUCKETS} AND notEmpty(cell_index) AND hour < toDateTime({{until:Int64}} / 1000, 'UTC')) {join} WHERE {count} GROUP BY {by}"
    )
}

/// All arrays of the provider: their first reading ever, and what was observed of them, per quarter of an hour or window.
async fn observed(client: &Client, like: &LineSelection) -> Result<BTreeMap<String, ArrayCoverage>, Error> {
    // an array's first cell is observed from its first reading on, maybe under more than one site
    let first = "SELECT toString(array) AS array, toInt64(min(toUnixTimestamp(hour) * 1000 \
         + cell_index[1] * cell_minutes * 60000 + cell_minutes * 60000 \
         - arraySum((ms, index) -> if(index = cell_index[1], ms, 0), cell_observed_ms, cell_index))) AS first \
         FROM usage_bucket FINAL WHERE provider = {provider:String} AND meter = '$observed' AND notEmpty(cell_index) \
         AND hour < toDateTime({until:Int64} / 1000, 'UTC') GROUP BY array";
    let start = match like.grain {
        Grain::Window(_) => "roundDown(cell, {edges:Array(Int64)})",
        Grain::Cell => "cell",
    };
    let observed = format!(
        "SELECT array, {start} AS start, toInt64(sum(observed)) AS observed_ms FROM (SELECT toString(array) AS array, observed, \
         toInt64(toUnixTimestamp(hour)) * 1000 + index * cell_minutes * 60000 AS cell FROM usage_bucket FINAL \
         ARRAY JOIN cell_index AS index, cell_observed_ms AS observed \
         WHERE provider = {{provider:String}} AND meter = '$observed' \
         AND hour >= toDateTime(intDiv({{from:Int64}}, 3600000) * 3600, 'UTC') AND hour < toDateTime({{until:Int64}} / 1000, 'UTC')) \
         WHERE cell >= {{from:Int64}} AND cell < {{until:Int64}} GROUP BY array, start ORDER BY array, start"
    );
    let first: Vec<FirstRow> = client.fetch_all(bind(client, first, like, &[])).await?;
    let mut arrays: BTreeMap<String, ArrayCoverage> = BTreeMap::new();
    for FirstRow { array, first } in first {
        let (first_reading, handed_over, observed) = (Some(Instant(first)), None, Vec::new());
        arrays.insert(array.clone(), ArrayCoverage { array, first_reading, handed_over, observed });
    }
    let rows: Vec<ObservedRow> = client.fetch_all(bind(client, &observed, like, &[])).await?;
    for row in rows {
        if let Some(array) = arrays.get_mut(&row.array) {
            array.observed.push((Instant(row.start), row.observed_ms));
        }
    }
    Ok(arrays)
}
