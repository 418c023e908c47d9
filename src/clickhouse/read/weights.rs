//! By what the wholesale lines of a provider are split: what each line measured, and what of it bears which tag.
//!
//! One pass over the provider's buckets answers for all lines. Demonstration arrays and hand-overs are treated as rating does
//! (`question.rs`), so that a line's own sum here is what it was rated from.

use std::collections::BTreeMap;

use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use super::below::Below;
use super::handover;
use super::rows::Rows;
use super::void;
use crate::clickhouse::{Client, Error};
use crate::core::cut::CutPoint;
use crate::core::pricing::selection::LineSelection;
use crate::core::pricing::weight::Weights;
use crate::core::word::Kind;

/// Pairs of line and tag in memory at once, some 100 bytes each: 400 MB.
const MAX_PAIRS: usize = 4_000_000;

#[derive(Debug, Row, Deserialize)]
struct WeightRow {
    line: u32,
    is_own: u8,
    customer: String,
    amount: i128,
}

/// The buckets that may concern a line, with these lines; parameters are arrays with one element a line.
const LINES: &str = "arrayFilter(i -> {meters:Array(String)}[i] = meter AND ({kinds:Array(String)}[i] = toString(kind) OR {kinds:Array(String)}[i] = 'array') \
     AND (empty({arrays:Array(Array(String))}[i]) OR has({arrays:Array(Array(String))}[i], toString(array))), \
     arrayEnumerate({meters:Array(String)})) AS lines";

const BUCKETS: &str = "provider = {provider:String} AND has({meters:Array(String)}, meter) \
     AND hour >= toDateTime(intDiv(arrayMin({from:Array(Int64)}), 3600000) * 3600, 'UTC')";

/// The lines to which a cell belongs, one row each.
const OF_CELL: &str = "ARRAY JOIN arrayFilter(i -> ({any_tier:Array(UInt8)}[i] = 1 OR {tiers:Array(String)}[i] = toString(tier)) \
     AND (empty({sites:Array(Array(String))}[i]) OR has({sites:Array(Array(String))}[i], toString(site))) \
     AND cell >= {from:Array(Int64)}[i] AND cell < {until:Array(Int64)}[i], lines) AS line \
     WHERE NOT (has({demo:Array(String)}, toString(array)) AND cell < {demo_until:Array(Int64)}[indexOf({demo:Array(String)}, toString(array))])";

const SELECT: &str = "SELECT toUInt32(line) AS line, toUInt8(toString(kind) = {kinds:Array(String)}[line]) AS is_own, \
     toString(customer) AS customer";

/// The weights of lines of one provider, in their order; at a cut no event above it says whether an array was handed over.
///
/// # Errors
/// The server's, and more tags than memory should hold.
pub async fn read(
    client: &Client,
    selections: &[LineSelection],
    cut: Option<&[CutPoint]>,
) -> Result<Vec<Weights>, Error> {
    let mut weights = vec![Weights::default(); selections.len()];
    let Some(first) = selections.first() else { return Ok(weights) };
    let until = selections.iter().map(|line| line.until).max().unwrap_or(first.until);
    let mut pairs = 0;
    let sums = format!(
        "{SELECT}, sum(amount) AS amount FROM (SELECT array, kind, lines, customer, tier, site, amount, cell FROM \
         (SELECT *, {LINES} FROM usage_bucket FINAL WHERE {BUCKETS} AND hour < toDateTime(arrayMax({{until:Array(Int64)}}) / 1000, 'UTC')) \
         ARRAY JOIN cell_customer AS customer, cell_tier AS tier, cell_site AS site, cell_amount AS amount, \
         arrayMap(n -> toInt64(toUnixTimestamp(hour)) * 1000 + n * cell_minutes * 60000, cell_index) AS cell WHERE notEmpty(lines)) \
         {OF_CELL} GROUP BY line, is_own, customer"
    );
    take(Rows::of(client, bind(client, &sums, selections))?, selections, &mut weights, &mut pairs).await?;
    let below = Below { cut, void: &void::read(client).await? };
    let handed_over = handover::read(client, &first.provider, until, &below).await?;
    if !handed_over.is_empty() {
        let query = bind(client, &past_hand_over(), selections)
            .param("handed", handed_over.iter().map(|one| one.array.as_str()).collect::<Vec<_>>())
            .param("handed_at", handed_over.iter().map(|one| one.at.0).collect::<Vec<_>>());
        take(Rows::of(client, query)?, selections, &mut weights, &mut pairs).await?;
    }
    Ok(weights)
}

