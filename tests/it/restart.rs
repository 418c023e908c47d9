//! Workers that take over many partitions, again and again: an assignment may overtake the seek to a checkpoint, and then the log comes
//! from its beginning.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::worker::Parts;

const RESTARTS: usize = 8;

fn stamp_by(parts: &Parts, topic: &str, who: &str) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &parts.kafka).create().unwrap();
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic))
        .set("message.timestamp.type", who)
        .set("cleanup.policy", "delete");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(admin.alter_configs([&change], &AdminOptions::new())).unwrap();
}

#[test]
fn a_restart_over_many_partitions_finds_its_place() {
    let parts = Parts::start();
    for (stream, partitions) in [("a", "6"), ("b", "6"), ("c", "5"), ("empty", "1")] {
        parts.ok(&[
            "stream",
            "open",
            stream,
            "--provider",
            stream,
            "--partitions",
            partitions,
            "--acceptance-window",
            "400d",
        ]);
    }
    for stream in ["a", "b", "c"] {
        parts.ok(&["load", "--stream", stream, "--events", "2000", "--readings", "2", "--arrays", "40"]);
    }
    for restart in 0..RESTARTS {
        parts.ok(&["run", "--until-caught-up"]);
        assert_eq!(parts.number("SELECT count() FROM usage_event FINAL"), 6000, "restart {restart}");
    }

    // a record that its producer stamped stops its partition, and nobody else's
    stamp_by(&parts, "empty", "CreateTime");
    std::thread::sleep(Duration::from_millis(500));
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &parts.kafka).create().unwrap();
    // a recent instant: the broker deletes what claims to be older than the retention
    let by_its_producer = chrono::Utc::now().timestamp_millis() - 60_000;
    producer.send(BaseRecord::to("empty").key("k").payload("v").timestamp(by_its_producer)).unwrap();
    producer.flush(Duration::from_secs(30)).unwrap();
    assert!(!parts.run(&["run", "--until-caught-up"]).status.success(), "the topic's setting is refused");
    stamp_by(&parts, "empty", "LogAppendTime");
    std::thread::sleep(Duration::from_millis(500));
    parts.ok(&["load", "--stream", "a", "--events", "50", "--readings", "1", "--arrays", "40", "--seed", "7"]);
    let output = parts.run(&["run", "--until-caught-up"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && errors.contains("stamped by its producer") && errors.contains("all others"),
        "{errors}"
    );
    assert_eq!(parts.number("SELECT count() FROM usage_event FINAL WHERE stream = 'a-1'"), 2050);
    assert_eq!(parts.number("SELECT count() FROM usage_event WHERE stream = 'empty-1'"), 0);
}
