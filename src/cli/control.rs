//! The control log, as commands have need of it: its topic, and what is in it.

use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::config::Config;
use crate::fold::error::SeamError;
use crate::kafka::control::ControlFollower;
use crate::kafka::topic::{Purpose, Topics};

/// Makes the control topic if it is not there, and refuses one whose settings would break a promise.
pub(super) async fn ensure_control(config: &Config, topics: &Topics) -> anyhow::Result<()> {
    let topic = &config.kafka.control_topic;
    if topics.partitions(topic).with_context(|| unreached(config))?.is_none() {
        topics.create(topic, 1, Purpose::Control).await?;
    }
    wait_for(topics, topic, 1, Purpose::Control).await
}

/// A topic that was just made takes a moment to be known everywhere.
pub(super) async fn wait_for(topics: &Topics, topic: &str, partitions: u32, purpose: Purpose) -> anyhow::Result<()> {
    for _ in 0..50 {
        match topics.check(topic, partitions, purpose).await {
            Err(SeamError::Retryable(_)) => tokio::time::sleep(Duration::from_millis(100)).await,
            checked => return Ok(checked?),
        }
    }
    bail!("topic {topic} does not appear; ask the broker's log why")
}

/// The control log, read to its end.
pub(super) fn follow(config: &Config) -> anyhow::Result<ControlFollower> {
    let topic = &config.kafka.control_topic;
    if Topics::new(&config.kafka)?.partitions(topic).with_context(|| unreached(config))?.is_none() {
        bail!(
            "nothing is decided yet, topic {topic} is not there: open a stream with `plimsoll stream open`, publish a price book with \
             `plimsoll catalog apply`"
        );
    }
    let control = ControlFollower::start(&config.kafka)?;
    control.read_to_end().context("the control log is not read; is Kafka up?")?;
    Ok(control)
}

/// What is said where nobody answers.
fn unreached(config: &Config) -> String {
    let at = &config.kafka.bootstrap_servers;
    format!(
        "kafka is not reached at {at}: start it (`plimsoll dev up` starts one here), or mend kafka.bootstrap_servers"
    )
}
