//! Billing periods: from one local midnight of the anchor day to the next (PRICING §2).

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::error::RateError;
use crate::core::book::model::{BookDate, Contract};
use crate::core::word::Instant;

/// A stretch of time, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first instant.
    pub from: Instant,
    /// The first instant after it.
    pub until: Instant,
}

impl Span {
    /// Its milliseconds, 0 if it ends before it starts.
    #[must_use]
    pub fn ms(self) -> i64 {
        self.until.0.saturating_sub(self.from.0).max(0)
    }

    /// What both have in common, if anything.
    #[must_use]
    pub fn meet(self, other: Span) -> Option<Span> {
        let span = Span { from: self.from.max(other.from), until: self.until.min(other.until) };
        (span.from < span.until).then_some(span)
    }

    /// Whether the instant lies in it.
    #[must_use]
    pub fn holds(self, instant: Instant) -> bool {
        self.from <= instant && instant < self.until
    }
}

/// A billing period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// The year and month in which it starts.
    pub label: String,
    /// Its first instant.
    pub start: Instant,
    /// The first instant after it.
    pub end: Instant,
}

impl Period {
    /// The period as a span.
    #[must_use]
    pub fn span(&self) -> Span {
        Span { from: self.start, until: self.end }
    }
}

/// The contract's period with this label, such as `2026-10`, by today's time zone rules (PRICING §2).
pub fn period(contract: &Contract, label: &str) -> Result<Period, RateError> {
    let wrong = || RateError::Label(label.to_owned());
    let first = month(label).ok_or_else(wrong)?;
    let next = first.checked_add_months(chrono::Months::new(1)).ok_or_else(wrong)?;
    let start = midnight(contract.time_zone, anchored(first, contract.anchor_day)).ok_or_else(wrong)?;
    let end = midnight(contract.time_zone, anchored(next, contract.anchor_day)).ok_or_else(wrong)?;
    Ok(Period { label: label.to_owned(), start, end })
}

/// The first day of the month that a label names.
pub(super) fn month(label: &str) -> Option<NaiveDate> {
    let (year, month) = label.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)
}

/// The anchor day of the month, or its last day if it has none such.
fn anchored(first: NaiveDate, day: u32) -> NaiveDate {
    (28..=day).rev().chain([day, 1]).find_map(|day| first.with_day(day)).unwrap_or(first)
}

/// The first instant of a local day; where the clock skips midnight, the instant of the change.
#[must_use]
pub fn midnight(zone: Tz, day: NaiveDate) -> Option<Instant> {
    let start = NaiveDateTime::new(day, NaiveTime::MIN);
    (0..=96).find_map(|quarter| {
        let local = start.checked_add_signed(TimeDelta::minutes(15 * quarter))?;
        zone.from_local_datetime(&local).earliest().map(|instant| Instant(instant.timestamp_millis()))
    })
}

/// The instant that a date of the book means in a contract's zone.
#[must_use]
pub fn instant(zone: Tz, date: BookDate) -> Option<Instant> {
    match date {
        BookDate::Day(day) => midnight(zone, day),
        BookDate::At(instant) => Some(instant),
    }
}

/// The local day in which an instant lies.
#[must_use]
pub fn local_day(zone: Tz, instant: Instant) -> Option<NaiveDate> {
    Some(zone.timestamp_millis_opt(instant.0).single()?.date_naive())
}
