//! How far an export is.

use std::cell::Cell;
use std::time::{Duration, Instant as Moment};

use indicatif::{ProgressBar, ProgressStyle};

use crate::export::Progress;

/// Between two lines of progress where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// A bar on a terminal, lines of the log otherwise.
pub(super) struct Bar {
    bar: ProgressBar,
    said: Cell<Moment>,
}

impl Bar {
    /// Begins with nothing.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} documents  {eta}  {msg} rows") {
            bar.set_style(style);
        }
        Self { bar, said: Cell::new(Moment::now()) }
    }

    /// So much is written.
    pub(super) fn written(&self, Progress { documents, of, rows }: Progress) {
        self.bar.set_length(of);
        self.bar.set_position(documents);
        if !self.bar.is_hidden() {
            self.bar.set_message(rows.to_string());
        } else if self.said.get().elapsed() >= SAY_EVERY {
            tracing::info!(documents, of, rows, "exported");
            self.said.set(Moment::now());
        }
    }
}

impl Drop for Bar {
    /// What is printed then is to be read, not overwritten.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
