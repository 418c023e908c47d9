//! The identity set at 30 million identities: bytes each, and the greatest pause that one call makes, while it grows, while it
//! forgets as much as it takes in, and after a leap of log time.

use std::hint::black_box;
use std::time::Instant as Moment;

use plimsoll::core::ledger::identity_set::{IdentitySet, Seen, remembered_until};
use plimsoll::core::word::Instant;

use crate::row;

/// Accepted in a window of 40 days: an array that is polled every five minutes has 11,520 of them, so 2,600 arrays in one partition.
const IDENTITIES: u64 = 30_000_000;
const WINDOW_MS: i64 = 40 * 86_400_000;

/// What calls took: in all, and the longest of them by the clock on the wall and by the thread's own.
#[derive(Default)]
struct Taken {
    calls: u64,
    wall_ns: u128,
    longest_wall_ns: u128,
    own_ns: u64,
    longest_own_ns: u64,
}

fn own_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec of this function's own.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Bytes of this process in memory.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}

impl Taken {
    /// Meets and sweeps, as the judge does for each record.
    fn record(&mut self, set: &mut IdentitySet, number: u64, log_time: i64) -> Seen {
        let identity = xxhash_rust::xxh3::xxh3_128(&number.to_le_bytes());
        let until = remembered_until(Instant(log_time), Instant(log_time), WINDOW_MS);
        let (own, started) = (own_ns(), Moment::now());
        set.sweep(Instant(log_time));
        let seen = set.meet(identity, number, Instant(log_time), Some(until));
        let (wall, own) = (started.elapsed().as_nanos(), own_ns() - own);
        self.calls += 1;
        self.wall_ns += wall;
        self.longest_wall_ns = self.longest_wall_ns.max(wall);
        self.own_ns += own;
        self.longest_own_ns = self.longest_own_ns.max(own);
        seen
    }

    fn show(&self, what: &str) {
        row(&format!("{what}: a record, on the wall"), self.wall_ns as f64 / self.calls as f64, "ns", None);
        row(&format!("{what}: a record, of the thread"), self.own_ns as f64 / self.calls as f64, "ns", None);
        row(&format!("{what}: the longest, on the wall"), self.longest_wall_ns as f64 / 1e6, "ms", None);
        row(&format!("{what}: the longest, of the thread"), self.longest_own_ns as f64 / 1e6, "ms", None);
    }
}

/// Prints the figures.
pub fn measure() {
    println!("\nidentities of one partition");
    let count: u64 = std::env::var("PLIMSOLL_BENCH_IDENTITIES").map_or(IDENTITIES, |text| text.parse().unwrap());
    let spacing = WINDOW_MS as f64 / count as f64;
    let log_time = |number: u64| (number as f64 * spacing) as i64;
    let before = resident();
    let mut set = IdentitySet::default();
    let mut growing = Taken::default();
    let (mut most_resident, mut most_own) = (0.0f64, 0.0f64);
    for number in 0..count {
        assert_eq!(growing.record(&mut set, number, log_time(number)), Seen::Never);
        if number > count / 2 && number.is_multiple_of(250_000) {
            most_resident = most_resident.max((resident() - before) / set.len() as f64);
            most_own = most_own.max(set.bytes() as f64 / set.len() as f64);
        }
    }
    let held = set.len() as f64;
    row("identities", held, "", None);
    row("bytes an identity, by its own account", set.bytes() as f64 / held, "bytes", None);
    row("bytes an identity, resident", (resident() - before) / held, "bytes", None);
    row("... at most, from half of them on: own account", most_own, "bytes", None);
    row("... at most, from half of them on: resident", most_resident, "bytes", None);
    growing.show("growing");
    let mut seen = Taken::default();
    for number in (0..count).step_by(31) {
        assert_eq!(seen.record(&mut set, number, log_time(count - 1)), Seen::Same);
    }
    seen.show("known already");
    let mut steady = Taken::default();
    for number in count..count + count / 4 {
        steady.record(&mut set, number, log_time(number));
    }
    steady.show("forgetting as much");
    row("bytes an identity then, resident", (resident() - before) / set.len() as f64, "bytes", None);
    let mut leap = Taken::default();
    for number in 0..600 {
        // two months later; one table is swept a record
        let log_time = 3 * WINDOW_MS + number as i64 * 90_000;
        leap.record(&mut set, 2 * count + number, log_time);
    }
    leap.show("after a leap of months");
    row("bytes left then", set.bytes() as f64, "bytes", None);
    black_box(set);
}
