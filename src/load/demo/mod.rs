//! The month of the demo: what twelve arrays of two providers would have sent in a given time, with everything that goes wrong.
//!
//! A pure function of its arguments. The same volumes come in every month; the seed sways their values and the disorder.

pub mod curve;
pub mod disorder;
pub mod fleet;
pub mod poller;
pub mod resource;
pub mod summary;

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use self::curve::Curve;
use self::disorder::{POLL_MS, Way, once, way};
use self::fleet::FLEET;
use self::poller::{Poller, READINGS};
use super::record::UsageRecord;
use crate::core::word::{Disposition, Instant, Reason};

pub use self::summary::Summary;

/// The time that a broken clock shows: 2099-01-01T00:00:00Z.
const BROKEN_CLOCK: Instant = Instant(4_070_908_800_000);

/// When the polls were made that come too late for the close, per mille of the month: after the silence began.
const LATECOMERS: [u64; 3] = [900, 930, 960];

/// A record of the month and what is to become of it, given a stream that accepts the whole month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoEvent {
    /// Whose array it is, for those who keep a stream for each provider.
    pub provider: &'static str,
    /// What is sent.
    pub record: UsageRecord,
    /// What is to become of it.
    pub expected: Disposition,
}

/// The events of the month in the order in which they are produced.
pub struct DemoMonth {
    start: Instant,
    seed: u64,
    polls: u64,
    next_poll: u64,
    pollers: Vec<Poller>,
    /// Newest time given out, by array.
    newest: [Instant; FLEET.len()],
    waiting: BinaryHeap<Waiting>,
    queued: u64,
    summary: Summary,
}

/// An event on its way.
struct Waiting {
    due: Instant,
    sequence: u64,
    array: usize,
    time: Instant,
    event: DemoEvent,
}

impl DemoMonth {
    /// The month [start, end) with polls each 5 minutes from `start` on.
    #[must_use]
    pub fn new(start: Instant, end: Instant, seed: u64) -> Self {
        let curve = Curve::new(start, end);
        let polls = (end.0 - start.0).max(0).cast_unsigned().div_ceil(POLL_MS.cast_unsigned());
        let poller = |(array, model): (usize, &fleet::ArrayModel)| Poller::new(*model, array as u64, seed, curve);
        Self {
            start,
            seed,
            polls,
            next_poll: 0,
            pollers: FLEET.iter().enumerate().map(poller).collect(),
            newest: [Instant(i64::MIN); FLEET.len()],
            waiting: BinaryHeap::new(),
            queued: 0,
            summary: Summary::default(),
        }
    }

    /// Three polls of the array that fell silent, found on its disk after the month was closed.
    #[must_use]
    pub fn latecomers(&self) -> Vec<UsageRecord> {
        let array = once::SILENCE.0;
        let mut poller = self.pollers[array].clone();
        LATECOMERS.iter().map(|per_mille| poller.poll(self.time_of(self.at(*per_mille)))).collect()
    }

    /// How many events it will give in all, without making them.
    #[must_use]
    pub fn total(&self) -> u64 {
        let polled = |array: usize| if array == once::SILENCE.0 { self.at(once::SILENCE.1) } else { self.polls };
        let of = |array: usize| {
            let ways = (0..polled(array)).map(|poll| way(self.seed, array as u64, poll));
            polled(array) + ways.filter(|way| way.again_ms.is_some()).count() as u64
        };
        let odd = if self.polls == 0 { 0 } else { 4 };
        (0..FLEET.len()).map(of).sum::<u64>() + odd
    }

    /// What was given out so far; after the last event, the whole.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The poll at so many per mille of the month.
    fn at(&self, per_mille: u64) -> u64 {
        self.polls * per_mille / 1000
    }

    fn time_of(&self, poll: u64) -> Instant {
        self.start.plus_ms(poll as i64 * POLL_MS)
    }

