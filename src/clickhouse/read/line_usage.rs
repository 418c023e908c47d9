//! What rating reads of usage: exact sums for any number of lines at once.
//!
//! Lines that differ only in whose tags they look for ask one question, and it is answered by one pass over the provider's buckets:
//! a provider with 100,000 contracts costs the database no more than one with ten.

use std::collections::{BTreeMap, HashMap};

use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use super::coverage;
use super::handover::{self, HandOver};
use super::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::book::model::Per;
use crate::core::pricing::selection::{Grain, LineSelection};
use crate::core::pricing::usage::{Known, LineUsage, PartUsage, Slot};
use crate::core::word::{HOUR_MS, Instant};

/// Sums held in memory at once, 32 bytes each: 256 MB.
const MAX_SLOTS: usize = 8_000_000;
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
    measured_ms: i64,
    last: u64,
}

/// How many of these selections may be read at once: the bound of the memory that they take.
#[must_use]
pub fn fit_at_once(selections: &[LineSelection]) -> usize {
    let mut slots = 0;
    for (count, selection) in selections.iter().enumerate() {
        slots += match &selection.grain {
            Grain::Window(edges) => edges.len(),
            Grain::Cell => usize::try_from((selection.until.0 - selection.from.0) / 300_000).unwrap_or(MAX_SLOTS),
        };
        if slots > MAX_SLOTS {
            return count.max(1);
        }
    }
    selections.len()
}

/// The usages of lines, in the order of their selections.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, selections: &[LineSelection]) -> Result<Vec<LineUsage>, Error> {
    let mut usages: Vec<LineUsage> = vec![LineUsage::default(); selections.len()];
    for question in questions(selections) {
        let like = question.like;
        let handed_over = handover::read(client, &like.provider, like.from, like.until).await?;
        sums(client, selections, &question, &handed_over, &mut usages).await?;
        coverage::read(client, selections, (like, &question.lines), &handed_over, &mut usages).await?;
    }
    Ok(usages)
}

fn questions(selections: &[LineSelection]) -> Vec<Question<'_>> {
    let mut by_question: HashMap<String, usize> = HashMap::new();
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
fn key(selection: &LineSelection) -> String {
    let LineSelection { meter, kind, tier, provider, sites, arrays, per, grain, from, until, demo, .. } = selection;
    format!(
        "{:?}",
        (selection.customers.is_some(), meter, kind, tier, provider, sites, arrays, per, grain, from, until, demo)
    )
}

/// Sums by line, part and start while they are read.
type Parts = BTreeMap<(usize, String), BTreeMap<Instant, (Slot, Known)>>;

/// Reads the sums of a question and gives each line its own.
async fn sums(
    client: &Client,
    selections: &[LineSelection],
    question: &Question<'_>,
    handed_over: &[HandOver],
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
    let mut parts = Parts::new();
    let query = bind(client, &sql(question.like, !named.is_empty()), question.like, &named);
    add(Rows::of(client, query)?, &by_tag, &mut parts).await?;
    if !handed_over.is_empty() {
        // what holds of the old provider count past the hand-over comes off again
        let query = bind(client, &past_hand_over(question.like, !named.is_empty()), question.like, &named);
        let query = query
            .param("handed", handed_over.iter().map(|one| one.array.as_str()).collect::<Vec<_>>())
            .param("handed_last", handed_over.iter().map(|one| one.last.0).collect::<Vec<_>>())
            .param("handed_at", handed_over.iter().map(|one| one.at.0).collect::<Vec<_>>());
        add(Rows::of(client, query)?, &by_tag, &mut parts).await?;
    }
    // what is known of levels is wanted where gaps are held: only there cells are read of a mean
    let known = question.like.grain == Grain::Cell;
    for ((line, name), slots) in parts {
        let (slots, known): (Vec<Slot>, Vec<Known>) = match known {
            true => slots.into_values().unzip(),
            false => (slots.into_values().map(|(slot, _)| slot).collect(), Vec::new()),
        };
        usages[line].parts.push(PartUsage { name, slots, known });
    }
    Ok(())
}

