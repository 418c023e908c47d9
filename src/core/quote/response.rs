//! The response as it is written.

use serde::Serialize;

use super::row::Row;
use crate::core::pricing::amount::Number;
use crate::core::pricing::error::Overflow;

/// A quote.
#[derive(Clone, Debug, Serialize)]
pub struct Response {
    /// The form.
    pub schema: &'static str,
    /// ISO 4217.
    pub currency: String,
    /// Rows in order.
    pub lines: Vec<RowForm>,
    /// Σ amounts.
    pub subtotal: String,
    /// Σ rounded list - subtotal.
    pub saving: String,
    /// In order.
    pub credits: Vec<CreditForm>,
    /// Of subtotal - Σ applied.
    pub tax: String,
    /// subtotal - Σ applied + tax.
    pub total: String,
    /// Σ rows before rounding, before credits and tax.
    pub unrounded: String,
}

/// A row; decimals are strings.
#[derive(Clone, Debug, Serialize)]
pub struct RowForm {
    /// Its line; null for the whole request.
    pub line: Option<String>,
    /// What it charges for.
    pub kind: &'static str,
    /// A band's edges.
    pub band: Option<BandForm>,
    /// Quantity.
    pub quantity: Option<String>,
    /// Its unit.
    pub unit: Option<String>,
    /// Σ packages.
    pub packages: Option<String>,
    /// How many parts were added up.
    pub parts: Option<usize>,
    /// Unit price before discounts.
    pub list_price: Option<String>,
    /// Unit price after them.
    pub price: Option<String>,
    /// Quantity × price.
    pub unrounded: String,
    /// In the currency's places.
    pub amount: String,
    /// Of a commitment.
    pub used: Option<String>,
    /// Of a commitment.
    pub unused: Option<String>,
    /// Of levels.
    pub coverage: Option<String>,
}

/// A band's edges.
#[derive(Clone, Debug, Serialize)]
pub struct BandForm {
    /// Lower edge, exclusive.
    pub over: String,
    /// Upper edge, inclusive.
    pub up_to: Option<String>,
}

/// What became of a credit.
#[derive(Clone, Debug, Serialize)]
pub struct CreditForm {
    /// Its id.
    pub id: String,
    /// How much was applied.
    pub applied: String,
    /// How much is left.
    pub left: String,
}

/// An amount of minor units with exactly so many places.
#[must_use]
pub fn amount(minor: i128, places: u32) -> String {
    Number { mantissa: minor, places }.padded()
}

impl RowForm {
    /// A row as it is written.
    pub fn of(row: &Row, places: u32) -> Result<Self, Overflow> {
        Ok(Self {
            line: row.line.clone(),
            kind: row.kind.as_str(),
            band: row
                .band
                .map(|(over, up_to)| BandForm { over: over.to_string(), up_to: up_to.map(|edge| edge.to_string()) }),
            quantity: row.quantity.map(|quantity| quantity.to_string()),
            unit: row.unit.clone(),
            packages: row.packages.map(|packages| packages.to_string()),
            parts: row.parts,
            list_price: row.price.map(|(list, _)| list.to_string()),
            price: row.price.map(|(_, net)| net.to_string()),
            unrounded: row.exact.shown()?.to_string(),
            amount: amount(row.amount, places),
            used: row.used.map(|(used, _)| used.to_string()),
            unused: row.used.map(|(_, unused)| unused.to_string()),
            coverage: row.coverage.map(|coverage| coverage.to_string()),
        })
    }
}
