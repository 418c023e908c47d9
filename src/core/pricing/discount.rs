//! Which discounts come off list prices (PRICING §8).

use rust_decimal::Decimal;

use super::decimal;
use super::error::Overflow;
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

/// The percents of discounts, which multiply (PRICING §8).
pub fn percents(discounts: &[Discount]) -> Result<Vec<decimal::Decimal>, Overflow> {
    discounts.iter().map(|discount| decimal::Decimal::from_decimal(discount.percent)).collect()
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
