//! Records to Kafka: each to its array's partition, in order, every acknowledgement looked at.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;

use super::error::LoadError;
use super::record::UsageRecord;
use crate::config;
use crate::core::event::partition_of;
use crate::core::ledger::rules::StreamRules;
use crate::kafka::client::client_config;
use crate::kafka::topic::USAGE_MAX_MESSAGE_BYTES;

/// Records between two looks at the acknowledgements.
const LOOK_EVERY: u64 = 500;
/// A wait for room in the queue.
const ROOM_WAIT: Duration = Duration::from_millis(5);
/// How long the broker may be away before a record counts as lost.
const DELIVERY_WAIT: Duration = Duration::from_secs(120);

/// Counts acknowledgements and keeps the first refusal.
#[derive(Default)]
struct Deliveries {
    acknowledged: AtomicU64,
    failed: AtomicU64,
    first: Mutex<Option<KafkaError>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => _ = self.acknowledged.fetch_add(1, Ordering::Relaxed),
            Err((error, _)) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                self.first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
            }
        }
    }
}

/// A producer of usage. What it took is safe only once [`finish`](Publisher::finish) said so.
pub struct Publisher {
    producer: BaseProducer<Deliveries>,
    sent: u64,
}

impl Publisher {
    /// Connects when the first record is sent.
    ///
    /// # Errors
    /// If librdkafka does not accept the settings.
    pub fn new(kafka: &config::Kafka) -> Result<Self, LoadError> {
        let mut client = client_config(kafka);
        client
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("compression.type", "lz4")
            .set("linger.ms", "20")
            .set("batch.size", (1 << 20).to_string())
            .set("batch.num.messages", "100000")
            .set("message.max.bytes", USAGE_MAX_MESSAGE_BYTES.to_string())
            .set("message.timeout.ms", DELIVERY_WAIT.as_millis().to_string())
            .set("queue.buffering.max.kbytes", (128 << 10).to_string())
            .set("queue.buffering.max.messages", "500000");
        let producer = client.create_with_context(Deliveries::default()).map_err(LoadError::Settings)?;
        Ok(Self { producer, sent: 0 })
    }

    /// Queues a record for its stream; waits while the queue is full.
    ///
    /// # Errors
    /// If librdkafka refuses it, or the broker refused an earlier one.
    pub fn send(&mut self, stream: &StreamRules, record: &UsageRecord) -> Result<(), LoadError> {
        let partition = partition_of(record.key.as_bytes(), stream.partitions);
        let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
        for (key, value) in &record.headers {
            headers = headers.insert(Header { key, value: Some(&**value) });
        }
        let mut queued = BaseRecord::to(&stream.topic)
            .partition(partition.0 as i32)
            .key(&*record.key)
            .payload(&record.value)
            .headers(headers);
        while let Err((error, back)) = self.producer.send(queued) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(LoadError::Queue { topic: stream.topic.clone(), error });
            }
            queued = back;
            self.wait(ROOM_WAIT)?;
        }
        self.sent += 1;
        if self.sent.is_multiple_of(LOOK_EVERY) {
            self.wait(Duration::ZERO)?;
        }
        Ok(())
    }

    /// How many records the broker has acknowledged so far.
    #[must_use]
    pub fn acknowledged(&self) -> u64 {
        self.producer.context().acknowledged.load(Ordering::Relaxed)
    }

    /// Looks at acknowledgements for so long.
    ///
    /// # Errors
    /// If the broker refused a record.
    pub fn wait(&self, time: Duration) -> Result<(), LoadError> {
        self.producer.poll(time);
        self.refusal()
    }

    /// Waits until the broker has everything.
    ///
    /// # Errors
    /// If a record was refused, or is still without an answer after two minutes.
    pub fn finish(&mut self) -> Result<(), LoadError> {
        // what flush says is in the counts as well
        let flushed = self.producer.flush(DELIVERY_WAIT + Duration::from_secs(5));
        self.refusal()?;
        match self.sent.saturating_sub(self.acknowledged()) {
            0 => flushed.map_err(|first| LoadError::Unacknowledged { failed: 0, first }),
            missing => Err(LoadError::Missing { missing }),
        }
    }

    fn refusal(&self) -> Result<(), LoadError> {
        let deliveries = self.producer.context();
        match deliveries.failed.load(Ordering::Relaxed) {
            0 => Ok(()),
            failed => {
                let first = deliveries.first.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Err(LoadError::Unacknowledged { failed, first: first.unwrap_or(KafkaError::Canceled) })
            }
        }
    }
}
