//! Arrays that went from one provider to another: the first accepted event of the new provider after the last of the old ends the
//! array's older holds (DESIGN §3). Buckets know nothing of it, since a series is all that metering looks at; what a hold counts too
//! much is taken off here, where usage is read for rating.

use clickhouse::Row;
use serde::Deserialize;

use super::void;
use crate::clickhouse::void::counted;
use crate::clickhouse::{Client, Error};
use crate::core::word::Instant;

/// The longest that a meter's level can hold, in milliseconds: how far back an old provider's last event may lie.
const LONGEST_HOLD_MS: i64 = 31 * 86_400_000;

/// One hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// The array.
    pub array: String,
    /// The first accepted event of a new one after it.
    pub at: Instant,
}

#[derive(Debug, Row, Deserialize)]
struct HandOverRow {
    array: String,
    at: i64,
}

/// The hand-overs of a provider's arrays that may matter between two instants.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, provider: &str, from: Instant, until: Instant) -> Result<Vec<HandOver>, Error> {
    // nearly always there is none, and the built-in meter tells so by a small part of the buckets
    let shared = "SELECT toString(array) AS array FROM usage_bucket WHERE meter = '$observed' \
                  AND hour >= toDateTime(intDiv({from:Int64}, 3600000) * 3600, 'UTC') AND hour < toDateTime({until:Int64} / 1000, 'UTC') \
                  GROUP BY array HAVING uniqExact(provider) > 1 AND has(groupUniqArray(toString(provider)), {provider:String})";
    let since = from.plus_ms(-LONGEST_HOLD_MS).0.max(0);
    let query = client.select(shared).param("from", since).param("until", until.0).param("provider", provider);
    let arrays: Vec<String> = client.fetch_all(query).await?;
    if arrays.is_empty() {
        return Ok(Vec::new());
    }
    let exact = format!(
        "SELECT toString(e.array) AS array, toUnixTimestamp64Milli(min(assumeNotNull(e.time))) AS at FROM usage_event AS e \
                 INNER JOIN (SELECT array, max(assumeNotNull(time)) AS last FROM usage_event WHERE disposition = 'accepted' \
                 AND provider = {{provider:String}} AND array IN {{arrays:Array(String)}} AND {} GROUP BY array) AS l ON e.array = l.array \
                 WHERE e.disposition = 'accepted' AND e.provider != {{provider:String}} AND e.array IN {{arrays:Array(String)}} \
                 AND assumeNotNull(e.time) > l.last AND {} GROUP BY array",
        counted(""),
        counted("e.")
    );
    let select = client.select(&exact).param("provider", provider).param("arrays", &arrays);
    let rows: Vec<HandOverRow> = client.fetch_all(void::read(client).await?.bind(select)).await?;
    let found = rows.into_iter();
    Ok(found.map(|row| HandOver { array: row.array, at: Instant(row.at) }).collect())
}
