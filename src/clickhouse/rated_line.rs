//! The table `rated_line`: the rows of closed ratings.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Client, Error};
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::billing::row::DocumentRow;
use crate::core::decision::closing::DraftKey;
use crate::core::pricing::row::statistic_name;

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

impl RatedLineRow {
    /// The rows of a draft.
    ///
    /// # Errors
    /// Figures that are none.
    pub fn of(draft: &DraftKey, document: &Document) -> Result<Vec<Self>, DocumentError> {
        document.rows.iter().map(|row| Self::one(draft, row)).collect()
    }

    fn one(draft: &DraftKey, row: &DocumentRow) -> Result<Self, DocumentError> {
        // more places than the column has are in `body` alone
        let figure = |text: &Option<String>| Figure::parse(text.as_deref()?).and_then(Figure::billionths).ok();
        Ok(Self {
            rating_id: draft.rating_id.clone(),
            contract: draft.contract.clone(),
            customer: draft.customer.clone().unwrap_or_default(),
            no: u32::try_from(row.no).unwrap_or(u32::MAX),
            line: row.line.clone().unwrap_or_default(),
            kind: row.kind.as_str().to_owned(),
            description: row.description.clone(),
            meter: row.meter.clone().unwrap_or_default(),
            statistic: row.statistic.map(statistic_name).unwrap_or_default().to_owned(),
            quantity: figure(&row.quantity),
            unit: row.unit.clone().unwrap_or_default(),
            list_price: figure(&row.list_price),
            price: figure(&row.price),
            amount: Figure::parse(&row.amount)?.billionths()?,
            body: serde_json::to_string(row)?,
        })
    }
}

/// Writes rows; the same rows again collapse with the first.
///
/// # Errors
/// The server's.
pub async fn insert(client: &Client, rows: &[RatedLineRow]) -> Result<(), Error> {
    client.insert_rows("rated_line", rows).await
}
