//! A row: one priced item, the unit of rounding (PRICING, head).

use super::amount::{Exact, Number, Price, Quantity};
use super::bands::Range;
use super::discount::Discount;
use super::period::Span;
use crate::core::book::model::Statistic;

/// What a row charges for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKind {
    /// A commitment in full.
    Commitment,
    /// What lies above a commitment.
    Overage,
    /// Pay as you go.
    Usage,
    /// The price of entering a band.
    Flat,
    /// A recurring fee.
    Fee,
    /// A percentage of other lines.
    Share,
    /// Topped up to the contract's minimum.
    Minimum,
    /// Cut down to the contract's maximum.
    Maximum,
    /// Invoiced before (quotes only).
    Billed,
}

impl RowKind {
    /// Its name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RowKind::Commitment => "commitment",
            RowKind::Overage => "overage",
            RowKind::Usage => "usage",
            RowKind::Flat => "flat",
            RowKind::Fee => "fee",
            RowKind::Share => "share",
            RowKind::Minimum => "minimum",
            RowKind::Maximum => "maximum",
            RowKind::Billed => "billed",
        }
    }
}

/// A statistic's name in documents.
#[must_use]
pub fn statistic_name(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::Mean => "mean",
        Statistic::Peak => "peak",
        Statistic::P95 => "p95",
        Statistic::Sum => "sum",
    }
}

/// One priced item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The contract's line; none on minimum and maximum.
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
    /// Quantity; none on minimum and maximum.
    pub quantity: Option<Number>,
    /// Unit of the quantity.
    pub unit: Option<String>,
    /// The band's edges.
    pub band: Option<Range>,
    /// How many packages, where the band has a package size.
    pub packages: Option<i128>,
    /// Over how many parts the row was added up (PRICING §10).
    pub parts: usize,
    /// Unit price before discounts.
    pub list_price: Option<Number>,
    /// Unit price after discounts.
    pub price: Option<Number>,
    /// What came off.
    pub discounts: Vec<Discount>,
    /// The amount before rounding, at 15 places.
    pub unrounded: Exact,
    /// The amount in minor units at list prices.
    pub list_amount: i128,
    /// The amount in minor units.
    pub amount: i128,
    /// Of a commitment: what was used.
    pub used: Option<Quantity>,
    /// Of a commitment: what was not.
    pub unused: Option<Quantity>,
    /// Coverage of the line (PRICING §12).
    pub coverage: Option<Quantity>,
    /// Whether a gap was held.
    pub estimated: bool,
    /// The row's own part of the period, where the price changes inside it (PRICING §9).
    pub period: Option<Span>,
    /// Digest of what was metered for the line.
    pub inputs_digest: Option<String>,
}

impl Row {
    /// A row with an amount and nothing else.
    #[must_use]
    pub fn plain(line: Option<&str>, kind: RowKind, description: String) -> Self {
        Self {
            line: line.map(str::to_owned),
            kind,
            description,
            sites: Vec::new(),
            arrays: None,
            meter: None,
            statistic: None,
            quantity: None,
            unit: None,
            band: None,
            packages: None,
            parts: 0,
            list_price: None,
            price: None,
            discounts: Vec::new(),
            unrounded: Exact::ZERO,
            list_amount: 0,
            amount: 0,
            used: None,
            unused: None,
            coverage: None,
            estimated: false,
            period: None,
            inputs_digest: None,
        }
    }

    /// The row with list and net price.
    #[must_use]
    pub fn at_prices(mut self, (list, net): (Price, Price), discounts: &[Discount]) -> Self {
        (self.list_price, self.price) = (Some(list.number()), Some(net.number()));
        self.discounts = discounts.to_vec();
        self
    }
}
