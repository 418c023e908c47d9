//! A partition's log read outside of the group, without a commit: for people, and for whoever holds what is stored against it.

use std::time::{Duration, Instant as Moment};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset as KafkaOffset, Timestamp, TopicPartitionList};

use super::client::client_config;
use crate::config;
use crate::core::event::RawRecord;
use crate::core::ledger::judge::LogRecord;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Instant, Offset, Partition, StreamId};
use crate::fold::error::{Permanent, SeamError};
use crate::fold::seam::LogEnds;

/// The longest wait for an answer of the broker.
const BROKER_WAIT: Duration = Duration::from_secs(10);
/// If no record comes for so long, the broker counts as away.
const QUIET_TOO_LONG: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(200);

/// Whose stamp a record may bear.
#[derive(Clone, Copy, Debug)]
pub enum Stamp<'a> {
    /// Anybody's: the record is shown to people.
    Any,
    /// The broker's alone, for what was folded as this stream: a record that its producer stamped is refused.
    Broker(&'a StreamRules),
}

/// A consumer without partitions of its own.
pub struct Reader {
    consumer: BaseConsumer,
    group: String,
}

impl Reader {
    /// Connects when something is asked. Its group is the workers' own, whose commits can be read; it never joins it.
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
        let ends = self.consumer.fetch_watermarks(topic, number(partition), BROKER_WAIT);
        let (first, end) = ends.map_err(|error| away(topic, partition, &error))?;
        let offset = |offset: i64| Offset(u64::try_from(offset).unwrap_or_default());
        Ok(LogEnds { first: offset(first), end: offset(end) })
    }

    /// What the workers' group has committed of a partition; none if nothing.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    pub fn committed(&self, topic: &str, partition: Partition) -> Result<Option<Offset>, SeamError> {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition(topic, number(partition));
        let committed = self.consumer.committed_offsets(partitions, BROKER_WAIT);
        let committed = committed.map_err(|error| {
            tracing::debug!(group = self.group, %error, "commits");
            away(topic, partition, &error)
        })?;
        let found = committed.find_partition(topic, number(partition)).map(|element| element.offset());
        Ok(match found {
            Some(KafkaOffset::Offset(offset)) => u64::try_from(offset).ok().map(Offset),
            _ => None,
        })
    }

    /// Gives the records of [from, to) to `sink`, in order, up to where the log ends. `from` has to be there still.
    ///
    /// # Errors
    /// Retryable while the broker is away; a stamp that may not be; what `sink` says.
    pub fn read(
        &self,
        (topic, partition): (&str, Partition),
        (from, to): (Offset, Offset),
        stamp: Stamp<'_>,
        sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<(), SeamError>,
    ) -> Result<(), SeamError> {
        if from >= to {
            return Ok(());
        }
        let mut place = TopicPartitionList::new();
        let start = KafkaOffset::Offset(i64::try_from(from.0).unwrap_or(i64::MAX));
        place
            .add_partition_offset(topic, number(partition), start)
            .and_then(|()| self.consumer.assign(&place))
            .map_err(|error| away(topic, partition, &error))?;
        let read = self.hand_over((topic, partition), (from, to), stamp, sink);
        self.consumer.unassign().map_err(|error| away(topic, partition, &error))?;
        read
    }

    fn hand_over(
        &self,
        (topic, partition): (&str, Partition),
        (from, to): (Offset, Offset),
        stamp: Stamp<'_>,
        sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<(), SeamError>,
    ) -> Result<(), SeamError> {
        let mut heard = Moment::now();
        loop {
            let message = match self.consumer.poll(POLL) {
                None if heard.elapsed() >= QUIET_TOO_LONG => {
                    let (partition, quiet) = (partition.0, QUIET_TOO_LONG.as_secs());
                    return Err(SeamError::retryable(format!("{topic}/{partition}: no record came for {quiet} s")));
                }
                None => continue,
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(()),
                Some(message) => message.map_err(|error| away(topic, partition, &error))?,
            };
            heard = Moment::now();
            let offset = u64::try_from(message.offset()).unwrap_or_default();
            if offset >= to.0 {
                return Ok(());
            }
            // what was fetched for an earlier question may still come
            if offset < from.0 || message.topic() != topic || message.partition() != number(partition) {
                continue;
            }
            match stamp {
                Stamp::Any => record(&message, Instant(message.timestamp().to_millis().unwrap_or_default()), sink)?,
                Stamp::Broker(rules) => {
                    let append_time = append_time(&message, (&rules.label(partition), &rules.stream))?;
                    record(&message, append_time, sink)?;
                }
            }
            if offset + 1 >= to.0 {
                return Ok(());
            }
        }
    }
}

/// When the broker appended a message; one that its producer stamped is refused.
pub(super) fn append_time(
    message: &BorrowedMessage<'_>,
    (label, stream): (&str, &StreamId),
) -> Result<Instant, Permanent> {
    match message.timestamp() {
        Timestamp::LogAppendTime(append_ms) => Ok(Instant(append_ms)),
        _ => {
            let offset = u64::try_from(message.offset()).unwrap_or_default();
            Err(Permanent::NotAppendTime { label: label.to_owned(), stream: stream.clone(), offset })
        }
    }
}

/// Gives a message to `sink` as the record that it is.
pub(super) fn record<T>(
    message: &BorrowedMessage<'_>,
    append_time: Instant,
    sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<T, SeamError>,
) -> Result<T, SeamError> {
    let offset = Offset(u64::try_from(message.offset()).unwrap_or_default());
    let headers: Vec<(&str, &[u8])> = match message.headers() {
        Some(headers) => headers.iter().map(|header| (header.key, header.value.unwrap_or_default())).collect(),
        None => Vec::new(),
    };
    let raw = RawRecord { key: message.key(), headers: &headers, value: message.payload().unwrap_or_default() };
    sink(&LogRecord { offset, append_time, raw })
}

fn number(partition: Partition) -> i32 {
    i32::try_from(partition.0).unwrap_or(i32::MAX)
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
