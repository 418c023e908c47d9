//! What a provider has promised, and how far it is.

use serde::Serialize;
use utoipa::ToSchema;

use super::error::ProgrammeError;
use super::month::{Month, Months, utc_day};
use super::revenue::{Booked, Rates, Unconverted, figure, issued};
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::book::model::{Book, Buyer, Committed, Contract, Seller};
use crate::core::closing::outlook::Outlook;
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

/// A provider's promise of revenue; none if it made none.
#[must_use]
pub fn promised<'b>(book: &'b Book, provider: &str) -> Option<&'b Committed> {
    let promise = book.providers.get(provider).and_then(|provider| provider.committed.as_ref());
    promise.filter(|promise| promise.revenue.is_some())
}

/// The periods of a provider's wholesale contracts, of one seller or all, that had begun by an instant, count towards its promise, and of
/// which no invoice was issued by then and one is to come: what nobody will be billed for is no revenue, however long it is in the book.
#[must_use]
pub fn open(
    book: &Book,
    (provider, seller): (&str, Option<&str>),
    booked: &[Booked],
    outlook: &Outlook<'_>,
    at: Instant,
) -> Vec<Open> {
    let Some(months) = promised(book, provider).and_then(|promise| months(promise, at)) else { return Vec::new() };
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
            if period.start <= at && in_force && !is_issued && outlook.is_invoiced(provider, id, &period) {
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
    use crate::core::closing::agenda;
    use crate::core::closing::register::Register;
    use crate::core::cut::Versions;
    use crate::core::decision::Decision;
    use crate::core::decision::closing::{Cause, Close, DraftKey, PeriodKey};
    use crate::core::word::Offset;

    fn at(text: &str) -> Instant {
        midnight(day(text))
    }

    /// Decisions, one a second from this instant on.
    fn register(from: &str, decisions: &[Decision]) -> Register {
        let mut register = Register::default();
        for (offset, decision) in (0..).zip(decisions) {
            register.take(Offset(offset), at(from).plus_ms(offset as i64 * 1000), decision);
        }
        register
    }

    fn published() -> Decision {
        let (hash, book) = ("sha256:book".to_owned(), book().canonical().unwrap());
        Decision::PriceBookPublished { hash, book, actor: "me".to_owned() }
    }

    #[test]
    fn what_is_not_issued_is_rated() {
        let book = book();
        let register = register("2025-12-01", &[published()]);
        let open = |book: &Book, provider: &str, seller: Option<&str>, booked: &[Booked], at: Instant| {
            super::open(book, (provider, seller), booked, &Outlook::of(&register, provider, None), at)
        };
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

    /// As `plimsoll bill` does: what it closes by itself counts, and what somebody closed.
    #[test]
    fn months_before_a_provider_began_are_no_revenue_unless_somebody_closes_them() {
        let book = book();
        let labels = |register: &Register, usage: Option<&str>, on: &str| {
            let outlook = Outlook::of(register, "northwind", usage.map(at));
            let open = open(&book, ("northwind", None), &[], &outlook, at(on));
            open.iter().map(|open| open.label.clone()).collect::<Vec<_>>().join(" ")
        };
        let contracted = register("2026-05-10", &[published()]);
        assert_eq!(
            labels(&contracted, None, "2026-07-10"),
            "2026-05 2026-06 2026-07",
            "the first book with a contract"
        );
        assert_eq!(labels(&contracted, Some("2026-04-20"), "2026-07-10"), "2026-04 2026-05 2026-06 2026-07");
        // what Berlin calls April ends two hours earlier
        assert_eq!(labels(&contracted, Some("2026-05-01"), "2026-06-10"), "2026-05 2026-06");
        assert_eq!(labels(&Register::default(), None, "2026-07-10"), "", "nobody closes anything without a book");
        let periods =
            agenda::periods(&book, "northwind", contracted.begins("northwind", None).unwrap(), at("2026-07-10"));
        let due: Vec<String> = periods.unwrap().into_iter().map(|period| period.label).collect();
        assert_eq!(due.join(" "), "2026-05 2026-06 2026-07", "the closer has the same");

        let close = |rating_id: &str, revision, after| {
            let own = period(&book.contracts["northwind-wholesale"], "2026-03").unwrap();
            let period = PeriodKey { provider: "northwind".to_owned(), start: own.start, end: own.end };
            let (cut, book, digest) = (Vec::new(), "sha256:book".to_owned(), String::new());
            let (cause, versions) = (Cause::Adjustment, Versions { fold: 1, rate: 1 });
            let (after, rating_id, credits) = (Offset(after), rating_id.to_owned(), Vec::new());
            let close = Close { period, revision, cause, cut, after, versions, book, rating_id, digest, credits };
            Decision::PeriodClosed { close: Box::new(close), actor: "me".to_owned() }
        };
        let discard = |rating_id: &str| {
            let (rating_id, contract) = (rating_id.to_owned(), "northwind-wholesale".to_owned());
            let (reason, actor) = ("wrong".to_owned(), "me".to_owned());
            Decision::DraftDiscarded { draft: DraftKey { rating_id, contract, customer: None }, reason, actor }
        };
        let after = |more: &[Decision]| {
            let decisions: Vec<Decision> = [&[published()], more].concat();
            labels(&register("2026-05-10", &decisions), None, "2026-05-20")
        };
        let (first, again) = (close("a", 0, 1), close("b", 1, 3));
        assert_eq!(after(std::slice::from_ref(&first)), "2026-03 2026-05", "somebody closed it");
        assert_eq!(after(&[first.clone(), discard("a")]), "2026-05", "and discarded what came of it");
        assert_eq!(after(&[first.clone(), discard("a"), again.clone()]), "2026-03 2026-05", "it is made again");
        assert_eq!(after(&[first.clone(), discard("a"), again, discard("b")]), "2026-05");
        // a revision that has not read that the draft before it is discarded has left it out
        assert_eq!(after(&[first, close("b", 1, 2), discard("a")]), "2026-05");
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
