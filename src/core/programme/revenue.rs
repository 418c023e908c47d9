//! Programme revenue (PRICING §16).

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ProgrammeError;
use super::month::{Month, Months};
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::book::model::Programme;
use crate::core::pricing::currency::Currency;
use crate::core::pricing::rounding::Rounding;

/// What one or more issued wholesale documents come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The contract.
    pub contract: String,
    /// Who sells by it.
    pub seller: String,
    /// The month in which the period begins.
    pub label: Month,
    /// When it was issued, by the document's own date.
    pub issued: NaiveDate,
    /// Whether it is an invoice; else it corrects one.
    pub is_invoice: bool,
    /// ISO 4217.
    pub currency: String,
    /// Σ rows.
    pub amount: Figure,
}

impl Booked {
    /// The month in which it counts.
    #[must_use]
    pub fn month(&self) -> Month {
        if self.is_invoice { self.label } else { Month::of(self.issued) }
    }
}

/// What one seller sold, or all of them.
#[must_use]
pub fn sold_by<'b>(booked: &'b [Booked], seller: Option<&str>) -> Cow<'b, [Booked]> {
    match seller {
        Some(seller) => booked.iter().filter(|one| one.seller == seller).cloned().collect(),
        None => Cow::Borrowed(booked),
    }
}

/// Of documents as they stand now all are issued: the date of one whose zone is in tomorrow already is taken as today.
pub fn take_as_issued(booked: &mut [Booked], today: NaiveDate) {
    booked.iter_mut().for_each(|one| one.issued = one.issued.min(today));
}

/// Into which currency, and by which rates.
#[derive(Clone, Debug)]
pub struct Rates<'b> {
    /// The programme's currency.
    pub currency: Currency,
    fx: Option<&'b BTreeMap<String, Decimal>>,
}

/// Revenue in the programme's currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revenue {
    /// What could be converted.
    pub amount: Figure,
    /// What could not, for want of a rate, by currency.
    pub unconverted: BTreeMap<String, Figure>,
}

/// An amount in a currency for which the programme has no rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Unconverted {
    /// ISO 4217.
    pub currency: String,
    /// How much.
    pub amount: String,
}

/// The figure of a decimal of the book.
pub fn figure(decimal: Decimal) -> Result<Figure, DocumentError> {
    Figure::parse(&decimal.normalize().to_string())
}

/// A percentage of an amount, rounded once to so many places.
pub fn percent_of(amount: Figure, percent: Decimal, places: u32) -> Result<Figure, DocumentError> {
    amount.share(figure(percent)?, figure(Decimal::ONE_HUNDRED)?, places, Rounding::HalfEven)
}

impl<'b> Rates<'b> {
    /// The programme's.
    ///
    /// # Errors
    /// A currency that is none, which the book refuses.
    pub fn of(programme: &'b Programme) -> Result<Self, ProgrammeError> {
        Ok(Self { currency: Currency::new(&programme.currency)?, fx: Some(&programme.fx) })
    }

    /// Those of a provider without a programme: none but its own currency's.
    ///
    /// # Errors
    /// A currency that is none.
    pub fn plain(currency: &str) -> Result<Self, ProgrammeError> {
        Ok(Self { currency: Currency::new(currency)?, fx: None })
    }

    /// The sum of amounts by currency, each sum converted and rounded once.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn sum<'a>(&self, amounts: impl IntoIterator<Item = (&'a str, Figure)>) -> Result<Revenue, ProgrammeError> {
        let mut sums: BTreeMap<&str, Figure> = BTreeMap::new();
        for (currency, amount) in amounts {
            let sum = sums.entry(currency).or_default();
            *sum = sum.plus(amount)?;
        }
        let mut revenue = Revenue::default();
        let one = figure(Decimal::ONE)?;
        for (currency, sum) in sums {
            let rate = if currency == self.currency.code { Some(Decimal::ONE) } else { self.rate(currency) };
            match rate {
                Some(rate) => {
                    let own = sum.share(figure(rate)?, one, self.currency.places, Rounding::HalfEven)?;
                    revenue.amount = revenue.amount.plus(own)?;
                }
                None => drop(revenue.unconverted.insert(currency.to_owned(), sum)),
            }
        }
        Ok(revenue)
    }

    fn rate(&self, currency: &str) -> Option<Decimal> {
        self.fx.and_then(|fx| fx.get(currency)).copied()
    }

    /// An amount of the programme's currency as documents show it.
    ///
    /// # Errors
    /// If it has more places.
    pub fn show(&self, amount: Figure) -> Result<String, DocumentError> {
        amount.amount(self.currency.places)
    }
}

