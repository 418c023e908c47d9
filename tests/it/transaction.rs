//! A log that ends with what is no record: producers with transactions leave markers behind, and records that nobody may read.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::guards::{BOOK, open, polls};
use crate::worker::{Parts, Worker};

const WAIT: Duration = Duration::from_secs(30);

fn producer(parts: &Parts) -> BaseProducer {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &parts.kafka)
        .set("partitioner", "murmur2")
        .set("transactional.id", "test")
        .create()
        .unwrap();
    producer.init_transactions(WAIT).unwrap();
    producer
}

fn send(producer: &BaseProducer, records: &[(String, String)]) {
    producer.begin_transaction().unwrap();
    for (key, value) in records {
        producer.send(BaseRecord::to("usage").key(key).payload(value)).unwrap();
    }
    producer.flush(WAIT).unwrap();
}

/// A run that has to come to its end by itself.
fn caught_up(parts: &Parts) {
    let mut run = Worker::of(parts.command(&["run", "--until-caught-up"]));
    for _ in 0..600 {
        if let Some(ended) = run.ended() {
            assert!(ended.success(), "{ended}");
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the run waits for a record that will never come");
}

#[test]
fn a_log_that_ends_with_a_marker_is_folded_to_its_end() {
    let parts = Parts::start();
    open(&parts, "usage", "p", "1");
    parts.publish_book(BOOK);
    let (producer, all) = (producer(&parts), polls("p", 0..3, 0..4));
    send(&producer, &all[..6]);
    producer.commit_transaction(WAIT).unwrap();
    send(&producer, &all[6..9]);
    producer.abort_transaction(WAIT).unwrap();
    // 6 records, their marker, 3 that were never committed, and the marker of those
    caught_up(&parts);
    let next = || parts.number("SELECT max(next_offset) FROM checkpoint");
    let accepted = || parts.number("SELECT count() FROM usage_event FINAL WHERE disposition = 'accepted'");
    assert_eq!((accepted(), next()), (6, 11));
    send(&producer, &all[9..]);
    producer.commit_transaction(WAIT).unwrap();
    caught_up(&parts);
    assert_eq!((accepted(), next()), (9, 15));
    // the offsets without a record are no gap to anybody
    caught_up(&parts);
    let audit = parts.run(&["audit"]);
    assert_eq!(String::from_utf8_lossy(&audit.stdout), "");
    parts.ok(&["stream", "reopen", "usage", "--partitions", "2", "--reason", "more", "--wait", "5s"]);
    assert!(parts.lines(&["stream", "void", "usage-1"]).is_empty());
}
