//! Usage sent to its streams at a pace, with progress for whoever watches.

use std::fmt;
use std::time::{Duration, Instant as Moment};

use indicatif::ProgressBar;

use super::error::LoadError;
use super::publisher::Publisher;
use super::rate;
use super::record::UsageRecord;
use crate::config;
use crate::core::ledger::rules::StreamRules;

/// Between two lines of progress where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// Records between two looks at the watch when nothing limits the pace.
const LOOK_EVERY: u64 = 1000;

/// What arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// Records that the broker acknowledged.
    pub events: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// From the first record to the last acknowledgement.
    pub took: Duration,
}

impl Published {
    /// Acknowledged records a second.
    #[must_use]
    pub fn events_per_second(&self) -> f64 {
        self.events as f64 / self.took.as_secs_f64().max(1e-6)
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.bytes as f64 / f64::from(1 << 20);
        let seconds = self.took.as_secs_f64();
        write!(f, "{} events, {mib:.1} MiB in {seconds:.2} s: {:.0} events/s", self.events, self.events_per_second())
    }
}

/// Sends records to their streams and returns when the broker has them all. `expected` is for the progress only; `rate` is the
/// most events a second.
///
/// # Errors
/// If a single record was not acknowledged.
pub fn publish<'a>(
    kafka: &config::Kafka,
    records: impl Iterator<Item = (&'a StreamRules, UsageRecord)>,
    expected: u64,
    rate: Option<f64>,
) -> Result<Published, LoadError> {
    let mut publisher = Publisher::new(kafka)?;
    let mut progress = Progress::new(expected);
    let started = Moment::now();
    let (mut events, mut bytes) = (0u64, 0u64);
    for (stream, record) in records {
        if let Some(rate) = rate {
            let due = started + Duration::try_from_secs_f64(events as f64 / rate).unwrap_or(Duration::MAX / 4);
            hold_until(due, &publisher)?;
        }
        publisher.send(stream, &record)?;
        (events, bytes) = (events + 1, bytes + record.bytes());
        if rate.is_some() || events.is_multiple_of(LOOK_EVERY) {
            progress.show(events);
        }
    }
    publisher.finish()?;
    Ok(Published { events: publisher.acknowledged(), bytes, took: started.elapsed() })
}

/// Sleeps until an event is due, with a look at the acknowledgements now and then. (A poll of less than a millisecond would spin.)
fn hold_until(due: Moment, publisher: &Publisher) -> Result<(), LoadError> {
    loop {
        publisher.wait(Duration::ZERO)?;
        let left = due.saturating_duration_since(Moment::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
}

/// A bar on a terminal, lines otherwise.
struct Progress {
    bar: ProgressBar,
    of: u64,
    said: Moment,
}

impl Progress {
    fn new(of: u64) -> Self {
        let bar = ProgressBar::new(of);
        if let Some(style) = rate::style("{bar:40} {pos}/{len} events  {rate}  {eta}") {
            bar.set_style(style);
        }
        Self { bar, of, said: Moment::now() }
    }

    fn show(&mut self, events: u64) {
        self.bar.set_position(events.min(self.of));
        if self.bar.is_hidden() && self.said.elapsed() >= SAY_EVERY {
            tracing::info!(events, of = self.of, "producing");
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
