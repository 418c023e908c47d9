//! Closers of the API: few, made when they are first needed, kept since each has read the whole control log. Their calls block, so each
//! has a thread while it works.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use super::error::ApiError;
use crate::closer::CloseError;
use crate::closer::real::RealCloser;

/// Closers at work at once; whoever comes then waits as long as a request may take.
pub const CLOSERS_MAX: usize = 2;

/// How one is made.
pub type MakeCloser = Arc<dyn Fn() -> Result<RealCloser, CloseError> + Send + Sync>;

/// The closers.
pub struct Closers {
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<RealCloser>>>,
    make: MakeCloser,
}

impl Closers {
    /// None is made yet: Kafka may be away.
    #[must_use]
    pub fn new(make: MakeCloser) -> Self {
        Self { places: Arc::new(Semaphore::new(CLOSERS_MAX)), idle: Arc::default(), make }
    }

    /// Does some work with a closer that decides in this name. Work that has begun goes on if nobody waits for it any more.
    ///
    /// # Errors
    /// What the work says.
    pub async fn with<T: Send + 'static>(
        &self,
        actor: &str,
        work: impl FnOnce(&mut RealCloser) -> Result<T, CloseError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| ApiError::Overloaded)?;
        let (idle, make, actor) = (Arc::clone(&self.idle), Arc::clone(&self.make), actor.to_owned());
        let done = tokio::task::spawn_blocking(move || {
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut closer = match kept {
                Some(closer) => closer,
                None => make()?,
            };
            closer.act_as(actor);
            let done = work(&mut closer);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(closer);
            drop(place);
            done
        });
        match done.await {
            Ok(done) => Ok(done?),
            Err(error) => Err(ApiError::Internal(format!("a closer's thread: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::closer::Refusal;

    #[tokio::test]
    async fn so_many_closers_work_at_once_and_a_refusal_is_one_of_the_request() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (at, seen) = (Arc::clone(&now), Arc::clone(&most));
        let closers = Closers::new(Arc::new(move || {
            seen.fetch_max(at.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(50));
            at.fetch_sub(1, Ordering::SeqCst);
            Err(Refusal::Discarded("d".to_owned()).into())
        }));
        let all = (0..CLOSERS_MAX * 3).map(|_| closers.with("test", |_| Ok(())));
        for answer in futures_util::future::join_all(all).await {
            assert!(matches!(answer, Err(ApiError::Conflict(_))), "{answer:?}");
        }
        assert_eq!(most.load(Ordering::SeqCst), CLOSERS_MAX);
    }
}
