//! The response as it is written.

use serde::Serialize;

use crate::core::pricing::error::Overflow;
use crate::core::pricing::number::Number;
use crate::core::pricing::row::Row;

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
            band: row.band.map(|range| BandForm { over: range.over(), up_to: range.up_to() }),
            quantity: row.quantity.map(|quantity| quantity.to_string()),
            unit: row.unit.clone(),
            packages: row.packages.map(|packages| packages.to_string()),
            parts: row.parts,
            list_price: row.list_price.map(|price| price.to_string()),
            price: row.price.map(|price| price.to_string()),
            unrounded: row.unrounded.shown()?.to_string(),
            amount: amount(row.amount, places),
            used: row.used.map(|used| used.to_string()),
            unused: row.unused.map(|unused| unused.to_string()),
            coverage: row.coverage.map(|coverage| coverage.to_string()),
        })
    }
}
