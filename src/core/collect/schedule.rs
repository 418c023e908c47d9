//! When arrays are polled. Instants are aligned to the clock, so every collector, however often it is started, polls for the same ones.

use crate::core::word::{HOUR_MS, Instant};

/// The instants of a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    interval_ms: i64,
    delay_ms: i64,
    reach_ms: i64,
}

/// What is to be done for an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Instants that are out of reach: nobody will read them any more.
    pub gap: Option<Gap>,
    /// The next instant to poll for, if one is due.
    pub due: Option<Instant>,
    /// When the next instant falls due.
    pub wake: Instant,
}

/// Instants of an array that are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first of them.
    pub first: Instant,
    /// The last of them.
    pub last: Instant,
    /// How many.
    pub count: u64,
}

impl Schedule {
    /// Every `interval_ms` from midnight on, `delay_ms` after the instant; what was missed is made up for as far back as `reach_ms`.
    /// None if the interval is no whole part of an hour.
    #[must_use]
    pub fn new(interval_ms: i64, delay_ms: i64, reach_ms: i64) -> Option<Self> {
        let whole = interval_ms > 0 && HOUR_MS % interval_ms == 0;
        (whole && delay_ms >= 0 && reach_ms >= 0).then_some(Self { interval_ms, delay_ms, reach_ms })
    }

    /// From one instant to the next.
    #[must_use]
    pub fn interval_ms(&self) -> i64 {
        self.interval_ms
    }

    /// The newest instant that is due.
    #[must_use]
    pub fn newest(&self, now: Instant) -> Instant {
        self.aligned(now.plus_ms(-self.delay_ms))
    }

    /// The instant before another one: where an array begins whose first instant that is, and which does not answer.
    #[must_use]
    pub fn before(&self, instant: Instant) -> Instant {
        instant.plus_ms(-self.interval_ms)
    }

    /// What is to be done where everything up to `settled` is read or given up. An array that is new begins with the newest instant; if it
    /// cannot be read, [`Self::before`] it is settled, or the next plan would forget it.
    #[must_use]
    pub fn plan(&self, settled: Option<Instant>, now: Instant) -> Plan {
        let newest = self.newest(now);
        let wake = newest.plus_ms(self.interval_ms).plus_ms(self.delay_ms);
        let Some(settled) = settled else { return Plan { gap: None, due: Some(newest), wake } };
        let first = self.aligned(settled).plus_ms(self.interval_ms);
        if first > newest {
            return Plan { gap: None, due: None, wake };
        }
        let oldest = self.aligned(newest.plus_ms(-self.reach_ms));
        // the interval may be another one since: what lies before the oldest within reach is counted in today's
        let oldest = if oldest < newest.plus_ms(-self.reach_ms) { oldest.plus_ms(self.interval_ms) } else { oldest };
        let gap = (oldest > first).then(|| self.gap(first, oldest.plus_ms(-self.interval_ms)));
        Plan { gap, due: Some(first.max(oldest)), wake }
    }

    /// The gap of all instants from `first` to `last`.
    #[must_use]
    pub fn gap(&self, first: Instant, last: Instant) -> Gap {
        let count = (last.0 - first.0) / self.interval_ms + 1;
        Gap { first, last, count: u64::try_from(count).unwrap_or_default() }
    }

    fn aligned(&self, instant: Instant) -> Instant {
        Instant(instant.0.div_euclid(self.interval_ms).saturating_mul(self.interval_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn at(minutes: i64) -> Instant {
        Instant(minutes * MINUTE)
    }

    #[test]
    fn instants_are_aligned_to_the_clock_whenever_one_starts() {
        let schedule = Schedule::new(5 * MINUTE, 30_000, 0).unwrap();
        for (now_ms, newest) in [(30_000, 0), (5 * MINUTE, 0), (5 * MINUTE + 29_999, 0), (5 * MINUTE + 30_000, 5)] {
            let plan = schedule.plan(None, Instant(now_ms));
            assert_eq!(plan.due, Some(at(newest)), "{now_ms}");
            assert_eq!(plan.wake, at(newest + 5).plus_ms(30_000));
        }
        assert_eq!(schedule.plan(Some(at(5)), at(6)).due, None, "it is read");
        assert_eq!(schedule.plan(Some(at(50)), at(6)).due, None, "the clock was set back");
    }

    #[test]
    fn what_is_out_of_reach_is_a_gap_and_the_rest_is_due_oldest_first() {
        let live = Schedule::new(5 * MINUTE, 0, 0).unwrap();
        let plan = live.plan(Some(at(0)), at(21));
        assert_eq!(plan.due, Some(at(20)));
        assert_eq!(plan.gap, Some(Gap { first: at(5), last: at(15), count: 3 }));

        let reaching = Schedule::new(5 * MINUTE, 0, 12 * MINUTE).unwrap();
        let plan = reaching.plan(Some(at(0)), at(21));
        assert_eq!(plan.due, Some(at(10)), "8 min is within 12, rounded to whole instants");
        assert_eq!(plan.gap, Some(Gap { first: at(5), last: at(5), count: 1 }));
        let plan = reaching.plan(Some(at(10)), at(21));
        assert_eq!((plan.due, plan.gap), (Some(at(15)), None));
    }

    #[test]
    fn an_array_that_does_not_answer_from_the_first_instant_on_misses_it() {
        let reaching = Schedule::new(5 * MINUTE, 0, 60 * MINUTE).unwrap();
        let first = reaching.plan(None, at(6)).due.unwrap();
        let plan = reaching.plan(Some(reaching.before(first)), at(21));
        assert_eq!((plan.due, plan.gap), (Some(at(5)), None), "it is made up for");
        let live = Schedule::new(5 * MINUTE, 0, 0).unwrap();
        assert_eq!(live.plan(Some(live.before(first)), at(6)).gap, None);
        let plan = live.plan(Some(live.before(first)), at(21));
        assert_eq!(plan.due, Some(at(20)));
        assert_eq!(plan.gap, Some(Gap { first: at(5), last: at(15), count: 3 }));
    }

    #[test]
    fn another_interval_goes_on_where_the_old_one_was() {
        let hourly = Schedule::new(60 * MINUTE, 0, 0).unwrap();
        assert_eq!(hourly.plan(Some(at(65)), at(119)).due, None, "01:00 is before 01:05");
        assert_eq!(hourly.plan(Some(at(65)), at(121)).due, Some(at(120)));
    }

    #[test]
    fn an_interval_is_a_whole_part_of_an_hour() {
        for (ms, taken) in [(0, false), (1000, true), (7 * MINUTE, false), (HOUR_MS, true), (2 * HOUR_MS, false)] {
            assert_eq!(Schedule::new(ms, 0, 0).is_some(), taken, "{ms}");
        }
    }
}