    fn queue(&mut self, due: Instant, array: usize, time: Instant, record: UsageRecord, expected: Disposition) {
        let event = DemoEvent { provider: FLEET[array].label.provider, record, expected };
        self.waiting.push(Waiting { due, sequence: self.queued, array, time, event });
        self.queued += 1;
    }

    fn poll_all(&mut self) {
        let poll = self.next_poll;
        self.next_poll += 1;
        for array in 0..FLEET.len() {
            if (array, true) == (once::SILENCE.0, poll >= self.at(once::SILENCE.1)) {
                continue;
            }
            self.happen_before(array, poll);
            let now = self.time_of(poll);
            let record = self.pollers[array].poll(now);
            let Way { held_ms, again_ms } = way(self.seed, array as u64, poll);
            let due = now.plus_ms(held_ms);
            let copy = again_ms.map(|again_ms| (due.plus_ms(again_ms), record.clone()));
            self.queue(due, array, now, record, Disposition::Accepted);
            if let Some((due, record)) = copy {
                self.queue(due, array, now, record, Disposition::Duplicate);
            }
            self.happen_after(array, poll, due);
        }
    }

    /// What happens once and shows in all polls after it.
    fn happen_before(&mut self, array: usize, poll: u64) {
        let (changes, resource, tag, when) = once::TAG_CHANGES;
        if (array, poll) == (changes, self.at(when)) {
            self.pollers[array].change_tag(resource, tag);
        }
        let (resets, resource, when) = once::COUNTER_RESETS;
        if (array, poll) == (resets, self.at(when)) {
            self.pollers[array].reset_counter(resource);
        }
    }

    /// What happens once and shows in one more event: due somewhat later than the poll that it belongs to.
    fn happen_after(&mut self, array: usize, poll: u64, due: Instant) {
        let now = self.time_of(poll);
        let between = now.plus_ms(POLL_MS / 2);
        let is_now = |(of, when): (usize, u64)| (of, self.at(when)) == (array, poll);
        let happens = [once::HALF, once::FRACTION, once::CONTRADICTION, once::FUTURE].map(is_now);
        let [half, fraction, contradiction, future] = happens;
        let quarantined = Disposition::Quarantined;
        if half {
            let mut record = self.pollers[array].again_at(between);
            record.value.truncate(record.value.len() / 2);
            self.queue(due.plus_ms(MOMENT_MS), array, between, record, quarantined(Reason::Undecodable));
        }
        if fraction {
            let record = self.pollers[array].fraction_at(between);
            self.queue(due.plus_ms(MOMENT_MS), array, between, record, quarantined(Reason::Value));
        }
        if contradiction {
            let record = self.pollers[array].contradiction();
            self.queue(due.plus_ms(2 * POLL_MS), array, now, record, quarantined(Reason::Conflict));
        }
        if future {
            let record = self.pollers[array].again_at(BROKEN_CLOCK);
            self.queue(due.plus_ms(MOMENT_MS), array, BROKEN_CLOCK, record, quarantined(Reason::Future));
        }
    }

    fn give(&mut self, waiting: Waiting) -> DemoEvent {
        let Waiting { array, time, event, .. } = waiting;
        self.summary.note(event.expected, READINGS, event.record.bytes());
        if event.expected == Disposition::Accepted {
            self.summary.out_of_order += u64::from(time < self.newest[array]);
            self.newest[array] = self.newest[array].max(time);
        }
        event
    }
}

/// How long after its poll an odd event is sent.
const MOMENT_MS: i64 = 160_000;

impl Iterator for DemoMonth {
    type Item = DemoEvent;

    fn next(&mut self) -> Option<DemoEvent> {
        // nothing that a later poll makes is due before that poll
        while self.next_poll < self.polls
            && self.waiting.peek().is_none_or(|first| first.due >= self.time_of(self.next_poll))
        {
            self.poll_all();
        }
        let first = self.waiting.pop()?;
        Some(self.give(first))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    /// The greatest is due first, since the heap gives the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.sequence).cmp(&(self.due, self.sequence))
    }
}
