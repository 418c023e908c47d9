//! Commands that start before Kafka is there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clickhouse::wait;
use crate::config::Config;
use crate::fold::error::SeamError;

/// Asks Kafka until it answers: what waiting mends is waited out, with pauses that double. None if asked to stop meanwhile.
pub(super) async fn patiently<T>(
    config: &Config,
    stop: &AtomicBool,
    ask: impl AsyncFn() -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    let mut pause = Duration::from_millis(100);
    loop {
        match ask().await {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) if error.chain().any(|cause| matches!(cause.downcast_ref(), Some(SeamError::Retryable(_)))) => {
                tracing::warn!(error = format!("{error:#}"), again_in_ms = pause.as_millis(), "Kafka is away, waiting");
                tokio::time::sleep(pause).await;
                pause = wait::longer(pause, config.run.retry_max);
            }
            Err(error) => return Err(error),
        }
        if stop.load(Ordering::Acquire) {
            return Ok(None);
        }
    }
}