/// Adds rows to the sums of the lines that look for their tags.
async fn add(mut rows: Rows<SlotRow>, by_tag: &HashMap<&str, Vec<usize>>, parts: &mut Parts) -> Result<(), Error> {
    while let Some(row) = rows.next().await? {
        for line in by_tag.get(row.customer.as_str()).into_iter().flatten() {
            // a customer may have several tags: what bears them is one pool
            let slots = parts.entry((*line, row.part.clone())).or_default();
            let slot = Slot { start: Instant(row.start), length_ms: row.length, amount: 0 };
            let (sum, known) = slots.entry(slot.start).or_insert((slot, Known { measured_ms: 0, last: row.last }));
            known.measured_ms += row.measured_ms;
            let added = sum.amount.checked_add(row.amount);
            sum.amount = added.ok_or_else(|| {
                Error::refusal("a sum of usage does not fit 128 bits", "look for a wrong value with `plimsoll usage`")
            })?;
        }
    }
    Ok(())
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

/// Which of their cells; `tier` '' means any.
pub(super) const CELLS: &str = "({tier:String} = '' OR tier = {tier:String}) \
     AND (empty({sites:Array(String)}) OR has({sites:Array(String)}, site))";

const HOURS: &str = "hour >= toDateTime(intDiv({from:Int64}, 3600000) * 3600, 'UTC') AND hour < toDateTime({until:Int64} / 1000, 'UTC')";

/// The name of a row's part.
fn part(like: &LineSelection) -> &'static str {
    match like.per {
        None => "''",
        Some(Per::Array) => "toString(array)",
        Some(Per::Resource) => "concat(array, '/', resource)",
    }
}

fn sql(like: &LineSelection, named: bool) -> String {
    let part = part(like);
    let retail = like.customers.is_some();
    let whose = if retail && named { "AND has({customers:Array(String)}, customer)" } else { "" };
    match &like.grain {
        Grain::Window(edges) if are_hours(like, edges) => by_hour(part, retail, whose),
        Grain::Window(_) => by_cell(part, retail, whose, "roundDown(cell, {edges:Array(Int64)})"),
        Grain::Cell => by_cell(part, retail, whose, "cell"),
    }
}

/// Whether all windows begin and end with an hour: then a bucket lies in one of them and need not be taken apart.
fn are_hours(like: &LineSelection, edges: &[Instant]) -> bool {
    let ends = like.demo.iter().filter_map(|(_, until)| *until).chain([like.from, like.until]);
    edges.iter().copied().chain(ends).all(|instant| instant.0 % HOUR_MS == 0)
}

/// One row a bucket and tag goes into the sums.
fn by_hour(part: &str, retail: bool, whose: &str) -> String {
    let (join, customer, own) = match retail {
        true => ("ARRAY JOIN arrayDistinct(cell_customer) AS customer", "toString(customer)", "of = customer AND"),
        false => ("", "''", ""),
    };
    format!(
        "SELECT {customer} AS customer, {part} AS part, roundDown(toInt64(toUnixTimestamp(hour)) * 1000, {{edges:Array(Int64)}}) AS start, \
         toInt64(3600000) AS length, \
         sum(arraySum((a, of, tier, site) -> if({own} {CELLS}, a, toInt128(0)), cell_amount, cell_customer, cell_tier, cell_site)) AS amount, \
         toInt64(0) AS measured_ms, toUInt64(0) AS last \
         FROM usage_bucket FINAL {join} WHERE {BUCKETS} AND {HOURS} {whose} \
         AND arrayExists((of, tier, site) -> {own} {CELLS}, cell_customer, cell_tier, cell_site) \
         AND NOT (has({{demo:Array(String)}}, array) AND toInt64(toUnixTimestamp(hour)) * 1000 \
                  < {{demo_until:Array(Int64)}}[indexOf({{demo:Array(String)}}, array)]) \
         GROUP BY customer, part, start"
    )
}

