//! What ends a run.

use thiserror::Error;

/// Why `plimsoll run` stopped other than because it was asked to.
#[derive(Debug, Error)]
pub enum RunError {
    /// Going on would break a promise; the text names the mend.
    #[error("{0}")]
    Permanent(String),
    /// Kafka refuses the consumer.
    #[error("kafka: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// ClickHouse refuses.
    #[error(transparent)]
    ClickHouse(#[from] crate::clickhouse::Error),
    /// A thread could not be started.
    #[error("a thread could not be started ({0}): raise the limit of processes")]
    Thread(#[from] std::io::Error),
}
