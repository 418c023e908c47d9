//! The questions that rating asks of buckets, as SQL: bound parameters only, and no column read that is not asked for.

use clickhouse::query::Query;

use crate::clickhouse::Client;
use crate::core::book::model::Per;
use crate::core::pricing::question::are_hours;
use crate::core::pricing::selection::{Grain, LineSelection};

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

const HOURS: &str = "hour >= toDateTime(intDiv({from:Int64}, 3600000) * 3600, 'UTC') AND hour < toDateTime({until:Int64} / 1000, 'UTC')";

const CELL_STARTS: &str =
    "arrayMap(n -> toInt64(toUnixTimestamp(hour)) * 1000 + n * cell_minutes * 60000, cell_index) AS cell";

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

    fn with(mut self, columns: &[&'static str]) -> Self {
        self.join.extend(columns);
        self
    }

    fn join(&self) -> String {
        self.join.join(", ")
    }
}

/// The tag and the part of a row, as they are selected.
fn names(like: &LineSelection) -> String {
    let customer = if like.customers.is_some() { "toString(customer)" } else { "''" };
    let part = match like.per {
        None => "''",
        Some(Per::Array) => "toString(array)",
        Some(Per::Resource) => "concat(array, '/', resource)",
    };
    format!("{customer} AS customer, {part} AS part")
}

/// The sums of a question: customer, part, start, length, amount, and of cells for how long the level is known and its last value.
pub(super) fn sums(like: &LineSelection, named: bool) -> String {
    let cells = Cells::of(like, named).with(&["cell_amount AS amount"]);
    match &like.grain {
        Grain::Window(_) if are_hours(like) => by_hour(like, &cells),
        Grain::Window(_) => by_cell(like, &cells, "toInt64(0)", "toUInt64(0)"),
        Grain::Cell => {
            let cells = cells.with(&["cell_observed_ms AS observed_ms", "cell_last AS last_level"]);
            by_cell(like, &cells, "toInt64(sum(observed_ms))", "max(last_level)")
        }
    }
}

/// The window of a cell is its bucket's.
fn by_hour(like: &LineSelection, cells: &Cells) -> String {
    format!(
        "SELECT {}, start, toInt64(3600000) AS length, sum(amount) AS amount, toInt64(0) AS measured_ms, toUInt64(0) AS last \
         FROM (SELECT *, roundDown(toInt64(toUnixTimestamp(hour)) * 1000, {{edges:Array(Int64)}}) AS start FROM usage_bucket FINAL \
         WHERE {BUCKETS} AND {HOURS} \
         AND NOT (has({{demo:Array(String)}}, array) AND toInt64(toUnixTimestamp(hour)) * 1000 \
                  < {{demo_until:Array(Int64)}}[indexOf({{demo:Array(String)}}, array)])) \
         ARRAY JOIN {} WHERE {} GROUP BY customer, part, start",
        names(like),
        cells.join(),
        cells.count
    )
}

/// Each cell has a window of its own, or is asked for as it is.
fn by_cell(like: &LineSelection, cells: &Cells, measured_ms: &str, last: &str) -> String {
    format!(
        "SELECT {}, {} AS start, toInt64(any(cell_minutes)) * 60000 AS length, sum(amount) AS amount, \
         {measured_ms} AS measured_ms, {last} AS last FROM (SELECT * FROM usage_bucket FINAL WHERE {BUCKETS} AND {HOURS}) \
         ARRAY JOIN {}, {CELL_STARTS} WHERE {} AND cell >= {{from:Int64}} AND cell < {{until:Int64}} \
         AND NOT (has({{demo:Array(String)}}, array) AND cell < {{demo_until:Array(Int64)}}[indexOf({{demo:Array(String)}}, array)]) \
         GROUP BY customer, part, start",
        names(like),
        start(like),
        cells.join(),
        cells.count
    )
}

fn start(like: &LineSelection) -> &'static str {
    match like.grain {
        Grain::Window(_) => "roundDown(cell, {edges:Array(Int64)})",
        Grain::Cell => "cell",
    }
}

/// What is counted past a hand-over, as negative sums: whole cells behind it, and of the cell in which it lies the level from it to
/// the end of what is known. That is the cell's end where the same tags go on in the next cell, since the old provider said nothing
/// more; else it ran out before.
pub(super) fn past_hand_over(like: &LineSelection, named: bool) -> String {
    let count = Cells::of(like, named).count;
    let (names, start) = (names(like), start(like));
    format!(
        "WITH cells AS (SELECT array, resource, cell_minutes, customer, tier, site, amount, observed_ms, last_level, \
         toInt64(toUnixTimestamp(hour)) * 1000 + index * cell_minutes * 60000 AS cell, cell + cell_minutes * 60000 AS cell_end, \
         {{handed_at:Array(Int64)}}[indexOf({{handed:Array(String)}}, toString(array))] AS handed FROM usage_bucket FINAL \
         ARRAY JOIN cell_index AS index, cell_customer AS customer, cell_tier AS tier, cell_site AS site, \
         cell_amount AS amount, cell_observed_ms AS observed_ms, cell_last AS last_level \
         WHERE {BUCKETS} AND hour >= toDateTime(intDiv({{from:Int64}}, 3600000) * 3600, 'UTC') \
         AND has({{handed:Array(String)}}, array) AND meter_kind = 'gauge'), \
         past AS (SELECT *, greatest(if((array, resource, customer, tier, site, cell_end) IN \
         (SELECT array, resource, customer, tier, site, cell FROM cells), cell_end, cell + observed_ms) - handed, 0) AS past_ms FROM cells) \
         SELECT {names}, {start} AS start, toInt64(any(cell_minutes)) * 60000 AS length, \
         sum(-if(cell >= handed, amount, toInt128(past_ms) * toInt128(last_level))) AS amount, \
         toInt64(sum(-if(cell >= handed, toInt64(observed_ms), past_ms))) AS measured_ms, max(last_level) AS last \
         FROM past WHERE {count} AND cell >= {{from:Int64}} AND cell < {{until:Int64}} AND cell_end > handed \
         AND NOT (has({{demo:Array(String)}}, array) AND cell < {{demo_until:Array(Int64)}}[indexOf({{demo:Array(String)}}, array)]) \
         GROUP BY customer, part, start"
    )
}
