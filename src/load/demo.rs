//! The demo's month: 5-minute polls of the fleet with growth and a daily rhythm, and everything that goes wrong in a real one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::LoadEvent;
use super::fleet::{DemoArray, RESOURCES, fleet};
use super::random::hash;
use crate::core::word::Instant;

/// Between two polls, in milliseconds.
pub const POLL_MS: i64 = 300_000;
const DAY_POLLS: u64 = 288;
/// The array that falls silent, and after how many days.
const SILENT: (&str, u64) = ("fc-bgo1-fb-04", 24);

/// What was put into the month, by what has to become of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events that are accepted.
    pub accepted: u64,
    /// Events sent a second time.
    pub duplicate: u64,
    /// Events that nobody can use.
    pub quarantined: u64,
    /// Readings of the accepted.
    pub readings: u64,
    /// Accepted events that come after younger ones of their array.
    pub out_of_order: u64,
}

/// The month from `start` to `end`.
#[derive(Clone, Debug)]
pub struct DemoMonth {
    arrays: Vec<DemoArray>,
    start: Instant,
    polls: u64,
    seed: u64,
}

impl DemoMonth {
    /// The same for the same bounds and seed.
    #[must_use]
    pub fn new(start: Instant, end: Instant, seed: u64) -> Self {
        Self { arrays: fleet(), start, polls: u64::try_from((end.0 - start.0) / POLL_MS).unwrap_or(0), seed }
    }

    /// How many events there are about, for progress.
    #[must_use]
    pub fn expected_events(&self) -> u64 {
        self.polls * self.arrays.len() as u64
    }

    /// Produces the month, in the order of arrival, and says what was in it.
    ///
    /// # Errors
    /// What `send` says.
    pub fn produce<E>(&self, mut send: impl FnMut(LoadEvent) -> Result<(), E>) -> Result<Summary, E> {
        let mut summary = Summary::default();
        let mut later: BTreeMap<u64, Vec<LoadEvent>> = BTreeMap::new();
        for poll in 0..self.polls {
            for event in later.remove(&poll).unwrap_or_default() {
                send(event)?;
            }
            for (number, array) in self.arrays.iter().enumerate() {
                if array.name == SILENT.0 && poll >= SILENT.1 * DAY_POLLS {
                    continue;
                }
                let event = self.event(array, number as u64, poll);
                summary.accepted += 1;
                summary.readings += u64::from(event.readings);
                let luck = hash(self.seed, number as u64, poll) % 1000;
                if luck < 3 {
                    summary.duplicate += 1;
                    later.entry((poll + 1 + luck * 7).min(self.polls - 1)).or_default().push(event.clone());
                }
                // most stragglers are minutes late, a few are hours late
                let delay = match luck {
                    990..=998 => 1 + luck % 4,
                    999 => 40,
                    _ => 0,
                };
                match later.entry(poll + delay) {
                    entry if delay > 0 && poll + delay < self.polls => {
                        summary.out_of_order += 1;
                        entry.or_default().push(event);
                    }
                    _ => send(event)?,
                }
            }
            if poll == self.polls / 2 {
                for event in self.broken(poll) {
                    summary.quarantined += 1;
                    send(event)?;
                }
            }
        }
        for event in later.into_values().flatten() {
            send(event)?;
        }
        Ok(summary)
    }

    /// One of each kind of event that cannot be used: undecodable, a broken value, other content under a used id, from the future.
    fn broken(&self, poll: u64) -> Vec<LoadEvent> {
        let array = &self.arrays[0];
        let good = self.event(array, 0, poll);
        let text = String::from_utf8_lossy(&good.value).into_owned();
        let change = |from: &str, to: &str| text.replacen(from, to, 1).into_bytes();
        let time = self.time(poll);
        let values = [
            b"{\"specversion\":\"1.0\",\"id\":\"torn".to_vec(),
            change("\"value\":", "\"value\":1.5,\"was\":"),
            change("\"value\":", "\"value\":9"),
            change(&format!("\"time\":\"{time}\""), "\"time\":\"2099-01-01T00:00:00Z\"").into_iter().collect(),
        ];
        let mut broken: Vec<LoadEvent> = Vec::new();
        for (number, value) in values.into_iter().enumerate() {
            // the one from the future has an id of its own, or it would be the conflict once more
            let value = match number {
                3 => String::from_utf8_lossy(&value).replacen("\"id\":\"", "\"id\":\"future/", 1).into_bytes(),
                _ => value,
            };
            broken.push(LoadEvent { key: array.id.clone(), value, readings: 0 });
        }
        broken
    }

    fn time(&self, poll: u64) -> String {
        self.start.plus_ms(poll as i64 * POLL_MS).rfc3339()
    }

