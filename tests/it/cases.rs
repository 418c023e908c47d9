//! Random cases, on all cores; a failure names its seed.
//!
//! `make soak` sets `PLIMSOLL_CASES`, the comparisons of quotes; the other checks scale with it, and what is done is shown.
//! `PLIMSOLL_SEED` is the first seed: 0 without it, so that `make test` is the same each time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant as Moment};

use indicatif::{ProgressBar, ProgressStyle};

/// Comparisons of one `make test`.
pub const PLAIN: u64 = 2_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a whole number"))
}

/// Whether this is a soak, or the repetition of one case of it.
pub fn is_soak() -> bool {
    number("PLIMSOLL_CASES").is_some()
}

/// Checks many cases, each with a random sequence of its own: `plain` of them, in a soak as many more as there are more comparisons.
pub fn check(name: &str, plain: u64, case: impl Fn(u64) + Sync) {
    let soak = number("PLIMSOLL_CASES");
    let count = soak.map_or(plain, |cases| plain * cases / PLAIN).max(1);
    let first = number("PLIMSOLL_SEED").unwrap_or(0);
    let progress = Progress::new(name, count, soak.is_some());
    let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    let work = || {
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                break;
            }
            let seed = first.wrapping_add(number);
            if catch_unwind(AssertUnwindSafe(|| case(seed))).is_err() {
                failed.store(true, Ordering::Relaxed);
                eprintln!(
                    "{name}: seed {seed} failed; alone: PLIMSOLL_SEED={seed} PLIMSOLL_CASES=1 cargo test --test it"
                );
            }
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        while !workers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            progress.show(next.load(Ordering::Relaxed).min(count));
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    progress.bar.finish_and_clear();
    assert!(!failed.into_inner(), "{name}: see the seed above");
    progress.end();
}

/// A bar on a terminal, lines of the log otherwise; nothing outside of a soak.
struct Progress {
    name: String,
    count: u64,
    soak: bool,
    bar: ProgressBar,
    started: Moment,
    said: std::cell::Cell<Moment>,
}

impl Progress {
    fn new(name: &str, count: u64, soak: bool) -> Self {
        let bar = if soak { ProgressBar::new(count) } else { ProgressBar::hidden() };
        bar.set_style(ProgressStyle::with_template("{msg:44} {bar:30} {pos}/{len}  {per_sec}  {eta}").unwrap());
        bar.set_message(name.to_owned());
        let now = Moment::now();
        Self { name: name.to_owned(), count, soak, bar, started: now, said: std::cell::Cell::new(now) }
    }

    fn show(&self, done: u64) {
        self.bar.set_position(done);
        if self.soak && self.bar.is_hidden() && self.said.get().elapsed() > Duration::from_secs(10) {
            self.said.set(Moment::now());
            eprintln!("{}: {done} of {}", self.name, self.count);
        }
    }

    fn end(&self) {
        if self.soak {
            eprintln!("{}: {} cases in {:.0} s", self.name, self.count, self.started.elapsed().as_secs_f64());
        }
    }
}
