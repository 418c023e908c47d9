//! The control log: `billing-control` followed from its beginning by one thread, and decisions appended to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Moment};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset as KafkaOffset, Timestamp, TopicPartitionList};
use sha2::{Digest, Sha256};

use super::client::client_config;
use crate::config;
use crate::core::book::Book;
use crate::core::decision::Decision;
use crate::core::decision::stream::{Generation, StreamRegister};
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::definition::Meters;
use crate::core::word::{Instant, Offset, StreamId};
use crate::fold::error::SeamError;
use crate::fold::seam::ControlLog;

/// The longest wait for the follower to reach the end that the broker named.
const END_WAIT: Duration = Duration::from_secs(10);
/// The longest wait for the broker to take a decision.
const APPEND_WAIT: Duration = Duration::from_secs(30);

/// One record of the control log.
#[derive(Clone, Debug)]
pub struct ControlRecord {
    /// Its offset.
    pub offset: Offset,
    /// When the broker appended it.
    pub append_time: Instant,
    /// Its JSON, as it lies in the log.
    pub body: String,
    /// What it says.
    pub decision: Decision,
    /// SHA-256 over the hash of the record before it and this record's bytes, in hex.
    pub hash: String,
}

#[derive(Default)]
struct Read {
    records: Vec<ControlRecord>,
    meters: Vec<(Offset, Meters)>,
    streams: StreamRegister,
    end: u64,
    refusal: Option<String>,
}

/// A copy of the control log that follows it. Cheap to clone.
#[derive(Clone)]
pub struct ControlFollower {
    consumer: Arc<BaseConsumer>,
    topic: String,
    read: Arc<(Mutex<Read>, Condvar)>,
    stopped: Arc<AtomicBool>,
}

impl ControlFollower {
    /// Starts to follow.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn start(kafka: &config::Kafka) -> Result<Self, SeamError> {
        let consumer: BaseConsumer = client_config(kafka)
            .set("group.id", format!("{}-control", kafka.group))
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "error")
            .set("allow.auto.create.topics", "false")
            .set("fetch.wait.max.ms", "20")
            .create()
            .map_err(|error| SeamError::refused(format!("kafka settings: {error}")))?;
        let mut partitions = TopicPartitionList::new();
        partitions
            .add_partition_offset(&kafka.control_topic, 0, KafkaOffset::Beginning)
            .and_then(|()| consumer.assign(&partitions))
            .map_err(|error| SeamError::refused(format!("{}: {error}", kafka.control_topic)))?;
        let follower = Self {
            consumer: Arc::new(consumer),
            topic: kafka.control_topic.clone(),
            read: Arc::default(),
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
        let mut read = self.lock();
        let offset = Offset(u64::try_from(message.offset()).unwrap_or_default());
        let body = String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned();
        match (message.timestamp(), serde_json::from_str::<Decision>(&body)) {
            (Timestamp::LogAppendTime(ms), Ok(decision)) => {
                let before = read.records.last().map_or(String::new(), |record| record.hash.clone());
                let hash = format!("{:x}", Sha256::new().chain_update(before).chain_update(&body).finalize());
                if let Decision::PriceBookPublished { book, .. } = &decision {
                    define_meters(&mut read, offset, book);
                }
                read.streams.apply(&decision);
                read.records.push(ControlRecord { offset, append_time: Instant(ms), body, decision, hash });
            }
            (Timestamp::LogAppendTime(_), Err(error)) => {
                let text = format!(
                    "{}: the decision at offset {} is not understood ({error}): a newer version wrote it; upgrade this process",
                    self.topic, offset.0
                );
                read.refusal.get_or_insert(text);
            }
            _ => {
                let text = format!(
                    "{}: the record at offset {} is stamped by its producer: set message.timestamp.type=LogAppendTime on the topic",
                    self.topic, offset.0
                );
                read.refusal.get_or_insert(text);
            }
        }
        read.end = offset.0 + 1;
        self.read.1.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Read> {
        self.read.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All records that have been read so far, from `from` on.
    #[must_use]
    pub fn records(&self, from: Offset) -> Vec<ControlRecord> {
        self.lock().records.iter().filter(|record| record.offset >= from).cloned().collect()
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

/// Definitions add up: a later book may define more meters, never change one.
fn define_meters(read: &mut Read, offset: Offset, book: &serde_json::Value) {
    let mut meters = read.meters.last().map(|(_, meters)| meters.clone()).unwrap_or_default();
    match Book::from_canonical(book) {
        Ok(book) => book.meters().for_each(|(name, definition)| meters.define(name, definition)),
        Err(error) => {
            let text = format!(
                "the price book at offset {} of the control log is not understood ({error}): upgrade this process",
                offset.0
            );
            read.refusal.get_or_insert(text);
        }
    }
    read.meters.push((offset, meters));
}

impl ControlLog for ControlFollower {
    fn end(&mut self) -> Result<Offset, SeamError> {
        self.read_to_end()
    }

    fn known_end(&self) -> Offset {
        Offset(self.lock().end)
    }

    fn decision(&mut self, offset: Offset) -> Result<Option<Decision>, SeamError> {
        if offset >= self.known_end() {
            self.read_to_end()?;
        }
        let read = self.lock();
        Ok(read.records.iter().find(|record| record.offset == offset).map(|record| record.decision.clone()))
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
            .set("message.max.bytes", "16777216")
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
