//! How long the topics of open streams keep their records: what time to loss is counted from.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::fold::error::SeamError;
use crate::kafka::control::ControlFollower;
use crate::kafka::topic::Topics;

/// Between two looks at the topics' settings: somebody may change them, and streams are opened.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long a look at whether to stop may come late.
const PAUSE: Duration = Duration::from_millis(500);

/// Retention by topic in milliseconds; none where records are kept for ever. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Retention(Arc<Mutex<BTreeMap<String, Option<i64>>>>);

impl Retention {
    /// Of one topic; none if it keeps its records for ever, or was not looked at yet.
    #[must_use]
    pub fn of(&self, topic: &str) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(topic).copied().flatten()
    }

    /// Looks at the topics of all open streams. Says once of each that is limited by bytes too that its records may go sooner.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    pub async fn look(&self, topics: &Topics, control: &ControlFollower) -> Result<(), SeamError> {
        for rules in control.streams() {
            let limits = topics.retention(&rules.topic).await?;
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = all.insert(rules.topic.clone(), limits.ms).is_none();
            if let Some(bytes) = limits.bytes.filter(|_| is_new) {
                tracing::warn!(
                    topic = rules.topic,
                    bytes,
                    "retention.bytes deletes records however young they are, so time to loss is too long: set it to -1"
                );
            }
        }
        Ok(())
    }

    /// Looks again and again until `stop` is set; what was found stays while the broker is away.
    pub async fn follow(self, topics: Topics, control: ControlFollower, stop: Arc<AtomicBool>) {
        let mut waited = Duration::ZERO;
        while !stop.load(Ordering::Acquire) {
            tokio::time::sleep(PAUSE).await;
            waited += PAUSE;
            if waited >= LOOK_EVERY {
                waited = Duration::ZERO;
                if let Err(error) = self.look(&topics, &control).await {
                    tracing::debug!(%error, "retention");
                }
            }
        }
    }
}
