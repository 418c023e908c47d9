//! Contracts, and the lines of them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Tax;
use crate::core::word::Instant;

/// A contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Seller.
    pub seller: Seller,
    /// Buyer.
    pub buyer: Buyer,
    /// How the vendor's goods reach the customer.
    pub route: Option<Route>,
    /// Card id.
    pub card: String,
    /// In force from.
    #[serde(with = "crate::core::book::canonical::instant")]
    pub from: Instant,
    /// In force until, exclusive.
    #[serde(with = "crate::core::book::canonical::maybe_instant")]
    pub until: Option<Instant>,
    /// Local days are this zone's.
    #[serde(with = "crate::core::book::canonical::zone")]
    pub time_zone: chrono_tz::Tz,
    /// Day of the month on which periods begin.
    pub anchor_day: u32,
    /// Hours between a period's end and its close.
    pub grace_hours: u32,
    /// Least coverage that closes without an override.
    pub close_below: Decimal,
    /// Rounding of amounts: half away from zero, else half to even.
    pub half_up: bool,
    /// Minimum of a period.
    pub minimum: Option<Decimal>,
    /// Maximum of a period.
    pub maximum: Option<Decimal>,
    /// Negotiated discount.
    pub deal: Option<Deal>,
    /// Days to pay.
    pub payment_days: u32,
    /// The buyer's order.
    pub purchase_order: Option<String>,
    /// Tax to apply.
    pub tax: Option<Tax>,
    /// Whether a draft is issued by itself.
    pub issue_auto: bool,
    /// Lines in order.
    pub lines: Vec<Line>,
}

/// Who sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seller {
    /// The vendor: wholesale.
    Vendor(String),
    /// A provider: retail.
    Provider(String),
}

/// Who buys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Buyer {
    /// A provider: wholesale.
    Provider(String),
    /// A customer: retail.
    Customer(String),
    /// Each customer of the seller that no contract in force names.
    EachCustomer,
}

/// PRICEBOOK `route`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// The provider runs it for the customer.
    AsAService,
    /// The customer bought it through the provider.
    Resale,
}

/// A negotiated discount.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deal {
    /// Its reference.
    pub reference: String,
    /// Percent off.
    pub percent: Decimal,
    /// From.
    #[serde(with = "crate::core::book::canonical::maybe_instant")]
    pub from: Option<Instant>,
    /// Until, exclusive.
    #[serde(with = "crate::core::book::canonical::maybe_instant")]
    pub until: Option<Instant>,
}

/// One line of a contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// Which rate of the card.
    pub rate: String,
    /// Only arrays at these sites; empty = all.
    pub sites: Vec<String>,
    /// Only these arrays; empty = all.
    pub arrays: Vec<String>,
    /// Committed quantities by rising `from`; the first holds from the contract's start.
    pub commitment: Vec<Commitment>,
    /// Parts that are priced alone.
    pub per: Option<Per>,
    /// Whether gaps are filled with the last level.
    pub gap_hold: bool,
}

/// A committed quantity from an instant on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// From; none = the contract's start.
    #[serde(with = "crate::core::book::canonical::maybe_instant")]
    pub from: Option<Instant>,
    /// Quantity in the rate's unit.
    pub quantity: Decimal,
}

/// PRICING §10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each array alone.
    Array,
    /// Each resource alone.
    Resource,
}
