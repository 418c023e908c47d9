//! What a provider has promised, and how far it is.

use serde::Serialize;
use utoipa::ToSchema;

use super::error::ProgrammeError;
use super::month::{Month, Months, utc_day};
use super::revenue::{Booked, Rates, Unconverted, figure, issued};
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::book::model::{Book, Buyer, Committed, Contract, Seller};
use crate::core::pricing::period::period;
use crate::core::pricing::rounding::Rounding;
use crate::core::word::Instant;

/// Milliseconds of a year: the pace of a promise without an end is told for one.
const YEAR_MS: i64 = 365 * 86_400_000;

/// A promise of revenue, in the programme's currency. A vendor is told what it sold itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Promise {
    /// From when.
    pub from: String,
    /// Until when, exclusive; null without an end.
    pub until: Option<String>,
    /// How much is promised.
    pub revenue: String,
    /// What has come together: issued and open.
    pub to_date: String,
    /// What of it is on issued documents.
    pub issued: String,
    /// What of it is on statements of periods of which no invoice is issued.
    pub open: String,
    /// When these periods were rated, where that was before they were asked for; null if all were rated for it.
    pub open_rated_at: Option<String>,
    /// `to_date` in percent of what is promised.
    pub percent: Option<String>,
    /// What `to_date` comes to by the end of the promise at the same pace (in a year, without an end); null before it begins.
    pub run_rate: Option<String>,
    /// What is not in it, for want of a rate.
    pub unconverted: Vec<Unconverted>,
}

/// A statement that has to be rated, since no invoice of it is issued.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    /// The month in which its period begins.
    pub label: String,
    /// The contract.
    pub contract: String,
}

/// The months of a promise that have begun by an instant: from that of its first day to that of its last. None before it begins.
#[must_use]
pub fn months(promise: &Committed, at: Instant) -> Option<Months> {
    let last = promise.until.map_or(at, |until| until.plus_ms(-1).min(at));
    (promise.from <= at).then(|| Months { first: Month::of(utc_day(promise.from)), last: Month::of(utc_day(last)) })
}

/// The periods of a provider's wholesale contracts, of one seller or all, that had begun by an instant, count towards its promise, and of
/// which no invoice was issued by then.
#[must_use]
pub fn open(book: &Book, provider: &str, seller: Option<&str>, booked: &[Booked], at: Instant) -> Vec<Open> {
    let promise = book.providers.get(provider).and_then(|provider| provider.committed.as_ref());
    let Some(months) = promise.filter(|promise| promise.revenue.is_some()).and_then(|promise| months(promise, at))
    else {
        return Vec::new();
    };
    let is_asked = |contract: &Contract| {
        contract.buyer == Buyer::Provider(provider.to_owned())
            && seller.is_none_or(|seller| contract.seller == Seller::Vendor(seller.to_owned()))
    };
    let day = utc_day(at);
    let mut open = Vec::new();
    for (id, contract) in book.contracts.iter().filter(|(_, contract)| is_asked(contract)) {
        for month in months.each() {
            let Ok(period) = period(contract, &month.to_string()) else { continue };
            let in_force = contract.from < period.end && contract.until.is_none_or(|until| period.start < until);
            let is_issued = booked
                .iter()
                .any(|one| one.is_invoice && one.contract == *id && one.label == month && one.issued <= day);
            if period.start <= at && in_force && !is_issued {
                open.push(Open { label: month.to_string(), contract: id.clone() });
            }
        }
    }
    open
}

