//! Rows of a quote: priced items, each rounded once (PRICING §11).

use super::refusal::Refusal;
use crate::core::pricing::amount::Number;
use crate::core::pricing::charge::band::Edge;
use crate::core::pricing::charge::entry::{Entry, Range};
use crate::core::pricing::decimal::Decimal;
use crate::core::pricing::error::Overflow;
use crate::core::pricing::exact::Exact;
use crate::core::pricing::rounding::Rounding;
use crate::core::pricing::row::RowKind;
use crate::core::pricing::wide;

/// One priced item.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its line; none for the whole request.
    pub line: Option<String>,
    /// What it charges for.
    pub kind: RowKind,
    /// A band's lower and upper edge.
    pub band: Option<(Decimal, Option<Decimal>)>,
    /// Quantity; none of limits and what was billed.
    pub quantity: Option<Number>,
    /// Unit of the quantity.
    pub unit: Option<String>,
    /// Σ packages.
    pub packages: Option<i128>,
    /// How many parts were added up.
    pub parts: Option<usize>,
    /// Unit price before and after discounts.
    pub price: Option<(Number, Number)>,
    /// Of a commitment: what of it was used, and what not.
    pub used: Option<(Decimal, Decimal)>,
    /// Coverage of measured levels.
    pub coverage: Option<Decimal>,
    /// Before rounding.
    pub exact: Exact,
    /// In minor units, at list prices.
    pub list_amount: i128,
    /// In minor units.
    pub amount: i128,
}

/// Places and mode of amounts.
#[derive(Clone, Copy, Debug)]
pub struct Money {
    /// Places of an amount.
    pub places: u32,
    /// How a row is rounded.
    pub rounding: Rounding,
}

impl Money {
    /// A row's one rounding.
    pub fn minor(self, exact: Exact) -> Result<i128, Overflow> {
        exact.minor(self.places, self.rounding)
    }

    /// A row of an exact amount, at list and net prices, and nothing else.
    pub fn row(self, line: Option<&str>, kind: RowKind, list: Exact, net: Exact) -> Result<Row, Overflow> {
        let (list_amount, amount) = (self.minor(list)?, self.minor(net)?);
        Ok(Row { list_amount, amount, ..Row::plain(line, kind, net) })
    }

    /// The row of an entry; percent edges are those of this commitment.
    pub fn entry(self, line: &str, entry: &Entry, unit: &str, commitment: Decimal) -> Result<Row, Overflow> {
        let row = self.row(Some(line), entry.kind, entry.list, entry.net)?;
        let unit = if entry.kind == RowKind::Flat { "flat" } else { unit };
        Ok(Row {
            band: entry.band.map(|range| edges(&range, commitment)).transpose()?,
            quantity: Some(entry.quantity.number()),
            unit: Some(unit.to_owned()),
            packages: entry.packages,
            parts: Some(entry.parts),
            price: Some((entry.price.list.number(), entry.price.net.number())),
            used: match entry.used {
                Some(used) => Some((used, entry.quantity.minus(used)?)),
                None => None,
            },
            ..row
        })
    }
}

impl Row {
    /// A row of nothing but its exact amount, not yet rounded.
    #[must_use]
    pub fn plain(line: Option<&str>, kind: RowKind, exact: Exact) -> Self {
        Self {
            line: line.map(str::to_owned),
            kind,
            band: None,
            quantity: None,
            unit: None,
            packages: None,
            parts: None,
            price: None,
            used: None,
            coverage: None,
            exact,
            list_amount: 0,
            amount: 0,
        }
    }
}

/// Σ amounts.
pub fn sum<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Result<i128, Overflow> {
    rows.into_iter().try_fold(0i128, |sum, row| sum.checked_add(row.amount)).ok_or(Overflow)
}

/// An overflow as a refusal that names the row.
pub fn refuse<'a>(pointer: &'a str, row: &'a str) -> impl Fn(Overflow) -> Refusal + 'a {
    move |overflow| Refusal::at(pointer, format!("{row}: {overflow}: write smaller ones"))
}

fn edges(range: &Range, commitment: Decimal) -> Result<(Decimal, Option<Decimal>), Overflow> {
    let height = |edge: Edge| match edge {
        Edge::Quantity(quantity) => Ok(quantity),
        Edge::Percent(percent) => {
            let hundred = wide::ten(11);
            let share = wide::product([commitment.wide(), percent.wide()])?;
            wide::narrow(wide::divide(share, hundred, Rounding::HalfEven)?).map(Decimal::from_nano)
        }
    };
    Ok((range.over.map_or(Ok(Decimal::ZERO), height)?, range.up_to.map(height).transpose()?))
}
