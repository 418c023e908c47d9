//! The dates of a section: days and instants, on whole quarters of an hour.

use chrono::{DateTime, NaiveDate, NaiveTime};
use toml::value::Datetime;

use super::model::BookDate;
use super::reader::Section;
use crate::core::word::Instant;

/// A cell: no instant of a book may lie inside of one (PRICING §2).
const QUARTER_MS: i64 = 900_000;

impl Section<'_, '_> {
    /// A date without a time (local midnight), or an instant with an offset, which lies on a quarter of an hour.
    pub(super) fn date(&self, key: &'static str) -> Option<BookDate> {
        let date = self.value(key)?.get_ref().as_datetime().and_then(book_date);
        match date {
            Some(BookDate::At(instant)) => self.on_quarter(key, instant).map(BookDate::At),
            Some(day) => Some(day),
            None => {
                self.refuse(
                    key,
                    format!("{key} is neither a date nor an instant"),
                    format!(
                        "write {key} = 2026-01-01 (midnight), or with an offset {key} = 2026-03-17T12:00:00+01:00, \
                         without quotes"
                    ),
                );
                None
            }
        }
    }

    /// A date that means midnight UTC.
    pub(super) fn utc_date(&self, key: &'static str) -> Option<Instant> {
        Some(match self.date(key)? {
            BookDate::Day(day) => Instant(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis()),
            BookDate::At(instant) => instant,
        })
    }

    /// Refuses an `until` that does not come after its `from`.
    pub(super) fn in_order(&self, from: Instant, until: Instant) {
        if until <= from {
            let mend = "until is exclusive: write the first instant that is not covered";
            self.refuse("until", "until is not after from", mend);
        }
    }

    /// The instant, if it lies on a quarter of an hour: cells are not cut.
    pub(super) fn on_quarter(&self, key: &'static str, instant: Instant) -> Option<Instant> {
        if is_on_quarter(instant) {
            return Some(instant);
        }
        let message = format!("{key} is {instant}, which is not on a quarter of an hour");
        self.refuse(key, message, "write an instant at :00, :15, :30 or :45");
        None
    }
}

/// Whether no cell is cut there.
pub(super) fn is_on_quarter(instant: Instant) -> bool {
    instant.0.rem_euclid(QUARTER_MS) == 0
}

fn book_date(written: &Datetime) -> Option<BookDate> {
    match (written.date, written.time, written.offset) {
        (Some(date), None, None) => {
            let day = NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day));
            day.map(BookDate::Day)
        }
        (Some(_), Some(_), Some(_)) => {
            let text = written.to_string().replace(' ', "T");
            let instant = DateTime::parse_from_rfc3339(&text).ok()?;
            // what is finer than a millisecond is off every quarter: round away from it, not onto it
            let finer = i64::from(!instant.timestamp_subsec_nanos().is_multiple_of(1_000_000));
            Some(BookDate::At(Instant(instant.timestamp_millis() + finer)))
        }
        _ => None,
    }
}
