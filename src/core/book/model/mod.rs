//! A validated price book as plain data. Nothing in here can be wrong any more: every reference leads somewhere, every decimal is
//! within its places, every instant lies on a quarter of an hour.

mod card;
mod contract;
mod party;
mod programme;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::core::metering::definition::Definition;
use crate::core::word::Instant;

pub use card::{
    Band, BookDate, Card, Charge, Edge, Mode, Price, QuantityMode, Rate, RoundQuantity, Statistic, UsageRate,
};
pub use contract::{Buyer, Commitment, Contract, Deal, Line, Per, Route, Seller};
pub use party::{Certified, Committed, Customer, Granted, Party, Provider};
pub use programme::{Level, LevelPath, Programme};

/// The whole book.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// Meters by name.
    pub meters: BTreeMap<String, Meter>,
    /// Vendors by id.
    pub vendors: BTreeMap<String, Party>,
    /// Providers by id.
    pub providers: BTreeMap<String, Provider>,
    /// Customers by id.
    pub customers: BTreeMap<String, Customer>,
    /// Programmes by id.
    pub programmes: BTreeMap<String, Programme>,
    /// Cards by id.
    pub cards: BTreeMap<String, Card>,
    /// Contracts by id.
    pub contracts: BTreeMap<String, Contract>,
    /// Arrays that the book says something about.
    pub arrays: BTreeMap<String, ArrayPurpose>,
    /// Sales credit roles by name.
    pub sales_credit: BTreeMap<String, SalesCredit>,
}

/// A meter's definition with its base unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meter {
    /// How it is metered.
    pub definition: Definition,
    /// `byte` or `each`.
    pub base: String,
}

/// A tax to apply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// Percent.
    pub percent: Decimal,
    /// Why, where percent is 0.
    pub note: Option<String>,
}

/// What the book says of an array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrayPurpose {
    /// Whether it is for demonstration: metered, charged nothing.
    pub demo: bool,
    /// Until when, exclusive.
    #[serde(with = "super::canonical::maybe_instant")]
    pub until: Option<Instant>,
}

/// A sales credit role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SalesCredit {
    /// `customer` or `provider`: whose team.
    pub team: String,
    /// Percent.
    pub percent: Decimal,
    /// `list` or `billed`.
    pub basis: String,
    /// Routes that count.
    pub routes: Vec<String>,
}
