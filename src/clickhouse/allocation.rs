//! The table `allocation`: what of each row of a closed wholesale rating falls on whom.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Client, Error};

/// A row of it. Decimals are billionths.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct AllocationRow {
    /// The rating; empty before one is stored.
    pub rating_id: String,
    /// The contract.
    pub contract: String,
    /// The document's row.
    pub no: u32,
    /// Its line; empty of minimum and maximum.
    pub line: String,
    /// What it charges for.
    pub kind: String,
    /// Whose part; empty = unallocated.
    pub customer: String,
    /// Of the row's quantity, in its unit.
    pub quantity: Option<i128>,
    /// The unit.
    pub unit: String,
    /// By what the row was split.
    pub weight: i128,
    /// Of the row's amount.
    pub amount: i128,
    /// ISO 4217.
    pub currency: String,
    /// Tagged usage above the line's own.
    pub over_attributed: i128,
}

/// Writes the allocation of a rating; the same rows again collapse with the first.
///
/// # Errors
/// The server's.
pub async fn insert(client: &Client, rating_id: &str, rows: &[AllocationRow]) -> Result<(), Error> {
    let rows: Vec<AllocationRow> =
        rows.iter().map(|row| AllocationRow { rating_id: rating_id.to_owned(), ..row.clone() }).collect();
    client.insert_rows("allocation", &rows).await
}

/// The stored allocation of ratings, by rating, contract, row and customer.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, rating_ids: &[String]) -> Result<Vec<AllocationRow>, Error> {
    let sql = "SELECT rating_id, toString(contract) AS contract, no, toString(line) AS line, toString(kind) AS kind, customer, quantity, \
               toString(unit) AS unit, weight, amount, toString(currency) AS currency, over_attributed FROM allocation FINAL \
               WHERE has({ratings:Array(String)}, rating_id) ORDER BY rating_id, contract, no, customer";
    client.fetch_all(client.select(sql).param("ratings", rating_ids)).await
}
