//! What rating reads of usage: exact sums for any number of lines at once.
//!
//! Lines that differ only in whose tags they look for ask one question, and it is answered by one pass over the provider's buckets:
//! a provider with 100,000 contracts costs the database no more than one with ten.

use std::collections::HashMap;

use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use super::coverage;
use super::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::book::model::Per;
use crate::core::pricing::selection::{Grain, LineSelection};
use crate::core::pricing::usage::{LineUsage, PartUsage, Slot};
use crate::core::word::{HOUR_MS, Instant, Kind};

/// Sums held in memory at once, 32 bytes each: 256 MB.
pub const MAX_SLOTS: usize = 8_000_000;
/// Lines for which a question names the tags that it wants; of more, it asks for all tags.
const MAX_NAMED: usize = 64;

/// Lines that ask one question, by their place among those asked for.
struct Question<'s> {
    like: &'s LineSelection,
    lines: Vec<usize>,
}

#[derive(Debug, Row, Deserialize)]
struct SlotRow {
    customer: String,
    part: String,
    start: i64,
    length: i64,
    amount: i128,
}

/// How many sums a selection may take, at most.
#[must_use]
pub fn slots(selection: &LineSelection) -> usize {
    match &selection.grain {
        Grain::Window(edges) => edges.len(),
        Grain::Cell => usize::try_from((selection.until.0 - selection.from.0) / 300_000).unwrap_or(MAX_SLOTS),
    }
}

/// The usages of lines, in the order of their selections.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, selections: &[LineSelection]) -> Result<Vec<LineUsage>, Error> {
    let mut usages: Vec<LineUsage> = vec![LineUsage::default(); selections.len()];
    for question in questions(selections) {
        sums(client, selections, &question, &mut usages).await?;
        coverage::read(client, selections, question.like, &question.lines, &mut usages).await?;
    }
    Ok(usages)
}

fn questions(selections: &[LineSelection]) -> Vec<Question<'_>> {
    let mut by_question: HashMap<Key<'_>, usize> = HashMap::new();
    let mut questions: Vec<Question<'_>> = Vec::new();
    for (place, selection) in selections.iter().enumerate() {
        let place_of = *by_question.entry(key(selection)).or_insert_with(|| {
            questions.push(Question { like: selection, lines: Vec::new() });
            questions.len() - 1
        });
        questions[place_of].lines.push(place);
    }
    questions
}

/// Everything that a question asks, but for whose tags.
#[derive(PartialEq, Eq, Hash)]
struct Key<'s> {
    is_retail: bool,
    series: (&'s str, Kind, Option<&'s str>, Option<Per>),
    arrays: (&'s str, &'s [String], &'s [String]),
    demo: &'s [(String, Option<Instant>)],
    time: (&'s Grain, Instant, Instant),
}

fn key(selection: &LineSelection) -> Key<'_> {
    let LineSelection { meter, kind, tier, provider, sites, arrays, per, grain, from, until, demo, .. } = selection;
    Key {
        is_retail: selection.customers.is_some(),
        series: (meter, *kind, tier.as_deref(), *per),
        arrays: (provider, sites, arrays),
        demo,
        time: (grain, *from, *until),
    }
}

/// Reads the sums of a question and gives each line its own.
async fn sums(
    client: &Client,
    selections: &[LineSelection],
    question: &Question<'_>,
    usages: &mut [LineUsage],
) -> Result<(), Error> {
    let mut by_tag: HashMap<&str, Vec<usize>> = HashMap::new();
    for &line in &question.lines {
        match &selections[line].customers {
            Some(tags) => tags.iter().for_each(|tag| by_tag.entry(tag).or_default().push(line)),
            None => by_tag.entry("").or_default().push(line),
        }
    }
    let named: Vec<&str> =
        if question.lines.len() <= MAX_NAMED { by_tag.keys().copied().collect() } else { Vec::new() };
    let mut rows: Rows<SlotRow> =
        Rows::of(client, bind(client, &sql(question.like, !named.is_empty()), question.like, &named))?;
    let mut parts: HashMap<(usize, String), Vec<Slot>> = HashMap::new();
    while let Some(row) = rows.next().await? {
        let slot = Slot { start: Instant(row.start), length_ms: row.length, amount: row.amount };
        for line in by_tag.get(row.customer.as_str()).into_iter().flatten() {
            parts.entry((*line, row.part.clone())).or_default().push(slot);
        }
    }
    for ((line, name), slots) in parts {
        usages[line].parts.push(PartUsage { name, slots: added(slots)? });
    }
    for &line in &question.lines {
        usages[line].parts.sort_by(|one, other| one.name.cmp(&other.name));
    }
    Ok(())
}

/// Slots by rising start, those of one start added up: a customer may have several tags, and what bears them is one pool.
fn added(mut slots: Vec<Slot>) -> Result<Vec<Slot>, Error> {
    slots.sort_unstable_by_key(|slot| slot.start);
    let mut sums: Vec<Slot> = Vec::with_capacity(slots.len());
    for slot in slots {
        match sums.last_mut().filter(|sum| sum.start == slot.start) {
            None => sums.push(slot),
            Some(sum) => {
                sum.amount = sum.amount.checked_add(slot.amount).ok_or_else(|| {
                    let mend = "look for a wrong value with `plimsoll usage`";
                    Error::refusal("a sum of usage does not fit 128 bits", mend)
                })?;
            }
        }
    }
    Ok(sums)
}

