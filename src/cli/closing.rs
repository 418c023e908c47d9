//! What all commands about closes share: a closer over the configured log and database, and what becomes of a decision.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use tokio::runtime::Runtime;

use super::control::ensure_control;
use super::output::refused;
use super::patience::{patiently, tables};
use crate::clickhouse::Client;
use crate::closer::CloseError;
use crate::closer::kafka::ensure_topic;
use crate::closer::real::{RealCloser, closer};
use crate::config::Config;
use crate::core::closing::register::Register;
use crate::core::word::Offset;
use crate::kafka::control::ControlFollower;
use crate::kafka::topic::Topics;
use crate::run::mirror::mirror_new;

/// Waits until Kafka and ClickHouse are there, and follows the control log. None if asked to stop meanwhile.
pub(super) fn ready(
    config: &Config,
    runtime: &Runtime,
    stop: &AtomicBool,
) -> anyhow::Result<Option<Arc<ControlFollower>>> {
    let client = Client::new(&config.clickhouse);
    if !runtime.block_on(tables(config, &client, stop))? {
        return Ok(None);
    }
    let topics = Topics::new(&config.kafka)?;
    let ready = patiently(config, stop, async || topics_ready(config, &topics).await);
    let Some(()) = runtime.block_on(ready)? else { return Ok(None) };
    Ok(Some(Arc::new(ControlFollower::start(&config.kafka)?)))
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
    let before = closer.register().next();
    let done = work(&mut closer);
    // else a proof right after it would hold rows against decisions that it does not know yet; what was refused or tried dry writes nothing
    if closer.register().next() > before
        && let Err(error) = runtime.block_on(mirror_new(&client, &control, &mut None))
    {
        tracing::warn!(%error, "what was decided is not mirrored yet: `plimsoll run` and `plimsoll bill` do it");
    }
    control.stop();
    done
}

/// What a person decided, or the exit code of its refusal, which is said.
pub(super) fn decided<T>(done: Result<T, CloseError>) -> anyhow::Result<Result<T, ExitCode>> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(CloseError::Refused(refusal)) => refused(refusal).map(Err),
        Err(error) => Err(error.into()),
    }
}

/// What the control log makes of closes, drafts and numbers, as far as it was followed.
pub(super) fn register(control: &ControlFollower) -> Register {
    let mut register = Register::default();
    control.look(Offset(0), |records| {
        records.iter().for_each(|record| register.take(record.offset, record.append_time, &record.decision));
    });
    register
}
