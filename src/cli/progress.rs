//! How far two ratings of many contracts and periods are.

use std::time::{Duration, Instant as Moment};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two lines of progress where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// A bar on a terminal, lines of the log otherwise.
pub(super) struct Progress {
    bar: ProgressBar,
    of: usize,
    done: usize,
    said: Moment,
}

impl Progress {
    /// Begins with nothing of `of` done.
    pub(super) fn new(of: usize) -> Self {
        let bar = ProgressBar::new(of as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} contract periods  {eta}  {msg}") {
            bar.set_style(style);
        }
        Self { bar, of, done: 0, said: Moment::now() }
    }

    /// Prints something: the bar makes way for it.
    pub(super) fn print<T>(&self, work: impl FnOnce() -> T) -> T {
        self.bar.suspend(work)
    }

    /// One more is done.
    pub(super) fn step(&mut self, contract: &str, label: &str) {
        self.done += 1;
        self.bar.set_message(format!("{label} {contract}"));
        self.bar.inc(1);
        if self.bar.is_hidden() && self.said.elapsed() >= SAY_EVERY {
            tracing::info!(done = self.done, of = self.of, period = label, "rated under two books");
            self.said = Moment::now();
        }
    }
}

impl Drop for Progress {
    /// An error is to be read, not overwritten by the bar.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
