//! The table `open_revenue`: what open wholesale periods came to when they were rated last.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Client, Error};
use crate::core::word::Instant;

/// A row of it.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct OpenRevenueRow {
    /// The contract.
    pub contract: String,
    /// The month in which the period begins.
    pub label: String,
    /// The hash of the price book it was rated by.
    pub book: String,
    /// The currency; empty if the contract is not in force in the period, or cannot be rated.
    pub currency: String,
    /// What it comes to before tax and credits, to the currency's last place; empty if it cannot be rated.
    pub amount: String,
    /// When it was rated, in milliseconds since 1970.
    pub rated_at: i64,
}

/// Writes what a period comes to; of one period the row that was rated last stays.
///
/// # Errors
/// The server's.
pub async fn insert(client: &Client, row: &OpenRevenueRow) -> Result<(), Error> {
    client.insert_rows("open_revenue", std::slice::from_ref(row)).await
}

/// What periods of these contracts came to by a price book, of those that were rated from one instant to another. By another book a contract
/// may be another's, or cost something else.
///
/// # Errors
/// The server's.
pub async fn rated(
    client: &Client,
    contracts: &[&str],
    book: &str,
    (from, until): (Instant, Instant),
) -> Result<Vec<OpenRevenueRow>, Error> {
    let sql = "SELECT o.contract AS contract, toString(o.label) AS label, toString(o.book) AS book, toString(o.currency) AS currency, \
               o.amount AS amount, toUnixTimestamp64Milli(o.rated_at) AS rated_at FROM open_revenue AS o FINAL \
               WHERE o.contract IN {contracts:Array(String)} AND o.book = {book:String} AND o.amount != '' \
               AND o.rated_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND o.rated_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')";
    let select = client.select(sql).param("contracts", contracts).param("book", book);
    client.fetch_all(select.param("from", from.0.max(0)).param("until", until.0.max(0))).await
}

/// Whether a provider has more than so many buckets in the hours from one instant to another.
///
/// # Errors
/// The server's.
pub async fn has_more_buckets(
    client: &Client,
    provider: &str,
    (from, until): (Instant, Instant),
    limit: u64,
) -> Result<bool, Error> {
    let sql = "SELECT count() FROM (SELECT 1 FROM usage_bucket AS b WHERE b.provider = {provider:String} \
               AND b.hour >= toDateTime({from:Int64}, 'UTC') AND b.hour < toDateTime({until:Int64}, 'UTC') LIMIT {most:UInt64})";
    let select = client.select(sql).param("provider", provider).param("most", limit.saturating_add(1));
    let select = select.param("from", from.0.max(0) / 1000).param("until", until.0.max(0) / 1000);
    let found: Option<u64> = client.fetch_optional(select).await?;
    Ok(found.unwrap_or_default() > limit)
}
