//! Records of a topic read for people, outside of any group: what a log holds between two offsets.

use std::time::{Duration, Instant as Moment};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset as KafkaOffset, TopicPartitionList};

use super::client::client_config;
use crate::config;
use crate::core::event::RawRecord;
use crate::core::ledger::judge::LogRecord;
use crate::core::word::{Instant, Offset, Partition};
use crate::fold::error::SeamError;
use crate::fold::seam::LogEnds;

/// The longest wait for an answer of the broker, or for the next record.
const BROKER_WAIT: Duration = Duration::from_secs(10);

/// A consumer without a group.
pub struct Reader(BaseConsumer);

impl Reader {
    /// Connects when the first call is made.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn new(kafka: &config::Kafka) -> Result<Self, SeamError> {
        let consumer = client_config(kafka)
            .set("group.id", format!("{}-reader", kafka.group))
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "error")
            .set("allow.auto.create.topics", "false")
            .set("enable.partition.eof", "true")
            .create()
            .map_err(|error| SeamError::refused(format!("kafka settings: {error}")))?;
        Ok(Self(consumer))
    }

    /// Where a partition's log begins and ends.
    ///
    /// # Errors
    /// Retryable while the broker is away or the topic is not there.
    pub fn ends(&self, topic: &str, partition: Partition) -> Result<LogEnds, SeamError> {
        let ends = self.0.fetch_watermarks(topic, number(partition), BROKER_WAIT);
        let (first, end) = ends.map_err(|error| trouble(topic, &error))?;
        let offset = |offset: i64| Offset(u64::try_from(offset).unwrap_or_default());
        Ok(LogEnds { first: offset(first), end: offset(end) })
    }

    /// Hands over the records in [from, to) that are there, in offset order. `append_time` is what the record is stamped with, by
    /// whomever.
    ///
    /// # Errors
    /// Retryable while the broker is away; and what `sink` says.
    pub fn read(
        &self,
        (topic, partition): (&str, Partition),
        (from, to): (Offset, Offset),
        sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<(), SeamError>,
    ) -> Result<(), SeamError> {
        let ends = self.ends(topic, partition)?;
        let (from, to) = (from.max(ends.first), to.min(ends.end));
        if from >= to {
            return Ok(());
        }
        let mut place = TopicPartitionList::new();
        let offset = KafkaOffset::Offset(i64::try_from(from.0).unwrap_or(i64::MAX));
        let assigned = place
            .add_partition_offset(topic, number(partition), offset)
            .and_then(|()| self.0.assign(&place))
            .map_err(|error| trouble(topic, &error));
        let read = assigned.and_then(|()| self.hand_over(topic, to, sink));
        self.0.unassign().map_err(|error| trouble(topic, &error))?;
        read
    }

    fn hand_over(
        &self,
        topic: &str,
        to: Offset,
        sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<(), SeamError>,
    ) -> Result<(), SeamError> {
        let mut heard = Moment::now();
        while heard.elapsed() < BROKER_WAIT {
            let message = match self.0.poll(Duration::from_millis(200)) {
                None => continue,
                Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => return Ok(()),
                Some(message) => message.map_err(|error| trouble(topic, &error))?,
            };
            heard = Moment::now();
            let offset = Offset(u64::try_from(message.offset()).unwrap_or_default());
            if offset < to {
                show(&message, offset, sink)?;
            }
            if offset.0 + 1 >= to.0 {
                return Ok(());
            }
        }
        Err(SeamError::retryable(format!("{topic}: the broker gives no more records; try again")))
    }
}

fn show(
    message: &BorrowedMessage<'_>,
    offset: Offset,
    sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<(), SeamError>,
) -> Result<(), SeamError> {
    let headers: Vec<(&str, &[u8])> = match message.headers() {
        Some(headers) => headers.iter().map(|header| (header.key, header.value.unwrap_or_default())).collect(),
        None => Vec::new(),
    };
    let raw = RawRecord { key: message.key(), headers: &headers, value: message.payload().unwrap_or_default() };
    let append_time = Instant(message.timestamp().to_millis().unwrap_or_default());
    sink(&LogRecord { offset, append_time, raw })
}

fn number(partition: Partition) -> i32 {
    i32::try_from(partition.0).unwrap_or(i32::MAX)
}

fn trouble(topic: &str, error: &rdkafka::error::KafkaError) -> SeamError {
    SeamError::retryable(format!("topic {topic}: kafka: {error}"))
}
