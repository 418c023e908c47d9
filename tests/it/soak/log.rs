//! The topic read back: what is in it, and in which order, is Kafka's word and nobody else's.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::producer::{Acknowledged, NUMBER};

/// The longest wait for one answer of the broker.
const ANSWER_WAIT: Duration = Duration::from_secs(20);
/// The longest wait for all records of a cycle.
const READ_WAIT: Duration = Duration::from_secs(60);

/// A record's place in the log, and which one it is.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    pub partition: i32,
    pub offset: i64,
    pub number: u64,
}

fn consumer(kafka: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", kafka)
        .set("group.id", "soak-oracle")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "error")
        .set("fetch.wait.max.ms", "20")
        .create()
        .unwrap()
}

/// The end of a partition.
pub fn end_of(kafka: &str, topic: &str, partition: i32) -> i64 {
    consumer(kafka).fetch_watermarks(topic, partition, ANSWER_WAIT).unwrap().1
}

/// All records from `from` (the next offset of each partition) to the ends as they are now, by partition and offset; `from` moves there.
pub fn read(kafka: &str, topic: &str, from: &mut [i64]) -> Vec<Placed> {
    let consumer = consumer(kafka);
    let mut assigned = TopicPartitionList::new();
    let mut ends = Vec::new();
    for (partition, next) in (0..).zip(from.iter()) {
        ends.push(consumer.fetch_watermarks(topic, partition, ANSWER_WAIT).unwrap().1);
        assigned.add_partition_offset(topic, partition, Offset::Offset(*next)).unwrap();
    }
    consumer.assign(&assigned).unwrap();
    let (mut placed, begun) = (Vec::new(), Instant::now());
    while from.iter().zip(&ends).any(|(next, end)| next < end) {
        assert!(begun.elapsed() < READ_WAIT, "the log is not read to its ends: at {from:?} of {ends:?}");
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) else { continue };
        let header = message.headers().and_then(|headers| headers.iter().find(|header| header.key == NUMBER)).unwrap();
        let number = std::str::from_utf8(header.value.unwrap()).unwrap().parse().unwrap();
        let place = Placed { partition: message.partition(), offset: message.offset(), number };
        let next = &mut from[usize::try_from(place.partition).unwrap()];
        assert_eq!(place.offset, *next, "partition {}: the log has no holes", place.partition);
        *next += 1;
        placed.push(place);
    }
    placed.sort_unstable_by_key(|place| (place.partition, place.offset));
    placed
}

/// What Kafka acknowledged is where it said; of what it did not, the log decides.
pub fn holds(placed: &[Placed], acknowledged: &[Acknowledged]) {
    for one in acknowledged {
        let there = placed.iter().find(|at| (at.partition, at.offset) == (one.partition, one.offset));
        // an idempotent producer may learn that a record is there, and not where
        let elsewhere = one.offset < 0 && placed.iter().any(|at| at.number == one.number);
        assert!(
            there.is_some_and(|at| at.number == one.number) || elsewhere,
            "the broker itself lost {one:?}, and has {there:?} in its place"
        );
    }
}
