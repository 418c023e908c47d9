//! How much of the ledger has been metered again.

use std::sync::Mutex;
use std::time::{Duration, Instant as Moment};

use indicatif::ProgressBar;

use crate::load::rate;
use crate::prove::Effort;

/// Between two lines of progress where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// A spinner on a terminal, lines of the log otherwise.
pub(super) struct MeterBar {
    bar: ProgressBar,
    said: Mutex<Moment>,
}

impl MeterBar {
    /// Begins with nothing.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Some(style) = rate::style("{spinner} metered again: {pos} readings ({rate}) {msg}") {
            bar.set_style(style);
        }
        Self { bar, said: Mutex::new(Moment::now()) }
    }

    /// Prints something: the bar makes way for it.
    pub(super) fn print<T>(&self, work: impl FnOnce() -> T) -> T {
        self.bar.suspend(work)
    }

    /// So much is done.
    pub(super) fn metered(&self, effort: Effort) {
        self.bar.set_position(effort.readings);
        self.bar.set_message(format!("of {} events", effort.events));
        let Ok(mut said) = self.said.lock() else { return };
        if self.bar.is_hidden() && said.elapsed() >= SAY_EVERY {
            tracing::info!(events = effort.events, readings = effort.readings, "metered again");
            *said = Moment::now();
        }
    }
}

impl Drop for MeterBar {
    /// What is printed then is to be read, not overwritten.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
