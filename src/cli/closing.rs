//! What all commands about closes share: a closer over the configured log and database, and how a draft is named.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Runtime;

use super::stream::ensure_control;
use crate::clickhouse::{Client, wait};
use crate::closer::clickhouse::ClickHouseBilling;
use crate::closer::kafka::{KafkaBilling, ensure_topic};
use crate::closer::worker::closer;
use crate::closer::{CloseError, Closer};
use crate::config::Config;
use crate::kafka::control::ControlFollower;
use crate::kafka::topic::Topics;

/// A closer over Kafka and ClickHouse.
pub(super) type RealCloser = Closer<KafkaBilling, ClickHouseBilling>;

/// Waits until Kafka and ClickHouse are there, and follows the control log. None if asked to stop meanwhile.
pub(super) fn ready(
    config: &Config,
    runtime: &Runtime,
    stop: &AtomicBool,
) -> anyhow::Result<Option<Arc<ControlFollower>>> {
    let client = Client::new(&config.clickhouse);
    runtime.block_on(wait::until_checked(&client, config.run.retry_max))?;
    let topics = Topics::new(&config.kafka)?;
    let mut pause = Duration::from_millis(100);
    while !stop.load(Ordering::Acquire) {
        match runtime.block_on(topics_ready(config, &topics)) {
            Ok(()) => return Ok(Some(Arc::new(ControlFollower::start(&config.kafka)?))),
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), again_in_ms = pause.as_millis(), "Kafka is away, waiting");
                std::thread::sleep(pause);
                pause = wait::longer(pause, config.run.retry_max);
            }
        }
    }
    Ok(None)
}

async fn topics_ready(config: &Config, topics: &Topics) -> anyhow::Result<()> {
    ensure_control(config, topics).await?;
    Ok(ensure_topic(&config.kafka, topics).await?)
}

/// Does some work with a closer in a thread of its own: its calls block.
pub(super) fn with_closer<T>(
    config: &Config,
    actor: String,
    work: impl FnOnce(&mut RealCloser) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let runtime = Runtime::new()?;
    let client = Client::new(&config.clickhouse);
    let topics = Topics::new(&config.kafka)?;
    runtime.block_on(topics_ready(config, &topics)).context("is Kafka up?")?;
    let control = Arc::new(ControlFollower::start(&config.kafka)?);
    let mut closer = closer(config, &client, &control, runtime.handle(), actor)?;
    closer.follow()?;
    let done = work(&mut closer);
    control.stop();
    done
}

/// A refusal: exit code 2, nothing written.
pub(super) fn refused(text: impl std::fmt::Display) -> anyhow::Result<ExitCode> {
    eprintln!("plimsoll: {text}");
    Ok(ExitCode::from(2))
}

/// What a person decided, or the exit code of its refusal, which is said.
pub(super) fn decided<T>(done: Result<T, CloseError>) -> anyhow::Result<Result<T, ExitCode>> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(CloseError::Refused(refusal)) => refused(refusal).map(Err),
        Err(error) => Err(error.into()),
    }
}
