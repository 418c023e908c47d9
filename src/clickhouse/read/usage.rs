//! Usage: cells summed over resources and time.
//!
//! Integral, observed milliseconds, sum, count and increase add. `min` and `max` are the least and the greatest level of any cell
//! taken in; `last` is that of the newest cell (of several in it, that of the greatest key). Meters are never added to each other.
//! [`OBSERVED`] is Plimsoll's own and left out unless it is asked for by name.

use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use super::usage_key::Key;
use super::window::{Step, Window};
use crate::clickhouse::{Client, Error};
use crate::core::metering::definition::OBSERVED;
use crate::core::word::{Instant, Kind};

/// A question about usage.
#[derive(Clone, Debug)]
pub struct UsageQuery {
    /// Whose arrays.
    pub provider: String,
    /// When, in which steps.
    pub window: Window,
    /// What a row is about; the order is also that of the rows.
    pub by: Vec<Key>,
    /// One meter only.
    pub meter: Option<String>,
    /// One array only.
    pub array: Option<String>,
    /// One kind of resource only.
    pub kind: Option<Kind>,
    /// Only what bears one of these tenant tags; `""` = none.
    pub customers: Option<Vec<String>>,
}

/// A page of an answer: where it starts and how long it is.
#[derive(Clone, Debug)]
pub struct Page {
    /// The key and start of the row before it; `None` = from the beginning.
    pub after: Option<(Vec<String>, u32)>,
    /// Rows at most.
    pub limit: usize,
    /// Groups that the server may form before it refuses.
    pub groups_max: u64,
}

/// A meter that occurs in a range.
#[derive(Debug, Row, Deserialize)]
pub struct MeterInRange {
    /// Its name.
    pub meter: String,
    /// The length of its cells.
    pub cell_minutes: u8,
}

impl UsageQuery {
    /// The meters that occur in the range. Their cells decide where it may be cut, their number whether rows need `meter` to be told apart.
    ///
    /// # Errors
    /// The server's.
    pub async fn meters(&self, client: &Client) -> Result<Vec<MeterInRange>, Error> {
        let sql = format!(
            "SELECT toString(bucket.meter) AS meter, max(bucket.cell_minutes) AS cell_minutes FROM usage_bucket AS bucket WHERE {} GROUP BY meter ORDER BY meter",
            self.buckets()
        );
        client.fetch_all(self.bind(client.select(&sql))).await
    }

    /// All rows, sorted by the keys of `by`, the meter and the start. Large groupings and sorts spill to the server's disk.
    pub fn all(&self, client: &Client) -> Query {
        let half = (client.settings().query_max_memory_bytes / 2).to_string();
        self.bind(client.select(&self.sql("", "")))
            .with_setting("max_bytes_before_external_group_by", &half)
            .with_setting("max_bytes_before_external_sort", &half)
    }

    /// One page of the same rows.
    pub fn page(&self, client: &Client, page: &Page) -> Query {
        let order = self.order();
        let after = match &page.after {
            Some(_) => {
                let parameters: Vec<String> = (0..order.len()).map(|at| format!("{{after{at}:String}}")).collect();
                format!("HAVING ({}, start) > ({}, {{after_start:UInt32}})", order.join(", "), parameters.join(", "))
            }
            None => String::new(),
        };
        let mut query = self
            .bind(client.select(&self.sql(&after, "LIMIT {limit:UInt64}")))
            .param("limit", page.limit)
            .with_setting("max_rows_to_group_by", page.groups_max.to_string())
            .with_setting("group_by_overflow_mode", "throw");
        if let Some((keys, start)) = &page.after {
            for (at, key) in keys.iter().enumerate() {
                query = query.param(&format!("after{at}"), key);
            }
            query = query.param("after_start", start);
        }
        query
    }

    /// How many keys tell rows apart, the meter included.
    #[must_use]
    pub fn order_len(&self) -> usize {
        self.order().len()
    }

