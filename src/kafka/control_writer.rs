//! Decisions, appended to the control log.

use std::time::Duration;

use rdkafka::producer::{FutureProducer, FutureRecord};

use super::client::client_config;
use crate::config;
use crate::core::decision::Decision;
use crate::core::word::Offset;
use crate::fold::error::SeamError;

/// The longest wait for the broker to take a decision.
const APPEND_WAIT: Duration = Duration::from_secs(30);
/// Greatest decision: a price book twice as large as one may be.
pub const CONTROL_MAX_RECORD_BYTES: usize = 16 << 20;
/// What Kafka adds to a record, at most.
const RECORD_OVERHEAD_BYTES: usize = 4096;

/// A producer of decisions.
pub struct ControlWriter {
    producer: FutureProducer,
    topic: String,
}

impl ControlWriter {
    /// Connects when the first decision is appended.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn new(kafka: &config::Kafka) -> Result<Self, SeamError> {
        let producer = client_config(kafka)
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("message.max.bytes", (CONTROL_MAX_RECORD_BYTES + RECORD_OVERHEAD_BYTES).to_string())
            .set("message.timeout.ms", APPEND_WAIT.as_millis().to_string())
            .create()
            .map_err(|error| SeamError::refused(format!("kafka settings: {error}")))?;
        Ok(Self { producer, topic: kafka.control_topic.clone() })
    }

    /// Appends a decision and returns its offset. The broker has it on all in-sync replicas then.
    ///
    /// # Errors
    /// Retryable if the broker did not answer: the decision may or may not be there, so read the log before trying again.
    pub async fn append(&self, decision: &Decision) -> Result<Offset, SeamError> {
        let body = serde_json::to_string(decision).map_err(|error| SeamError::refused(format!("decision: {error}")))?;
        check_size(&body)?;
        let record = FutureRecord::<str, str>::to(&self.topic).partition(0).payload(&body);
        match self.producer.send(record, APPEND_WAIT).await {
            Ok(delivery) => Ok(Offset(u64::try_from(delivery.offset).unwrap_or_default())),
            Err((error, _)) => Err(SeamError::retryable(format!("{}: kafka: {error}", self.topic))),
        }
    }
}

/// Appends one decision and returns its offset.
///
/// # Errors
/// As [`ControlWriter::append`].
pub async fn append(kafka: &config::Kafka, decision: &Decision) -> Result<Offset, SeamError> {
    ControlWriter::new(kafka)?.append(decision).await
}

/// Refuses a decision that no record of the control log can hold.
fn check_size(body: &str) -> Result<(), SeamError> {
    match body.len() {
        length if length <= CONTROL_MAX_RECORD_BYTES => Ok(()),
        length => Err(SeamError::refused(format!(
            "a decision of {length} bytes, and at most {CONTROL_MAX_RECORD_BYTES} are taken: split the price book"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_fits_up_to_its_greatest_size() {
        for (length, fits) in [
            (CONTROL_MAX_RECORD_BYTES - 1, true),
            (CONTROL_MAX_RECORD_BYTES, true),
            (CONTROL_MAX_RECORD_BYTES + 1, false),
        ] {
            assert_eq!(check_size(&"x".repeat(length)).is_ok(), fits, "{length}");
        }
    }
}
