//! Rows without readings: recurring fees by seconds, and shares of other lines' rounded rows (PRICING §5, §7).

use rust_decimal::Decimal;

use super::amount::{Fixed, Number, Price};
use super::currency::Currency;
use super::discount::{Discount, net};
use super::error::Overflow;
use super::ratio;
use super::rounding::Rounding;
use super::row::{Row, RowKind};

/// A recurring fee by active over period milliseconds: an exact fraction, rounded once (PRICING §7).
pub fn fee(
    line: &str,
    price: Decimal,
    (active_ms, period_ms): (i64, i64),
    discounts: &[Discount],
    currency: &Currency,
    rounding: Rounding,
) -> Result<Row, Overflow> {
    let list = Price::from_decimal(price)?;
    let net = net(list, discounts)?;
    let (active, period) = (i128::from(active_ms), i128::from(period_ms));
    let part = |price: Price, places: u32, rounding| {
        let factor = 10i128.checked_pow(places).and_then(|factor| active.checked_mul(factor)).ok_or(Overflow)?;
        ratio::scale(price.0, factor, period.checked_mul(Price::ONE.0).ok_or(Overflow)?, rounding)
    };
    let mut row =
        Row::plain(Some(line), RowKind::Fee, format!("{line}, recurring fee")).at_prices((list, net), discounts);
    row.quantity =
        Some(Number { mantissa: ratio::scale(active, Price::ONE.0, period, Rounding::HalfEven)?, places: 9 });
    row.unit = Some("period".to_owned());
    row.unrounded = Fixed(part(net, 15, Rounding::HalfEven)?);
    row.amount = part(net, currency.places, rounding)?;
    row.list_amount = part(list, currency.places, rounding)?;
    Ok(row)
}

/// A percentage of the rounded rows of other lines; no discount comes off it (PRICING §5, §8).
pub fn share(
    line: &str,
    percent: Decimal,
    (of, base): (&[String], i128),
    currency: &Currency,
    rounding: Rounding,
) -> Result<Row, Overflow> {
    let percent = percent.normalize();
    let price = Number { mantissa: percent.mantissa(), places: percent.scale() + 2 };
    let places = price.places.checked_add(currency.places).ok_or(Overflow)?;
    let divisor = 10i128.checked_pow(places).ok_or(Overflow)?;
    let product = |places: u32, rounding| {
        let factor = 10i128.checked_pow(places).and_then(|factor| base.checked_mul(factor)).ok_or(Overflow)?;
        ratio::scale(factor, price.mantissa, divisor, rounding)
    };
    let mut row = Row::plain(Some(line), RowKind::Share, format!("{percent} % of {}", of.join(", ")));
    row.quantity = Some(Number { mantissa: base, places: currency.places });
    row.unit = Some(currency.code.clone());
    (row.list_price, row.price) = (Some(price), Some(price));
    row.unrounded = Fixed(product(15, Rounding::HalfEven)?);
    row.amount = product(currency.places, rounding)?;
    row.list_amount = row.amount;
    Ok(row)
}
