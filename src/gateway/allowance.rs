//! What one principal may send: a bucket of tokens for events and one for bytes.
//!
//! Whether a request may come is asked before its body is read, when nobody knows its size yet. So a bucket may be overdrawn, and
//! its principal waits until it is paid back: over any longer time nobody gets more than the rate.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Moment};

/// Tokens that come at a rate, up to a number.
#[derive(Clone, Copy, Debug)]
struct Tokens {
    left: f64,
    per_second: f64,
    most: f64,
}

impl Tokens {
    fn new(per_second: u64, burst_seconds: u64) -> Self {
        let (per_second, seconds) = (per_second as f64, burst_seconds as f64);
        Self { left: per_second * seconds, per_second, most: per_second * seconds }
    }

    fn refill(&mut self, after: Duration) {
        self.left = (self.left + self.per_second * after.as_secs_f64()).min(self.most);
    }

    /// How long until there is one; none if there is.
    fn wait(&self) -> Option<Duration> {
        let missing = 1.0 - self.left;
        (missing > 0.0).then(|| Duration::try_from_secs_f64(missing / self.per_second).unwrap_or(Duration::MAX))
    }
}

#[derive(Clone, Copy, Debug)]
struct Purse {
    events: Tokens,
    bytes: Tokens,
    at: Moment,
}

/// The allowances of all principals. There are as many as credentials at most.
#[derive(Debug)]
pub struct Allowances {
    events_per_second: u64,
    bytes_per_second: u64,
    burst_seconds: u64,
    purses: Mutex<HashMap<String, Purse>>,
}

impl Allowances {
    /// All of them full.
    #[must_use]
    pub fn new(events_per_second: u64, bytes_per_second: u64, burst_seconds: u64) -> Self {
        Self { events_per_second, bytes_per_second, burst_seconds, purses: Mutex::default() }
    }

    /// Lets a request of a principal come, which costs an event whatever becomes of it.
    ///
    /// # Errors
    /// How long it has to wait.
    pub fn admit(&self, principal: &str, now: Moment) -> Result<(), Duration> {
        self.with(principal, now, |purse| match purse.events.wait().max(purse.bytes.wait()) {
            Some(wait) => Err(wait),
            None => {
                purse.events.left -= 1.0;
                Ok(())
            }
        })
    }

    /// Takes what a request that was let in turned out to be: bytes, and events beyond the first.
    pub fn spend(&self, principal: &str, (events, bytes): (usize, usize), now: Moment) {
        self.with(principal, now, |purse| {
            purse.events.left -= events.saturating_sub(1) as f64;
            purse.bytes.left -= bytes as f64;
        });
    }

    fn with<T>(&self, principal: &str, now: Moment, work: impl FnOnce(&mut Purse) -> T) -> T {
        let mut purses = self.purses.lock().unwrap_or_else(PoisonError::into_inner);
        let purse = purses.entry(principal.to_owned()).or_insert_with(|| Purse {
            events: Tokens::new(self.events_per_second, self.burst_seconds),
            bytes: Tokens::new(self.bytes_per_second, self.burst_seconds),
            at: now,
        });
        let after = now.saturating_duration_since(purse.at);
        purse.at = purse.at.max(now);
        purse.events.refill(after);
        purse.bytes.refill(after);
        work(purse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_gets_its_burst_then_its_rate_and_no_more() {
        let allowances = Allowances::new(10, 1_000, 2);
        let start = Moment::now();
        let admitted = |who: &str, ms: u64| allowances.admit(who, start + Duration::from_millis(ms));
        for _ in 0..20 {
            admitted("a", 0).unwrap();
        }
        let wait = admitted("a", 0).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        admitted("b", 0).unwrap();
        assert!(admitted("a", 99).is_err());
        admitted("a", 100).unwrap();
        // long after, a burst and no more
        for _ in 0..20 {
            admitted("a", 1_000_000).unwrap();
        }
        assert!(admitted("a", 1_000_000).is_err());
    }

    #[test]
    fn what_is_overdrawn_is_waited_for() {
        let allowances = Allowances::new(10, 1_000, 2);
        let start = Moment::now();
        let admitted = |ms: u64| allowances.admit("a", start + Duration::from_millis(ms));
        admitted(0).unwrap();
        allowances.spend("a", (50, 10), start);
        // 20 less 50, and one that a request needs
        assert_eq!(admitted(0).unwrap_err(), Duration::from_millis(3_100));
        admitted(3_100).unwrap();
        allowances.spend("a", (1, 12_000), start + Duration::from_millis(3_100));
        let wait = admitted(3_100).unwrap_err();
        assert!(wait > Duration::from_millis(9_900) && wait < Duration::from_millis(10_100), "{wait:?}");
    }
}
