//! What is read again and again, kept for a moment: who asks meanwhile does not wait for the database.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant as Moment};

use tokio::sync::Mutex;

use super::error::ApiError;

/// One such value.
#[derive(Debug)]
pub(super) struct Fresh<T> {
    /// How long what was read counts as that of now.
    fresh: Duration,
    /// What is older than fresh and not this old is told while it is read anew, beside the request: when requests waited for it, the
    /// slowest hundredth of a list's pages were those that did. What is older is waited for.
    stale_max: Duration,
    kept: RwLock<Option<(Moment, T)>>,
    /// One reads at a time.
    turn: Arc<Mutex<()>>,
}

impl<T: Clone + Send + Sync + 'static> Fresh<T> {
    /// Nothing yet.
    pub(super) fn new(fresh: Duration, stale_max: Duration) -> Arc<Self> {
        Arc::new(Self { fresh, stale_max, kept: RwLock::default(), turn: Arc::default() })
    }

    /// The value, as of `now`. `read` gets the one before; that there is none is never kept.
    pub(super) async fn get<R>(
        self: &Arc<Self>,
        now: Moment,
        read: impl FnOnce(Option<T>) -> R,
    ) -> Result<Option<T>, ApiError>
    where
        R: Future<Output = Result<Option<T>, ApiError>> + Send + 'static,
    {
        match self.kept(now) {
            Some((age, value)) if age < self.fresh => return Ok(Some(value)),
            Some((age, value)) if age < self.stale_max => {
                self.read_beside(now, read(Some(value.clone())));
                return Ok(Some(value));
            }
            _ => {}
        }
        let _turn = self.turn.lock().await;
        let known = match self.kept(now) {
            // another read it meanwhile
            Some((age, value)) if age < self.fresh => return Ok(Some(value)),
            known => known.map(|(_, value)| value),
        };
        let value = read(known).await?;
        self.keep(now, value.clone());
        Ok(value)
    }

    fn kept(&self, now: Moment) -> Option<(Duration, T)> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().map(|(since, value)| (now.saturating_duration_since(*since), value.clone()))
    }

    fn keep(&self, since: Moment, value: Option<T>) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = value.map(|value| (since, value));
    }

    /// Reads it while the request goes on, unless somebody does already. What cannot be read is asked for again, by who waits for it.
    fn read_beside(
        self: &Arc<Self>,
        now: Moment,
        read: impl Future<Output = Result<Option<T>, ApiError>> + Send + 'static,
    ) {
        let Ok(turn) = Arc::clone(&self.turn).try_lock_owned() else { return };
        let this = Arc::clone(self);
        tokio::spawn(async move {
            if let Ok(value) = read.await {
                this.keep(now, value);
            }
            drop(turn);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Duration = Duration::from_secs(1);
    const STALE_MAX: Duration = Duration::from_secs(3);

    /// What is told at an instant, when the next value would be this one.
    async fn told(fresh: &Arc<Fresh<u32>>, now: Moment, next: Option<u32>) -> Option<u32> {
        let told = fresh.get(now, |_| async move { Ok(next) }).await.unwrap();
        tokio::task::yield_now().await;
        told
    }

    #[tokio::test]
    async fn it_is_told_while_it_is_read_anew_and_waited_for_when_it_is_old() {
        let fresh = Fresh::new(FRESH, STALE_MAX);
        let start = Moment::now();
        assert_eq!(told(&fresh, start, None).await, None, "nothing is not kept");
        assert_eq!(told(&fresh, start, Some(1)).await, Some(1));
        assert_eq!(told(&fresh, start + FRESH - Duration::from_millis(1), Some(2)).await, Some(1));
        assert_eq!(told(&fresh, start + FRESH, Some(3)).await, Some(1), "it is read beside");
        assert_eq!(told(&fresh, start + FRESH, Some(4)).await, Some(3));
        assert_eq!(told(&fresh, start + FRESH + STALE_MAX, Some(5)).await, Some(5), "too old");
        let failed = fresh
            .get(start + FRESH + STALE_MAX * 2, |known| async move { Err(ApiError::Internal(format!("{known:?}"))) });
        assert!(matches!(failed.await, Err(ApiError::Internal(known)) if known == "Some(5)"));
    }
}
