//! The plain load: arrays polled in turn, for measurements and tests.

use std::sync::Arc;

use super::envelope::{ArrayLabel, Envelope, ReadingLabel, readings_template};
use super::random::{mix_all, uuid};
use super::record::{Mode, UsageRecord};
use crate::core::word::{Instant, Kind};

/// How long after its poll the collector records an event.
const RECORDED_AFTER_MS: i64 = 41_000;
/// Bytes in a GiB.
const GIB: u64 = 1 << 30;
/// A counter grows by a thousandth of its base in about so many milliseconds.
const COUNTED_EVERY_MS: u64 = 300_000;
/// Tenants whose tags the volumes carry in turn.
const TENANTS: [&str; 7] = ["acme", "globex", "initech", "hooli", "umbrella", "stark", "wayne"];

/// What a plain load consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainPlan {
    /// How many events.
    pub events: u64,
    /// Readings in each.
    pub readings: u32,
    /// How many arrays take turns.
    pub arrays: u32,
    /// Who runs them.
    pub provider: String,
    /// Another seed gives other arrays and values.
    pub seed: u64,
    /// When the first poll of each array was.
    pub start: Instant,
    /// From one poll of an array to the next, in milliseconds.
    pub step_ms: i64,
    /// How records carry their events.
    pub mode: Mode,
}

impl PlainPlan {
    /// How often each array is polled.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.events.div_ceil(u64::from(self.arrays.max(1)))
    }

    /// When the last poll is.
    #[must_use]
    pub fn last(&self) -> Instant {
        self.start.plus_ms(self.step_ms.saturating_mul(self.polls().saturating_sub(1) as i64))
    }

    /// The start that makes the last poll the newest full step before `now`.
    #[must_use]
    pub fn start_to_end_at(&self, now: Instant) -> Instant {
        let last = now.0.div_euclid(self.step_ms) * self.step_ms;
        Instant(last).plus_ms(-self.step_ms.saturating_mul(self.polls().saturating_sub(1) as i64))
    }
}

/// The events of a plan, in order of time. Of the readings every even one is a volume's `effective_used` (gauge), every odd one
/// the `read_bytes` (counter) of the same volume.
#[derive(Clone, Debug)]
pub struct PlainLoad {
    plan: PlainPlan,
    envelopes: Vec<Envelope>,
    /// Where each reading starts: a size for gauges, a speed for counters.
    bases: Vec<u64>,
    next: u64,
}

impl PlainLoad {
    /// Prepares the texts of all arrays.
    #[must_use]
    pub fn new(plan: PlainPlan) -> Self {
        let readings = Arc::new(readings(plan.readings));
        let envelope = |array: u32| {
            let label = ArrayLabel {
                provider: &plan.provider,
                id: &uuid(&[plan.seed, u64::from(array)]),
                name: &format!("load-{array:05}"),
                site: "HAM1",
            };
            Envelope::new(plan.mode, &label, Arc::clone(&readings))
        };
        let envelopes = (0..plan.arrays.max(1)).map(envelope).collect();
        let base = |reading: u32| GIB + mix_all(&[plan.seed, 1, u64::from(reading)]) % (1000 * GIB);
        let bases = (0..plan.readings).map(base).collect();
        Self { plan, envelopes, bases, next: 0 }
    }

    /// What a reading's value is at an instant, whichever run it belongs to: gauges wander by a thousandth, counters only rise.
    fn value(base: u64, reading: usize, at: Instant, noise: u64) -> u64 {
        let spread = base >> 10;
        let wander = noise.wrapping_mul(2 * reading as u64 + 1);
        match reading % 2 {
            0 => base + wander % spread,
            // less than it grows by in a millisecond
            _ => at.0.max(0) as u64 * (spread / COUNTED_EVERY_MS) + wander % (spread / COUNTED_EVERY_MS),
        }
    }
}

/// The readings' texts: volumes that several tenants own.
fn readings(count: u32) -> super::template::Template {
    let names: Vec<(String, String)> =
        (0..count.div_ceil(2)).map(|volume| (format!("vol-{volume:08x}"), format!("data-{volume}"))).collect();
    let label = |reading: u32| {
        let volume = reading as usize / 2;
        ReadingLabel {
            kind: Kind::Volume,
            resource: &names[volume].0,
            name: &names[volume].1,
            customer: Some(TENANTS[volume % TENANTS.len()]),
            tier: Some("//Block - Premium"),
            meter: if reading.is_multiple_of(2) { "effective_used" } else { "read_bytes" },
            quoted: false,
        }
    };
    readings_template(&(0..count).map(label).collect::<Vec<_>>())
}

impl Iterator for PlainLoad {
    type Item = UsageRecord;

    fn next(&mut self) -> Option<UsageRecord> {
        if self.next >= self.plan.events {
            return None;
        }
        let arrays = self.envelopes.len() as u64;
        let (array, poll) = (self.next % arrays, self.next / arrays);
        let time = self.plan.start.plus_ms(self.plan.step_ms.saturating_mul(poll as i64));
        let noise = mix_all(&[self.plan.seed, 2, array, time.0 as u64]) >> 8;
        let values = self.bases.iter().enumerate();
        let values = values.map(|(reading, base)| Self::value(*base, reading, time, noise));
        self.next += 1;
        Some(self.envelopes[array as usize].record(time, time.plus_ms(RECORDED_AFTER_MS), values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::{Limits, decode};

    fn plan(mode: Mode) -> PlainPlan {
        let start = Instant(1_790_812_800_000);
        PlainPlan {
            events: 100,
            readings: 5,
            arrays: 7,
            provider: "north \"wind\"".to_owned(),
            seed: 1,
            start,
            step_ms: 300_000,
            mode,
        }
    }

    #[test]
    fn every_event_decodes_and_counters_rise() {
        for mode in [Mode::Structured, Mode::Binary] {
            let mut counters = std::collections::BTreeMap::new();
            let mut count = 0;
            for record in PlainLoad::new(plan(mode)) {
                record.with_raw(|raw| {
                    let event = decode(raw, &Limits::default()).unwrap();
                    assert_eq!(event.provider, "north \"wind\"");
                    assert_eq!(raw.key, Some(event.array.as_bytes()));
                    assert_eq!(event.readings.len(), 5);
                    let before = counters.insert(event.array.to_string(), event.readings[1].value);
                    assert!(before.is_none_or(|before| before < event.readings[1].value));
                });
                count += 1;
            }
            assert_eq!((count, counters.len()), (100, 7));
        }
    }

    #[test]
    fn is_the_same_again_and_ends_at_the_newest_step() {
        let plan = plan(Mode::Structured);
        assert!(PlainLoad::new(plan.clone()).eq(PlainLoad::new(plan.clone())));
        // a run that begins later says the same of the instants that both have
        let later = PlainPlan { start: plan.start.plus_ms(2 * plan.step_ms), events: plan.events - 14, ..plan.clone() };
        assert!(PlainLoad::new(later).eq(PlainLoad::new(plan.clone()).skip(14)));
        let now = Instant(1_791_000_123_456);
        let ended = PlainPlan { start: plan.start_to_end_at(now), ..plan };
        assert!(ended.last() <= now && ended.last().plus_ms(ended.step_ms) > now);
    }
}
