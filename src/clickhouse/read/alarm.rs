//! What alarms: arrays by when they were last heard of, and records that nobody has decided about.

use clickhouse::Row;
use serde::Deserialize;

use super::void;
use crate::clickhouse::void::counted;
use crate::clickhouse::{Client, Error};
use crate::core::word::Instant;

/// An array of which something was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct HeardRow {
    /// Who ran it when it was last heard of: an array that changed hands is its old provider's no more.
    pub provider: String,
    /// Its id.
    pub array: String,
    /// The end of the quarter of an hour in which it was last heard of, in milliseconds since 1970.
    pub newest: i64,
}

/// Records of one provider.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct UnresolvedRow {
    /// Whose they are; empty where nobody can tell.
    pub provider: String,
    /// How many.
    pub count: u64,
}

/// Arrays that were heard of at `since` or later, those that have been silent for longest first.
///
/// # Errors
/// The server's.
pub async fn heard(client: &Client, since: Instant) -> Result<Vec<HeardRow>, Error> {
    // From the buckets of `$observed`, an hour of an array each, and not from the ledger, which has a row for each poll. Without FINAL: an
    // accepted event stays one, so an older version of a bucket knows of nothing that the newest does not.
    let sql = "SELECT toString(argMax(provider, heard)) AS provider, toString(array) AS array, toInt64(max(heard)) AS newest \
               FROM (SELECT provider, array, toInt64(toUnixTimestamp(hour)) * 1000 \
               + arrayMax(arrayMap((index, count) -> if(count > 0, (index + 1) * cell_minutes * 60000, 0), cell_index, cell_count)) \
               AS heard FROM usage_bucket WHERE meter = '$observed' AND hour >= toDateTime({since:Int64} / 1000, 'UTC') \
               AND arrayExists(count -> count > 0, cell_count)) GROUP BY array ORDER BY newest, array";
    client.fetch_all(client.select(sql).param("since", since.0.max(0))).await
}

/// Quarantined records that are not void and that no mirrored decision names, by provider.
///
/// # Errors
/// The server's.
pub async fn unresolved(client: &Client) -> Result<Vec<UnresolvedRow>, Error> {
    let sql = format!(
        "SELECT toString(q.provider) AS provider, count() AS count FROM quarantine AS q FINAL \
         WHERE q.disposition = 'quarantined' AND {} AND (toString(q.stream), q.partition, q.offset) NOT IN \
         (SELECT JSONExtractString(body, 'stream'), toUInt32(JSONExtractUInt(body, 'partition')), JSONExtractUInt(body, 'offset') \
         FROM decision WHERE kind IN ('RecordResent', 'RecordDiscarded')) GROUP BY provider ORDER BY provider",
        counted("q.")
    );
    client.fetch_all(void::read(client).await?.bind(client.select(&sql))).await
}
