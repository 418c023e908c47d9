//! Who trades: providers, what they were granted, and customers.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::core::word::Instant;

/// Who sells or buys, as documents show it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Name.
    pub name: String,
    /// Address lines.
    pub address: Vec<String>,
    /// Tax id.
    pub tax_id: Option<String>,
    /// Format of its invoices' numbers.
    pub invoice_number: Option<String>,
    /// Format of its credit notes' numbers.
    pub credit_note_number: Option<String>,
}

/// A provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Name, address, numbers.
    pub party: Party,
    /// Whether the vendor may see its customers' names.
    pub disclose_customers: bool,
    /// Its programme.
    pub programme: Option<String>,
    /// Granted levels, by rising `from`.
    pub levels: Vec<Granted>,
    /// What it promised.
    pub committed: Option<Committed>,
    /// Certifications held.
    pub certified: Vec<Certified>,
    /// The vendor's account team.
    pub account_team: Option<String>,
    /// The vendor's partner team.
    pub partner_team: Option<String>,
}

/// A level granted from an instant on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    /// From when.
    #[serde(with = "crate::core::book::canonical::instant")]
    pub from: Instant,
    /// Which level of the programme.
    pub level: String,
}

/// A promise of revenue and certifications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// From when.
    #[serde(with = "crate::core::book::canonical::instant")]
    pub from: Instant,
    /// Until when, exclusive.
    #[serde(with = "crate::core::book::canonical::maybe_instant")]
    pub until: Option<Instant>,
    /// Revenue in the programme's currency.
    pub revenue: Option<Decimal>,
    /// Certifications by track.
    pub certifications: BTreeMap<String, u32>,
}

/// Certifications held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certified {
    /// The track.
    pub track: String,
    /// How many.
    pub count: u32,
    /// Until when, exclusive.
    #[serde(with = "crate::core::book::canonical::maybe_instant")]
    pub until: Option<Instant>,
}

/// A provider's customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// Whose customer.
    pub provider: String,
    /// Name and address.
    pub party: Party,
    /// Values of `customer` in readings that mean this customer.
    pub tags: Vec<String>,
    /// The vendor's account team.
    pub account_team: Option<String>,
}
