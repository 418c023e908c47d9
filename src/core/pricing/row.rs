//! A row: one priced item, the unit of rounding (PRICING, head).

use super::charge::entry::{Entry, Range};
use super::decimal::Decimal;
use super::discount::Discount;
use super::error::Overflow;
use super::exact::Exact;
use super::money::Money;
use super::number::Number;
use super::period::Span;
use super::row_kind::RowKind;
use crate::core::book::model::Statistic;

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
    /// Over how many parts the row was added up (PRICING §10); none if it is not of usage.
    pub parts: Option<usize>,
    /// Unit price before discounts.
    pub list_price: Option<Number>,
    /// Unit price after discounts.
    pub price: Option<Number>,
    /// What came off.
    pub discounts: Vec<Discount>,
    /// The amount before rounding.
    pub unrounded: Exact,
    /// The amount in minor units at list prices.
    pub list_amount: i128,
    /// The amount in minor units.
    pub amount: i128,
    /// Of a commitment: what was used.
    pub used: Option<Decimal>,
    /// Of a commitment: what was not.
    pub unused: Option<Decimal>,
    /// Coverage of the line (PRICING §12).
    pub coverage: Option<Decimal>,
    /// Whether a gap was held.
    pub estimated: bool,
    /// The row's own part of the period, where the price changes inside it (PRICING §9).
    pub period: Option<Span>,
    /// Digest of what was metered for the line.
    pub inputs_digest: Option<String>,
}

impl Row {
    /// A row with what it charges before rounding, and nothing else.
    #[must_use]
    pub fn plain(line: Option<&str>, kind: RowKind, unrounded: Exact) -> Self {
        Self {
            line: line.map(str::to_owned),
            kind,
            description: String::new(),
            sites: Vec::new(),
            arrays: None,
            meter: None,
            statistic: None,
            quantity: None,
            unit: None,
            band: None,
            packages: None,
            parts: None,
            list_price: None,
            price: None,
            discounts: Vec::new(),
            unrounded,
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

    /// A row that charges an exact amount, at list and net prices: here it is rounded, once (PRICING §11). An amount that documents
    /// could not show unrounded is out of range.
    pub fn charged(
        line: Option<&str>,
        kind: RowKind,
        (list, net): (Exact, Exact),
        money: Money,
    ) -> Result<Self, Overflow> {
        let (list_amount, amount) = (money.minor(list)?, money.minor(net)?);
        net.shown()?;
        Ok(Self { list_amount, amount, ..Self::plain(line, kind, net) })
    }

    /// The row of a line's entry; `commitment` is the one in force, if it was the same all the time.
    pub fn of_usage(
        line: &str,
        entry: &Entry,
        unit: &str,
        commitment: Option<Decimal>,
        money: Money,
    ) -> Result<Self, Overflow> {
        let unit = if entry.kind == RowKind::Flat { "flat" } else { unit };
        Ok(Self {
            quantity: Some(entry.quantity.number()),
            unit: Some(unit.to_owned()),
            band: entry.band.map(|range| range.of(commitment)).transpose()?,
            packages: entry.packages,
            parts: Some(entry.parts),
            list_price: Some(entry.price.list.number()),
            price: Some(entry.price.net.number()),
            used: entry.used,
            unused: entry.used.map(|used| entry.quantity.minus(used)).transpose()?,
            ..Self::charged(Some(line), entry.kind, (entry.list, entry.net), money)?
        })
    }
}

/// Σ amounts in minor units.
pub fn sum<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Result<i128, Overflow> {
    rows.into_iter().try_fold(0i128, |sum, row| sum.checked_add(row.amount)).ok_or(Overflow)
}

/// Σ amounts at list prices less Σ amounts: what discounts saved (PRICING §8).
pub fn saving(rows: &[Row]) -> Result<i128, Overflow> {
    let saved = |row: &Row| row.list_amount.checked_sub(row.amount);
    rows.iter().try_fold(0i128, |sum, row| sum.checked_add(saved(row)?)).ok_or(Overflow)
}
