//! A provider's scorecard: what it sells, on how much, for how many, and whether it still does.

use serde::Serialize;
use utoipa::ToSchema;

use super::error::ProgrammeError;
use super::level::Judged;
use super::month::{Months, utc_day};
use super::revenue::{Booked, Rates, Unconverted, issued, sold_by, window};
use crate::core::billing::figure::Figure;
use crate::core::book::model::{Book, Buyer, Charge, Provider};
use crate::core::metering::definition::MeterKind;
use crate::core::pricing::number::Number;
use crate::core::pricing::rounding::Rounding;
use crate::core::pricing::wide::{Wide, divide, narrow, product};
use crate::core::word::{Instant, Kind};

/// A provider of which nothing was accepted for so long is dormant, and an array so long unheard of is none of its own any more: 30 days.
pub const DORMANT_MS: i64 = 30 * 86_400_000;
/// Months of revenue of a provider without a programme.
const PLAIN_MONTHS: u32 = 12;
/// Places of a quantity.
const PLACES: u32 = 6;

/// The scorecard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Scorecard {
    /// The provider.
    pub provider: String,
    /// Its name.
    pub name: String,
    /// The instant.
    pub at: String,
    /// The currency of its revenue.
    pub currency: String,
    /// Issued wholesale without tax in the months that count: 12, if its programme does not say otherwise. A vendor is told what it sold itself.
    pub revenue: String,
    /// The same in as many months before them.
    pub revenue_before: String,
    /// How much that has grown, in percent; null where there was nothing.
    pub growth_percent: Option<String>,
    /// Revenue that is in neither, for want of a rate.
    pub unconverted: Vec<Unconverted>,
    /// Arrays heard of within 30 days.
    pub arrays: u64,
    /// Customers with usage in the last day; null to whom they are not disclosed.
    pub customers: Option<u64>,
    /// Those of them that had none on the day 90 days before.
    pub new_customers: Option<u64>,
    /// The mean of what its arrays held in the last day; null where no line prices such a meter.
    pub usage: Option<Usage>,
    /// The newest accepted time; null if there is none.
    pub last_reading: Option<String>,
    /// The newest issued wholesale document (a vendor's own); null if there is none.
    pub last_invoice: Option<LastInvoice>,
    /// The level granted.
    pub granted: Option<String>,
    /// The level that figures attain, whoever sold.
    pub attained: Option<String>,
    /// Whether nothing was accepted of its arrays for 30 days.
    pub dormant: bool,
}

/// How much is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Usage {
    /// The meter.
    pub meter: String,
    /// In TiB.
    pub tib: String,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LastInvoice {
    /// Its number.
    pub number: String,
    /// When it was issued.
    pub issue_date: String,
}

/// What was measured of a provider up to an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// The newest accepted time.
    pub newest: Option<Instant>,
    /// Arrays heard of within [`DORMANT_MS`].
    pub arrays: u64,
    /// Customers with usage in the last day, and those of them that are new; none where they are not disclosed.
    pub customers: Option<(u64, u64)>,
    /// The integral of [`measured`] over the last day, in bytes × milliseconds.
    pub integral: Option<i128>,
    /// The newest issued document.
    pub last_invoice: Option<LastInvoice>,
}

/// By which meter and kind of resource a provider's capacity is told: those of its first wholesale line that prices bytes as a level.
#[must_use]
pub fn measured<'b>(book: &'b Book, provider: &str) -> Option<(&'b str, Kind)> {
    let own = book.contracts.values().filter(|one| one.buyer == Buyer::Provider(provider.to_owned()));
    let rates = own.flat_map(|contract| {
        let card = book.cards.get(&contract.card);
        contract.lines.iter().flat_map(move |line| {
            card.into_iter().flat_map(|card| &card.rates).filter(move |rate| rate.id == line.rate)
        })
    });
    rates
        .filter_map(|rate| match &rate.charge {
            Charge::Usage(usage) => Some((usage.meter.as_str(), usage.of)),
            Charge::Fee(_) | Charge::Share { .. } => None,
        })
        .find(|(meter, _)| {
            let known = book.meters.get(*meter);
            known.is_some_and(|known| known.base == "byte" && known.definition.kind == MeterKind::Gauge)
        })
}

