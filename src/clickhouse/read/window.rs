//! The time that a question is about, and the steps it is cut into.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

use crate::core::word::Instant;

/// Every cell starts at a multiple of this.
pub const SHORTEST_CELL_MS: i64 = 300_000;
/// The most local days that one question may span: 30 years.
const DAYS_MAX: i64 = 10_957;

/// How long the parts are that a range is cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The meter's cells: 15 or 5 minutes.
    Cell,
    /// UTC hours.
    Hour,
    /// Local days.
    Day,
    /// The whole range.
    Period,
}

/// Why a range cannot be asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WindowError {
    /// Neither a date nor an instant.
    #[error("`{0}` is neither a date (2026-10-01) nor an instant (2026-10-01T00:00:00Z)")]
    NotATime(String),
    /// Not where a cell starts.
    #[error(
        "{0} does not lie on a whole cell; use a whole quarter of an hour (5 minutes for meters of 5-minute cells)"
    )]
    InsideACell(Instant),
    /// Upside down, empty or outside of what tables hold.
    #[error("{from} to {to} is no range; `from` must be before `to`, between 1970 and 2106")]
    Empty {
        /// The start.
        from: Instant,
        /// The end.
        to: Instant,
    },
    /// More days than are cut at once.
    #[error("a range of more than {DAYS_MAX} days; ask for less at a time")]
    TooLong,
    /// No such zone.
    #[error("no time zone `{0}`; use a name of the tz database such as Europe/Berlin")]
    NoZone(String),
}

/// A range of time in steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub from: Instant,
    /// The first instant after it.
    pub to: Instant,
    /// How it is cut.
    pub step: Step,
    /// Whose days.
    pub zone: Tz,
}

impl Window {
    /// The range from `from` to `to`: dates are local midnights of `zone` (UTC without one).
    ///
    /// # Errors
    /// Times that are none, or that do not make a range of whole cells.
    pub fn parse(from: &str, to: &str, step: Step, zone: Option<&str>) -> Result<Self, WindowError> {
        let zone = parse_zone(zone)?;
        let (from, to) = (parse_instant(from, zone)?, parse_instant(to, zone)?);
        if from >= to || from.0 < 0 || to.0 > i64::from(u32::MAX) * 1000 {
            return Err(WindowError::Empty { from, to });
        }
        if let Some(odd) = [from, to].into_iter().find(|instant| instant.0 % SHORTEST_CELL_MS != 0) {
            return Err(WindowError::InsideACell(odd));
        }
        if to.0 - from.0 > DAYS_MAX * 86_400_000 {
            return Err(WindowError::TooLong);
        }
        Ok(Self { from, to, step, zone })
    }

    /// Refuses a range that would cut a meter's cells of `minutes`.
    ///
    /// # Errors
    /// The end that lies inside a cell.
    pub fn check_cells(&self, minutes: u8) -> Result<(), WindowError> {
        let cell_ms = i64::from(minutes) * 60_000;
        match [self.from, self.to].into_iter().find(|instant| instant.0 % cell_ms.max(1) != 0) {
            Some(odd) => Err(WindowError::InsideACell(odd)),
            None => Ok(()),
        }
    }

    /// Where the parts start, in seconds since 1970: local midnights inside the range, and its own start. For [`Step::Cell`] and
    /// [`Step::Hour`] just the start: those parts follow from the instant alone.
    #[must_use]
    pub fn edges(&self) -> Vec<u32> {
        let seconds = |instant: Instant| u32::try_from(instant.0 / 1000).unwrap_or(u32::MAX);
        let mut edges = vec![seconds(self.from)];
        if self.step == Step::Day {
            let mut date = local_date(self.from, self.zone);
            while let Some(next) = date.succ_opt() {
                let midnight = start_of_day(next, self.zone);
                if midnight >= self.to {
                    break;
                }
                edges.push(seconds(midnight));
                date = next;
            }
            edges.dedup();
        }
        edges
    }

    /// The real length in seconds of the part that starts at `start`: what lies inside the range of its cell, hour, day or period.
    #[must_use]
    pub fn seconds(&self, start: u32, cell_minutes: u8, edges: &[u32]) -> u32 {
        let to = u32::try_from(self.to.0 / 1000).unwrap_or(u32::MAX);
        let end = match self.step {
            Step::Cell => start + u32::from(cell_minutes) * 60,
            Step::Hour => (start / 3600 + 1) * 3600,
            Step::Day | Step::Period => edges.get(edges.partition_point(|edge| *edge <= start)).copied().unwrap_or(to),
        };
        end.min(to) - start
    }
}

/// A zone's name, UTC without one.
///
/// # Errors
/// A name that the tz database lacks.
pub fn parse_zone(name: Option<&str>) -> Result<Tz, WindowError> {
    name.map_or(Ok(Tz::UTC), |name| name.parse().map_err(|_| WindowError::NoZone(name.to_owned())))
}

