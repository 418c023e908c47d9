//! Minimum and maximum of a period (PRICING §7, §13): by active seconds, over all rounded rows.

use rust_decimal::Decimal;

use super::amount::{Fixed, Price};
use super::currency::Currency;
use super::error::Overflow;
use super::ratio;
use super::rounding::Rounding;
use super::row::{Row, RowKind};

/// A limit by active over period milliseconds, in minor units, rounded once.
pub fn prorated(
    limit: Decimal,
    (active_ms, period_ms): (i64, i64),
    currency: &Currency,
    rounding: Rounding,
) -> Result<i128, Overflow> {
    let limit = Price::from_decimal(limit)?;
    let factor = 10i128.checked_pow(currency.places).ok_or(Overflow)?;
    let factor = factor.checked_mul(i128::from(active_ms)).ok_or(Overflow)?;
    ratio::scale(limit.0, factor, i128::from(period_ms).checked_mul(Price::ONE.0).ok_or(Overflow)?, rounding)
}

/// The row that tops `sum` up to a minimum, or cuts it down to a maximum; none if there is nothing to do (PRICING §13).
pub fn limit(kind: RowKind, limit: i128, sum: i128, currency: &Currency) -> Result<Option<Row>, Overflow> {
    let missing = limit.checked_sub(sum).ok_or(Overflow)?;
    let amount = if kind == RowKind::Minimum { missing.max(0) } else { missing.min(0) };
    if amount == 0 {
        return Ok(None);
    }
    let words = format!("{} of the period {} {}", kind.as_str(), currency.show(limit), currency.code);
    let mut row = Row::plain(None, kind, words);
    let factor = 10i128.pow(15u32.saturating_sub(currency.places));
    row.unrounded = Fixed(amount.checked_mul(factor).ok_or(Overflow)?);
    (row.amount, row.list_amount) = (amount, amount);
    Ok(Some(row))
}