/// One row a cell goes into the sums.
fn by_cell(part: &str, retail: bool, whose: &str, start: &str) -> String {
    let customer = if retail { "toString(customer)" } else { "''" };
    format!(
        "SELECT {customer} AS customer, {part} AS part, {start} AS start, toInt64(any(cell_minutes)) * 60000 AS length, \
         sum(amount) AS amount, toInt64(sum(observed_ms)) AS measured_ms, max(last) AS last FROM (SELECT observed_ms, last, array, resource, cell_minutes, \
         toInt64(toUnixTimestamp(hour)) * 1000 + index * cell_minutes * 60000 AS cell, customer, tier, site, amount FROM usage_bucket FINAL \
         ARRAY JOIN cell_index AS index, cell_customer AS customer, cell_tier AS tier, cell_site AS site, cell_amount AS amount, \
         cell_observed_ms AS observed_ms, cell_last AS last \
         WHERE {BUCKETS} AND {HOURS}) \
         WHERE {CELLS} {whose} AND cell >= {{from:Int64}} AND cell < {{until:Int64}} \
         AND NOT (has({{demo:Array(String)}}, array) AND cell < {{demo_until:Array(Int64)}}[indexOf({{demo:Array(String)}}, array)]) \
         GROUP BY customer, part, start"
    )
}

/// What is counted past a hand-over, as negative sums: whole cells behind it, and of the cell in which it lies the level from it to
/// the end of what is known. Between the old provider's last event and the hand-over nothing else is known.
fn past_hand_over(like: &LineSelection, named: bool) -> String {
    let part = part(like);
    let retail = like.customers.is_some();
    let whose = if retail && named { "AND has({customers:Array(String)}, customer)" } else { "" };
    let customer = if retail { "toString(customer)" } else { "''" };
    let start = match like.grain {
        Grain::Window(_) => "roundDown(cell, {edges:Array(Int64)})",
        Grain::Cell => "cell",
    };
    format!(
        "SELECT {customer} AS customer, {part} AS part, {start} AS start, toInt64(any(cell_minutes)) * 60000 AS length, \
         sum(-if(cell >= handed, amount, toInt128(past) * toInt128(last_level))) AS amount, \
         toInt64(sum(-if(cell >= handed, toInt64(observed_ms), past))) AS measured_ms, max(last_level) AS last \
         FROM (SELECT observed_ms, last_level, array, resource, cell_minutes, customer, tier, site, amount, \
         toInt64(toUnixTimestamp(hour)) * 1000 + index * cell_minutes * 60000 AS cell, \
         {{handed_at:Array(Int64)}}[indexOf({{handed:Array(String)}}, toString(array))] AS handed, \
         {{handed_last:Array(Int64)}}[indexOf({{handed:Array(String)}}, toString(array))] AS old_last, \
         greatest(if(old_last < cell, cell + observed_ms, cell + cell_minutes * 60000) - handed, 0) AS past FROM usage_bucket FINAL \
         ARRAY JOIN cell_index AS index, cell_customer AS customer, cell_tier AS tier, cell_site AS site, cell_amount AS amount, \
         cell_observed_ms AS observed_ms, cell_last AS last_level \
         WHERE {BUCKETS} AND {HOURS} AND has({{handed:Array(String)}}, array) AND meter_kind = 'gauge') \
         WHERE {CELLS} {whose} AND cell >= {{from:Int64}} AND cell < {{until:Int64}} AND cell + cell_minutes * 60000 > handed \
         AND NOT (has({{demo:Array(String)}}, array) AND cell < {{demo_until:Array(Int64)}}[indexOf({{demo:Array(String)}}, array)]) \
         GROUP BY customer, part, start"
    )
}
