//! A document's row: all keys in every row, in INVOICE §3's order.

use serde::{Deserialize, Serialize};

use crate::core::book::model::Statistic;
use crate::core::book::unit::size_name;
use crate::core::pricing::charge::entry::Range;
use crate::core::pricing::currency::Currency;
use crate::core::pricing::error::Overflow;
use crate::core::pricing::number::Number;
use crate::core::pricing::period::Span;
use crate::core::pricing::row::Row;
use crate::core::pricing::row_kind::RowKind;

/// A document's row (INVOICE §3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentRow {
    /// From 1.
    pub no: usize,
    /// The contract's line.
    pub line: Option<String>,
    /// What it charges for.
    pub kind: RowKind,
    /// In words.
    pub description: String,
    /// The sites to which the line is limited.
    pub sites: Vec<String>,
    /// How many arrays had readings.
    pub arrays: Option<usize>,
    /// Meter.
    pub meter: Option<String>,
    /// Statistic.
    pub statistic: Option<Statistic>,
    /// Quantity.
    pub quantity: Option<String>,
    /// Its unit.
    pub unit: Option<String>,
    /// The band's edges.
    pub band: Option<DocumentBand>,
    /// Unit price before discounts.
    pub list_price: Option<String>,
    /// Unit price after discounts.
    pub price: Option<String>,
    /// What came off.
    pub discounts: Vec<DocumentDiscount>,
    /// The amount before rounding.
    pub unrounded: String,
    /// The amount.
    pub amount: String,
    /// Of a commitment: what was used.
    pub used_quantity: Option<String>,
    /// Of a commitment: what was not.
    pub unused_quantity: Option<String>,
    /// Coverage.
    pub coverage: Option<String>,
    /// Whether a gap was held.
    pub estimated: bool,
    /// The row's own part of the period.
    pub period: Option<DocumentSpan>,
    /// The row of the document that `references.corrects` names first, if this one corrects one.
    pub corrects: Option<usize>,
    /// Digest of what was metered.
    pub inputs_digest: Option<String>,
}

/// A band's edges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentBand {
    /// Lower edge, exclusive.
    pub over: String,
    /// Upper edge, inclusive.
    pub up_to: Option<String>,
}

/// A discount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentDiscount {
    /// Why.
    pub reason: String,
    /// Percent.
    pub percent: String,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentSpan {
    /// First instant.
    pub start: String,
    /// The first instant after it.
    pub end: String,
}

impl DocumentRow {
    /// Its band in words, with the size that its edges are in; none where it has none, or one without an end.
    #[must_use]
    pub fn band_words(&self) -> Option<String> {
        let band = self.band.as_ref()?;
        let size = if self.kind == RowKind::Flat { "" } else { self.unit.as_deref().map_or("", size_name) };
        let words = match &band.up_to {
            Some(up_to) if band.over == "0" => format!("up to {up_to} {size}"),
            Some(up_to) => format!("over {} up to {up_to} {size}", band.over),
            None if band.over != "0" => format!("over {} {size}", band.over),
            None => return None,
        };
        Some(words.trim_end().to_owned())
    }

    /// The row as documents show it.
    pub fn new(no: usize, row: &Row, currency: &Currency) -> Result<Self, Overflow> {
        let discounts = row.discounts.iter().map(|discount| DocumentDiscount {
            reason: discount.reason.clone(),
            percent: discount.percent.normalize().to_string(),
        });
        Ok(Self {
            no,
            line: row.line.clone(),
            kind: row.kind,
            description: row.description.clone(),
            sites: row.sites.clone(),
            arrays: row.arrays,
            meter: row.meter.clone(),
            statistic: row.statistic,
            quantity: shown(row.quantity),
            unit: row.unit.clone(),
            band: row.band.map(band),
            list_price: shown(row.list_price),
            price: shown(row.price),
            discounts: discounts.collect(),
            unrounded: row.unrounded.shown()?.to_string(),
            amount: currency.show(row.amount),
            used_quantity: row.used.map(|quantity| quantity.to_string()),
            unused_quantity: row.unused.map(|quantity| quantity.to_string()),
            coverage: row.coverage.map(|coverage| coverage.to_string()),
            estimated: row.estimated,
            period: row.period.map(span),
            corrects: None,
            inputs_digest: row.inputs_digest.clone(),
        })
    }
}

fn shown(number: Option<Number>) -> Option<String> {
    number.map(|number| number.to_string())
}

fn band(range: Range) -> DocumentBand {
    DocumentBand { over: range.over(), up_to: range.up_to() }
}

fn span(span: Span) -> DocumentSpan {
    DocumentSpan { start: span.from.rfc3339(), end: span.until.rfc3339() }
}
