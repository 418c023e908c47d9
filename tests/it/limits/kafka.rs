//! Bounds that Kafka is part of: the greatest record, and how long a broker that is away is waited for.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use plimsoll::config::{Config, Source};
use plimsoll::core::event::MAX_EVENT_BYTES;
use plimsoll::kafka::control::ControlFollower;
use plimsoll::kafka::control_writer::ControlWriter;
use plimsoll::kafka::topic::{Topics, USAGE_MAX_MESSAGE_BYTES};
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::worker::Parts;

fn event(id: &str, bytes: usize) -> String {
    let time = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ");
    let mut text = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"s","type":"dev.plimsoll.usage.v1","time":"{time}","data":{{"provider":"p","array":{{"id":"a"}},"readings":[]}}}}"#
    );
    text.extend(std::iter::repeat_n(' ', bytes - text.len()));
    text
}

/// Up to the event's limit it is an event; above it is put aside whole and can be read again; above the topic's limit the broker refuses it.
#[test]
fn a_record_is_taken_up_to_the_greatest_message() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "1"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", &parts.kafka)
        .set("message.max.bytes", (2 * USAGE_MAX_MESSAGE_BYTES).to_string())
        .create()
        .unwrap();
    let most = USAGE_MAX_MESSAGE_BYTES as usize;
    let send = |id: &str, bytes: usize| {
        let value = event(id, bytes);
        let sent = producer.send(FutureRecord::to("usage").key("a").payload(&value), Duration::from_secs(60));
        runtime.block_on(sent).is_ok()
    };
    assert!(send("at", MAX_EVENT_BYTES) && send("above", MAX_EVENT_BYTES + 1));
    assert!(send("great", most - 1024), "with what Kafka adds it just fits");
    assert!(!send("greater", most + 1));
    parts.ok(&["run", "--until-caught-up"]);
    assert_eq!(parts.number("SELECT count() FROM usage_event WHERE disposition = 'accepted'"), 1);
    let rows = parts.lines(&["quarantine", "list", "--format", "json"]);
    let found: Vec<_> =
        rows.iter().map(|row| (row["reason"].as_str().unwrap(), row["bytes"].as_u64().unwrap())).collect();
    assert_eq!(found, [("over_limit", MAX_EVENT_BYTES as u64 + 1), ("over_limit", most as u64 - 1024)]);
}

/// Each wait ends at its limit, with an error that says so. Nobody listens at this address.
#[test]
fn a_broker_that_is_away_is_waited_for_so_long_and_no_longer() {
    let text = "[kafka]\nbootstrap_servers = \"127.0.0.1:1\"\n";
    let config = Config::from_parts(Source::Named(PathBuf::from("site.toml")), text, []).unwrap();
    let timed = |wait_s: u64, work: Box<dyn FnOnce() -> bool + Send>| {
        std::thread::spawn(move || {
            let started = Instant::now();
            assert!(work(), "an error is due");
            let waited = started.elapsed();
            let (least, most) = (Duration::from_secs(wait_s - 1), Duration::from_secs(wait_s + 10));
            assert!(waited > least && waited < most, "{waited:?} where {wait_s} s are stated");
        })
    };
    let kafka = config.kafka;
    let (for_control, for_topics, for_admin, for_writer) = (kafka.clone(), kafka.clone(), kafka.clone(), kafka);
    let waits = [
        timed(10, Box::new(move || ControlFollower::start(&for_control).unwrap().read_to_end().is_err())),
        timed(5, Box::new(move || Topics::new(&for_topics).unwrap().partitions("usage").is_err())),
        timed(
            20,
            Box::new(move || {
                let (runtime, topics) = (tokio::runtime::Runtime::new().unwrap(), Topics::new(&for_admin).unwrap());
                runtime.block_on(topics.retention("usage")).is_err()
            }),
        ),
        timed(
            30,
            Box::new(move || {
                let decision = serde_json::from_str(
                    r#"{"kind":"RecordDiscarded","stream":"s","partition":0,"offset":0,"raw_hash":"","reason":"r","actor":"a"}"#,
                );
                let runtime = tokio::runtime::Runtime::new().unwrap();
                let writer = ControlWriter::new(&for_writer).unwrap();
                runtime.block_on(writer.append(&decision.unwrap())).is_err()
            }),
        ),
    ];
    waits.into_iter().for_each(|wait| wait.join().unwrap());
}

/// Whoever types a command hears soon that there is no Kafka, where it was looked for, and what to do.
#[test]
fn a_command_says_soon_that_kafka_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plimsoll.toml");
    std::fs::write(&file, "[kafka]\nbootstrap_servers = \"127.0.0.1:1\"\n").unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let started = Instant::now();
    let output = command.args(["stream", "list", "--config"]).arg(&file).output().unwrap();
    let (waited, said) = (started.elapsed(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(waited < Duration::from_secs(10), "{waited:?}");
    for words in ["127.0.0.1:1", "kafka.bootstrap_servers", "plimsoll dev up"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
