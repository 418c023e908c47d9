//! Records to Kafka, each with its own acknowledgement.

use std::sync::{Mutex, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};

use super::error::Away;
use crate::config;
use crate::core::event::partition_of;
use crate::core::ledger::rules::StreamRules;
use crate::fold::error::SeamError;
use crate::kafka::client::client_config;
use crate::kafka::topic::USAGE_MAX_MESSAGE_BYTES;

/// What librdkafka keeps beside a record's bytes, so that its own queue is full after ours.
const ROOM_KBYTES: usize = 64 << 10;
/// How long records wait for others to travel with.
const LINGER_MS: usize = 2;

/// A producer of usage records.
pub(super) struct Sender {
    settings: ClientConfig,
    producer: Mutex<FutureProducer>,
}

impl Sender {
    /// Connects when the first record is sent.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub(super) fn new(kafka: &config::Kafka, gateway: &config::Gateway) -> Result<Self, SeamError> {
        let settings = settings(kafka, gateway);
        let producer = create(&settings)?;
        Ok(Self { settings, producer: Mutex::new(producer) })
    }

    fn producer(&self) -> FutureProducer {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Queues a record.
    pub(super) fn send(
        &self,
        stream: &StreamRules,
        array: &str,
        headers: &[(&str, &[u8])],
        value: &[u8],
    ) -> Result<DeliveryFuture, KafkaError> {
        let partition = partition_of(array.as_bytes(), stream.partitions);
        let mut own = OwnedHeaders::new_with_capacity(headers.len());
        for (key, value) in headers {
            own = own.insert(Header { key, value: Some(*value) });
        }
        let record = FutureRecord::to(&stream.topic)
            .partition(i32::try_from(partition.0).unwrap_or_default())
            .key(array)
            .payload(value)
            .headers(own);
        self.producer().send_result(record).map_err(|(error, _)| error)
    }

    /// Waits until Kafka has every record on all in-sync replicas. All are waited for, whatever the first says: until then their bytes
    /// are in memory.
    ///
    /// # Errors
    /// If a single one was not acknowledged.
    pub(super) async fn acknowledged(&self, deliveries: Vec<DeliveryFuture>) -> Result<(), Away> {
        let mut first = None;
        for delivery in deliveries {
            let failed = match delivery.await {
                Ok(Ok(_)) => continue,
                Ok(Err((error, _))) => error.to_string(),
                Err(_) => "the producer is gone".to_owned(),
            };
            first.get_or_insert(failed);
        }
        match first {
            None => Ok(()),
            Some(first) => {
                self.renew_if_broken();
                Err(Away::Kafka(first))
            }
        }
    }

    /// An idempotent producer that has lost count of its records never sends again: another one takes its place.
    pub(super) fn renew_if_broken(&self) {
        let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((code, reason)) = producer.client().fatal_error() else { return };
        tracing::error!(%code, reason, "the producer is given up and made again");
        match create(&self.settings) {
            Ok(another) => *producer = another,
            Err(error) => tracing::error!(%error, "no other producer"),
        }
    }
}

fn create(settings: &ClientConfig) -> Result<FutureProducer, SeamError> {
    settings.create().map_err(|error| SeamError::refused(format!("kafka settings: {error}")))
}

fn settings(kafka: &config::Kafka, gateway: &config::Gateway) -> ClientConfig {
    let queue_kbytes = (gateway.in_flight_max_bytes >> 10) * 2 + ROOM_KBYTES;
    let mut settings = client_config(kafka);
    settings
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("linger.ms", LINGER_MS.to_string())
        .set("batch.size", (1 << 20).to_string())
        .set("message.max.bytes", USAGE_MAX_MESSAGE_BYTES.to_string())
        .set("message.timeout.ms", gateway.acknowledge_timeout.as_millis().to_string())
        // bytes bound it, here and before a record comes here
        .set("queue.buffering.max.messages", "0")
        .set("queue.buffering.max.kbytes", queue_kbytes.min(2_147_483_647).to_string());
    settings
}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

    use super::*;
    use crate::config::{Config, Source};
    use crate::core::ledger::sample::rules;

    /// librdkafka enforces these itself: the test is that it is told, and that it takes them.
    #[test]
    fn the_producer_is_told_its_bounds() {
        let mut config = Config::from_parts(Source::Defaults, "", []).unwrap();
        for most in [2 << 10, config.gateway.in_flight_max_bytes, 16_777_216 << 10] {
            config.gateway.in_flight_max_bytes = most;
            let settings = settings(&config.kafka, &config.gateway);
            let queue: usize = settings.get("queue.buffering.max.kbytes").unwrap().parse().unwrap();
            assert!(queue << 10 > most);
            assert_eq!(settings.get("message.timeout.ms"), Some("30000"));
            assert_eq!((settings.get("acks"), settings.get("enable.idempotence")), (Some("all"), Some("true")));
            drop(create(&settings).unwrap());
        }
    }

    /// A broker that refuses the producer's identity breaks it for good; the next record goes out through another one.
    #[tokio::test]
    async fn a_producer_that_is_broken_for_good_is_made_again() {
        let broker = MockCluster::new(1).unwrap();
        broker.create_topic("usage", 1, 1).unwrap();
        let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
        broker.request_errors(RDKafkaApiKey::InitProducerId, &[refused]);
        let mut config = Config::from_parts(Source::Defaults, "", []).unwrap();
        config.kafka.bootstrap_servers = broker.bootstrap_servers();
        let sender = Sender::new(&config.kafka, &config.gateway).unwrap();
        let rules = rules("usage");
        let send = || sender.send(&rules, "a", &[], b"{}");

        let broken = sender.acknowledged(vec![send().unwrap()]).await;
        assert!(matches!(broken, Err(Away::Kafka(_))), "{broken:?}");
        assert!(sender.producer().client().fatal_error().is_none(), "it was made again");
        sender.acknowledged(vec![send().unwrap()]).await.unwrap();
        // one that is well stays
        sender.renew_if_broken();
        sender.acknowledged(vec![send().unwrap()]).await.unwrap();
    }
}
