//! A partner programme.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A partner programme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Programme {
    /// ISO 4217.
    pub currency: String,
    /// From the lowest up.
    pub levels: Vec<Level>,
    /// Months of revenue that count.
    pub revenue_months: u32,
    /// Months of grace.
    pub grace_months: u32,
    /// Marketing fund accrual.
    pub market_fund_percent: Option<Decimal>,
    /// Rates into the programme's currency.
    pub fx: BTreeMap<String, Decimal>,
}

/// A rung of a programme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// What comes off list prices.
    pub discount_percent: Decimal,
    /// Ways to reach it.
    pub paths: Vec<LevelPath>,
}

/// One way to reach a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelPath {
    /// Revenue needed.
    pub revenue: Decimal,
    /// Certifications needed, by track.
    pub certifications: BTreeMap<String, u32>,
}
