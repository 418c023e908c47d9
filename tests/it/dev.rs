//! `plimsoll dev` as a person uses it.

use std::process::{Command, Output};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;
use tempfile::TempDir;

/// Longest wait for one answer of the broker.
const WAIT: Duration = Duration::from_secs(30);

/// Ends both parts when the test does, however it does.
struct Place(TempDir);

impl Place {
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.arg("dev").args(arguments).arg("--dir").arg(self.0.path()).args(["--format", "json"]);
        command.output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}

fn produce(address: &str, topic: &str) -> i64 {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
    producer.send(BaseRecord::to(topic).key("key").payload("value")).unwrap();
    producer.flush(WAIT).unwrap();
    let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
    consumer.fetch_watermarks(topic, 0, WAIT).unwrap().1
}

fn create_topic(address: &str, topic: &str) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
    let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap();
}

#[test]
fn up_and_down_end_only_what_they_started_and_keep_data_and_ports() {
    let place = Place(TempDir::new().unwrap());
    assert_eq!(place.run(&["status"]).status.code(), Some(3));

    let up = place.json(&["up"]);
    assert_eq!((&up["kafka"]["state"], &up["engine"]["state"]), (&"up".into(), &"up".into()));
    let address = up["kafka"]["address"].as_str().unwrap();
    let config = std::fs::read_to_string(up["config"].as_str().unwrap()).unwrap();
    assert!(config.contains(&format!("bootstrap_servers = \"{address}\"")), "{config}");
    assert!(config.contains(&format!("url = \"{}\"", up["engine"]["url"].as_str().unwrap())), "{config}");
    let api = up["api"].as_str().unwrap().strip_prefix("http://").unwrap();
    assert!(config.contains(&format!("[http]\nlisten = \"{api}\"")), "{config}");
    assert_eq!(place.json(&["up"]), up, "a second start changes nothing");
    assert_eq!(place.run(&["status"]).status.code(), Some(0));

    create_topic(address, "kept");
    assert_eq!(produce(address, "kept"), 1);

    let down = place.json(&["down", "--only", "kafka"]);
    assert_eq!((&down["kafka"]["state"], &down["engine"]["state"]), (&"down".into(), &"up".into()));
    assert_eq!(down["engine"]["pid"], up["engine"]["pid"]);
    let again = place.json(&["up"]);
    assert_eq!(again["kafka"]["address"], up["kafka"]["address"]);
    assert_ne!(again["kafka"]["pid"], up["kafka"]["pid"]);
    assert_eq!(again["engine"]["pid"], up["engine"]["pid"]);
    assert_eq!(produce(address, "kept"), 2);

    // As a crash would end it: what was acknowledged is still there.
    plimsoll::dev::Dev::new(place.0.path()).kill(plimsoll::dev::Part::Kafka).unwrap();
    assert_eq!(place.json(&["up"])["kafka"]["address"], up["kafka"]["address"]);
    assert_eq!(produce(address, "kept"), 3);

    let down = place.json(&["down"]);
    assert_eq!((&down["kafka"]["pid"], &down["engine"]["pid"]), (&Value::Null, &Value::Null));
    assert_eq!(place.run(&["status"]).status.code(), Some(3));
}

#[test]
fn a_part_that_dies_says_why() {
    let place = Place(TempDir::new().unwrap());
    // Something that is no data directory stands where the engine's should be.
    std::fs::write(place.0.path().join("engine"), "in the way").unwrap();
    let output = place.run(&["up", "--only", "engine"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("engine ended before it was ready") && text.contains("data directory"), "{text}");
}
