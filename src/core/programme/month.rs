//! Months, in which revenue is counted.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Serialize, Serializer};

use crate::core::word::Instant;

/// A month of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

/// Months from the first to the last, both included; none if the last comes before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months {
    /// The first.
    pub first: Month,
    /// The last.
    pub last: Month,
}

impl Month {
    /// The month of a day.
    #[must_use]
    pub fn of(day: NaiveDate) -> Self {
        Self(day.year() * 12 + i32::try_from(day.month0()).unwrap_or_default())
    }

    /// The month that a label such as 2026-10 names.
    #[must_use]
    pub fn parse(label: &str) -> Option<Self> {
        let first = NaiveDate::parse_from_str(&format!("{label}-01"), "%Y-%m-%d").ok().map(Self::of)?;
        (first.to_string() == label).then_some(first)
    }

    /// The month so many months later, or earlier.
    #[must_use]
    pub fn plus(self, months: i32) -> Self {
        Self(self.0.saturating_add(months))
    }

    /// Its first day, within the calendar.
    #[must_use]
    pub fn first_day(self) -> Option<NaiveDate> {
        let month = u32::try_from(self.0.rem_euclid(12)).ok()?;
        NaiveDate::from_ymd_opt(self.0.div_euclid(12), month + 1, 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Months {
    /// The months of a text such as 2026-08..2026-10, or of one: 2026-10.
    ///
    /// # Errors
    /// Any other text, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        match (Month::parse(first), Month::parse(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(format!("{text:?} names no months: write 2026-08..2026-10, or one: 2026-10")),
        }
    }

    /// Whether the month is one of them.
    #[must_use]
    pub fn hold(self, month: Month) -> bool {
        self.first <= month && month <= self.last
    }

    /// Each of them in turn.
    pub fn each(self) -> impl Iterator<Item = Month> {
        (self.first.0..=self.last.0).map(Month)
    }
}

/// The day of an instant in UTC.
#[must_use]
pub fn utc_day(at: Instant) -> NaiveDate {
    chrono::DateTime::from_timestamp_millis(at.0).map(|at| at.date_naive()).unwrap_or_default()
}

/// The midnight in UTC with which a day begins.
#[must_use]
pub fn midnight(day: NaiveDate) -> Instant {
    Instant(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_counted_over_years() {
        let month = Month::parse("2026-01").unwrap();
        assert_eq!((month.plus(-1).to_string(), month.plus(12).to_string()), ("2025-12".into(), "2027-01".into()));
        assert_eq!(month.plus(-13).first_day(), NaiveDate::from_ymd_opt(2024, 12, 1));
        let months = Months { first: month.plus(-1), last: month };
        assert_eq!(months.each().map(|month| month.to_string()).collect::<Vec<_>>(), ["2025-12", "2026-01"]);
        for wrong in ["2026", "2026-13", "2026-1", "26-01", "2026-01-01", "+2026-01", " 2026-01"] {
            assert_eq!(Month::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_text_names_one_month_or_a_range_with_both_ends() {
        let shown = |text| Months::parse(text).map(|months| format!("{} {}", months.first, months.last));
        assert_eq!(shown("2026-10").unwrap(), "2026-10 2026-10");
        assert_eq!(shown("2026-12..2027-01").unwrap(), "2026-12 2027-01");
        for wrong in ["", "2026", "2026-10..", "2026-10..2026-09", "october"] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_day_begins_at_its_midnight() {
        let day = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
        assert_eq!(midnight(day).rfc3339(), "2026-07-01T00:00:00Z");
        assert_eq!([-1, 0].map(|ms| utc_day(midnight(day).plus_ms(ms)).to_string()), ["2026-06-30", "2026-07-01"]);
    }
}
