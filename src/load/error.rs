//! What goes wrong when load is produced.

use thiserror::Error;

/// Why not everything was produced.
#[derive(Debug, Error)]
pub enum LoadError {
    /// librdkafka does not accept the settings, or the broker refuses.
    #[error("kafka: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// Some records were not acknowledged.
    #[error(
        "{failed} records were not acknowledged, the first because {first}; run it again against a broker that is up"
    )]
    NotAcknowledged {
        /// How many.
        failed: u64,
        /// The broker's words for the first.
        first: String,
    },
}
