//! A partition's log read once more, from any offset that is still there: outside of the group, without a commit.

use std::time::{Duration, Instant as Moment};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message as _, Offset as KafkaOffset};

use super::client::client_config;
use super::usage_log::hand_over;
use crate::config;
use crate::core::ledger::judge::LogRecord;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Offset, Partition};
use crate::fold::error::{Permanent, SeamError};
use crate::fold::seam::{Flow, LogEnds};

/// The longest wait for an answer of the broker.
const BROKER_WAIT: Duration = Duration::from_secs(10);
/// If no record comes for so long, the broker counts as away.
const QUIET_TOO_LONG: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(200);

/// A consumer for replays.
pub struct Replay {
    consumer: BaseConsumer,
    group: String,
}

impl Replay {
    /// Connects when something is asked. `group` is the workers' own, whose commits can be read.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn new(kafka: &config::Kafka) -> Result<Self, SeamError> {
        let consumer = client_config(kafka)
            .set("group.id", &kafka.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("allow.auto.create.topics", "false")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "100")
            .set("receive.message.max.bytes", "134217728")
            .create()
            .map_err(|error| SeamError::refused(format!("kafka settings: {error}")))?;
        Ok(Self { consumer, group: kafka.group.clone() })
    }

    /// Where a partition's log begins and ends now.
    ///
    /// # Errors
    /// Retryable while the broker is away or the topic is not there.
    pub fn ends(&self, topic: &str, partition: Partition) -> Result<LogEnds, SeamError> {
        let number = i32::try_from(partition.0).unwrap_or(i32::MAX);
        let ends = self.consumer.fetch_watermarks(topic, number, BROKER_WAIT);
        let (first, end) = ends.map_err(|error| away(topic, partition, &error))?;
        let offset = |offset: i64| Offset(u64::try_from(offset).unwrap_or_default());
        Ok(LogEnds { first: offset(first), end: offset(end) })
    }

    /// What the workers' group has committed of a partition; none if nothing.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    pub fn committed(&self, topic: &str, partition: Partition) -> Result<Option<Offset>, SeamError> {
        let number = i32::try_from(partition.0).unwrap_or(i32::MAX);
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition(topic, number);
        let committed = self.consumer.committed_offsets(partitions, BROKER_WAIT);
        let committed = committed.map_err(|error| {
            tracing::debug!(group = self.group, %error, "commits");
            away(topic, partition, &error)
        })?;
        let found = committed.find_partition(topic, number).map(|element| element.offset());
        Ok(match found {
            Some(KafkaOffset::Offset(offset)) => u64::try_from(offset).ok().map(Offset),
            _ => None,
        })
    }

    /// Gives the records of [from, to) that are there to `sink`, in order.
    ///
    /// # Errors
    /// Retryable while the broker is away; what `sink` says.
    pub fn each(
        &self,
        rules: &StreamRules,
        partition: Partition,
        (from, to): (Offset, Offset),
        sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<(), SeamError>,
    ) -> Result<(), SeamError> {
        let (label, topic) = (rules.label(partition), rules.topic.as_str());
        let number = i32::try_from(partition.0).unwrap_or(i32::MAX);
        let mut partitions = TopicPartitionList::new();
        let start = KafkaOffset::Offset(i64::try_from(from.0).unwrap_or(i64::MAX));
        partitions
            .add_partition_offset(topic, number, start)
            .and_then(|()| self.consumer.assign(&partitions))
            .map_err(|error| away(topic, partition, &error))?;
        let mut heard = Moment::now();
        loop {
            let message = match self.consumer.poll(POLL) {
                None if heard.elapsed() >= QUIET_TOO_LONG => {
                    return Err(SeamError::retryable(format!(
                        "{label}: no record came for {} s",
                        QUIET_TOO_LONG.as_secs()
                    )));
                }
                None => continue,
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(()),
                Some(Err(error)) => return Err(away(topic, partition, &error)),
                Some(Ok(message)) => message,
            };
            heard = Moment::now();
            let offset = u64::try_from(message.offset()).unwrap_or_default();
            if offset >= to.0 {
                return Ok(());
            }
            // what was fetched for an earlier question may still come
            if offset < from.0 || message.topic() != topic || message.partition() != number {
                continue;
            }
            hand_over(&message, (&label, &rules.stream), &mut |record| sink(record).map(|()| Flow::More))?;
        }
    }
}

fn away(topic: &str, partition: Partition, error: &KafkaError) -> SeamError {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset) => Permanent::Refused(format!(
            "{topic}/{}: retention has deleted records while they were read; run it again",
            partition.0
        ))
        .into(),
        _ => SeamError::retryable(format!("{topic}/{}: kafka: {error}", partition.0)),
    }
}
