//! The records of one cycle: a function of seed and cycle. Polls of some arrays over some hours, out of order by minutes, hours and
//! cycles, some twice, some corrected, some contradicting themselves, and what is late, in the future or no usage at all.

use std::collections::BTreeMap;

use super::event::{FLAWS, Poll, Reading, Sent, array_name};
use super::luck::at;

/// Arrays that report.
pub const ARRAYS: u64 = 8;
/// Polls of each of them in a cycle.
pub const POLLS: u64 = 36;
/// Cycles by which a poll may be late at most.
const DELAY_CYCLES: u64 = 8;
/// The whole run lies in one month: days that it may fill.
const DAYS: i64 = 27;
/// All instants are multiples of it, so that a walk in such steps misses no edge.
pub const TICK_S: i64 = 10;

/// Where all slices of a run come from.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    seed: u64,
    /// The first instant: a month's beginning.
    pub start_s: i64,
    step_s: i64,
}

/// A poll with its place in the order of sending: (cycle, minutes within it).
type Placed = (u64, i64, Sent);

impl Source {
    /// The polls of `cycles` cycles from an instant on: five minutes apart, or less if so many would not fit into a month.
    pub fn new(seed: u64, start_s: i64, cycles: u64) -> Self {
        let fitting_s = DAYS * 86_400 / i64::try_from(cycles * POLLS).unwrap();
        let step_s = (fitting_s / TICK_S * TICK_S).min(300);
        assert!(step_s >= TICK_S, "{cycles} cycles do not fit into a month");
        Self { seed, start_s, step_s }
    }

    /// What is sent in a cycle, in order; polls are made larger by `padding` bytes.
    pub fn slice(&self, cycle: u64, padding: usize) -> Vec<Sent> {
        let first = cycle.saturating_sub(DELAY_CYCLES);
        let mut placed: BTreeMap<(i64, u64), Sent> = BTreeMap::new();
        for origin in first..=cycle {
            for (due, place, sent) in self.polls_of(origin, padding).into_iter().filter(|(due, ..)| *due == cycle) {
                assert!(due <= origin + DELAY_CYCLES);
                placed.insert((place, placed.len() as u64), sent);
            }
        }
        placed.into_values().collect()
    }

    fn polls_of(&self, cycle: u64, padding: usize) -> Vec<Placed> {
        let mut all = Vec::new();
        for poll in 0..POLLS {
            for array in 0..ARRAYS {
                self.poll(cycle, poll, array, padding, &mut all);
            }
        }
        all
    }

    /// One poll, and what comes with it.
    fn poll(&self, cycle: u64, number: u64, array: u64, padding: usize, all: &mut Vec<Placed>) {
        let luck = |what: u64| at(&[self.seed, cycle, number, array, what]);
        if luck(0).is_multiple_of(97) {
            return; // it was missed
        }
        let poll = self.read(cycle, number, array);
        let place = i64::try_from(number).unwrap();
        let (due, place) = match luck(1) % 100 {
            0..3 => (cycle, place + 5),
            3 => (cycle, place + 30),
            4 => (cycle + 1 + luck(2) % DELAY_CYCLES, place),
            _ => (cycle, place),
        };
        let sent = poll.clone().sent(padding);
        match luck(3) % 80 {
            0 | 1 => all.push((due, place + 3, sent.clone())),
            2 => all.push((due.max(cycle + DELAY_CYCLES / 2), place, sent.clone())),
            3 => all.push((due, place + 4, changed(&poll, poll.id.clone(), None).sent(0))),
            4 => all.push((due, place + 4, changed(&poll, format!("{}-again", poll.id), None).sent(0))),
            5 => {
                // of equal instants the later recorded counts, though it comes first
                let recorded = Some(poll.time_s + 40);
                all.push((due, place - 1, changed(&poll, format!("{}-recorded", poll.id), recorded).sent(0)));
            }
            6 => all.push((due, place, poll.flawed(luck(4) % FLAWS))),
            7 => all.push((due, place, moved(&poll, -200 * 86_400).sent(0))),
            8 => all.push((due, place, moved(&poll, 3650 * 86_400).sent(0))),
            _ => {}
        }
        all.push((due, place, sent));
    }

    /// What an array says at an instant.
    fn read(&self, cycle: u64, number: u64, array: u64) -> Poll {
        let luck = |what: u64| at(&[self.seed, cycle, number, array, 100 + what]);
        let polls = cycle * POLLS + number;
        let time_s = self.start_s + i64::try_from(polls).unwrap() * self.step_s;
        let reading = |kind, resource: &str, customer, meter, value| Reading {
            kind,
            resource: resource.to_owned(),
            customer,
            meter,
            value,
        };
        // a volume goes from one customer to the other and to nobody, for hours at a time
        let owner = |volume: u64| {
            [Some("acme"), Some("globex"), None][(at(&[self.seed, array, volume, polls / 30]) % 3) as usize]
        };
        // a counter grows, and starts again from nothing twice in a cycle
        let counted = (polls % 18 + 1) * (1 << 30) + luck(0) % (1 << 29);
        let mut readings = vec![
            reading("array", &array_name(array), None, "used", luck(1) % (1 << 45)),
            reading("volume", "v1", owner(1), "used", luck(2) % (1 << 43)),
            reading("volume", "v1", owner(1), "read", counted),
            reading("volume", "v1", owner(1), "written", luck(3) % (1 << 31)),
        ];
        if !luck(4).is_multiple_of(7) {
            readings.push(reading("volume", "v2", owner(2), "used", luck(5) % (1 << 44)));
        }
        Poll { array, id: format!("{cycle}-{number}"), time_s, recorded_s: None, readings }
    }
}

/// The same poll with other figures and, now and then, another owner.
fn changed(poll: &Poll, id: String, recorded_s: Option<i64>) -> Poll {
    let mut other = Poll { id, recorded_s, ..poll.clone() };
    for reading in &mut other.readings {
        reading.value = reading.value / 2 + 1;
        reading.customer = reading.customer.map(|_| "globex");
    }
    other
}

/// The same poll at another time, as an event of its own.
fn moved(poll: &Poll, by_s: i64) -> Poll {
    Poll { id: format!("{}-moved", poll.id), time_s: poll.time_s + by_s, ..poll.clone() }
}
