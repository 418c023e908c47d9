//! The fold's Log over one partition's own queue of a group's consumer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Moment};

use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset as KafkaOffset, Timestamp, TopicPartitionList};

use super::group::GroupContext;
use crate::core::event::RawRecord;
use crate::core::ledger::judge::LogRecord;
use crate::core::word::{Instant, Offset};
use crate::fold::error::{Permanent, SeamError};
use crate::fold::seam::{Flow, Log, LogEnds};

/// The longest wait for an answer of the broker about offsets.
const BROKER_WAIT: Duration = Duration::from_secs(10);
/// Records between two looks at the watch.
const LOOK_EVERY: u64 = 256;

/// One partition of a usage topic.
pub struct UsageLog {
    consumer: Arc<BaseConsumer<GroupContext>>,
    queue: PartitionQueue<GroupContext>,
    topic: String,
    partition: i32,
    label: String,
    stopped: Arc<AtomicBool>,
    end: Offset,
}

impl UsageLog {
    /// The log of a partition that was assigned, paused and split off. `stopped` is set when it is revoked: then it gives nothing
    /// more, since its queue may belong to the next owner.
    pub fn new(
        consumer: Arc<BaseConsumer<GroupContext>>,
        queue: PartitionQueue<GroupContext>,
        topic: String,
        partition: i32,
        label: String,
        stopped: Arc<AtomicBool>,
    ) -> Self {
        Self { consumer, queue, topic, partition, label, stopped, end: Offset(0) }
    }

    fn partitions(&self) -> TopicPartitionList {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition(&self.topic, self.partition);
        partitions
    }

    fn trouble(&self, error: &KafkaError) -> SeamError {
        use RDKafkaErrorCode::{AutoOffsetReset, OffsetOutOfRange, UnknownTopicOrPartition};
        match error.rdkafka_error_code() {
            Some(AutoOffsetReset | OffsetOutOfRange) => SeamError::refused(format!(
                "{}: the offset that is due is not in the log: it was cut, re-created or deleted by retention; compare the topic with \
                 the newest checkpoint, then open a new generation or record the lost offsets",
                self.label
            )),
            Some(UnknownTopicOrPartition) => {
                SeamError::retryable(format!("{}: the topic is not there (deleted?); waiting for it", self.label))
            }
            _ => SeamError::retryable(format!("{}: kafka: {error}", self.label)),
        }
    }

    fn hand_over(
        &self,
        message: &BorrowedMessage<'_>,
        sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<Flow, SeamError>,
    ) -> Result<Flow, SeamError> {
        let offset = u64::try_from(message.offset()).unwrap_or_default();
        let Timestamp::LogAppendTime(append_ms) = message.timestamp() else {
            return Err(Permanent::NotAppendTime { label: self.label.clone(), offset }.into());
        };
        let headers: Vec<(&str, &[u8])> = match message.headers() {
            Some(headers) => headers.iter().map(|header| (header.key, header.value.unwrap_or_default())).collect(),
            None => Vec::new(),
        };
        let raw = RawRecord { key: message.key(), headers: &headers, value: message.payload().unwrap_or_default() };
        sink(&LogRecord { offset: Offset(offset), append_time: Instant(append_ms), raw })
    }
}

impl Log for UsageLog {
    fn ends(&mut self) -> Result<LogEnds, SeamError> {
        let ends = self.consumer.fetch_watermarks(&self.topic, self.partition, BROKER_WAIT);
        let (first, end) = ends.map_err(|error| self.trouble(&error))?;
        let offset = |offset: i64| Offset(u64::try_from(offset).unwrap_or_default());
        self.end = offset(end);
        Ok(LogEnds { first: offset(first), end: offset(end) })
    }

    fn start_at(&mut self, from: Offset) -> Result<(), SeamError> {
        let offset = KafkaOffset::Offset(i64::try_from(from.0).unwrap_or(i64::MAX));
        self.consumer
            .seek(&self.topic, self.partition, offset, BROKER_WAIT)
            .and_then(|()| self.consumer.resume(&self.partitions()))
            .map_err(|error| self.trouble(&error))
    }

    fn fetch(
        &mut self,
        max_wait_ms: u64,
        sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<Flow, SeamError>,
    ) -> Result<u64, SeamError> {
        let deadline = Moment::now() + Duration::from_millis(max_wait_ms);
        let mut wait = Duration::from_millis(max_wait_ms);
        let mut fetched = 0u64;
        while !self.stopped.load(Ordering::Acquire) {
            let Some(message) = self.queue.poll(wait) else { break };
            let message = message.map_err(|error| self.trouble(&error))?;
            fetched += 1;
            wait = Duration::ZERO;
            let flow = self.hand_over(&message, sink)?;
            if flow == Flow::Enough || (fetched.is_multiple_of(LOOK_EVERY) && Moment::now() >= deadline) {
                break;
            }
        }
        Ok(fetched)
    }

    fn commit(&mut self, next: Offset) {
        let mut partitions = TopicPartitionList::new();
        let offset = KafkaOffset::Offset(i64::try_from(next.0).unwrap_or(i64::MAX));
        let added = partitions.add_partition_offset(&self.topic, self.partition, offset);
        // a courtesy to lag tools: recovery never reads it, so trouble here is not trouble
        if let Err(error) = added.and_then(|()| self.consumer.commit(&partitions, CommitMode::Async)) {
            tracing::debug!(partition = %self.label, %error, "offset not committed");
        }
    }
}
