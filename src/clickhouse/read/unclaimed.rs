//! Usage of a provider's resources that no customer of the price book claims.

use clickhouse::Row;
use serde::Deserialize;

use super::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::pricing::period::Span;

/// What one resource reported of a meter under one unclaimed tag.
#[derive(Debug, Row, Deserialize)]
pub struct UnclaimedRow {
    /// The tag; empty if there is none.
    pub customer: String,
    /// The array.
    pub array: String,
    /// The kind of resource.
    pub kind: String,
    /// The resource.
    pub resource: String,
    /// The meter.
    pub meter: String,
    /// The service tier; empty if there is none.
    pub tier: String,
    /// How the meter adds up: gauge, delta or counter.
    pub meter_kind: String,
    /// Integral (base unit × milliseconds), sum or increase.
    pub amount: i128,
}

/// The usage in a span of all resources but arrays that bears none of the `claimed` tags, by tag, array and resource.
///
/// # Errors
/// The server's.
pub fn read(client: &Client, provider: &str, span: Span, claimed: &[String]) -> Result<Rows<UnclaimedRow>, Error> {
    let sql = "SELECT toString(customer) AS customer, toString(array) AS array, toString(kind) AS kind, resource, \
               toString(meter) AS meter, toString(tier) AS tier, toString(any(meter_kind)) AS meter_kind, sum(amount) AS amount \
               FROM (SELECT provider, array, kind, resource, meter, meter_kind, customer, tier, amount, \
               toInt64(toUnixTimestamp(hour)) * 1000 + index * cell_minutes * 60000 AS cell FROM usage_bucket FINAL \
               ARRAY JOIN cell_index AS index, cell_customer AS customer, cell_tier AS tier, cell_amount AS amount \
               WHERE provider = {provider:String} AND kind != 'array' \
               AND hour >= toDateTime(intDiv({from:Int64}, 3600000) * 3600, 'UTC') AND hour < toDateTime({until:Int64} / 1000, 'UTC')) \
               WHERE cell >= {from:Int64} AND cell < {until:Int64} AND NOT has({claimed:Array(String)}, customer) \
               GROUP BY customer, array, kind, resource, meter, tier ORDER BY customer, array, kind, resource, meter, tier";
    let select = client.select(sql).param("provider", provider).param("claimed", claimed);
    Rows::of(client, select.param("from", span.from.0).param("until", span.until.0))
}

/// What bears one tag.
#[derive(Debug, Row, Deserialize)]
pub struct TagRow {
    /// The tag; empty for what bears none.
    pub customer: String,
    /// Arrays.
    pub arrays: u64,
    /// Resources.
    pub resources: u64,
    /// The kind of the first resource.
    pub kind: String,
    /// The first resource.
    pub resource: String,
    /// Its array.
    pub array: String,
}

/// The same by tag alone: the first `most` tags.
///
/// # Errors
/// The server's.
pub async fn tags(
    client: &Client,
    provider: &str,
    span: Span,
    claimed: &[String],
    most: usize,
) -> Result<Vec<TagRow>, Error> {
    let sql = "SELECT customer, uniqExact(a) AS arrays, uniqExact((a, k, r)) AS resources, \
               tupleElement(min((a, k, r)), 2) AS kind, tupleElement(min((a, k, r)), 3) AS resource, tupleElement(min((a, k, r)), 1) AS array \
               FROM (SELECT toString(b.array) AS a, toString(b.kind) AS k, b.resource AS r, toString(tag) AS customer, \
               toInt64(toUnixTimestamp(b.hour)) * 1000 + index * b.cell_minutes * 60000 AS cell FROM usage_bucket AS b FINAL \
               ARRAY JOIN cell_index AS index, cell_customer AS tag \
               WHERE b.provider = {provider:String} AND b.kind != 'array' \
               AND b.hour >= toDateTime(intDiv({from:Int64}, 3600000) * 3600, 'UTC') AND b.hour < toDateTime({until:Int64} / 1000, 'UTC')) \
               WHERE cell >= {from:Int64} AND cell < {until:Int64} AND NOT has({claimed:Array(String)}, customer) \
               GROUP BY customer ORDER BY customer LIMIT {most:UInt64}";
    let select = client.select(sql).param("provider", provider).param("claimed", claimed).param("most", most as u64);
    client.fetch_all(select.param("from", span.from.0).param("until", span.until.0)).await
}
