//! Which contracts close together: those in which the provider buys or sells and whose period has the same bounds (PRICING §3).

use crate::core::book::model::{Book, Buyer, Contract, Seller};
use crate::core::decision::closing::PeriodKey;
use crate::core::pricing::error::RateError;
use crate::core::pricing::period::{Period, Span, local_day, period};
use crate::core::word::{HOUR_MS, Instant};
use crate::mutation::{Mutation, planted};

/// One period of a provider, with the contracts that close in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderPeriod {
    /// Whose, from when to when.
    pub key: PeriodKey,
    /// The month in which it begins.
    pub label: String,
    /// Contracts in force in it, by id.
    pub contracts: Vec<String>,
    /// Hours between its end and its close: the longest of its contracts.
    pub grace_hours: u32,
}

impl ProviderPeriod {
    /// The period as rating names it.
    #[must_use]
    pub fn period(&self) -> Period {
        Period { label: self.label.clone(), start: self.key.start, end: self.key.end }
    }

    /// When its grace ends.
    #[must_use]
    pub fn due(&self) -> Instant {
        let grace_hours = if planted(Mutation::GraceForgotten) { 0 } else { self.grace_hours };
        self.key.end.plus_ms(i64::from(grace_hours) * HOUR_MS)
    }
}

/// The periods of a provider with a label, by their start: one, or one for each time zone and anchor day of its contracts.
///
/// # Errors
/// A label that is none.
pub fn labelled(book: &Book, provider: &str, label: &str) -> Result<Vec<ProviderPeriod>, RateError> {
    let mut periods: Vec<ProviderPeriod> = Vec::new();
    for (id, contract) in book.contracts.iter().filter(|(_, contract)| concerns(contract, provider)) {
        let own = period(contract, label)?;
        let until = contract.until.unwrap_or(Instant(i64::MAX));
        if own.span().meet(Span { from: contract.from, until }).is_none() {
            continue;
        }
        let key = PeriodKey { provider: provider.to_owned(), start: own.start, end: own.end };
        match periods.iter_mut().find(|period| period.key == key) {
            Some(period) => {
                period.contracts.push(id.clone());
                period.grace_hours = period.grace_hours.max(contract.grace_hours);
            }
            None => periods.push(ProviderPeriod {
                key,
                label: own.label,
                contracts: vec![id.clone()],
                grace_hours: contract.grace_hours,
            }),
        }
    }
    periods.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(periods)
}

/// The period of a provider with these bounds; none if no contract of the book has them.
#[must_use]
pub fn of_key(book: &Book, key: &PeriodKey) -> Option<ProviderPeriod> {
    let mut labels: Vec<String> = Vec::new();
    for contract in book.contracts.values().filter(|contract| concerns(contract, &key.provider)) {
        let label = local_day(contract.time_zone, key.start)?.format("%Y-%m").to_string();
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let found = labels.iter().filter_map(|label| labelled(book, &key.provider, label).ok()).flatten();
    found.into_iter().find(|period| period.key == *key)
}

/// Whether a provider buys or sells by a contract.
#[must_use]
pub fn concerns(contract: &Contract, provider: &str) -> bool {
    matches!(&contract.buyer, Buyer::Provider(buyer) if buyer == provider)
        || matches!(&contract.seller, Seller::Provider(seller) if seller == provider)
}
