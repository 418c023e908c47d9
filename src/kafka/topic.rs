//! Topics: made with the settings that exactness needs, and checked for them at every start.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;

use super::client::client_config;
use crate::config;
use crate::fold::error::SeamError;

/// The longest wait for the broker to make or describe a topic.
const ADMIN_WAIT: Duration = Duration::from_secs(20);
/// The longest wait for the broker to say which topics there are: a person waits for it at the start of most commands.
const METADATA_WAIT: Duration = Duration::from_secs(5);
/// Greatest record of a usage topic: twice the greatest event, so that one over the limit is seen and quarantined.
pub const USAGE_MAX_MESSAGE_BYTES: u64 = 32 << 20;
/// How long a usage topic keeps records.
pub const USAGE_RETENTION_MS: u64 = 30 * 86_400_000;

/// What a topic is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Usage events.
    Usage,
    /// Decisions.
    Control,
}

/// What limits how long a topic keeps its records; none where nothing does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionLimits {
    /// Their age, in milliseconds.
    pub ms: Option<i64>,
    /// The bytes of a partition.
    pub bytes: Option<i64>,
}

/// The shell around the broker's administration.
pub struct Topics {
    admin: AdminClient<DefaultClientContext>,
    consumer: BaseConsumer,
    replication: u16,
}

impl Topics {
    /// Connects when the first call is made.
    ///
    /// # Errors
    /// Permanent if librdkafka does not accept the settings.
    pub fn new(kafka: &config::Kafka) -> Result<Self, SeamError> {
        let refused = |error| SeamError::refused(format!("kafka settings: {error}"));
        Ok(Self {
            admin: client_config(kafka).create().map_err(refused)?,
            consumer: client_config(kafka).create().map_err(refused)?,
            replication: kafka.replication_factor,
        })
    }

    /// How many partitions a topic has; none if it does not exist.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    pub fn partitions(&self, topic: &str) -> Result<Option<u32>, SeamError> {
        let metadata = self.consumer.fetch_metadata(Some(topic), METADATA_WAIT);
        let metadata = metadata.map_err(|error| SeamError::retryable(format!("kafka: {error}")))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
        Ok(found.map(|found| found.partitions().len() as u32).filter(|count| *count > 0))
    }

    /// Makes a topic, unless it is there already. Its settings are to be checked afterwards in either case.
    ///
    /// # Errors
    /// Retryable while the broker is away; permanent if it refuses.
    pub async fn create(&self, topic: &str, partitions: u32, purpose: Purpose) -> Result<(), SeamError> {
        let replicas = i32::from(self.replication);
        // a record that one broker alone has seen is not acknowledged, wherever there is a second one
        let in_sync = if self.replication >= 2 { "2" } else { "1" };
        let (max_bytes, retention_ms) = (USAGE_MAX_MESSAGE_BYTES.to_string(), USAGE_RETENTION_MS.to_string());
        let mut new = NewTopic::new(topic, partitions as i32, TopicReplication::Fixed(replicas))
            .set("message.timestamp.type", "LogAppendTime")
            .set("cleanup.policy", "delete")
            .set("min.insync.replicas", in_sync)
            .set("unclean.leader.election.enable", "false")
            .set("max.message.bytes", &max_bytes);
        new = match purpose {
            Purpose::Usage => new.set("retention.ms", &retention_ms),
            Purpose::Control => new.set("retention.ms", "-1").set("retention.bytes", "-1"),
        };
        let options = AdminOptions::new().operation_timeout(Some(ADMIN_WAIT)).request_timeout(Some(ADMIN_WAIT));
        let made = self.admin.create_topics([&new], &options).await;
        let made = made.map_err(|error| SeamError::retryable(format!("kafka: {error}")))?;
        match made.into_iter().next() {
            Some(Ok(_)) | Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) | None => Ok(()),
            Some(Err((_, code))) => Err(SeamError::refused(format!("topic {topic} could not be made: {code}"))),
        }
    }

    /// What limits how long a topic keeps its records.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    pub async fn retention(&self, topic: &str) -> Result<RetentionLimits, SeamError> {
        let settings = self.settings(topic).await?;
        let limit = |name: &str| settings.get(name).and_then(|entry| entry.value.as_ref()?.parse::<i64>().ok());
        let limit = |name: &str| limit(name).filter(|limit| *limit >= 0);
        Ok(RetentionLimits { ms: limit("retention.ms"), bytes: limit("retention.bytes") })
    }

    async fn settings(&self, topic: &str) -> Result<ConfigResource, SeamError> {
        let options = AdminOptions::new().request_timeout(Some(ADMIN_WAIT));
        let described = self.admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options).await;
        let described = described.map_err(|error| SeamError::retryable(format!("kafka: {error}")))?;
        match described.into_iter().next() {
            Some(Ok(settings)) => Ok(settings),
            _ => Err(SeamError::retryable(format!("topic {topic}: its settings could not be read"))),
        }
    }

    /// Refuses a topic whose settings would break a promise, and says the mend.
    ///
    /// # Errors
    /// Permanent with the setting that is wrong; retryable while the broker is away.
    pub async fn check(&self, topic: &str, partitions: u32, purpose: Purpose) -> Result<(), SeamError> {
        match self.partitions(topic)? {
            None => return Err(SeamError::retryable(format!("topic {topic} is not there; waiting for it"))),
            Some(count) if count != partitions => {
                return Err(SeamError::refused(format!(
                    "topic {topic} has {count} partitions and {partitions} are due: {}",
                    match purpose {
                        Purpose::Usage => format!(
                            "a stream's partition count never changes; open a new generation: plimsoll stream reopen {topic} --partitions \
                             {count} --at-checkpoints --reason WHY"
                        ),
                        Purpose::Control =>
                            "decisions have one order; name another topic in kafka.control_topic".to_owned(),
                    }
                )));
            }
            Some(_) => {}
        }
        match self.wrong_settings(topic, purpose).await?.into_iter().next() {
            Some(mend) => Err(SeamError::refused(format!("topic {topic}: {mend}"))),
            None => Ok(()),
        }
    }

    /// The settings of a topic that would break a promise, each as what it is and the command that mends it.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    pub async fn wrong_settings(&self, topic: &str, purpose: Purpose) -> Result<Vec<String>, SeamError> {
        Ok(wrong_settings(topic, &self.settings(topic).await?, purpose))
    }
}

/// The settings that would break a promise, as what to do about each.
fn wrong_settings(topic: &str, settings: &ConfigResource, purpose: Purpose) -> Vec<String> {
    let value = |name: &str| settings.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default();
    let mut wanted = vec![("message.timestamp.type", "LogAppendTime"), ("cleanup.policy", "delete")];
    if purpose == Purpose::Control {
        wanted.extend([("retention.ms", "-1"), ("retention.bytes", "-1")]);
    }
    let wrong = wanted.into_iter().filter(|(name, wanted)| value(name) != *wanted);
    let told = |(name, wanted)| {
        format!(
            "{name} is {:?}; set it: kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config {name}={wanted}",
            value(name)
        )
    };
    wrong.map(told).collect()
}
