//! Arrays that went from one provider to another: the first accepted event of the new provider after the last of the old ends the
//! array's older holds (DESIGN §3). Buckets know nothing of it, since a series is all that metering looks at; what a hold counts too
//! much is taken off here, where usage is read for rating.
//!
//! Only events measured before the end of what is rated count: what happens to an array afterwards alters no older statement.

use clickhouse::Row;
use serde::Deserialize;

use super::below::Below;
use crate::clickhouse::{Client, Error};
use crate::core::pricing::usage::HandOver;
use crate::core::word::Instant;

#[derive(Debug, Row, Deserialize)]
struct HandOverRow {
    array: String,
    at: i64,
}

/// The hand-overs of a provider's arrays to others, by array, from the events measured before `until` and in the part of the ledger that counts.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, provider: &str, until: Instant, below: &Below<'_>) -> Result<Vec<HandOver>, Error> {
    // nearly always there is none, and the built-in meter tells so by a small part of the buckets
    let shared = "SELECT toString(array) AS array FROM usage_bucket WHERE meter = '$observed' AND hour < toDateTime({until:Int64} / 1000, 'UTC') \
                  AND array IN (SELECT DISTINCT array FROM usage_bucket WHERE provider = {provider:String} AND meter = '$observed') \
                  GROUP BY array HAVING uniqExact(provider) > 1";
    let query = client.select(shared).param("until", until.0).param("provider", provider);
    let arrays: Vec<String> = client.fetch_all(query).await?;
    exact(client, provider, &arrays, until, below).await
}

/// The same where it is known which arrays more than one provider has named.
///
/// # Errors
/// The server's.
pub async fn exact(
    client: &Client,
    provider: &str,
    arrays: &[String],
    until: Instant,
    below: &Below<'_>,
) -> Result<Vec<HandOver>, Error> {
    if arrays.is_empty() {
        return Ok(Vec::new());
    }
    // without FINAL: a row that is there twice changes neither the least nor the greatest
    let sql = "SELECT toString(e.array) AS array, toUnixTimestamp64Milli(min(assumeNotNull(e.time))) AS at FROM usage_event AS e \
               INNER JOIN (SELECT e.array AS array, max(assumeNotNull(e.time)) AS last FROM usage_event AS e WHERE $counts \
               AND e.provider = {provider:String} GROUP BY e.array) AS l ON e.array = l.array \
               WHERE $counts AND e.provider != {provider:String} AND assumeNotNull(e.time) > l.last GROUP BY e.array ORDER BY array";
    let counts = format!(
        "e.disposition = 'accepted' AND e.array IN {{arrays:Array(String)}} \
         AND e.time < fromUnixTimestamp64Milli({{until:Int64}}, 'UTC') AND {}",
        below.condition()
    );
    let query = client.select(&sql.replace("$counts", &counts)).param("provider", provider).param("arrays", arrays);
    let query = query.param("until", until.0);
    let rows: Vec<HandOverRow> = client.fetch_all(below.bind(query)).await?;
    Ok(rows.into_iter().map(|row| HandOver { array: row.array, at: Instant(row.at) }).collect())
}
