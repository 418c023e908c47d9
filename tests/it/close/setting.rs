//! A small provider whose contracts close together: one array that reports each hour, two customers, a vendor.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use plimsoll::clickhouse::Client;
use plimsoll::closer::real::{RealCloser, closer};
use plimsoll::closer::worker::BillWorker;
use plimsoll::config::Config;
use plimsoll::kafka::control::ControlFollower;
use plimsoll::metrics::Metrics;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::stage::book::{book, contract, customer, meter, provider, vendor};
use crate::stage::shared_site;
use crate::worker::{Parts, Worker};

/// The longest wait for workers to take in what was produced or decided.
pub const WAIT: Duration = Duration::from_secs(60);

const HOUR_MS: i64 = 3_600_000;

/// Wholesale by the array, retail by what bears a customer's tag.
pub static BOOK: LazyLock<String> = LazyLock::new(|| {
    let from = ("2026-01-01", "UTC");
    book([
        meter("effective_used", "gauge"),
        vendor("v"),
        provider("p"),
        customer("p", "acme"),
        customer("p", "globex"),
        CARDS.to_owned(),
        contract("wholesale", ("v", "p"), "bought", from, r#"line = [{ rate = "mean" }, { rate = "fee" }]"#),
        contract("others", ("p", "*"), "sold", from, r#"line = [{ rate = "kept" }]"#),
    ])
});

const CARDS: &str = r#"[card.bought]
currency = "EUR"
rate = [
  { id = "mean", meter = "effective_used", of = "array", unit = "TiB-month", statistic = "mean", price = "10" },
  { id = "fee", fee = "90.00" },
]
[card.sold]
currency = "EUR"
rate = [{ id = "kept", meter = "effective_used", of = "volume", unit = "TiB-month", statistic = "mean", price = "25" }]
"#;

/// What the array holds at one hour, in TiB: itself, and its volumes by tag.
pub struct Poll<'a> {
    /// Its hour, since the first of 1970.
    pub hour: i64,
    /// Another number gives another event.
    pub copy: u32,
    /// The array's own level.
    pub array: u64,
    /// Its volumes: name, tag, level.
    pub volumes: &'a [(&'a str, &'a str, u64)],
}

/// What the array holds all the time, as long as nobody says otherwise.
pub const VOLUMES: [(&str, &str, u64); 2] = [("v1", "acme", 3), ("v2", "globex", 2)];

/// An event of the array.
pub fn event(poll: &Poll<'_>) -> (String, String) {
    let time = chrono::DateTime::from_timestamp_millis(poll.hour * HOUR_MS).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
    let reading = |kind: &str, resource: &str, tag: &str, tib: u64| {
        let tag = if tag.is_empty() { String::new() } else { format!(r#""customer":"{tag}","#) };
        let value = tib << 40;
        format!(r#"{{{tag}"kind":"{kind}","resource":"{resource}","meter":"effective_used","value":{value}}}"#)
    };
    let mut readings = vec![reading("array", "a", "", poll.array)];
    readings.extend(poll.volumes.iter().map(|(name, tag, tib)| reading("volume", name, tag, *tib)));
    let text = format!(
        r#"{{"specversion":"1.0","id":"{}-{}","source":"s","type":"dev.plimsoll.usage.v1","time":"{time}","recordedtime":"2026-11-{:02}T00:00:00Z","data":{{"provider":"p","array":{{"id":"a"}},"readings":[{}]}}}}"#,
        poll.hour,
        poll.copy,
        poll.copy + 1,
        readings.join(",")
    );
    ("a".to_owned(), text)
}

/// The first hour of a month of 2026, and the first after it.
pub fn hours(month: u32) -> std::ops::Range<i64> {
    let first = |month: u32| {
        let day = chrono::NaiveDate::from_ymd_opt(2026, month, 1).unwrap();
        day.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_millis() / HOUR_MS
    };
    first(month)..first(month + 1)
}

/// Everything that the array says from the beginning of a month to the end of another: it holds 8 TiB.
pub fn polls(from: u32, to: u32) -> impl Iterator<Item = (String, String)> {
    (hours(from).start..=hours(to).end).map(|hour| event(&Poll { hour, copy: 0, array: 8, volumes: &VOLUMES }))
}

/// Real parts on which the array has said all of some months, the book is published and a worker runs.
pub struct Setting {
    pub parts: Parts,
    pub produced: u64,
    _worker: Worker,
}

impl Setting {
    /// Starts them and waits until the worker has taken everything in.
    pub fn start(from: u32, to: u32) -> Self {
        Self::with_book(&BOOK, from, to)
    }

    /// The same with another book.
    pub fn with_book(book: &str, from: u32, to: u32) -> Self {
        let parts = shared_site(2);
        parts.publish_book(book);
        let worker = Worker::of(parts.command(&["run"]));
        let mut setting = Self { parts, produced: 0, _worker: worker };
        setting.say(polls(from, to).collect());
        setting
    }

    /// A closer in this process, and what it lives on.
    pub fn closer(&self) -> (RealCloser, Client, Runtime) {
        let config = Config::load(Some(&self.parts.config)).unwrap();
        let (client, runtime) = (Client::new(&config.clickhouse), Runtime::new().unwrap());
        let control = Arc::new(ControlFollower::start(&config.kafka).unwrap());
        (closer(&config, &client, &control, runtime.handle(), "test".to_owned()).unwrap(), client, runtime)
    }

    /// Produces events.
    pub fn produce(&mut self, events: Vec<(String, String)>) {
        self.produced += events.len() as u64;
        self.parts.produce("usage", events.into_iter());
    }

    /// Produces events and waits until the worker has taken them in.
    pub fn say(&mut self, events: Vec<(String, String)>) {
        self.produce(events);
        self.caught_up();
    }

    /// Waits until the worker has taken in everything that was produced.
    pub fn caught_up(&self) {
        let next = "SELECT toUInt64(sum(next)) FROM (SELECT max(next_offset) AS next FROM checkpoint GROUP BY stream, partition)";
        until("the worker takes in what was said", || self.parts.number(next) >= self.produced);
    }

    /// `plimsoll close` of a month with more arguments: its exit code, its only outcome, what it said on standard error.
    pub fn close(&self, label: &str, more: &[&str]) -> (Option<i32>, Value, String) {
        let arguments = [&["close", "--provider", "p", "--period", label, "--format", "json"], more].concat();
        let output = self.parts.run(&arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        let object = text.lines().next().map_or(Value::Null, |line| serde_json::from_str(line).unwrap());
        (output.status.code(), object, String::from_utf8(output.stderr).unwrap())
    }
}

/// What `plimsoll bill` runs, in this process, with its metrics and what it lives on.
pub fn bill(parts: &Parts) -> (BillWorker, Arc<Metrics>, Runtime) {
    let config = Config::load(Some(&parts.config)).unwrap();
    let (runtime, metrics) = (Runtime::new().unwrap(), Arc::new(Metrics::new().unwrap()));
    let control = Arc::new(ControlFollower::start(&config.kafka).unwrap());
    (BillWorker::new(&config, control, runtime.handle().clone(), Arc::clone(&metrics)).unwrap(), metrics, runtime)
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < WAIT, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