impl Revenue {
    /// Both together.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn plus(&self, other: &Self) -> Result<Self, ProgrammeError> {
        let mut both = Self { amount: self.amount.plus(other.amount)?, unconverted: self.unconverted.clone() };
        for (currency, amount) in &other.unconverted {
            let sum = both.unconverted.entry(currency.clone()).or_default();
            *sum = sum.plus(*amount)?;
        }
        Ok(both)
    }

    /// What could not be converted.
    #[must_use]
    pub fn shown_unconverted(&self) -> Vec<Unconverted> {
        let one = |(currency, amount): (&String, &Figure)| Unconverted {
            currency: currency.clone(),
            amount: amount.to_string(),
        };
        self.unconverted.iter().map(one).collect()
    }
}

/// The months whose revenue counts on a day: as many as the programme says, up to the one before, or while no invoice of that one is issued
/// up to the one before it. So a month's first days do not look like a month without revenue.
#[must_use]
pub fn window(months: u32, day: NaiveDate, booked: &[Booked]) -> Months {
    let before = Month::of(day).plus(-1);
    let is_issued = booked.iter().any(|one| one.is_invoice && one.label == before && one.issued <= day);
    let last = if is_issued { before } else { before.plus(-1) };
    Months { first: last.plus(1 - i32::try_from(months).unwrap_or(i32::MAX)), last }
}

/// What was issued by the end of a day and counts in these months.
///
/// # Errors
/// A sum that does not fit.
pub fn issued(booked: &[Booked], months: Months, day: NaiveDate, rates: &Rates<'_>) -> Result<Revenue, ProgrammeError> {
    let counts = booked.iter().filter(|one| one.issued <= day && months.hold(one.month()));
    rates.sum(counts.map(|one| (one.currency.as_str(), one.amount)))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{booked, day, programme};
    use super::*;

    fn months(first: &str, last: &str) -> Months {
        Months { first: Month::parse(first).unwrap(), last: Month::parse(last).unwrap() }
    }

    #[test]
    fn the_window_ends_with_the_last_month_that_is_invoiced() {
        let october = [booked("2026-10", "2026-11-04", "1.00")];
        assert_eq!(window(12, day("2026-11-03"), &october), months("2025-10", "2026-09"));
        assert_eq!(window(12, day("2026-11-04"), &october), months("2025-11", "2026-10"));
        // nobody waits longer than a month for an invoice
        assert_eq!(window(12, day("2026-12-01"), &[]), months("2025-11", "2026-10"));
        assert_eq!(window(1, day("2026-01-15"), &[]), months("2025-11", "2025-11"));
    }

    #[test]
    fn an_invoice_counts_in_its_period_and_an_adjustment_in_the_month_of_issue() {
        let mut late = booked("2026-08", "2026-10-20", "34.38");
        late.is_invoice = false;
        let all = [booked("2026-08", "2026-09-04", "3260.87"), booked("2026-10", "2026-11-04", "100.00"), late];
        let programme = programme();
        let rates = Rates::of(&programme).unwrap();
        let of = |first, last, on| issued(&all, months(first, last), day(on), &rates).unwrap().amount.to_string();
        assert_eq!(of("2026-08", "2026-08", "2026-12-01"), "3260.87");
        assert_eq!(of("2026-10", "2026-10", "2026-12-01"), "134.38");
        assert_eq!(of("2026-10", "2026-10", "2026-11-03"), "34.38", "what is issued later is not there yet");
        assert_eq!(of("2026-09", "2026-09", "2026-12-01"), "0");
    }

    #[test]
    fn what_is_issued_counts_though_its_day_has_not_begun_as_utc_counts() {
        // 22:00 UTC on the 3rd: in Tokyo it is the 4th
        let mut all = [booked("2026-10", "2026-11-04", "100.00"), booked("2026-09", "2026-10-04", "1.00")];
        let today = day("2026-11-03");
        assert_eq!(window(1, today, &all), months("2026-09", "2026-09"));
        take_as_issued(&mut all, today);
        assert_eq!((all[0].issued, all[1].issued), (today, day("2026-10-04")));
        assert_eq!(window(1, today, &all), months("2026-10", "2026-10"));
        let programme = programme();
        let found = issued(&all, months("2026-10", "2026-10"), today, &Rates::of(&programme).unwrap()).unwrap();
        assert_eq!(found.amount.to_string(), "100");
    }

    #[test]
    fn other_currencies_are_converted_once_or_told() {
        let mut programme = programme();
        programme.fx.insert("USD".to_owned(), Decimal::new(92, 2));
        let rates = Rates::of(&programme).unwrap();
        let amounts = [("USD", "10.01"), ("EUR", "5.00"), ("USD", "10.02"), ("JPY", "7")];
        let revenue = rates.sum(amounts.map(|(currency, amount)| (currency, Figure::parse(amount).unwrap()))).unwrap();
        // 20.03 x 0.92 = 18.4276; each alone would be 9.21 + 9.22
        assert_eq!(revenue.amount.to_string(), "23.43");
        assert_eq!(revenue.shown_unconverted(), [Unconverted { currency: "JPY".into(), amount: "7".into() }]);
    }
}
