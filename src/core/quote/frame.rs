//! The period of a request and its days, in milliseconds from the period's start (PRICING §2).

use chrono::DateTime;
use chrono_tz::Tz;

use super::field::{Fields, list, whole};
use super::json::Json;
use super::refusal::Refusal;
use crate::core::pricing::period::Span;
use crate::core::pricing::window::windows;
use crate::core::word::Instant;

/// Milliseconds of a day without a calendar.
const DAY_MS: i64 = 86_400_000;

/// The longest period, in seconds: 317 years. It bounds the number of days and slots that are looked at.
const LONGEST: u64 = 10_000_000_000;

/// A period: so many milliseconds, with a calendar if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its milliseconds.
    pub ms: i64,
    calendar: Option<(Instant, Tz)>,
}

/// A stretch of the period, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its first millisecond.
    pub from: i64,
    /// The first millisecond after it.
    pub until: i64,
}

impl Stretch {
    /// Its milliseconds.
    #[must_use]
    pub fn ms(self) -> i64 {
        self.until - self.from
    }
}

impl Frame {
    /// The request's `period` or `period_seconds`; one second without either.
    pub fn read(request: &Fields<'_>) -> Result<Self, Refusal> {
        let seconds = request.whole("period_seconds")?;
        let Some(json) = request.get("period") else {
            let seconds = seconds.unwrap_or(1);
            return Ok(Self { ms: milliseconds(seconds, request.at("period_seconds"))?, calendar: None });
        };
        if seconds.is_some() {
            return Err(request.refuse("period_seconds", "both period and period_seconds: write one of them"));
        }
        let period = Fields::of(json, request.at("period"), &["start", "end", "time_zone"])?;
        let (start, end) = (instant(&period, "start")?, instant(&period, "end")?);
        let zone = super::field::text(period.needed("time_zone")?, period.at("time_zone"))?;
        let zone: Tz = zone.parse().map_err(|_| {
            period.refuse("time_zone", "unknown time zone: write a name of the IANA database such as \"Europe/Berlin\"")
        })?;
        let seconds = end.0.checked_sub(start.0).and_then(|ms| u64::try_from(ms / 1000).ok()).unwrap_or(0);
        Ok(Self { ms: milliseconds(seconds, period.at("end"))?, calendar: Some((start, zone)) })
    }

    /// The contract's part of the period: all of it without `active_seconds`.
    pub fn active(&self, fields: &Fields<'_>, otherwise: Option<Stretch>) -> Result<Stretch, Refusal> {
        const KEY: &str = "active_seconds";
        let Some(json) = fields.get(KEY) else {
            return Ok(otherwise.unwrap_or(Stretch { from: 0, until: self.ms }));
        };
        let ends = list(json, &fields.at(KEY), 2, 2)?;
        let second = |(json, pointer): &(&Json, String)| {
            let seconds = whole(json, pointer.clone())?;
            let ms = i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1000));
            let inside = ms.filter(|ms| *ms <= self.ms);
            inside.ok_or_else(|| Refusal::at(pointer.clone(), "past the end of the period: write seconds inside it"))
        };
        let (from, until) = (second(&ends[0])?, second(&ends[1])?);
        if from > until {
            return Err(Refusal::at(&*ends[1].1, "ends before it starts: write the start first"));
        }
        Ok(Stretch { from, until })
    }

    /// The days inside a stretch: local days with a calendar, else of 86,400 s from the period's start (PRICING §5).
    #[must_use]
    pub fn days(&self, stretch: Stretch) -> Vec<Stretch> {
        if stretch.from >= stretch.until {
            return Vec::new();
        }
        if let Some((start, zone)) = self.calendar {
            let span = Span { from: start.plus_ms(stretch.from), until: start.plus_ms(stretch.until) };
            let day = |span: Span| Stretch { from: span.from.0 - start.0, until: span.until.0 - start.0 };
            return windows(zone, &[span], &[]).into_iter().map(day).collect();
        }
        let first = stretch.from / DAY_MS;
        let day = |index: i64| Stretch {
            from: (index * DAY_MS).max(stretch.from),
            until: ((index + 1) * DAY_MS).min(stretch.until),
        };
        (first..).map(day).take_while(|day| day.from < day.until).collect()
    }
}

fn milliseconds(seconds: u64, pointer: String) -> Result<i64, Refusal> {
    match i64::try_from(seconds) {
        Ok(seconds) if (1..=LONGEST as i64).contains(&seconds) => Ok(seconds * 1000),
        _ => Err(Refusal::at(pointer, format!("a period of 1 to {LONGEST} seconds is wanted"))),
    }
}

fn instant(period: &Fields<'_>, key: &str) -> Result<Instant, Refusal> {
    let text = super::field::text(period.needed(key)?, period.at(key))?;
    let wrong =
        || period.refuse(key, "not an instant: write RFC 3339 in whole seconds, such as \"2026-03-01T00:00:00+01:00\"");
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| wrong())?;
    if time.timestamp_subsec_nanos() != 0 { Err(wrong()) } else { Ok(Instant(time.timestamp_millis())) }
}
