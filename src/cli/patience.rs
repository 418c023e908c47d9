//! Commands that start before Kafka and ClickHouse are there, and end when they are asked to while they wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clickhouse::{Client, wait};
use crate::config::Config;
use crate::fold::error::SeamError;

/// Between two looks at whether to stop.
const LOOK_PAUSE: Duration = Duration::from_millis(100);

async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

/// Waits until ClickHouse is there with the tables of this build; false if asked to stop meanwhile.
pub(super) async fn tables(config: &Config, client: &Client, stop: &AtomicBool) -> anyhow::Result<bool> {
    tokio::select! {
        checked = wait::until_checked(client, config.run.retry_max) => Ok(checked.map(|()| true)?),
        () = stopped(stop) => Ok(false),
    }
}

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
                let _ = tokio::time::timeout(pause, stopped(stop)).await;
                pause = wait::longer(pause, config.run.retry_max);
            }
            Err(error) => return Err(error),
        }
        if stop.load(Ordering::Acquire) {
            return Ok(None);
        }
    }
}
