//! Both sides of a provider in one period: what each customer pays, what of the wholesale falls on it, and what is left (DESIGN §6).

mod sheet;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use sheet::sheets;

use super::allocation::Allocated;
use crate::core::cut::CutPoint;
use crate::core::pricing::currency::Currency;
use crate::core::pricing::error::Overflow;

/// A retail document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// The contract.
    pub contract: String,
    /// Who buys, by id or by a tag that no customer claims.
    pub customer: String,
    /// Its name.
    pub name: String,
    /// The currency.
    pub currency: Currency,
    /// Σ rows less credits, without tax, in minor units.
    pub net: i128,
}

/// A wholesale document, allocated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The contract.
    pub contract: String,
    /// The currency.
    pub currency: Currency,
    /// Σ rows in minor units.
    pub subtotal: i128,
    /// Σ rows less credits, without tax.
    pub net: i128,
    /// Its rows, split.
    pub parts: Vec<Allocated>,
}

/// Why both sides cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum MarginError {
    /// I19 does not hold.
    #[error(
        "contract {contract}: {allocated} of {subtotal} minor units are allocated or unallocated; the margin is not shown"
    )]
    Unbalanced {
        /// The contract.
        contract: String,
        /// Σ parts.
        allocated: i128,
        /// Σ rows.
        subtotal: i128,
    },
    /// The sums of the margin are not those of the documents.
    #[error("the margin in {0} does not add up to its documents; it is not shown")]
    Total(String),
    /// A number does not fit.
    #[error("the margin: {0}")]
    Overflow(#[from] Overflow),
}

/// The margin of a provider's period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Margin {
    /// The provider.
    pub provider: String,
    /// The period.
    pub period: MarginPeriod,
    /// `open` or `closed`.
    pub state: &'static str,
    /// Whether it still changes.
    pub provisional: bool,
    /// The cut of the documents: of a closed period its newest revision's.
    pub cut: Vec<CutPoint>,
    /// One for each currency in which both sides can be compared.
    pub currencies: Vec<Sheet>,
    /// Documents in a currency that the other side does not have.
    pub not_comparable: Vec<NotComparable>,
    /// Contracts whose period has other bounds (PRICING §3).
    pub not_aligned: Vec<NotAligned>,
    /// Drafts of a closed period whose amounts are in it, and that cannot be issued as they are.
    pub not_issuable: Vec<NotIssuable>,
}

/// A draft that cannot be issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotIssuable {
    /// The contract.
    pub contract: String,
    /// Of a contract for each customer: whose.
    pub customer: Option<String>,
    /// Its net amount.
    pub net: String,
    /// ISO 4217.
    pub currency: String,
    /// Why.
    pub why: String,
}

/// The period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MarginPeriod {
    /// The month in which it begins.
    pub label: String,
    /// Its first instant.
    pub start: String,
    /// The first instant after it.
    pub end: String,
}

/// The margin in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// ISO 4217.
    pub currency: String,
    /// By id.
    pub customers: Vec<OfCustomer>,
    /// What falls on nobody.
    pub unallocated: Figures,
    /// What the vendor's credits take off, if anything.
    pub credits: Option<Figures>,
    /// All of it: Σ documents.
    pub total: Figures,
    /// Tagged usage above what arrays measured, by unit, if any.
    pub over_attributed: Vec<UnitQuantity>,
}

/// One customer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfCustomer {
    /// By id, or by a tag that no customer claims.
    pub customer: String,
    /// Its name; its id where no retail document names it.
    pub name: String,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Both sides and what is between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Wholesale quantities by unit: commitment, overage and usage.
    pub quantities: Vec<UnitQuantity>,
    /// Retail without tax.
    pub retail: String,
    /// Allocated wholesale without tax.
    pub wholesale: String,
    /// Retail less wholesale.
    pub margin: String,
    /// Of retail, at two places; none where there is no retail.
    pub margin_percent: Option<String>,
}

/// A quantity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnitQuantity {
    /// Its unit.
    pub unit: String,
    /// How much.
    pub quantity: String,
}

/// A document that is not compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotComparable {
    /// The contract.
    pub contract: String,
    /// The buyer in retail; none in wholesale.
    pub customer: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// Without tax.
    pub net: String,
}

/// A contract that is not compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotAligned {
    /// The contract.
    pub contract: String,
    /// The first instant of its own period.
    pub start: String,
    /// The first instant after it.
    pub end: String,
}
