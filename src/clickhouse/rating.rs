//! The table `rating`: headers of closed ratings, with their drafts.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Client, Error};

/// A row of it. Decimals are billionths, instants milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct RatingRow {
    /// The rating.
    pub rating_id: String,
    /// The contract.
    pub contract: String,
    /// Of a contract for each customer: whose; else empty.
    pub customer: String,
    /// Whose period.
    pub provider: String,
    /// Its first instant.
    pub period_start: i64,
    /// The first instant after it.
    pub period_end: i64,
    /// 0, then 1, 2, ... for what corrects it.
    pub revision: u32,
    /// The short id by which people name the draft.
    pub draft: String,
    /// Invoice, adjustment or credit note.
    pub document_type: String,
    /// Who sells.
    pub seller: String,
    /// Who buys.
    pub buyer: String,
    /// ISO 4217.
    pub currency: String,
    /// Its total.
    pub total: i128,
    /// How many rows it has.
    pub rows: u32,
    /// Of rows, cut and book.
    pub digest: String,
    /// Why it cannot be issued; empty if it can.
    pub blocked: String,
    /// The document's JSON, state closed.
    pub document: String,
    /// JSON: what the printed page shows beside it.
    pub detail: String,
}

/// Writes headers; the same ones again collapse with the first.
///
/// # Errors
/// The server's.
pub async fn insert(client: &Client, rows: &[RatingRow]) -> Result<(), Error> {
    client.insert_rows("rating", rows).await
}

/// The headers of a rating, by contract and customer.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, rating_id: &str) -> Result<Vec<RatingRow>, Error> {
    let sql = "SELECT rating_id, toString(contract) AS contract, customer, toString(provider) AS provider, \
               toUnixTimestamp64Milli(period_start) AS period_start, toUnixTimestamp64Milli(period_end) AS period_end, revision, draft, \
               toString(document_type) AS document_type, toString(seller) AS seller, buyer, toString(currency) AS currency, total, rows, \
               digest, blocked, document, detail FROM rating FINAL WHERE rating_id = {rating:String} ORDER BY contract, customer";
    client.fetch_all(client.select(sql).param("rating", rating_id)).await
}