/// An instant in RFC 3339, or a date that means its local midnight.
///
/// # Errors
/// Any other text.
pub fn parse_instant(text: &str, zone: Tz) -> Result<Instant, WindowError> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(start_of_day(date, zone));
    }
    let instant = DateTime::parse_from_rfc3339(text).map_err(|_| WindowError::NotATime(text.to_owned()))?;
    Ok(Instant(instant.timestamp_millis()))
}

fn local_date(instant: Instant, zone: Tz) -> NaiveDate {
    zone.timestamp_millis_opt(instant.0).earliest().map_or(NaiveDate::MIN, |local| local.date_naive())
}

/// The first instant of a local day: midnight, or where clocks skip it the first quarter that exists.
fn start_of_day(date: NaiveDate, zone: Tz) -> Instant {
    let mut local = date.and_time(chrono::NaiveTime::MIN);
    for _ in 0..=96 {
        if let Some(start) = zone.from_local_datetime(&local).earliest() {
            return Instant(start.timestamp_millis());
        }
        local = local.checked_add_signed(TimeDelta::minutes(15)).unwrap_or(NaiveDateTime::MAX);
    }
    Instant(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(from: &str, to: &str, step: Step, zone: &str) -> Vec<u32> {
        let window = Window::parse(from, to, step, Some(zone)).unwrap();
        let edges = window.edges();
        edges.iter().map(|start| window.seconds(*start, 15, &edges)).collect()
    }

    #[test]
    fn a_range_is_as_long_as_it_may_be() {
        let first = chrono::NaiveDate::from_ymd_opt(1980, 1, 1).unwrap();
        for (days, fits) in [(DAYS_MAX - 1, true), (DAYS_MAX, true), (DAYS_MAX + 1, false)] {
            let last = first + chrono::TimeDelta::days(days);
            assert_eq!(Window::parse("1980-01-01", &last.to_string(), Step::Day, None).is_ok(), fits, "{days} days");
        }
    }

    #[test]
    fn days_have_their_real_seconds() {
        assert_eq!(lengths("2026-03-28", "2026-03-31", Step::Day, "Europe/Berlin"), [86_400, 82_800, 86_400]);
        assert_eq!(lengths("2026-10-25", "2026-10-26", Step::Day, "Europe/Berlin"), [90_000]);
        assert_eq!(lengths("2026-03-01", "2026-04-01", Step::Period, "Europe/Berlin"), [2_674_800]);
        // Midnight does not exist in Beirut on 29 March 2026.
        assert_eq!(lengths("2026-03-29", "2026-03-30", Step::Day, "Asia/Beirut"), [82_800]);
        // A range that starts inside a day has a shorter first part.
        assert_eq!(lengths("2026-03-28T22:00:00Z", "2026-03-30", Step::Day, "UTC"), [7200, 86_400]);
    }

    #[test]
    fn cells_and_hours_are_cut_by_the_range_only() {
        let window = Window::parse("2026-10-01T00:30:00Z", "2026-10-01T02:15:00Z", Step::Hour, None).unwrap();
        let start = window.edges()[0];
        assert_eq!(window.seconds(start, 15, &[]), 1800);
        assert_eq!(window.seconds(start + 1800, 15, &[]), 3600);
        assert_eq!(window.seconds(start + 5400, 15, &[]), 900);
        let window = Window { step: Step::Cell, ..window };
        assert_eq!((window.seconds(start, 15, &[]), window.seconds(start, 5, &[])), (900, 300));
    }

    #[test]
    fn a_range_lies_on_whole_cells() {
        let parse = |from: &str, to: &str| Window::parse(from, to, Step::Cell, None);
        assert!(matches!(parse("2026-10-01T00:01:00Z", "2026-10-02"), Err(WindowError::InsideACell(_))));
        assert!(matches!(parse("2026-10-02", "2026-10-02"), Err(WindowError::Empty { .. })));
        assert!(matches!(parse("1969-10-02", "2026-10-02"), Err(WindowError::Empty { .. })));
        assert!(matches!(parse("1970-01-01", "2026-10-02"), Err(WindowError::TooLong)));
        assert!(matches!(parse("yesterday", "2026-10-02"), Err(WindowError::NotATime(_))));
        let five = parse("2026-10-01T00:05:00+00:00", "2026-10-02").unwrap();
        assert_eq!(five.check_cells(5), Ok(()));
        assert!(five.check_cells(15).is_err());
        assert!(matches!(
            Window::parse("2026-10-01", "2026-10-02", Step::Day, Some("Mars/Base")),
            Err(WindowError::NoZone(_))
        ));
    }
}
