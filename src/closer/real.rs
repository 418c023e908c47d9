//! The closer over the real parts: Kafka and ClickHouse as they are configured.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::clickhouse::ClickHouseBilling;
use super::error::CloseError;
use super::kafka::KafkaBilling;
use super::state::Closer;
use crate::clickhouse::Client;
use crate::config::Config;
use crate::kafka::control::ControlFollower;

/// A closer over Kafka and ClickHouse.
pub type RealCloser = Closer<KafkaBilling, ClickHouseBilling>;

/// A closer over the configured log and database.
///
/// # Errors
/// Permanent if librdkafka does not accept the settings.
pub fn closer(
    config: &Config,
    client: &Client,
    control: &Arc<ControlFollower>,
    runtime: &Handle,
    actor: String,
) -> Result<RealCloser, CloseError> {
    let log = KafkaBilling::new(&config.kafka, Arc::clone(control), runtime.clone())?;
    let store = ClickHouseBilling::new(client.clone(), runtime.clone(), Arc::clone(control));
    Ok(Closer::new(log, store, actor))
}