    /// The columns by which rows are told apart and sorted, but for the start.
    fn order(&self) -> Vec<&'static str> {
        let implied = (!self.by.contains(&Key::Meter)).then_some(Key::Meter);
        self.by.iter().copied().chain(implied).map(Key::as_str).collect()
    }

    /// Which buckets are read.
    fn buckets(&self) -> String {
        let mut conditions = vec![
            "bucket.provider = {provider:String}",
            "bucket.hour >= toStartOfHour(toDateTime({from:UInt32}, 'UTC'))",
            "bucket.hour < toDateTime({to:UInt32}, 'UTC')",
        ];
        conditions.push(if self.meter.is_some() {
            "bucket.meter = {meter:String}"
        } else {
            "bucket.meter != {observed:String}"
        });
        conditions.extend(self.array.is_some().then_some("bucket.array = {array:String}"));
        conditions.extend(self.kind.is_some().then_some("bucket.kind = {kind:String}"));
        conditions.join(" AND ")
    }

    fn bind(&self, query: Query) -> Query {
        let seconds = |instant: Instant| instant.0 / 1000;
        let query = query
            .param("provider", &self.provider)
            .param("from", seconds(self.window.from))
            .param("to", seconds(self.window.to));
        let query = query.param("meter", self.meter.as_deref().unwrap_or("")).param("observed", OBSERVED);
        let query =
            query.param("array", self.array.as_deref().unwrap_or("")).param("kind", self.kind.map_or("", Kind::as_str));
        let none = Vec::new();
        query.param("customers", self.customers.as_ref().unwrap_or(&none)).param("edges", self.window.edges())
    }

    fn sql(&self, having: &str, limit: &str) -> String {
        let column = |key: Key| match (self.by.contains(&key) || key == Key::Meter, key) {
            (true, key) => format!("cells.{name} AS {name}", name = key.as_str()),
            (false, key) => format!("'' AS {}", key.as_str()),
        };
        let columns: Vec<String> = Key::ALL.into_iter().map(column).collect();
        let start = match self.window.step {
            Step::Cell => "cell",
            Step::Hour => "greatest(intDiv(cell, 3600) * 3600, {from:UInt32})",
            Step::Day | Step::Period => "roundDown(cell, {edges:Array(UInt32)})",
        };
        let customers =
            if self.customers.is_some() { "AND has({customers:Array(String)}, cells.customer)" } else { "" };
        let order = self.order().join(", ");
        format!(
            "SELECT {columns}, toUInt32({start}) AS start, any(cells.meter_kind) AS meter_kind, any(cells.cell_minutes) AS minutes, \
             sum(cells.amount) AS amount, sum(cells.observed_ms) AS observed, sum(cells.count) AS readings, \
             min(cells.min) AS least, max(cells.max) AS greatest, \
             argMax(cells.last, (cell, cells.array, cells.kind, cells.resource, cells.customer, cells.tier, cells.site)) AS newest \
             FROM ({cells}) AS cells WHERE cell >= {{from:UInt32}} AND cell < {{to:UInt32}} {customers} \
             GROUP BY {order}, start {having} ORDER BY {order}, start {limit}",
            columns = columns.join(", "),
            cells = self.cells(),
        )
    }

    fn cells(&self) -> String {
        format!(
            "SELECT toString(provider) AS provider, toString(array) AS array, toString(kind) AS kind, resource, toString(meter) AS meter, \
             toString(meter_kind) AS meter_kind, cell_minutes, toUInt32(toUnixTimestamp(hour) + index * cell_minutes * 60) AS cell, \
             toString(customer) AS customer, toString(tier) AS tier, toString(site) AS site, amount, observed_ms, count, min, max, last \
             FROM usage_bucket AS bucket FINAL \
             ARRAY JOIN cell_index AS index, cell_customer AS customer, cell_tier AS tier, cell_site AS site, cell_amount AS amount, \
             cell_observed_ms AS observed_ms, cell_count AS count, cell_min AS min, cell_max AS max, cell_last AS last \
             WHERE {}",
            self.buckets()
        )
    }
}
