//! The newest published price book, from the mirror of decisions.

use clickhouse::Row;
use serde::Deserialize;

use crate::clickhouse::{Client, Error};

/// A book as its decision says it.
#[derive(Debug, Deserialize)]
pub struct Published {
    /// SHA-256 over its canonical JSON.
    pub hash: String,
    /// Its canonical form.
    pub book: serde_json::Value,
}

#[derive(Debug, Row, Deserialize)]
struct Newest {
    books: u64,
    newest: u64,
}

/// The offset of the decision that published the newest book; none before the first.
///
/// # Errors
/// The server's.
pub async fn newest_offset(client: &Client) -> Result<Option<u64>, Error> {
    let sql = "SELECT count() AS books, max(offset) AS newest FROM decision WHERE kind = 'PriceBookPublished'";
    let row: Option<Newest> = client.fetch_optional(client.select(sql)).await?;
    Ok(row.filter(|row| row.books > 0).map(|row| row.newest))
}

/// The offset of a decision that published the book of a hash; none if there is none.
///
/// # Errors
/// The server's.
pub async fn offset_of(client: &Client, hash: &str) -> Result<Option<u64>, Error> {
    let sql = "SELECT offset FROM decision WHERE kind = 'PriceBookPublished' AND JSONExtractString(body, 'hash') = {hash:String} \
               ORDER BY offset LIMIT 1";
    client.fetch_optional(client.select(sql).param("hash", hash)).await
}

/// The book that the decision at `offset` published.
///
/// # Errors
/// The server's, and a decision that is none.
pub async fn read(client: &Client, offset: u64) -> Result<Published, Error> {
    let sql = "SELECT body FROM decision FINAL WHERE offset = {offset:UInt64}";
    let body: Option<String> = client.fetch_optional(client.select(sql).param("offset", offset)).await?;
    let refusal = |text: String| Error::refusal(text, "use the Plimsoll that published it or a later one");
    let body = body.ok_or_else(|| refusal(format!("decision {offset} is not there")))?;
    serde_json::from_str(&body).map_err(|error| refusal(format!("decision {offset} is no price book: {error}")))
}