/// The scorecard of a provider; none if the book has no such provider, or nobody sells to it. `booked` are the documents of all sellers: the
/// level is judged by them. A `seller` is told amounts of its own.
///
/// # Errors
/// A sum that does not fit.
pub fn scorecard(
    book: &Book,
    id: &str,
    seller: Option<&str>,
    booked: &[Booked],
    activity: &Activity,
    at: Instant,
) -> Result<Option<Scorecard>, ProgrammeError> {
    let Some(provider) = book.providers.get(id) else { return Ok(None) };
    let programme = provider.programme.as_ref().and_then(|name| book.programmes.get(name));
    let rates = match programme {
        Some(programme) => Rates::of(programme)?,
        None => match currency(book, id) {
            Some(currency) => Rates::plain(currency)?,
            None => return Ok(None),
        },
    };
    let day = utc_day(at);
    let length = programme.map_or(PLAIN_MONTHS, |programme| programme.revenue_months);
    let own = sold_by(booked, seller);
    let months = window(length, day, &own);
    let back = i32::try_from(length).unwrap_or(i32::MAX);
    let earlier = Months { first: months.first.plus(-back), last: months.first.plus(-1) };
    let revenue = issued(&own, months, day, &rates)?;
    let before = issued(&own, earlier, day, &rates)?;
    let judged = programme.map(|programme| Judged { programme, provider, booked, rates: &rates });
    let attained = match (&judged, programme) {
        (Some(judged), Some(programme)) => judged.attained(day)?.and_then(|rank| programme.levels.get(rank)),
        _ => None,
    };
    Ok(Some(Scorecard {
        provider: id.to_owned(),
        name: provider.party.name.clone(),
        at: at.rfc3339(),
        currency: rates.currency.code.clone(),
        revenue: rates.show(revenue.amount)?,
        revenue_before: rates.show(before.amount)?,
        growth_percent: growth(revenue.amount, before.amount)?,
        unconverted: revenue.shown_unconverted(),
        arrays: activity.arrays,
        customers: activity.customers.map(|(all, _)| all),
        new_customers: activity.customers.map(|(_, new)| new),
        usage: usage(book, id, activity)?,
        last_reading: activity.newest.map(Instant::rfc3339),
        last_invoice: activity.last_invoice.clone(),
        granted: granted(provider, at),
        attained: attained.map(|level| level.name.clone()),
        dormant: activity.newest.is_none_or(|newest| newest.0 < at.0 - DORMANT_MS),
    }))
}

fn granted(provider: &Provider, at: Instant) -> Option<String> {
    provider.levels.iter().rev().find(|granted| granted.from <= at).map(|granted| granted.level.clone())
}

/// The currency of a provider's first wholesale contract.
fn currency<'b>(book: &'b Book, provider: &str) -> Option<&'b str> {
    let mut own = book.contracts.values().filter(|one| one.buyer == Buyer::Provider(provider.to_owned()));
    own.find_map(|contract| book.cards.get(&contract.card)).map(|card| card.currency.as_str())
}

fn growth(now: Figure, before: Figure) -> Result<Option<String>, ProgrammeError> {
    if before.sign() <= 0 {
        return Ok(None);
    }
    let hundred = Figure::of_minor(100, 0)?;
    let percent = now.minus(before)?.share(hundred, before, 1, Rounding::HalfEven)?;
    Ok(Some(percent.to_string()))
}

fn usage(book: &Book, provider: &str, activity: &Activity) -> Result<Option<Usage>, ProgrammeError> {
    let (Some((meter, _)), Some(integral)) = (measured(book, provider), activity.integral) else { return Ok(None) };
    let day = product([Wide::from(86_400_000), Wide::from(1i128 << 40)])?;
    let micro = divide(product([Wide::from(integral), Wide::from(1_000_000)])?, day, Rounding::HalfEven)?;
    let tib = Number { mantissa: narrow(micro)?, places: PLACES }.to_string();
    Ok(Some(Usage { meter: meter.to_owned(), tib }))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{book, booked};
    use super::*;
    use crate::core::pricing::sample::at;

    #[test]
    fn revenue_grows_over_as_many_months() {
        let documents = [
            booked("2024-11", "2024-12-04", "100.00"),
            booked("2025-10", "2025-11-04", "700.00"),
            booked("2025-11", "2025-12-04", "400.00"),
            booked("2026-10", "2026-11-04", "500.00"),
        ];
        let now = at("2026-11-25T12:00:00Z");
        let activity = Activity {
            newest: Some(at("2026-10-26T12:00:00Z")),
            arrays: 3,
            customers: Some((2, 1)),
            integral: Some((95 * 86_400_000) << 40),
            last_invoice: None,
        };
        let found = scorecard(&book(), "northwind", None, &documents, &activity, now).unwrap().unwrap();
        assert_eq!((&*found.revenue, &*found.revenue_before), ("900.00", "800.00"));
        assert_eq!(found.growth_percent.as_deref(), Some("12.5"));
        assert_eq!(found.usage, Some(Usage { meter: "effective_used".into(), tib: "95".into() }));
        assert!(!found.dormant, "30 days to the millisecond");
        let later = scorecard(&book(), "northwind", None, &documents, &activity, now.plus_ms(1)).unwrap().unwrap();
        assert!(later.dormant);
        let new = scorecard(&book(), "northwind", None, &documents[3..], &activity, now).unwrap().unwrap();
        assert_eq!(new.growth_percent, None, "there was nothing to grow from");
        // another's three millions count for the level and are told to nobody else
        let other = Booked { seller: "other".to_owned(), ..booked("2026-09", "2026-10-04", "3000000.00") };
        let both = [documents.as_slice(), &[other]].concat();
        let own = scorecard(&book(), "northwind", Some("evergrove"), &both, &activity, now).unwrap().unwrap();
        assert_eq!(own, Scorecard { attained: Some("advanced".into()), ..found });
        assert_eq!(scorecard(&book(), "nobody", None, &[], &activity, now).unwrap(), None);
    }
}
