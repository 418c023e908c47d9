//! Connections of which the head of a request is waited for. Where all places are taken, the one that has let others wait longest gives way, so
//! that nobody keeps others out by opening connections and sending nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Moment};

use tokio::sync::Notify;

/// How long a connection has its place whoever waits: a head that was sent with it is there by then.
const KEEPS_PLACE: Duration = Duration::from_millis(250);

/// All of them, the one that has waited longest first.
#[derive(Debug, Default)]
pub(super) struct Heads {
    waited_for: Mutex<BTreeMap<(Moment, u64), Arc<Notify>>>,
    next: AtomicU64,
}

impl Heads {
    /// One more, as of now.
    pub(super) fn wait(self: &Arc<Self>) -> Head {
        let no = self.next.fetch_add(1, Ordering::Relaxed);
        let head = Head { heads: Arc::clone(self), no, since: Mutex::default(), told: Arc::default() };
        head.wait();
        head
    }

    /// Tells the one that has waited longest to end, if that is long enough; after how long to come again if that has not helped.
    pub(super) fn give_way(&self, now: Moment) -> Duration {
        let mut waited_for = self.waited_for();
        let Some(first) = waited_for.first_entry() else { return KEEPS_PLACE };
        let left = KEEPS_PLACE.saturating_sub(now.saturating_duration_since(first.key().0));
        if !left.is_zero() {
            return left;
        }
        first.remove().notify_one();
        KEEPS_PLACE
    }

    fn waited_for(&self) -> MutexGuard<'_, BTreeMap<(Moment, u64), Arc<Notify>>> {
        self.waited_for.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The head of a connection's next request.
#[derive(Debug)]
pub(super) struct Head {
    heads: Arc<Heads>,
    no: u64,
    /// Since when it is waited for; none while a request is answered.
    since: Mutex<Option<Moment>>,
    told: Arc<Notify>,
}

impl Head {
    /// It is waited for, from now on.
    pub(super) fn wait(&self) {
        let now = Moment::now();
        *self.since() = Some(now);
        self.heads.waited_for().insert((now, self.no), Arc::clone(&self.told));
    }

    /// It has come.
    pub(super) fn come(&self) {
        if let Some(since) = self.since().take() {
            self.heads.waited_for().remove(&(since, self.no));
        }
    }

    /// Waits until its connection is to give way.
    pub(super) async fn told(&self) {
        self.told.notified().await;
    }

    fn since(&self) -> MutexGuard<'_, Option<Moment>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        self.come();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn the_one_that_has_waited_longest_gives_way_and_none_that_has_come() {
        let heads = Arc::new(Heads::default());
        let [first, second, third] = [(); 3].map(|()| heads.wait());
        let is_told = |head: &Head| head.told().now_or_never().is_some();
        let later = |ms: u64| Moment::now() + KEEPS_PLACE + Duration::from_millis(ms);
        heads.give_way(Moment::now());
        assert!(![&first, &second, &third].map(is_told).contains(&true), "each keeps its place for a while");
        first.come();
        heads.give_way(later(0));
        assert_eq!([&first, &second, &third].map(is_told), [false, true, false]);
        first.wait();
        heads.give_way(later(0));
        assert_eq!([&first, &second, &third].map(is_told), [false, false, true]);
        drop(first);
        heads.give_way(later(1_000));
        assert!(heads.waited_for().is_empty(), "who is gone is forgotten");
    }
}
