//! Recurring fees and shares of other lines (PRICING §5, §7).

use super::charge::price::Price;
use super::decimal::Decimal;
use super::error::Overflow;
use super::exact::Exact;
use super::money::Money;
use super::number::Number;
use super::rounding::Rounding;
use super::row::Row;
use super::row_kind::RowKind;

/// A recurring fee by active over period milliseconds: an exact fraction, rounded once (PRICING §7).
pub fn fee(line: &str, price: Price, (active_ms, period_ms): (i64, i64), money: Money) -> Result<Row, Overflow> {
    let part = |price| Exact::prorated(price, active_ms, period_ms);
    let row = Row::charged(Some(line), RowKind::Fee, (part(price.list)?, part(price.net)?), money)?;
    let quantity = Number { mantissa: part(Decimal::ONE)?.minor(9, Rounding::HalfEven)?, places: 9 };
    Ok(Row {
        description: format!("{line}, recurring fee"),
        quantity: Some(quantity),
        unit: Some("period".to_owned()),
        list_price: Some(price.list.number()),
        price: Some(price.net.number()),
        ..row
    })
}

/// A percentage of rounded rows of other lines, `base` in minor units; no discount comes off it (PRICING §5, §8).
pub fn share(line: &str, percent: Decimal, base: i128, currency: &str, money: Money) -> Result<Row, Overflow> {
    let exact = Exact::percent(percent, base, money.places)?;
    let price = Some(Number { mantissa: percent.nano(), places: 11 });
    Ok(Row {
        quantity: Some(Number { mantissa: base, places: money.places }),
        unit: Some(currency.to_owned()),
        list_price: price,
        price,
        ..Row::charged(Some(line), RowKind::Share, (exact, exact), money)?
    })
}
