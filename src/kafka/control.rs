//! The control log: `billing-control` followed from its beginning by one thread, and decisions appended to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Moment};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset as KafkaOffset, Timestamp, TopicPartitionList};
use sha2::{Digest, Sha256};

use super::client::client_config;
use crate::config;
use crate::core::book::Book;
use crate::core::decision::stream::{Generation, StreamRegister};
use crate::core::decision::{Decision, Recorded, decision_hash};
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::definition::Meters;
use crate::core::word::{Instant, Offset, StreamId};
use crate::fold::error::SeamError;
use crate::fold::seam::ControlLog;

/// The longest wait for the follower to reach the end that the broker named.
const END_WAIT: Duration = Duration::from_secs(10);
/// The longest wait for the broker to take a decision.
const APPEND_WAIT: Duration = Duration::from_secs(30);
/// Greatest decision: a price book twice as large as one may be.
pub const CONTROL_MAX_RECORD_BYTES: usize = 16 << 20;
/// What Kafka adds to a record, at most.
const RECORD_OVERHEAD_BYTES: usize = 4096;
/// KiB of decisions that are fetched and not yet taken in.
const CONTROL_QUEUE_KBYTES: u64 = 16 << 10;

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
    /// Bytes of the decisions' JSON; what is held of them in memory is a few times as much.
    bytes: u64,
    most_bytes: u64,
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
            read: Arc::new((
                Mutex::new(Read { most_bytes: kafka.control_max_bytes, ..Read::default() }),
                Condvar::new(),
            )),
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

    fn lock(&self) -> MutexGuard<'_, Read> {
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

impl Read {
    /// Takes in the next record; why not, if it cannot be.
    fn take(&mut self, offset: Offset, append_time: Option<Instant>, body: String) -> Result<(), String> {
        self.end = offset.0 + 1;
        let append_time = append_time.ok_or_else(|| {
            format!(
                "the record at offset {} is stamped by its producer: set message.timestamp.type=LogAppendTime on the topic",
                offset.0
            )
        })?;
        self.bytes += body.len() as u64;
        if self.bytes > self.most_bytes {
            return Err(format!(
                "decisions up to offset {} have {} bytes and at most {} are held in memory: raise kafka.control_max_mbytes",
                offset.0, self.bytes, self.most_bytes
            ));
        }
        let decision: Decision = serde_json::from_str(&body).map_err(|error| {
            format!(
                "the decision at offset {} is not understood ({error}): a newer version wrote it; upgrade this process",
                offset.0
            )
        })?;
        let before = self.records.last().map_or("", |record| &record.hash);
        let hash = format!("{:x}", Sha256::new().chain_update(before).chain_update(&body).finalize());
        if let Decision::PriceBookPublished { book, .. } = &decision {
            define_meters(self, offset, book);
        }
        self.streams.apply(&decision);
        self.records.push(ControlRecord { offset, append_time, body, decision, hash });
        Ok(())
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

/// Refuses a decision that no record of the control log can hold.
fn check_size(body: &str) -> Result<(), SeamError> {
    match body.len() {
        length if length <= CONTROL_MAX_RECORD_BYTES => Ok(()),
        length => Err(SeamError::refused(format!(
            "a decision of {length} bytes, and at most {CONTROL_MAX_RECORD_BYTES} are taken: split the price book"
        ))),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn discarded(offset: u64) -> String {
        let (stream, partition) = (crate::core::word::StreamId("s-1".to_owned()), crate::core::word::Partition(0));
        let (offset, raw_hash, reason) = (Offset(offset), "0".repeat(32), "r".to_owned());
        let decision = Decision::RecordDiscarded { stream, partition, offset, raw_hash, reason, actor: "a".to_owned() };
        serde_json::to_string(&decision).unwrap()
    }

    #[test]
    fn the_follower_is_told_its_bounds() {
        let config = config::Config::from_parts(config::Source::Defaults, "", []).unwrap();
        let settings = settings(&config.kafka);
        assert_eq!(settings.get("queued.max.messages.kbytes"), Some(&*CONTROL_QUEUE_KBYTES.to_string()));
        settings.create::<BaseConsumer>().unwrap();
    }

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

    #[test]
    fn decisions_are_held_up_to_the_bytes_that_are_configured() {
        let body = discarded(7);
        let most_bytes = 3 * body.len() as u64;
        let mut read = Read { most_bytes, ..Read::default() };
        for offset in 0..3 {
            read.take(Offset(offset), Some(Instant(1)), body.clone()).unwrap();
        }
        let refusal = read.take(Offset(3), Some(Instant(1)), body.clone()).unwrap_err();
        assert!(refusal.contains("raise kafka.control_max_mbytes"), "{refusal}");
        assert_eq!((read.records.len(), read.end), (3, 4));
    }

    #[test]
    fn a_stamp_of_the_producer_and_an_unknown_decision_are_refused() {
        let mut read = Read { most_bytes: u64::MAX, ..Read::default() };
        assert!(read.take(Offset(0), None, discarded(1)).unwrap_err().contains("LogAppendTime"));
        assert!(read.take(Offset(1), Some(Instant(1)), "{}".to_owned()).unwrap_err().contains("upgrade"));
        assert!(read.records.is_empty());
    }
}
