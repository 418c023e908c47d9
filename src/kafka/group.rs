//! The consumer group that shares out a stream's partitions. Kafka decides who folds what; where to begin it does not decide.

use std::sync::{Arc, Mutex, OnceLock, Weak};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, ClientContext, Offset as KafkaOffset, TopicPartitionList};

use super::client::client_config;
use crate::config;

/// Records fetched and not yet folded, per partition; `kafka.queued_max_kbytes` ends a queue earlier as a rule.
const QUEUED_MESSAGES: u64 = 1_000_000;
/// Bytes of one partition in an answer of the broker, of all its partitions, and of an answer with everything around. A record that is
/// greater than the first two comes alone.
const FETCH_PARTITION_BYTES: u64 = 8 << 20;
const FETCH_BYTES: u64 = 64 << 20;
const RECEIVE_BYTES: u64 = 128 << 20;
/// A worker that is not polled for so long leaves its group.
const MAX_POLL_INTERVAL_MS: u64 = 300_000;
/// A worker that is not heard of for so long is dead to its group; `kafka.properties` may say otherwise.
const SESSION_TIMEOUT_MS: u64 = 15_000;

/// Who is told of assignments. Called on the thread that polls the group's consumer.
pub trait Assignments: Send + Sync {
    /// A partition was given to this process: it is paused, and its queue split off.
    fn assigned(&self, partition: AssignedPartition);
    /// Partitions are taken away: their work has to stop before this returns, or be harmless.
    fn revoked(&self, partitions: &[(String, i32)]);
}

/// A partition that this process now owns.
pub struct AssignedPartition {
    /// The topic.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    pub(super) consumer: Arc<BaseConsumer<GroupContext>>,
}

/// What librdkafka calls back.
pub struct GroupContext {
    assignments: Arc<dyn Assignments>,
    consumer: OnceLock<Weak<BaseConsumer<GroupContext>>>,
    failure: Mutex<Option<String>>,
}

impl GroupContext {
    /// Trouble with the assignment itself, taken away.
    pub fn take_failure(&self) -> Option<String> {
        self.failure.lock().ok().and_then(|mut failure| failure.take())
    }

    fn note(&self, what: &str, result: KafkaResult<()>) {
        if let (Err(error), Ok(mut failure)) = (result, self.failure.lock()) {
            *failure = Some(format!("{what}: {error}"));
        }
    }
}

impl ClientContext for GroupContext {}

impl ConsumerContext for GroupContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let listed: Vec<(String, i32)> =
            partitions.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect();
        if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            // Assigned with an explicit offset and paused at once: nothing is fetched until the partition's own machine has found
            // its checkpoint. The group's committed offset is never a place to begin.
            let mut started = TopicPartitionList::new();
            for (topic, partition) in &listed {
                self.note("assign", started.add_partition_offset(topic, *partition, KafkaOffset::Beginning));
            }
            self.note("assign", consumer.incremental_assign(&started));
            self.note("pause", consumer.pause(&started));
            let Some(consumer) = self.consumer.get().and_then(Weak::upgrade) else { return };
            // Queues are split here, synchronously: a record that reached the main queue first would be lost to the partition.
            for (topic, partition) in listed {
                self.assignments.assigned(AssignedPartition { topic, partition, consumer: Arc::clone(&consumer) });
            }
        } else {
            self.assignments.revoked(&listed);
            self.note("unassign", consumer.incremental_unassign(partitions));
        }
    }
}

/// The group's consumer. It has to be polled all the time; records never come out of it, only out of the partitions' logs.
///
/// # Errors
/// What librdkafka does not accept of the settings.
pub fn consumer(
    kafka: &config::Kafka,
    assignments: Arc<dyn Assignments>,
) -> KafkaResult<Arc<BaseConsumer<GroupContext>>> {
    let context = GroupContext { assignments, consumer: OnceLock::new(), failure: Mutex::new(None) };
    let consumer: BaseConsumer<GroupContext> = settings(kafka).create_with_context(context)?;
    let consumer = Arc::new(consumer);
    let _ = consumer.context().consumer.set(Arc::downgrade(&consumer));
    Ok(consumer)
}

fn settings(kafka: &config::Kafka) -> ClientConfig {
    let mut settings = client_config(kafka);
    if settings.get("session.timeout.ms").is_none() {
        // a worker that was killed is missed for so long; a site may choose otherwise in kafka.properties
        settings.set("session.timeout.ms", SESSION_TIMEOUT_MS.to_string());
    }
    settings
        .set("group.id", &kafka.group)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // a log that lacks the offset that is due is a fault to be shown, never one to be skipped
        .set("auto.offset.reset", "error")
        .set("allow.auto.create.topics", "false")
        // how a partition's log hears that it has ended with what is no record
        .set("enable.partition.eof", "true")
        .set("max.poll.interval.ms", MAX_POLL_INTERVAL_MS.to_string())
        // with split queues this holds for each partition
        .set("queued.max.messages.kbytes", kafka.queued_max_kbytes.to_string())
        .set("queued.min.messages", QUEUED_MESSAGES.to_string())
        .set("fetch.message.max.bytes", FETCH_PARTITION_BYTES.to_string())
        .set("fetch.max.bytes", FETCH_BYTES.to_string())
        .set("receive.message.max.bytes", RECEIVE_BYTES.to_string())
        // the default of a second halves a drain
        .set("fetch.queue.backoff.ms", "1")
        .set("fetch.wait.max.ms", "100");
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Source};

    /// librdkafka enforces these itself: the test is that it is told, and that it takes them.
    #[test]
    fn the_consumer_is_told_its_bounds() {
        let config = Config::from_parts(Source::Defaults, "", []).unwrap();
        let settings = settings(&config.kafka);
        for (name, value) in [
            ("queued.max.messages.kbytes", config.kafka.queued_max_kbytes),
            ("queued.min.messages", QUEUED_MESSAGES),
            ("fetch.message.max.bytes", FETCH_PARTITION_BYTES),
            ("fetch.max.bytes", FETCH_BYTES),
            ("receive.message.max.bytes", RECEIVE_BYTES),
            ("max.poll.interval.ms", MAX_POLL_INTERVAL_MS),
            ("session.timeout.ms", SESSION_TIMEOUT_MS),
        ] {
            assert_eq!(settings.get(name), Some(&*value.to_string()), "{name}");
        }
        settings.create::<BaseConsumer>().unwrap();
        const { assert!(RECEIVE_BYTES > FETCH_BYTES + crate::kafka::topic::USAGE_MAX_MESSAGE_BYTES) };
    }
}
