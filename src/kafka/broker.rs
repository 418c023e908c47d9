//! What a broker says of itself: how many there are, which version, what time it is. For `plimsoll doctor`.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Timestamp};

use super::client::client_config;
use crate::config;
use crate::fold::error::SeamError;

/// The longest wait for one answer of a broker.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// The brokers of the configuration, asked once and not waited for.
pub struct Brokers {
    settings: ClientConfig,
    admin: AdminClient<DefaultClientContext>,
    consumer: BaseConsumer,
}

impl Brokers {
    /// Connects when the first question is asked.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn new(kafka: &config::Kafka) -> Result<Self, SeamError> {
        let settings = client_config(kafka);
        let refused = |error| SeamError::refused(format!("kafka settings: {error}"));
        let (admin, consumer) = (settings.create().map_err(refused)?, settings.create().map_err(refused)?);
        Ok(Self { settings, admin, consumer })
    }

    /// The ids of all brokers.
    ///
    /// # Errors
    /// Retryable while none answers.
    pub fn ids(&self) -> Result<Vec<i32>, SeamError> {
        let metadata = self.consumer.fetch_metadata(None, ANSWER_WAIT).map_err(away)?;
        Ok(metadata.brokers().iter().map(|broker| broker.id()).collect())
    }

    /// The protocol that a broker speaks with others, such as `3.6-IV2`; none from Kafka 4.0 on, which has no such setting any more.
    ///
    /// # Errors
    /// Retryable while it does not answer; it may also not be allowed to be asked.
    pub async fn protocol(&self, broker: i32) -> Result<Option<String>, SeamError> {
        let options = AdminOptions::new().request_timeout(Some(ANSWER_WAIT));
        let described = self.admin.describe_configs([&ResourceSpecifier::Broker(broker)], &options).await;
        match described.map_err(away)?.into_iter().next() {
            Some(Ok(settings)) => {
                Ok(settings.get("inter.broker.protocol.version").and_then(|entry| entry.value.clone()))
            }
            Some(Err(code)) => Err(SeamError::retryable(format!("broker {broker} does not say its settings: {code}"))),
            None => Err(SeamError::retryable(format!("broker {broker} does not say its settings"))),
        }
    }

    /// What time it is there, in milliseconds since 1970, by the stamp of a record that is sent now to a topic made for it and deleted.
    ///
    /// # Errors
    /// Retryable while no broker answers; permanent if such a topic may not be made.
    pub async fn time_ms(&self, topic: &str) -> Result<i64, SeamError> {
        let options = AdminOptions::new().operation_timeout(Some(ANSWER_WAIT)).request_timeout(Some(ANSWER_WAIT));
        let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1)).set("message.timestamp.type", "LogAppendTime");
        let made = self.admin.create_topics([&new], &options).await.map_err(away)?;
        if let Some(Err((_, code))) = made.first() {
            return Err(SeamError::refused(format!("topic {topic} could not be made: {code}")));
        }
        let time = self.stamp(topic).await;
        // what is left behind if this fails is an empty topic whose name says whose it is
        let deleted = self.admin.delete_topics(&[topic], &options).await;
        if !matches!(deleted.as_deref(), Ok([Ok(_)])) {
            tracing::warn!(topic, "the topic could not be deleted again");
        }
        time
    }

    async fn stamp(&self, topic: &str) -> Result<i64, SeamError> {
        let refused = |error| SeamError::refused(format!("kafka settings: {error}"));
        let producer: FutureProducer = self.settings.clone().set("acks", "all").create().map_err(refused)?;
        let mut time = Err(SeamError::retryable(format!("topic {topic} took no record")));
        // the first record waits for the topic to be known to all; the second is stamped when it is sent
        for _ in 0..2 {
            let sent = producer.send(FutureRecord::<str, str>::to(topic).payload("clock"), ANSWER_WAIT).await;
            time = match sent.map_err(|(error, _)| away(error))?.timestamp {
                Timestamp::LogAppendTime(ms) => Ok(ms),
                _ => Err(SeamError::retryable(format!("topic {topic} does not stamp its records"))),
            };
        }
        time
    }
}

fn away(error: rdkafka::error::KafkaError) -> SeamError {
    SeamError::retryable(format!("kafka: {error}"))
}
