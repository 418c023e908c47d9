//! The table `provider_activity`: what was measured of providers in the day before a whole hour.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Client, Error};

/// A row of it.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct ActivityRow {
    /// The provider.
    pub provider: String,
    /// The end of the day, in seconds since 1970.
    pub hour: u32,
    /// The record that published the price book by which it was counted.
    pub book: u64,
    /// The meter of its capacity; empty if no line prices one.
    pub meter: String,
    /// The kind of resource of its capacity.
    pub kind: String,
    /// What its arrays held of it, in base units × milliseconds.
    pub integral: i128,
    /// Customers with usage.
    pub customers: u64,
    /// Those of them that had none on the day 90 days before.
    pub new_customers: u64,
    /// When it was counted, in milliseconds since 1970.
    pub counted_at: i64,
}

/// Writes counts; of one hour the one that was made last stays.
///
/// # Errors
/// The server's.
pub async fn insert(client: &Client, rows: &[ActivityRow]) -> Result<(), Error> {
    client.insert_rows("provider_activity", rows).await
}

/// The newest count of each of some providers by the newest price book, of days that ended between two instants, both included, in seconds
/// since 1970.
///
/// # Errors
/// The server's.
pub async fn newest(client: &Client, providers: &[String], from: i64, until: i64) -> Result<Vec<ActivityRow>, Error> {
    let sql = "SELECT toString(a.provider) AS provider, a.hour AS hour, a.book AS book, toString(a.meter) AS meter, \
               toString(a.kind) AS kind, a.integral AS integral, a.customers AS customers, a.new_customers AS new_customers, \
               a.counted_at AS counted_at FROM provider_activity AS a FINAL WHERE a.provider IN {providers:Array(String)} \
               AND a.hour >= toDateTime({from:Int64}, 'UTC') AND a.hour <= toDateTime({until:Int64}, 'UTC') \
               AND a.book = (SELECT max(offset) FROM decision WHERE kind = 'PriceBookPublished') \
               ORDER BY a.provider, a.hour DESC LIMIT 1 BY a.provider";
    client.fetch_all(client.select(sql).param("providers", providers).param("from", from).param("until", until)).await
}
