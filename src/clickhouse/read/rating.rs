//! What a rating names: the cut, the part of the control log, and the tags for which a `"*"` contract has statements.

use clickhouse::Row;
use serde::Deserialize;

use super::void;
use crate::clickhouse::{Client, Error};
use crate::core::word::{Instant, Offset, Partition, StreamId};

/// Where the checkpoint vector stood: stream, partition, next offset.
pub type Vector = Vec<(StreamId, Partition, Offset)>;

#[derive(Debug, Row, Deserialize)]
struct VectorRow {
    stream: String,
    partition: u32,
    next: u64,
}

#[derive(Debug, Row, Deserialize)]
struct TagRow {
    customer: String,
}

/// The newest checkpoint of every partition; of a closed generation never past its end, since what lies behind it is void.
///
/// # Errors
/// The server's.
pub async fn vector(client: &Client) -> Result<Vector, Error> {
    let sql = "SELECT toString(stream) AS stream, partition, max(next_offset) AS next FROM checkpoint \
               GROUP BY stream, partition ORDER BY stream, partition";
    let rows: Vec<VectorRow> = client.fetch_all(client.select(sql)).await?;
    let register = void::register(client).await?;
    let capped = |row: VectorRow| {
        let (stream, partition, next) = (StreamId(row.stream), Partition(row.partition), Offset(row.next));
        let end = register.get(&stream).and_then(|generation| generation.end(partition));
        (stream, partition, end.map_or(next, |end| next.min(end)))
    };
    Ok(rows.into_iter().map(capped).collect())
}

/// The tenant tags that a provider's resources carried in a span.
///
/// # Errors
/// The server's.
pub async fn tags(client: &Client, provider: &str, from: Instant, until: Instant) -> Result<Vec<String>, Error> {
    let sql = "SELECT DISTINCT toString(customer) AS customer FROM usage_bucket FINAL \
               ARRAY JOIN cell_index AS index, cell_customer AS customer \
               WHERE provider = {provider:String} AND customer != '' \
               AND hour >= toDateTime(intDiv({from:Int64}, 3600000) * 3600, 'UTC') AND hour < toDateTime({until:Int64} / 1000, 'UTC') \
               AND toInt64(toUnixTimestamp(hour)) * 1000 + index * cell_minutes * 60000 >= {from:Int64} \
               AND toInt64(toUnixTimestamp(hour)) * 1000 + index * cell_minutes * 60000 < {until:Int64} \
               ORDER BY customer";
    let query = client.select(sql).param("provider", provider).param("from", from.0).param("until", until.0);
    let rows: Vec<TagRow> = client.fetch_all(query).await?;
    Ok(rows.into_iter().map(|row| row.customer).collect())
}

/// All tags that cells in a span can bear: those of rows that were replaced too, and of whole hours. Much cheaper than [`tags`].
///
/// # Errors
/// The server's.
pub async fn maybe_tags(client: &Client, provider: &str, from: Instant, until: Instant) -> Result<Vec<String>, Error> {
    let sql = "SELECT toString(tag) AS customer FROM usage_bucket ARRAY JOIN cell_customer AS tag \
               WHERE provider = {provider:String} AND tag != '' \
               AND hour >= toDateTime(intDiv({from:Int64}, 3600000) * 3600, 'UTC') AND hour < toDateTime({until:Int64} / 1000, 'UTC') \
               GROUP BY tag ORDER BY customer";
    let query = client.select(sql).param("provider", provider).param("from", from.0).param("until", until.0);
    let rows: Vec<TagRow> = client.fetch_all(query).await?;
    Ok(rows.into_iter().map(|row| row.customer).collect())
}

#[derive(Debug, Row, Deserialize)]
struct NextRow {
    next: u64,
}

/// The first offset of the control log that is not mirrored yet.
///
/// # Errors
/// The server's.
pub async fn next_decision(client: &Client) -> Result<u64, Error> {
    let sql = "SELECT if(count() = 0, 0, max(offset) + 1) AS next FROM decision";
    let row: Option<NextRow> = client.fetch_optional(client.select(sql)).await?;
    Ok(row.map_or(0, |row| row.next))
}
