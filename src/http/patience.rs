//! Work that goes on if a request cannot wait for it: the answer says so before the request's time is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Of the time that a request has, the part that is left for the answer: one in so many.
const FOR_THE_ANSWER: u32 = 5;

/// How long a request waits for some work, and whether the work has begun.
pub struct Patience {
    limit: Duration,
    begun: Arc<AtomicBool>,
}

/// What became of the work.
#[derive(Debug, PartialEq, Eq)]
pub enum Waited<T> {
    /// It is done.
    Answered(T),
    /// It has begun and goes on.
    GoesOn,
    /// It has not begun and never will.
    NotBegun,
}

impl Patience {
    /// That of a request which may take so long.
    #[must_use]
    pub fn of(request: Duration) -> Self {
        Self { limit: request - request / FOR_THE_ANSWER, begun: Arc::default() }
    }

    /// Where the work notes that it has begun.
    #[must_use]
    pub fn begun(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.begun)
    }

    /// Waits for work that goes on by itself once it has begun.
    pub async fn wait<T>(self, work: impl Future<Output = T>) -> Waited<T> {
        match tokio::time::timeout(self.limit, work).await {
            Ok(done) => Waited::Answered(done),
            Err(_) if self.begun.load(Ordering::Acquire) => Waited::GoesOn,
            Err(_) => Waited::NotBegun,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_says_before_its_time_is_over_whether_the_work_goes_on() {
        let work = async |begins: bool, ms: u64| {
            let patience = Patience::of(Duration::from_millis(500));
            let begun = patience.begun();
            let work = async move {
                begun.store(begins, Ordering::Release);
                tokio::time::sleep(Duration::from_millis(ms)).await;
                "done"
            };
            patience.wait(work).await
        };
        assert_eq!(work(true, 10).await, Waited::Answered("done"));
        assert_eq!(work(true, 5_000).await, Waited::GoesOn);
        assert_eq!(work(false, 5_000).await, Waited::NotBegun);
    }
}
