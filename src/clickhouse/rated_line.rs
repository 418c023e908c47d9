//! The table `rated_line`: the rows of closed ratings.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Client, Error};

/// A row of it. Decimals are billionths.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct RatedLineRow {
    /// The rating.
    pub rating_id: String,
    /// The contract.
    pub contract: String,
    /// Of a contract for each customer: whose; else empty.
    pub customer: String,
    /// The document's row.
    pub no: u32,
    /// Its line; empty of minimum and maximum.
    pub line: String,
    /// What it charges for.
    pub kind: String,
    /// In words.
    pub description: String,
    /// The meter.
    pub meter: String,
    /// The statistic.
    pub statistic: String,
    /// The quantity.
    pub quantity: Option<i128>,
    /// Its unit.
    pub unit: String,
    /// Unit price before discounts.
    pub list_price: Option<i128>,
    /// Unit price after discounts.
    pub price: Option<i128>,
    /// The amount.
    pub amount: i128,
    /// The row's JSON.
    pub body: String,
}

/// Writes rows; the same rows again collapse with the first.
///
/// # Errors
/// The server's.
pub async fn insert(client: &Client, rows: &[RatedLineRow]) -> Result<(), Error> {
    client.insert_rows("rated_line", rows).await
}
