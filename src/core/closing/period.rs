//! Which contracts close together: those in which the provider buys or sells and whose period has the same bounds (PRICING §3).

use crate::core::book::model::{Book, Buyer, Charge, Contract, Line, Seller};
use crate::core::decision::closing::PeriodKey;
use crate::core::pricing::calendar::labels;
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

    /// Whether a line of its contracts prices metered usage. Fees and minimums are due without any.
    #[must_use]
    pub fn prices_usage(&self, book: &Book) -> bool {
        let of_line = |contract: &Contract, line: &Line| {
            let rates = book.cards.get(&contract.card).into_iter().flat_map(|card| &card.rates);
            rates.filter(|rate| rate.id == line.rate).any(|rate| matches!(rate.charge, Charge::Usage(_)))
        };
        let contracts = self.contracts.iter().filter_map(|id| book.contracts.get(id));
        contracts.into_iter().any(|contract| contract.lines.iter().any(|line| of_line(contract, line)))
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

/// The contracts of a closed period to which another book gives periods with other bounds in that time: it would be billed twice, or a part
/// of it never.
#[must_use]
pub fn rebound(closed: &Book, key: &PeriodKey, book: &Book) -> Vec<String> {
    let mut contracts = of_key(closed, key).map(|period| period.contracts).unwrap_or_default();
    contracts.retain(|id| {
        book.contracts.get(id).is_some_and(|contract| {
            let labels = labels(contract, key.start, key.end);
            let spans = labels.iter().filter_map(|label| period(contract, label).ok());
            spans.into_iter().any(|span| (span.start, span.end) != (key.start, key.end))
        })
    });
    contracts
}

/// A contract of a period that another closed one has too, with other bounds and some of its time: it would be billed twice.
#[must_use]
pub fn overlapping<'c>(
    period: &ProviderPeriod,
    closed: impl IntoIterator<Item = (&'c PeriodKey, &'c Book)>,
) -> Option<(String, &'c PeriodKey)> {
    let own = &period.key;
    let is_other = |key: &PeriodKey| key != own && key.start < own.end && own.start < key.end;
    closed.into_iter().filter(|(key, _)| key.provider == own.provider && is_other(key)).find_map(|(key, book)| {
        let theirs = of_key(book, key)?.contracts;
        Some((period.contracts.iter().find(|id| theirs.contains(*id))?.clone(), key))
    })
}

/// The providers that buy or sell by a contract.
pub fn parties(contract: &Contract) -> impl Iterator<Item = &str> {
    let buyer = if let Buyer::Provider(buyer) = &contract.buyer { Some(buyer.as_str()) } else { None };
    let seller = if let Seller::Provider(seller) = &contract.seller { Some(seller.as_str()) } else { None };
    buyer.into_iter().chain(seller)
}

/// Whether a provider buys or sells by a contract.
#[must_use]
pub fn concerns(contract: &Contract, provider: &str) -> bool {
    parties(contract).any(|party| party == provider)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::pricing::sample::northwind;

    #[test]
    fn a_contract_of_fees_prices_no_usage() {
        let mut book = northwind();
        let all = |book: &Book| labelled(book, "northwind", "2026-10").unwrap().remove(0).prices_usage(book);
        assert!(all(&book));
        let rates = book.cards.values_mut().flat_map(|card| &mut card.rates);
        rates.for_each(|rate| rate.charge = Charge::Fee(rust_decimal::Decimal::ONE));
        assert!(!all(&book));
    }

    #[test]
    fn a_closed_period_keeps_its_bounds() {
        let (book, contract) = (northwind(), "northwind-wholesale");
        let closed = labelled(&book, "northwind", "2026-10").unwrap();
        let own = closed.iter().find(|period| period.contracts.iter().any(|id| id == contract)).unwrap();
        assert!(rebound(&book, &own.key, &book).is_empty());
        let moved = |change: fn(&mut Contract)| {
            let mut other = book.clone();
            change(other.contracts.get_mut(contract).unwrap());
            rebound(&book, &own.key, &other)
        };
        assert_eq!(moved(|contract| contract.time_zone = chrono_tz::Europe::London), [contract]);
        assert_eq!(moved(|contract| contract.anchor_day = 15), [contract]);
        let overlaps = |change: fn(&mut Contract)| {
            let mut other = book.clone();
            change(other.contracts.get_mut(contract).unwrap());
            let all = labelled(&other, "northwind", "2026-10").unwrap();
            let new = all.iter().find(|period| period.contracts.iter().any(|id| id == contract)).unwrap();
            overlapping(new, [(&own.key, &book)]).map(|(id, _)| id)
        };
        assert_eq!(overlaps(|_| {}), None, "the same period is its next revision");
        assert_eq!(overlaps(|contract| contract.anchor_day = 15).as_deref(), Some(contract));
        // it ended before, so nothing is billed by it in that time
        assert!(moved(|contract| contract.until = Some(contract.from)).is_empty());
    }
}