/// How far a promise is. `statements` are the amounts of [`open`]. None if no revenue is promised.
///
/// # Errors
/// A sum that does not fit.
pub fn promise(
    promise: &Committed,
    booked: &[Booked],
    statements: &[(String, Figure)],
    at: Instant,
    rates: &Rates<'_>,
) -> Result<Option<Promise>, ProgrammeError> {
    let Some(wanted) = promise.revenue else { return Ok(None) };
    let wanted = figure(wanted)?;
    let issued = match months(promise, at) {
        Some(months) => issued(booked, months, utc_day(at), rates)?,
        None => Default::default(),
    };
    let open = rates.sum(statements.iter().map(|(currency, amount)| (currency.as_str(), *amount)))?;
    let both = issued.plus(&open)?;
    let to_date = both.amount;
    let places = rates.currency.places;
    let of = |figure: Figure, part: Figure, whole: Figure, places: u32| match whole.sign() {
        1 => figure.share(part, whole, places, Rounding::HalfEven).map(Some),
        _ => Ok(None),
    };
    let ms = |ms: i64| Figure::of_minor(ms.into(), 0);
    let elapsed = promise.until.map_or(at, |until| until.min(at)).0.saturating_sub(promise.from.0);
    let length = promise.until.map_or(YEAR_MS, |until| until.0.saturating_sub(promise.from.0));
    let run_rate = of(to_date, ms(length)?, ms(elapsed)?, places)?.map(|amount| amount.amount(places)).transpose()?;
    let percent: Option<Figure> = of(to_date, ms(100)?, wanted, 2)?;
    Ok::<_, DocumentError>(Some(Promise {
        from: promise.from.rfc3339(),
        until: promise.until.map(Instant::rfc3339),
        revenue: wanted.amount(places).unwrap_or_else(|_| wanted.to_string()),
        to_date: rates.show(to_date)?,
        issued: rates.show(issued.amount)?,
        open: rates.show(open.amount)?,
        open_rated_at: None,
        percent: percent.map(|percent| percent.to_string()),
        run_rate,
        unconverted: both.shown_unconverted(),
    }))
    .map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::super::month::midnight;
    use super::super::sample::{book, booked, day, programme};
    use super::*;

    fn at(text: &str) -> Instant {
        midnight(day(text))
    }

    #[test]
    fn what_is_not_issued_is_rated() {
        let book = book();
        let issued = [booked("2026-01", "2026-02-04", "1.00"), booked("2026-03", "2026-04-04", "1.00")];
        let labels = |on: &str| {
            let open = open(&book, "northwind", None, &issued, at(on));
            open.iter().map(|open| open.label.clone()).collect::<Vec<_>>().join(" ")
        };
        // Berlin's April begins in March as UTC counts
        assert_eq!(labels("2026-04-10"), "2026-02 2026-04");
        assert_eq!(labels("2026-04-03"), "2026-02 2026-03 2026-04", "March is not issued yet");
        assert_eq!(labels("2027-03-01").split(' ').count(), 10, "the promise ends with 2026");
        assert_eq!(labels("2025-12-31"), "");
        assert!(open(&book, "northwind", Some("other"), &issued, at("2026-04-10")).is_empty());
        assert!(open(&book, "fjordcloud", None, &[], at("2026-04-10")).is_empty(), "it promises nothing");
    }

    #[test]
    fn the_pace_is_told_for_the_whole_of_the_promise() {
        let (book, programme) = (book(), programme());
        let rates = Rates::of(&programme).unwrap();
        let promised = book.providers["northwind"].committed.as_ref().unwrap();
        // 73 of 365 days
        let issued = [booked("2026-01", "2026-02-04", "300000.00"), booked("2025-12", "2026-01-04", "9.00")];
        let open = [("EUR".to_owned(), Figure::parse("100000.00").unwrap())];
        let found = promise(promised, &issued, &open, at("2026-03-15"), &rates).unwrap().unwrap();
        let figures = [&found.revenue, &found.issued, &found.open, &found.to_date];
        assert_eq!(figures, ["4000000.00", "300000.00", "100000.00", "400000.00"]);
        assert_eq!((found.run_rate.as_deref(), found.percent.as_deref()), (Some("2000000.00"), Some("10")));
        // after its end it moves no more
        let ended = promise(promised, &issued, &open, at("2028-01-01"), &rates).unwrap().unwrap();
        assert_eq!(ended.run_rate.as_deref(), Some("400000.00"));
        let ahead = promise(promised, &issued, &[], at("2025-12-01"), &rates).unwrap().unwrap();
        assert_eq!((ahead.run_rate, &*ahead.to_date), (None, "0.00"));
        let endless = Committed { until: None, ..promised.clone() };
        let endless = promise(&endless, &issued, &open, at("2026-03-15"), &rates).unwrap().unwrap();
        assert_eq!(endless.run_rate.as_deref(), Some("2000000.00"));
    }

    #[test]
    fn a_currency_without_a_rate_is_told_once() {
        let (book, programme) = (book(), programme());
        let rates = Rates::of(&programme).unwrap();
        let promised = book.providers["northwind"].committed.as_ref().unwrap();
        let mut issued = booked("2026-01", "2026-02-04", "30.00");
        issued.currency = "CHF".to_owned();
        let amount = |currency: &str, text: &str| (currency.to_owned(), Figure::parse(text).unwrap());
        let open = [amount("CHF", "12.50"), amount("JPY", "7"), amount("EUR", "1.00")];
        let found = promise(promised, &[issued], &open, at("2026-03-15"), &rates).unwrap().unwrap();
        let told: Vec<_> = found.unconverted.iter().map(|one| (&*one.currency, &*one.amount)).collect();
        assert_eq!((told, &*found.to_date), (vec![("CHF", "42.5"), ("JPY", "7")], "1.00"));
    }
}
