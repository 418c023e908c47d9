//! Producing load: acknowledged by all in-sync replicas, in order, each event in the partition of its array.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

use super::LoadEvent;
use super::error::LoadError;
use crate::config;
use crate::core::event::partition_of;
use crate::kafka::client::client_config;

/// The longest wait for the last acknowledgements.
const FLUSH_WAIT: Duration = Duration::from_secs(120);
/// The pause while the producer's queue is full.
const FULL_PAUSE: Duration = Duration::from_millis(5);

#[derive(Clone, Default)]
struct Deliveries {
    failed: Arc<AtomicU64>,
    first: Arc<Mutex<Option<String>>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.failed.fetch_add(1, Ordering::Relaxed);
            self.first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
        }
    }
}

/// A producer of usage events.
pub struct Publisher {
    producer: ThreadedProducer<Deliveries>,
    deliveries: Deliveries,
    topic: String,
    partitions: u32,
}

impl Publisher {
    /// A producer into a topic of so many partitions.
    ///
    /// # Errors
    /// What librdkafka does not accept.
    pub fn new(kafka: &config::Kafka, topic: &str, partitions: u32) -> Result<Self, LoadError> {
        let deliveries = Deliveries::default();
        let producer = client_config(kafka)
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("compression.type", "lz4")
            .set("linger.ms", "20")
            .set("batch.size", "1000000")
            .set("message.max.bytes", "33554432")
            .set("queue.buffering.max.messages", "200000")
            .set("queue.buffering.max.kbytes", "131072")
            .create_with_context(deliveries.clone())?;
        Ok(Self { producer, deliveries, topic: topic.to_owned(), partitions })
    }

    /// Sends one event; waits while the queue is full.
    ///
    /// # Errors
    /// What the broker refuses for good.
    pub fn send(&self, event: &LoadEvent) -> Result<(), LoadError> {
        let partition = i32::try_from(partition_of(event.key.as_bytes(), self.partitions).0).unwrap_or_default();
        let headers = OwnedHeaders::new()
            .insert(rdkafka::message::Header { key: "content-type", value: Some("application/cloudevents+json") });
        let mut record =
            BaseRecord::to(&self.topic).partition(partition).key(&event.key).payload(&event.value).headers(headers);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    std::thread::sleep(FULL_PAUSE);
                    record = back;
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    /// Waits until everything is acknowledged.
    ///
    /// # Errors
    /// If anything is not.
    pub fn finish(self) -> Result<(), LoadError> {
        self.producer.flush(FLUSH_WAIT)?;
        let failed = self.deliveries.failed.load(Ordering::Relaxed);
        let first = self.deliveries.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(first) => Err(LoadError::NotAcknowledged { failed, first }),
            None => Ok(()),
        }
    }
}
