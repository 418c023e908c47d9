//! What a person sees while the parts start: a spinner on a terminal, lines elsewhere, nothing in tests.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::ProgressBar;

/// Where progress goes.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Nowhere.
    Silent,
    /// To standard error, line by line.
    Lines,
    /// To a spinner on standard error.
    Spinner(ProgressBar),
}

impl Progress {
    /// A spinner if a person is watching, lines if not.
    #[must_use]
    pub fn for_terminal() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines;
        }
        let spinner = ProgressBar::new_spinner();
        spinner.enable_steady_tick(Duration::from_millis(100));
        Self::Spinner(spinner)
    }

    /// Says what is being done.
    pub fn say(&self, text: impl Into<String>) {
        match self {
            Self::Silent => {}
            Self::Lines => eprintln!("dev: {}", text.into()),
            Self::Spinner(spinner) => spinner.set_message(text.into()),
        }
    }

    /// Takes the spinner away, so that others can write.
    pub fn pause<T>(&self, work: impl FnOnce() -> T) -> T {
        match self {
            Self::Spinner(spinner) => spinner.suspend(work),
            _ => work(),
        }
    }

    /// Ends it.
    pub fn finish(&self) {
        if let Self::Spinner(spinner) = self {
            spinner.finish_and_clear();
        }
    }
}
