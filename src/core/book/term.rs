//! Terms: when each rate of a line is in force under its contract.

use super::contract::local_midnight;
use super::model::{Book, BookDate, Charge, Contract, Line, Price, Rate, UsageRate};
use crate::core::word::Instant;

/// A rate of a line and its part of the contract's time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term<'book> {
    pub(super) from: Instant,
    /// Exclusive; the end of time if the contract has none.
    pub(super) until: Instant,
    pub(super) rate: &'book Rate,
}

/// When a rate begins under a contract.
pub(super) fn begin(contract: &Contract, rate: &Rate) -> Option<Instant> {
    match rate.from {
        None => Some(Instant(i64::MIN)),
        Some(BookDate::At(instant)) => Some(instant),
        Some(BookDate::Day(day)) => local_midnight(contract.time_zone, day),
    }
}

/// The terms of a line in time order; those that are never in force left out.
pub(super) fn terms<'book>(book: &'book Book, contract: &Contract, line: &Line) -> Vec<Term<'book>> {
    let end = contract.until.unwrap_or(Instant(i64::MAX));
    let rates = book.cards.get(&contract.card).into_iter().flat_map(|card| &card.rates);
    let mut begun: Vec<(Instant, &Rate)> =
        rates.filter(|rate| rate.id == line.rate).filter_map(|rate| Some((begin(contract, rate)?, rate))).collect();
    begun.sort_by_key(|(from, _)| *from);
    let ends: Vec<Instant> = begun.iter().skip(1).map(|(from, _)| *from).chain([Instant(i64::MAX)]).collect();
    let cut = begun.into_iter().zip(ends).map(|((from, rate), until)| Term {
        from: from.max(contract.from),
        until: until.min(end),
        rate,
    });
    cut.filter(|term| term.from < term.until).collect()
}

impl<'book> Term<'book> {
    /// The usage that it prices, if any.
    pub(super) fn usage(&self) -> Option<&'book UsageRate> {
        match &self.rate.charge {
            Charge::Usage(usage) => Some(usage),
            Charge::Fee(_) | Charge::Share { .. } => None,
        }
    }

    /// Whether the two are in force at one instant.
    pub(super) fn meets(&self, other: &Term<'_>) -> bool {
        self.from < other.until && other.from < self.until
    }
}

/// Whether one may follow the other inside of a period: they differ in plain prices only (PRICING §9).
pub(super) fn may_follow(one: &Rate, other: &Rate) -> bool {
    let (Charge::Usage(one), Charge::Usage(other)) = (&one.charge, &other.charge) else { return false };
    let form = |rate: &UsageRate| match &rate.price {
        Price::Bands { mode, by_day, .. } => (Some(*mode), *by_day),
        Price::Committed { overage_by_day, .. } => (None, *overage_by_day),
    };
    let steps = |rate: &UsageRate| {
        let (Price::Bands { bands, .. } | Price::Committed { bands, .. }) = &rate.price;
        bands.iter().any(|band| band.per.is_some() || band.flat.is_some())
    };
    let terms = |rate: &UsageRate| (rate.of, rate.statistic, rate.round_quantity, form(rate));
    terms(one) == terms(other)
        && (&one.meter, &one.tier, &one.unit) == (&other.meter, &other.tier, &other.unit)
        && !steps(one)
        && !steps(other)
}