/// What holds of the old provider count past a hand-over, as negative sums: the rule of `question::past_hand_over`.
fn past_hand_over() -> String {
    format!(
        "WITH cells AS (SELECT array, meter, kind, resource, lines, customer, tier, site, amount, observed_ms, last_level, cell, cell_end, \
         {{handed_at:Array(Int64)}}[indexOf({{handed:Array(String)}}, toString(array))] AS handed FROM \
         (SELECT array, meter, kind, resource, lines, customer, tier, site, amount, observed_ms, last_level, \
         toInt64(toUnixTimestamp(hour)) * 1000 + index * cell_minutes * 60000 AS cell, cell + cell_minutes * 60000 AS cell_end FROM \
         (SELECT *, {LINES} FROM usage_bucket FINAL WHERE {BUCKETS} AND has({{handed:Array(String)}}, toString(array)) AND meter_kind = 'gauge') \
         ARRAY JOIN cell_index AS index, cell_customer AS customer, cell_tier AS tier, cell_site AS site, \
         cell_amount AS amount, cell_observed_ms AS observed_ms, cell_last AS last_level WHERE notEmpty(lines))), \
         past AS (SELECT *, greatest(if((array, meter, kind, resource, customer, tier, site, cell_end) IN \
         (SELECT array, meter, kind, resource, customer, tier, site, cell FROM cells), cell_end, cell + observed_ms) - handed, 0) AS past_ms FROM cells) \
         {SELECT}, sum(-if(cell >= handed, amount, toInt128(past_ms) * toInt128(last_level))) AS amount FROM past \
         {OF_CELL} AND cell_end > handed GROUP BY line, is_own, customer"
    )
}

fn bind(client: &Client, sql: &str, lines: &[LineSelection]) -> Query {
    let demo: BTreeMap<&str, i64> = lines
        .iter()
        .flat_map(|line| &line.demo)
        .map(|(array, until)| (array.as_str(), until.map_or(i64::MAX, |until| until.0)))
        .collect();
    let texts = |of: fn(&LineSelection) -> &str| lines.iter().map(of).collect::<Vec<_>>();
    // the contract's part alone: a line that holds gaps reads from before it
    let from = |line: &LineSelection| line.part.first().map_or(line.from, |span| span.from).0;
    let until = |line: &LineSelection| line.part.last().map_or(line.until, |span| span.until).0;
    let half = (client.settings().query_max_memory_bytes / 2).to_string();
    client
        .select(sql)
        .with_setting("max_bytes_before_external_group_by", half)
        .param("provider", texts(|line| &line.provider).first().copied().unwrap_or_default())
        .param("meters", texts(|line| &line.meter))
        .param("kinds", texts(|line| line.kind.as_str()))
        .param("tiers", texts(|line| line.tier.as_deref().unwrap_or_default()))
        .param("any_tier", lines.iter().map(|line| u8::from(line.tier.is_none())).collect::<Vec<_>>())
        .param("sites", lines.iter().map(|line| line.sites.as_slice()).collect::<Vec<_>>())
        .param("arrays", lines.iter().map(|line| line.arrays.as_slice()).collect::<Vec<_>>())
        .param("from", lines.iter().map(from).collect::<Vec<_>>())
        .param("until", lines.iter().map(until).collect::<Vec<_>>())
        .param("demo", demo.keys().copied().collect::<Vec<_>>())
        .param("demo_until", demo.values().copied().collect::<Vec<_>>())
}

async fn take(
    mut rows: Rows<WeightRow>,
    lines: &[LineSelection],
    weights: &mut [Weights],
    pairs: &mut usize,
) -> Result<(), Error> {
    let too_great =
        || Error::refusal("a sum of usage does not fit 128 bits", "look for a wrong value with `plimsoll usage`");
    while let Some(row) = rows.next().await? {
        let Some((line, own)) =
            (row.line as usize).checked_sub(1).and_then(|at| Some((lines.get(at)?, weights.get_mut(at)?)))
        else {
            continue;
        };
        if row.is_own == 1 {
            own.wholesale = own.wholesale.checked_add(row.amount).ok_or_else(too_great)?;
        }
        if (line.kind == Kind::Array) != (row.is_own == 1) && !row.customer.is_empty() {
            *pairs += 1;
            check_pairs(*pairs, &line.provider)?;
            let sum = own.by_tag.entry(row.customer).or_default();
            *sum = sum.checked_add(row.amount).ok_or_else(too_great)?;
        }
    }
    Ok(())
}

/// Refuses more pairs of line and tag than memory should hold.
///
/// # Errors
/// There are more.
pub fn check_pairs(pairs: usize, provider: &str) -> Result<(), Error> {
    match pairs <= MAX_PAIRS {
        true => Ok(()),
        false => {
            let text = format!("more than {MAX_PAIRS} pairs of a line and a tag in one period of {provider}");
            Err(Error::refusal(text, "look for tags that name no customer with `plimsoll unclaimed`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_held_up_to_their_bound() {
        assert_eq!([MAX_PAIRS, MAX_PAIRS + 1].map(|pairs| check_pairs(pairs, "p").is_ok()), [true, false]);
    }
}
