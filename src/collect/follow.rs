//! One array's task: instants that are due, oldest first; pauses while the array is away; gaps said and counted.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::error::{PollError, SpoolError};
use super::poll::{Polled, Poller};
use super::{Shared, now};
use crate::clickhouse::wait::longer;
use crate::core::collect::Gap;
use crate::core::word::{HOUR_MS, Instant};

/// The first pause after a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two tries of an array, whatever it asks for.
const RETRY_WAIT: Duration = Duration::from_secs(60);
/// Tries of an instant whose answers make no event, while newer ones wait.
const INSTANT_TRIES: u32 = 3;

/// Follows one array.
pub(crate) struct Follower {
    shared: Arc<Shared>,
    poller: Poller,
    pause: Duration,
    /// Failures since the last success.
    failures: u32,
    /// The instant whose answers made no event, and how often.
    unread: (Instant, u32),
    /// Bytes of the newest event: about what the next one takes.
    event_bytes: u64,
}

impl Follower {
    pub(crate) fn new(shared: Arc<Shared>, poller: Poller) -> Self {
        Self { shared, poller, pause: FIRST_PAUSE, failures: 0, unread: (Instant(0), 0), event_bytes: 0 }
    }

    /// Polls until `stop` turns true.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        self.shared.metrics.known(&self.poller.array.name);
        loop {
            let wait = tokio::select! {
                wait = self.step() => wait,
                () = ended(&mut stop) => return,
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = ended(&mut stop) => return,
            }
        }
    }

    /// Does what is due, and says how long nothing is.
    async fn step(&mut self) -> Duration {
        let at = now();
        let settled = self.shared.spool.settled(&self.poller.array.id);
        let plan = self.shared.schedule.plan(settled, at);
        if let Some(gap) = plan.gap {
            self.give_up(&gap, "out of reach");
        }
        let Some(instant) = plan.due else {
            self.look_ahead(settled, at);
            return Duration::from_millis(u64::try_from(plan.wake.0 - at.0).unwrap_or_default());
        };
        match self.take(instant).await {
            Ok(()) => {
                if self.failures > 0 {
                    tracing::info!(array = self.poller.array.name, after_failures = self.failures, "answers again");
                }
                (self.pause, self.failures) = (FIRST_PAUSE, 0);
                Duration::ZERO
            }
            Err(error) => {
                if settled.is_none() {
                    self.begin(instant).await;
                }
                self.failed(instant, &error)
            }
        }
    }

    /// Notes the first instant of an array that does not answer for it, or the next look would begin with a newer one.
    async fn begin(&self, first: Instant) {
        let (spool, array) = (Arc::clone(&self.shared.spool), self.poller.array.id.clone());
        let before = self.shared.schedule.before(first);
        let noted = tokio::task::spawn_blocking(move || spool.begin(&array, before)).await;
        let error = match noted {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        let array = &self.poller.array.name;
        tracing::warn!(array, %first, error, "the first instant is not on disk: after a restart it is not made up for");
    }

    async fn take(&mut self, instant: Instant) -> Result<(), PollError> {
        let shared = Arc::clone(&self.shared);
        // an error means that the collector ends, and then nobody waits for this
        let _turn = shared.at_once.acquire().await;
        // an array is not asked for what there is no room for
        shared.spool.check_room(self.event_bytes)?;
        let Polled { event, readings, left_out } = self.poller.poll(instant).await?;
        self.event_bytes = event.len() as u64;
        let (spool, array) = (Arc::clone(&shared.spool), self.poller.array.id.clone());
        let kept = tokio::task::spawn_blocking(move || spool.append(&array, instant, &event)).await;
        kept.map_err(|error| PollError::Unreachable(error.to_string()))??;
        let name = &self.poller.array.name;
        if left_out > 0 {
            tracing::warn!(array = name, %instant, left_out, "the array has no figure of some readings: they are left out");
        }
        tracing::debug!(array = name, %instant, readings, "polled");
        shared.metrics.polled(name, now().0 / 1000, left_out);
        shared.metrics.spool(shared.spool.bytes(), shared.spool.max_bytes());
        Ok(())
    }

    /// Counts and tells a failure, gives the instant up if that is all that helps, and says how long to pause.
    fn failed(&mut self, instant: Instant, error: &PollError) -> Duration {
        let shared = Arc::clone(&self.shared);
        let array = self.poller.array.name.clone();
        shared.metrics.failed(&array, error.label());
        self.failures = self.failures.saturating_add(1);
        let again_in = pause_after(error, self.pause);
        self.pause = longer(self.pause, RETRY_WAIT);
        match error {
            PollError::Spool(SpoolError::Full { .. }) => {
                shared.metrics.refused(&array);
                tracing::error!(array, %instant, %error, "not polled");
            }
            _ => tracing::warn!(array, %instant, %error, again_in_ms = again_in.as_millis(), "not polled"),
        }
        if error.is_of_instant() {
            let before = if self.unread.0 == instant { self.unread.1 } else { 0 };
            self.unread = (instant, before.saturating_add(1));
        }
        let is_newest = instant >= shared.schedule.newest(now());
        if error.is_of_instant() && !is_newest && self.unread.1 >= INSTANT_TRIES {
            self.give_up(&shared.schedule.gap(instant, instant), "its answers make no event");
            return FIRST_PAUSE;
        }
        again_in
    }

    /// Says it if a clock that was wrong once has marked what is still to come.
    fn look_ahead(&self, settled: Option<Instant>, at: Instant) {
        let hour_ahead = at.plus_ms(HOUR_MS);
        if let Some(settled) = settled.filter(|settled| *settled > hour_ahead) {
            let array = &self.poller.array.name;
            let mend = "the clock was wrong: stop the collector and take settled.json out of its spool";
            tracing::error!(array, %settled, mend, "an instant of the future is marked as read, nothing is polled until then");
        }
    }

    /// Marks instants as never to be read, and says it.
    fn give_up(&self, gap: &Gap, why: &str) {
        let array = &self.poller.array;
        let Gap { first, last, count } = *gap;
        tracing::error!(array = array.name, %first, %last, instants = count, why, "a gap: these instants were not read");
        self.shared.metrics.gap(&array.name, count);
        self.shared.spool.settle(&array.id, last);
    }
}

async fn ended(stop: &mut watch::Receiver<bool>) {
    // an error means that whoever could ask for the end is gone
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The pause after a failure: what the array asks for, else what is due by itself, and never more than the limit.
fn pause_after(error: &PollError, pause: Duration) -> Duration {
    error.retry_after().unwrap_or(pause).clamp(FIRST_PAUSE, RETRY_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_left_alone_no_longer_than_the_limit() {
        let asked = |seconds: Option<u64>| {
            let retry_after = seconds.map(Duration::from_secs);
            let error = PollError::Status { path: "/arrays/space".to_owned(), status: 429, retry_after };
            pause_after(&error, Duration::from_secs(4)).as_secs()
        };
        assert_eq!([None, Some(0), Some(30), Some(60), Some(61), Some(86_400)].map(asked), [4, 1, 30, 60, 60, 60]);
        let mut pause = FIRST_PAUSE;
        for _ in 0..20 {
            pause = longer(pause, RETRY_WAIT);
        }
        assert_eq!(pause, RETRY_WAIT);
    }
}