/// Binds what a question looks for.
pub(super) fn bind(client: &Client, sql: &str, like: &LineSelection, named: &[&str]) -> Query {
    let demo: Vec<&str> = like.demo.iter().map(|(array, _)| array.as_str()).collect();
    let demo_until: Vec<i64> = like.demo.iter().map(|(_, at)| at.map_or(i64::MAX, |until| until.0)).collect();
    let edges: Vec<i64> = match &like.grain {
        Grain::Window(edges) => edges.iter().map(|edge| edge.0).collect(),
        Grain::Cell => Vec::new(),
    };
    let half = (client.settings().query_max_memory_bytes / 2).to_string();
    client
        .select(sql)
        .with_setting("max_bytes_before_external_group_by", half)
        .param("provider", &like.provider)
        .param("meter", &like.meter)
        .param("kind", like.kind.as_str())
        .param("from", like.from.0)
        .param("until", like.until.0)
        .param("tier", like.tier.as_deref().unwrap_or_default())
        .param("sites", &like.sites)
        .param("arrays", &like.arrays)
        .param("customers", named)
        .param("demo", demo)
        .param("demo_until", demo_until)
        .param("edges", edges)
}

/// Which buckets a question is about. Empty lists mean "all".
pub(super) const BUCKETS: &str = "provider = {provider:String} AND meter = {meter:String} AND kind = {kind:String} \
     AND (empty({arrays:Array(String)}) OR has({arrays:Array(String)}, array))";

/// The cells that a question is about: which of their columns are read, one row a cell, and which of them count.
pub(super) struct Cells {
    /// Elements of an ARRAY JOIN; empty if no column is asked for.
    pub(super) join: Vec<&'static str>,
    /// A condition on the columns that are joined.
    pub(super) count: String,
}

impl Cells {
    /// A column that the question does not ask for is not read: at a hundred million cells that is what it costs.
    pub(super) fn of(like: &LineSelection, named: bool) -> Self {
        let retail = like.customers.is_some();
        let asked = [
            (retail, "cell_customer AS customer", named.then_some("has({customers:Array(String)}, customer)")),
            (like.tier.is_some(), "cell_tier AS tier", Some("tier = {tier:String}")),
            (!like.sites.is_empty(), "cell_site AS site", Some("has({sites:Array(String)}, site)")),
        ];
        let asked = || asked.iter().filter(|(asked, ..)| *asked);
        let conditions: Vec<&str> = std::iter::once("true").chain(asked().filter_map(|(.., count)| *count)).collect();
        Self { join: asked().map(|(_, column, _)| *column).collect(), count: conditions.join(" AND ") }
    }
}

const HOURS: &str = "hour >= toDateTime(intDiv({from:Int64}, 3600000) * 3600, 'UTC') AND hour < toDateTime({until:Int64} / 1000, 'UTC')";

fn sql(like: &LineSelection, named: bool) -> String {
    let part = match like.per {
        None => "''",
        Some(Per::Array) => "toString(array)",
        Some(Per::Resource) => "concat(array, '/', resource)",
    };
    let customer = if like.customers.is_some() { "toString(customer)" } else { "''" };
    let mut cells = Cells::of(like, named);
    cells.join.push("cell_amount AS amount");
    match &like.grain {
        Grain::Window(edges) if are_hours(like, edges) => by_hour(customer, part, &cells),
        Grain::Window(_) => by_cell(customer, part, &cells, "roundDown(cell, {edges:Array(Int64)})"),
        Grain::Cell => by_cell(customer, part, &cells, "cell"),
    }
}

/// Whether all windows begin and end with an hour: then a bucket lies in one of them and need not be taken apart.
fn are_hours(like: &LineSelection, edges: &[Instant]) -> bool {
    let ends = like.demo.iter().filter_map(|(_, until)| *until).chain([like.from, like.until]);
    edges.iter().copied().chain(ends).all(|instant| instant.0 % HOUR_MS == 0)
}

/// The window of a cell is its bucket's.
fn by_hour(customer: &str, part: &str, Cells { join, count }: &Cells) -> String {
    format!(
        "SELECT {customer} AS customer, {part} AS part, start, toInt64(3600000) AS length, sum(amount) AS amount \
         FROM (SELECT *, roundDown(toInt64(toUnixTimestamp(hour)) * 1000, {{edges:Array(Int64)}}) AS start FROM usage_bucket FINAL \
         WHERE {BUCKETS} AND {HOURS} \
         AND NOT (has({{demo:Array(String)}}, array) AND toInt64(toUnixTimestamp(hour)) * 1000 \
                  < {{demo_until:Array(Int64)}}[indexOf({{demo:Array(String)}}, array)])) \
         ARRAY JOIN {} WHERE {count} GROUP BY customer, part, start",
        join.join(", ")
    )
}

/// Each cell has a window of its own.
fn by_cell(customer: &str, part: &str, Cells { join, count }: &Cells, start: &str) -> String {
    format!(
        "SELECT {customer} AS customer, {part} AS part, {start} AS start, toInt64(any(cell_minutes)) * 60000 AS length, \
         sum(amount) AS amount FROM (SELECT * FROM usage_bucket FINAL WHERE {BUCKETS} AND {HOURS}) \
         ARRAY JOIN {}, arrayMap(n -> toInt64(toUnixTimestamp(hour)) * 1000 + n * cell_minutes * 60000, cell_index) AS cell \
         WHERE {count} AND cell >= {{from:Int64}} AND cell < {{until:Int64}} \
         AND NOT (has({{demo:Array(String)}}, array) AND cell < {{demo_until:Array(Int64)}}[indexOf({{demo:Array(String)}}, array)]) \
         GROUP BY customer, part, start",
        join.join(", ")
    )
}