    /// What one poll of an array gives: 2 readings of the array and 2 of each resource.
    fn event(&self, array: &DemoArray, number: u64, poll: u64) -> LoadEvent {
        let time = self.time(poll);
        let late = poll >= self.polls / 2;
        let mut text = String::with_capacity(8192);
        let (id, name, provider, site, tier) = (&array.id, array.name, array.provider, array.site, array.tier());
        let levels: Vec<u64> =
            (0..RESOURCES).map(|resource| self.level(array, number, resource as u64, poll)).collect();
        // metadata and what is on its way out: the array always holds a little more than its resources
        let used = levels.iter().sum::<u64>() + array.used / 40;
        let _ = write!(
            text,
            "{{\"specversion\":\"1.0\",\"id\":\"{id}/{time}\",\"source\":\"urn:plimsoll:array:{id}\",\"type\":\"dev.plimsoll.usage.v1\",\
             \"time\":\"{time}\",\"data\":{{\"provider\":\"{provider}\",\"array\":{{\"id\":\"{id}\",\"name\":\"{name}\",\"site\":\"{site}\"}},\
             \"readings\":[{{\"resource\":\"{id}\",\"kind\":\"array\",\"name\":\"{name}\",\"tier\":\"{tier}\",\"meter\":\"effective_used\",\
             \"value\":{used}}},{{\"resource\":\"{id}\",\"kind\":\"array\",\"name\":\"{name}\",\"meter\":\"installed\",\"value\":{}}}",
            array.used * 2
        );
        for (resource, level) in levels.iter().enumerate() {
            let kind = array.kind();
            let customer = array.customer(resource, late);
            let customer = customer.map_or(String::new(), |tag| format!("\"customer\":\"{tag}\","));
            let head = format!(
                "{{\"resource\":\"{name}-{kind}-{resource:02}\",\"kind\":\"{kind}\",{customer}\"tier\":\"{tier}\",\"meter\":"
            );
            let read = self.read_bytes(number, resource as u64, poll);
            let _ = write!(
                text,
                ",{head}\"effective_used\",\"value\":{level}}},{head}\"read_bytes\",\"value\":\"{read}\"}}"
            );
        }
        text.push_str("]}}");
        LoadEvent { key: id.clone(), value: text.into_bytes(), readings: 2 + 2 * RESOURCES as u32 }
    }

    /// Bytes on a resource: its share of the array, growing by a tenth over the month, with a daily rhythm and a little noise. In
    /// the last week a quarter more, as at a quarter's end: days above a commitment.
    fn level(&self, array: &DemoArray, number: u64, resource: u64, poll: u64) -> u64 {
        let share = array.used / (RESOURCES as u64 + 1) / 1000;
        let size = 700 + hash(self.seed, number, resource) % 600;
        let growth = 100 * poll / self.polls.max(1);
        let hour = poll % DAY_POLLS * 24 / DAY_POLLS;
        let rhythm =
            [0, 0, 0, 2, 4, 6, 10, 16, 22, 26, 30, 32, 30, 32, 34, 32, 28, 24, 18, 12, 8, 4, 2, 0][hour as usize];
        let noise = hash(self.seed ^ 7, number * 100 + resource, poll / 6) % 8;
        let busy = if poll > self.polls * 3 / 4 { 150 } else { 0 };
        share * size * (1000 + growth + rhythm + noise + busy) / 1000
    }

    /// A counter of bytes read; that of resource 5 of the first array begins again in the middle of the month.
    fn read_bytes(&self, number: u64, resource: u64, poll: u64) -> u64 {
        let rate = 40_000_000 + hash(self.seed, number + 1000, resource) % 60_000_000;
        let since = match (number, resource) {
            (0, 5) if poll >= self.polls / 2 => poll - self.polls / 2,
            _ => poll + 100_000,
        };
        since * rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::event::{Limits, RawRecord, decode};
    use crate::core::word::{Kind, Reason};

    fn month() -> DemoMonth {
        DemoMonth::new(Instant(1_790_812_800_000), Instant(1_790_812_800_000 + 3 * 86_400_000), 1)
    }

    #[test]
    fn a_month_is_a_function_of_its_seed_and_every_good_event_decodes() {
        let mut events = Vec::new();
        let keep = |event, into: &mut Vec<LoadEvent>| {
            into.push(event);
            Ok::<(), ()>(())
        };
        let summary = month().produce(|event| keep(event, &mut events)).unwrap();
        let mut again = Vec::new();
        month().produce(|event| keep(event, &mut again)).unwrap();
        assert!(events == again);
        assert_eq!(summary.accepted + summary.duplicate + summary.quarantined, events.len() as u64);
        let mut reasons = Vec::new();
        for event in &events {
            let record = RawRecord { key: Some(event.key.as_bytes()), headers: &[], value: &event.value };
            match decode(&record, &Limits::default()) {
                Ok(decoded) => {
                    let sum = |kind| {
                        let of_kind = decoded
                            .readings
                            .iter()
                            .filter(|r| (r.kind == Kind::Array) == kind && r.meter == "effective_used");
                        of_kind.map(|r| r.value).sum::<u64>()
                    };
                    assert!(sum(false) <= sum(true), "resources hold more than their array");
                }
                Err(refusal) => reasons.push(refusal.reason),
            }
        }
        assert_eq!(reasons, [Reason::Undecodable, Reason::Value]);
    }
}
