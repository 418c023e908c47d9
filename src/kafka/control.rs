//! The control log, `billing-control`, followed from its beginning by one thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Moment};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{ClientConfig, Offset as KafkaOffset, Timestamp, TopicPartitionList};

use super::client::client_config;
pub use super::read_log::ControlRecord;
use super::read_log::ReadLog;
use crate::config;
use crate::core::decision::stream::{Generation, StreamRegister};
use crate::core::decision::{Recorded, decision_hash};
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::definition::Meters;
use crate::core::word::{Instant, Offset, StreamId};
use crate::fold::error::SeamError;
use crate::fold::seam::ControlLog;

/// The longest wait for the follower to reach the end that the broker named.
const END_WAIT: Duration = Duration::from_secs(10);
/// KiB of decisions that are fetched and not yet taken in.
const CONTROL_QUEUE_KBYTES: u64 = 16 << 10;

/// A copy of the control log that follows it. Cheap to clone.
#[derive(Clone)]
pub struct ControlFollower {
    consumer: Arc<BaseConsumer>,
    topic: String,
    read: Arc<(Mutex<ReadLog>, Condvar)>,
    stopped: Arc<AtomicBool>,
}

impl ControlFollower {
    /// Starts to follow.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn start(kafka: &config::Kafka) -> Result<Self, SeamError> {
        let consumer: BaseConsumer =
            settings(kafka).create().map_err(|error| SeamError::refused(format!("kafka settings: {error}")))?;
        let mut partitions = TopicPartitionList::new();
        partitions
            .add_partition_offset(&kafka.control_topic, 0, KafkaOffset::Beginning)
            .and_then(|()| consumer.assign(&partitions))
            .map_err(|error| SeamError::refused(format!("{}: {error}", kafka.control_topic)))?;
        let follower = Self {
            consumer: Arc::new(consumer),
            topic: kafka.control_topic.clone(),
            read: Arc::new((Mutex::new(ReadLog::at_most(kafka.control_max_bytes)), Condvar::new())),
            stopped: Arc::default(),
        };
        let thread = follower.clone();
        let spawned = std::thread::Builder::new().name("control".to_owned()).spawn(move || thread.follow());
        spawned.map_err(|error| SeamError::refused(format!("cannot start a thread: {error}")))?;
        Ok(follower)
    }

    /// Ends the following thread.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    fn follow(&self) {
        while !self.stopped.load(Ordering::Acquire) {
            match self.consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => self.take(&message),
                Some(Err(error)) => tracing::debug!(topic = self.topic, %error, "control log"),
                None => {}
            }
        }
    }

    fn take(&self, message: &BorrowedMessage<'_>) {
        let offset = Offset(u64::try_from(message.offset()).unwrap_or_default());
        let body = String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned();
        let append_time = match message.timestamp() {
            Timestamp::LogAppendTime(ms) => Some(Instant(ms)),
            _ => None,
        };
        let mut read = self.lock();
        if let Err(text) = read.take(offset, append_time, body) {
            read.refusal.get_or_insert(format!("{}: {text}", self.topic));
        }
        self.read.1.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, ReadLog> {
        self.read.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All records that have been read so far, from `from` on.
    #[must_use]
    pub fn records(&self, from: Offset) -> Vec<ControlRecord> {
        self.look(from, <[ControlRecord]>::to_vec)
    }

    /// Looks at the records that have been read so far, from `from` on, without a copy of them.
    pub fn look<T>(&self, from: Offset, look: impl FnOnce(&[ControlRecord]) -> T) -> T {
        let read = self.lock();
        let place = read.records.partition_point(|record| record.offset < from);
        look(&read.records[place..])
    }

    /// The decision at an offset, among those that have been read so far.
    #[must_use]
    pub fn recorded(&self, offset: Offset) -> Option<Recorded> {
        let read = self.lock();
        let place = read.records.binary_search_by_key(&offset, |record| record.offset).ok()?;
        let record = &read.records[place];
        Some(Recorded { decision: record.decision.clone(), hash: decision_hash(&record.body) })
    }

    /// The streams that are open, with their rules.
    #[must_use]
    pub fn streams(&self) -> Vec<Arc<StreamRules>> {
        self.lock().streams.open().map(|open| Arc::clone(&open.rules)).collect()
    }

    /// What is decided of all streams so far.
    #[must_use]
    pub fn register(&self) -> StreamRegister {
        self.lock().streams.clone()
    }

    /// Reads the log to the end that the broker names now.
    ///
    /// # Errors
    /// Retryable while the broker is away or the topic is not there; permanent if a record is not to be understood.
    pub fn read_to_end(&self) -> Result<Offset, SeamError> {
        let ends = self.consumer.fetch_watermarks(&self.topic, 0, END_WAIT);
        let (_, end) = ends.map_err(|error| SeamError::retryable(format!("{}: kafka: {error}", self.topic)))?;
        let end = u64::try_from(end).unwrap_or_default();
        let deadline = Moment::now() + END_WAIT;
        let mut read = self.lock();
        while read.end < end {
            let left = deadline.saturating_duration_since(Moment::now());
            if left.is_zero() {
                return Err(SeamError::retryable(format!("{}: read to {} of {end} only", self.topic, read.end)));
            }
            read = self.read.1.wait_timeout(read, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        match &read.refusal {
            Some(text) => Err(SeamError::refused(text.clone())),
            None => Ok(Offset(read.end)),
        }
    }
}

fn settings(kafka: &config::Kafka) -> ClientConfig {
    let mut settings = client_config(kafka);
    settings
        .set("group.id", format!("{}-control", kafka.group))
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        .set("allow.auto.create.topics", "false")
        .set("fetch.wait.max.ms", "20")
        .set("queued.max.messages.kbytes", CONTROL_QUEUE_KBYTES.to_string());
    settings
}

impl ControlLog for ControlFollower {
    fn end(&mut self) -> Result<Offset, SeamError> {
        self.read_to_end()
    }

    fn known_end(&self) -> Offset {
        Offset(self.lock().end)
    }

    fn decision(&mut self, offset: Offset) -> Result<Option<Recorded>, SeamError> {
        if offset >= self.known_end() {
            self.read_to_end()?;
        }
        Ok(self.recorded(offset))
    }

    fn meters(&self, control: Offset) -> Meters {
        let read = self.lock();
        let below = read.meters.iter().rev().find(|(offset, _)| *offset < control);
        below.map(|(_, meters)| meters.clone()).unwrap_or_default()
    }

    fn generation(&self, stream: &StreamId) -> Option<Arc<Generation>> {
        self.lock().streams.get(stream).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_follower_is_told_its_bounds() {
        let config = config::Config::from_parts(config::Source::Defaults, "", []).unwrap();
        let settings = settings(&config.kafka);
        assert_eq!(settings.get("queued.max.messages.kbytes"), Some(&*CONTROL_QUEUE_KBYTES.to_string()));
        settings.create::<BaseConsumer>().unwrap();
    }
}
