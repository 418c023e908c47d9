//! What can go wrong while usage is produced.

use thiserror::Error;

/// Why a load did not arrive whole.
#[derive(Debug, Error)]
pub enum LoadError {
    /// librdkafka does not accept the settings.
    #[error("kafka settings: {0}")]
    Settings(rdkafka::error::KafkaError),
    /// A record could not even be queued.
    #[error("topic {topic}: a record could not be queued ({error}): check the size of its events and kafka.properties")]
    Queue {
        /// Where it was to go.
        topic: String,
        /// What librdkafka says.
        error: rdkafka::error::KafkaError,
    },
    /// The broker did not acknowledge everything.
    #[error(
        "{failed} records were not acknowledged, the first because of {first}: check the broker, then send them again"
    )]
    Unacknowledged {
        /// How many.
        failed: u64,
        /// What librdkafka says of the first.
        first: rdkafka::error::KafkaError,
    },
    /// Acknowledgements are still missing at the end.
    #[error("{missing} records were neither acknowledged nor refused: check the broker, then send them again")]
    Missing {
        /// How many.
        missing: u64,
    },
}
