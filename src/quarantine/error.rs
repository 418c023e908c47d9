//! Why a record could not be resolved.

use thiserror::Error;

use crate::fold::error::SeamError;

impl ResolveError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            ResolveError::Control(error) => matches!(error, SeamError::Retryable(_)),
            ResolveError::ClickHouse(error) => error.is_retryable(),
            ResolveError::Unacknowledged { .. } => true,
            ResolveError::NoStream(_) => false,
        }
    }
}

/// What stands between a record and its resolution.
#[derive(Debug, Error)]
pub enum ResolveError {
    /// The control log, or Kafka's settings.
    #[error(transparent)]
    Control(#[from] SeamError),
    /// The database.
    #[error(transparent)]
    ClickHouse(#[from] crate::clickhouse::Error),
    /// The record's stream was opened by nobody that this process knows.
    #[error("stream {0} is not open: its records cannot be sent again")]
    NoStream(String),
    /// The broker did not take it. The decision stands: the same command sends the record again under it.
    #[error("{label}: sent again, but the broker did not acknowledge it ({error}); run the same command again")]
    Unacknowledged {
        /// The record's position.
        label: String,
        /// What Kafka says.
        error: rdkafka::error::KafkaError,
    },
}
