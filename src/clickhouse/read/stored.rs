//! Which usage is stored: its span, and what a price book has to price of it.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::Deserialize;

use super::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::metering::definition::OBSERVED;
use crate::core::word::Instant;

/// From a provider's first stored hour to the end of its last.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct StoredSpan {
    /// The provider.
    pub provider: String,
    /// Start of the first hour, in milliseconds.
    pub first: i64,
    /// End of the last hour, in milliseconds.
    pub end: i64,
}

impl StoredSpan {
    /// Its first instant.
    #[must_use]
    pub fn from(&self) -> Instant {
        Instant(self.first)
    }

    /// The first instant after it.
    #[must_use]
    pub fn until(&self) -> Instant {
        Instant(self.end)
    }
}

/// What one array reports of a meter, kind and tier at a site, and when.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct StoredKey {
    /// The array.
    pub reporter: String,
    /// The meter.
    pub measured: String,
    /// The kind of resource.
    pub of: String,
    /// The tier; empty = none.
    pub service: String,
    /// The site; empty = none.
    pub place: String,
    /// Start of the first hour, in milliseconds.
    pub first: i64,
    /// End of the last hour, in milliseconds.
    pub end: i64,
}

/// The spans of all providers. Every array has the built-in meter, so no other need be read.
///
/// # Errors
/// The server's.
pub async fn spans(client: &Client) -> Result<Vec<StoredSpan>, Error> {
    let sql = "SELECT toString(provider) AS provider, toInt64(toUnixTimestamp(min(hour))) * 1000 AS first, \
               (toInt64(toUnixTimestamp(max(hour))) + 3600) * 1000 AS end FROM usage_bucket \
               WHERE meter = {observed:String} GROUP BY provider ORDER BY provider";
    client.fetch_all(client.select(sql).param("observed", OBSERVED)).await
}

/// The first stored hour of each of these providers, of hours before an instant.
///
/// # Errors
/// The server's.
pub async fn first_before(
    client: &Client,
    providers: &[String],
    before: Instant,
) -> Result<BTreeMap<String, Instant>, Error> {
    let sql = "SELECT toString(provider) AS provider, toInt64(toUnixTimestamp(min(hour))) * 1000 AS first FROM usage_bucket \
               WHERE meter = {observed:String} AND has({providers:Array(String)}, toString(provider)) \
               AND hour < toDateTime({before:Int64}, 'UTC') GROUP BY provider";
    let select = client.select(sql).param("observed", OBSERVED).param("providers", providers);
    let rows: Vec<(String, i64)> = client.fetch_all(select.param("before", before.0.max(0) / 1000)).await?;
    Ok(rows.into_iter().map(|(provider, first)| (provider, Instant(first))).collect())
}

/// What a provider's arrays report of some meters, one row after the other.
///
/// # Errors
/// The server's.
pub fn keys(client: &Client, provider: &str, meters: &[&str]) -> Result<Rows<StoredKey>, Error> {
    let sql = "SELECT toString(array) AS reporter, toString(meter) AS measured, toString(kind) AS of, \
               toString(tier) AS service, toString(site) AS place, \
               toInt64(toUnixTimestamp(min(hour))) * 1000 AS first, (toInt64(toUnixTimestamp(max(hour))) + 3600) * 1000 AS end \
               FROM usage_bucket FINAL ARRAY JOIN cell_tier AS tier, cell_site AS site \
               WHERE provider = {provider:String} AND has({meters:Array(String)}, meter) \
               GROUP BY reporter, measured, of, service, place ORDER BY measured, of, service, reporter, place";
    Rows::of(client, client.select(sql).param("provider", provider).param("meters", meters))
}
