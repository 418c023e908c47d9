//! The table `sales_credit`, and how far it is made.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Client, Error};

/// A row of it. Decimals have 15 places.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize)]
pub struct SalesCreditRow {
    /// The document.
    pub number: String,
    /// Its row.
    pub no: u32,
    /// The provider.
    pub provider: String,
    /// Whose part of the row.
    pub holder: String,
    /// The customer; empty where it is not disclosed.
    pub customer: String,
    /// Who is credited.
    pub team: String,
    /// As what.
    pub role: String,
    /// How the goods reach the customer.
    pub route: String,
    /// The registered deal; empty if there is none.
    pub deal: String,
    /// The month in which it counts.
    pub month: String,
    /// ISO 4217.
    pub currency: String,
    /// What the credit is a percentage of.
    pub basis: i128,
    /// The credit.
    pub credit: i128,
}

/// Which documents are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct DueRow {
    /// How many.
    pub documents: u64,
    /// The record that issued the first of them.
    pub first: u64,
    /// ... and the last.
    pub last: u64,
}

#[derive(Serialize, Row)]
struct MarkRow {
    one: u8,
    next_offset: u64,
}

/// Writes credits; the same rows again collapse with the first.
///
/// # Errors
/// The server's.
pub async fn insert(client: &Client, rows: &[SalesCreditRow]) -> Result<(), Error> {
    client.insert_rows("sales_credit", rows).await
}

/// The next wholesale documents above the mark, so many at most.
///
/// # Errors
/// The server's.
pub async fn due(client: &Client, limit: usize) -> Result<Option<DueRow>, Error> {
    let sql = "SELECT count() AS documents, min(x.decision) AS first, max(x.decision) AS last FROM \
               (SELECT h.decision AS decision FROM invoice_header AS h WHERE h.buyer = toString(h.provider) \
               AND h.decision >= (SELECT max(m.next_offset) FROM sales_credit_mark AS m) \
               ORDER BY h.decision LIMIT 1 BY h.decision LIMIT {limit:UInt64}) AS x";
    let row: Option<DueRow> = client.fetch_optional(client.select(sql).param("limit", limit)).await?;
    Ok(row.filter(|row| row.documents > 0))
}

/// Says that credits are made of all documents that records below this offset issued.
///
/// # Errors
/// The server's.
pub async fn mark(client: &Client, next_offset: u64) -> Result<(), Error> {
    client.insert_rows("sales_credit_mark", &[MarkRow { one: 0, next_offset }]).await
}
