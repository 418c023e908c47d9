//! Discounts on list prices (PRICING §8): they multiply, and the net price is rounded once, half to even, at 9 places.

use rust_decimal::Decimal;

use super::amount::{Fixed, Price};
use super::error::Overflow;
use super::ratio;
use super::rounding::Rounding;
use crate::core::book::model::{Book, Buyer, Contract, Deal};
use crate::core::word::Instant;

/// A percentage off every unit price, fee and flat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discount {
    /// Why.
    pub reason: String,
    /// Percent, 0 to 100.
    pub percent: Decimal,
}

/// The price after all discounts (PRICING §8).
pub fn net(list: Price, discounts: &[Discount]) -> Result<Price, Overflow> {
    let (mut numerator, mut denominator) = (list.0, 1i128);
    for discount in discounts {
        let percent = discount.percent.normalize();
        let whole = 10i128.checked_pow(percent.scale() + 2).ok_or(Overflow)?;
        let left = whole.checked_sub(percent.mantissa()).filter(|left| *left >= 0).ok_or(Overflow)?;
        numerator = numerator.checked_mul(left).ok_or(Overflow)?;
        denominator = denominator.checked_mul(whole).ok_or(Overflow)?;
        let common = ratio::common(numerator, denominator);
        (numerator, denominator) = (numerator / common, denominator / common);
    }
    ratio::scale(numerator, 1, denominator, Rounding::HalfEven).map(Fixed)
}

/// The level of a wholesale contract's buyer in force at `instant` (PRICING §8).
#[must_use]
pub fn level<'book>(book: &'book Book, contract: &Contract, instant: Instant) -> Option<&'book str> {
    let Buyer::Provider(provider) = &contract.buyer else { return None };
    let levels = &book.providers.get(provider)?.levels;
    levels.iter().rev().find(|granted| granted.from <= instant).map(|granted| granted.level.as_str())
}

/// The contract's deal if it is in force at `instant` (PRICING §8).
#[must_use]
pub fn deal(contract: &Contract, instant: Instant) -> Option<&Deal> {
    contract
        .deal
        .as_ref()
        .filter(|deal| deal.from.is_none_or(|from| from <= instant) && deal.until.is_none_or(|until| instant < until))
}

/// What comes off the prices of the contract's card: level and deal on list prices, on others the deal alone (PRICING §8).
#[must_use]
pub fn discounts(book: &Book, contract: &Contract, level_discount: bool, instant: Instant) -> Vec<Discount> {
    let mut discounts = Vec::new();
    if level_discount && let Some(level) = level(book, contract, instant) {
        let percent = level_percent(book, contract, level).unwrap_or_default();
        discounts.push(Discount { reason: format!("level {level}"), percent });
    }
    if let Some(deal) = deal(contract, instant) {
        discounts.push(Discount { reason: format!("deal {}", deal.reference), percent: deal.percent });
    }
    discounts.retain(|discount| !discount.percent.is_zero());
    discounts
}

fn level_percent(book: &Book, contract: &Contract, level: &str) -> Option<Decimal> {
    let Buyer::Provider(provider) = &contract.buyer else { return None };
    let programme = book.programmes.get(book.providers.get(provider)?.programme.as_ref()?)?;
    programme.levels.iter().find(|rung| rung.name == level).map(|rung| rung.discount_percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discounts_multiply() {
        let off = |percents: &[&str]| -> Vec<Discount> {
            percents.iter().map(|p| Discount { reason: String::new(), percent: p.parse().unwrap() }).collect()
        };
        let price = |text: &str| Price::from_decimal(text.parse().unwrap()).unwrap();
        assert_eq!(net(price("27"), &off(&["6", "3"])).unwrap().to_string(), "24.6186");
        assert_eq!(net(price("0.000000001"), &off(&["50"])).unwrap().to_string(), "0");
        assert_eq!(net(price("5"), &off(&["100"])).unwrap().to_string(), "0");
        assert!(net(price("5"), &off(&["101"])).is_err());
    }
}
