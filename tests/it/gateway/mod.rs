//! The gateway as senders meet it: a `plimsoll serve` of its own before the real broker.

mod arrive;
mod away;
mod documented;
mod kill;
mod refuse;
mod slow;
mod small_site;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::stage::principals::give_tokens;
use crate::worker::{Parts, Worker};

/// Each principal's token is its own name.
const PRINCIPALS: [&str; 6] = ["operator", "provider:p", "producer:p", "producer:q", "producer:northwind", "vendor:v"];
const STRUCTURED: &str = "Content-Type: application/cloudevents+json\r\n";
const BATCH: &str = "Content-Type: application/cloudevents-batch+json\r\n";

/// An event of an array, a minute old.
fn event(provider: &str, array: &str, id: &str) -> Value {
    let time = (chrono::Utc::now() - chrono::TimeDelta::minutes(1)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "specversion": "1.0", "id": id, "source": "urn:test", "type": "dev.plimsoll.usage.v1", "time": time,
        "data": {"provider": provider, "array": {"id": array}, "readings": [{"resource": "v", "kind": "volume", "meter": "used", "value": 7}]}
    })
}

fn batch(events: impl IntoIterator<Item = Value>) -> Vec<u8> {
    Value::Array(events.into_iter().collect()).to_string().into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Gives each principal its token.
fn with_credentials(parts: &Parts) {
    give_tokens(parts, &PRINCIPALS);
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A gateway in a process of its own.
struct Door {
    process: Worker,
    address: String,
    api: String,
    metrics: String,
}

impl Door {
    /// Starts one with these keys of `[gateway]`.
    fn open(parts: &Parts, keys: &[(&str, &str)]) -> Self {
        Self::of(parts.command(&["serve"]), keys)
    }

    fn of(mut command: Command, keys: &[(&str, &str)]) -> Self {
        let (address, api, metrics) = (free_address(), free_address(), free_address());
        command.env("PLIMSOLL_HTTP__LISTEN", &api).env("PLIMSOLL_METRICS__LISTEN", &metrics);
        command.env("PLIMSOLL_GATEWAY__LISTEN", &address);
        for (key, value) in keys {
            command.env(format!("PLIMSOLL_GATEWAY__{}", key.to_ascii_uppercase()), value);
        }
        let door = Self { process: Worker::of(command), address, api, metrics };
        let begun = Instant::now();
        while TcpStream::connect(&door.address).is_err() || TcpStream::connect(&door.metrics).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the gateway does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        door
    }

    fn send(&self, token: &str, headers: &str, body: &[u8]) -> Answer {
        let length = format!("Content-Length: {}\r\n", body.len());
        self.raw(&format!("Authorization: Bearer {token}\r\n{length}{headers}"), body).expect("an answer")
    }

    /// None if the connection ends without an answer.
    fn raw(&self, headers: &str, body: &[u8]) -> Option<Answer> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // what is refused early is not read to its end
        let head = format!("POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        answer(stream)
    }

    /// The sum of a metric's series that hold a text.
    fn metric(&self, name: &str, label: &str) -> f64 {
        let mut stream = TcpStream::connect(&self.metrics).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let series = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }
}

fn answer(mut stream: TcpStream) -> Option<Answer> {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: serde_json::from_str(body).unwrap_or(Value::Null) })
}

/// A record of a topic.
#[derive(Debug)]
struct Kept {
    partition: i32,
    key: String,
    headers: Vec<(String, String)>,
    value: Vec<u8>,
}

/// Everything that a topic holds.
fn kept(parts: &Parts, topic: &str, partitions: i32) -> Vec<Kept> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &parts.kafka)
        .set("group.id", "reader")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    let mut left = 0;
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        left += consumer.fetch_watermarks(topic, partition, Duration::from_secs(20)).unwrap().1;
    }
    consumer.assign(&list).unwrap();
    let mut kept = Vec::new();
    while (kept.len() as i64) < left {
        let message = consumer.poll(Duration::from_secs(30)).expect("a record").unwrap();
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
            headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect()
        });
        let key = String::from_utf8(message.key().unwrap().to_vec()).unwrap();
        kept.push(Kept { partition: message.partition(), key, headers, value: message.payload().unwrap().to_vec() });
    }
    kept
}
