//! Kafka to durable ledger and buckets, against the bare limit of the same machine in the same run: the same topic drained by
//! rdkafka, decoded with the same decoder, the same ledger rows inserted, and no logic in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Moment};

use plimsoll::clickhouse::store::ClickHouseStore;
use plimsoll::clickhouse::{Client, migrate};
use plimsoll::config::Config;
use plimsoll::core::book;
use plimsoll::core::decision::Decision;
use plimsoll::core::event::{Limits, RawRecord, decode, partition_of};
use plimsoll::core::ledger::batch::{LedgerBatch, RowMeta};
use plimsoll::core::ledger::judge::{LogRecord, Verdict};
use plimsoll::core::ledger::rules::StreamRules;
use plimsoll::core::word::{Disposition, Instant, Offset, Partition, StreamId};
use plimsoll::dev::Dev;
use plimsoll::fold::seam::Store;
use plimsoll::kafka::client::client_config;
use plimsoll::kafka::control::ControlFollower;
use plimsoll::kafka::control_writer::append;
use plimsoll::kafka::topic::{Purpose, Topics};
use plimsoll::run::status::Board;
use plimsoll::run::worker::{RunEnd, Worker};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset as KafkaOffset, TopicPartitionList};
use tokio::runtime::Runtime;

use crate::core::rules;
use crate::events::event;
use crate::row;

const PARTITIONS: u32 = 4;

/// The real parts in a directory of their own.
pub struct Parts {
    /// Their configuration.
    pub config: Config,
    /// The runtime of the shells.
    pub runtime: Runtime,
    /// The engine's process.
    pub engine_pid: i32,
    _guard: plimsoll::dev::Guard,
    _directory: tempfile::TempDir,
}

impl Parts {
    /// Starts Kafka and the engine, and makes the tables.
    pub fn start() -> Self {
        let directory = tempfile::TempDir::new().unwrap();
        let dev = Dev::new(directory.path()).with_program(env!("CARGO_BIN_EXE_plimsoll"));
        let guard = dev.guard();
        let status = dev.up(None).unwrap();
        let config = Config::load(Some(&status.config)).unwrap();
        let engine_pid = status.engine.pid.unwrap();
        let runtime = Runtime::new().unwrap();
        runtime.block_on(migrate::apply(&Client::new(&config.clickhouse))).unwrap();
        Self { config, runtime, engine_pid, _guard: guard, _directory: directory }
    }

    /// A store over a database of this name.
    pub fn store(&self, database: &str) -> ClickHouseStore {
        let mut settings = self.config.clickhouse.clone();
        settings.database = database.to_owned();
        let client = Client::new(&settings);
        self.runtime.block_on(migrate::apply(&client)).unwrap();
        let say = std::env::var_os("PLIMSOLL_BENCH_INSERTS").is_some();
        let started = Moment::now();
        let observer = move |table: &'static str, rows: u64, took: Duration| {
            if say {
                println!(
                    "  {:>6.3} s  {table:<14} {rows:>8} rows in {:.3} s",
                    started.elapsed().as_secs_f64(),
                    took.as_secs_f64()
                );
            }
        };
        ClickHouseStore::new(client, self.runtime.handle().clone(), Arc::new(observer))
    }
}

/// Prints the figures.
pub fn measure() {
    let parts = Parts::start();
    publish_meters(&parts);
    for (name, events, readings, arrays) in [("one", 1_000_000u64, 1u64, 400u64), ("many", 30_000, 200, 40)] {
        let rules = topic(&parts, &format!("bench-{name}"));
        produce(&parts, &rules.topic, events, readings, arrays);
        println!("\n{readings} readings an event, {events} events, {PARTITIONS} partitions, broker and engine beside");
        let total = (events * readings) as f64;
        let bare = bare_limit(&parts, &rules);
        row("bare limit: drain, decode, insert the ledger rows", total / bare, "readings/s", None);
        open(&parts, &rules);
        let whole = fold(&parts, &rules);
        row("plimsoll run: to durable ledger and buckets", total / whole, "readings/s", Some((bare / whole, "bare")));
    }
}

/// Makes the control log and publishes the meter that all measurements use.
pub fn publish_meters(parts: &Parts) {
    let topics = Topics::new(&parts.config.kafka).unwrap();
    parts.runtime.block_on(topics.create(&parts.config.kafka.control_topic, 1, Purpose::Control)).unwrap();
    let text = "format = 1\n[meter.effective_used]\nkind = \"gauge\"\nbase = \"byte\"\n";
    let book = book::parse(&[("bench.toml".to_owned(), text.to_owned())]).unwrap();
    let (hash, actor) = (book.hash().unwrap(), "bench".to_owned());
    let decision = Decision::PriceBookPublished { hash, book: book.canonical().unwrap(), actor };
    parts.runtime.block_on(append(&parts.config.kafka, &decision)).unwrap();
}

/// Makes a usage topic; the rules are those of its stream.
pub fn topic(parts: &Parts, name: &str) -> StreamRules {
    let topics = Topics::new(&parts.config.kafka).unwrap();
    parts.runtime.block_on(topics.create(name, PARTITIONS, Purpose::Usage)).unwrap();
    StreamRules { stream: StreamId(format!("{name}-1")), topic: name.to_owned(), partitions: PARTITIONS, ..rules() }
}

/// Produces synthetic events.
pub fn produce(parts: &Parts, topic: &str, events: u64, readings: u64, arrays: u64) {
    let producer: BaseProducer = client_config(&parts.config.kafka)
        .set("enable.idempotence", "true")
        .set("linger.ms", "20")
        .set("batch.size", "1000000")
        .set("compression.type", "lz4")
        .set("queue.buffering.max.kbytes", "262144")
        .create()
        .unwrap();
    for number in 0..events {
        let (key, value) = event(number, arrays, readings);
        let partition = partition_of(key.as_bytes(), PARTITIONS).0 as i32;
        while producer.send(BaseRecord::to(topic).partition(partition).key(&key).payload(&value)).is_err() {
            producer.poll(Duration::from_millis(10));
        }
        if number % 1000 == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(Duration::from_secs(60)).unwrap();
}

/// Seconds to drain, decode and insert, a thread a partition.
fn bare_limit(parts: &Parts, rules: &StreamRules) -> f64 {
    let store = parts.store("bare");
    let started = Moment::now();
    std::thread::scope(|scope| {
        for partition in 0..PARTITIONS {
            let (store, rules) = (store.clone(), rules.clone());
            let config = &parts.config;
            scope.spawn(move || drain(config, store, &rules, Partition(partition)));
        }
    });
    started.elapsed().as_secs_f64()
}

fn drain(config: &Config, mut store: ClickHouseStore, rules: &StreamRules, partition: Partition) {
    let consumer: BaseConsumer = client_config(&config.kafka)
        .set("group.id", "bare")
        .set("enable.auto.commit", "false")
        .set("fetch.queue.backoff.ms", "1")
        .set("queued.min.messages", "1000000")
        .set("queued.max.messages.kbytes", config.kafka.queued_max_kbytes.to_string())
        .create()
        .unwrap();
    let number = partition.0 as i32;
    let (_, end) = consumer.fetch_watermarks(&rules.topic, number, Duration::from_secs(10)).unwrap();
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(&rules.topic, number, KafkaOffset::Beginning).unwrap();
    consumer.assign(&assignment).unwrap();
    let mut batch = LedgerBatch::default();
    let mut next = 0;
    while next < end {
        let Some(message) = consumer.poll(Duration::from_secs(5)) else { panic!("the broker gives nothing more") };
        let message = message.unwrap();
        next = message.offset() + 1;
        let raw = RawRecord { key: message.key(), headers: &[], value: message.payload().unwrap() };
        let append_time = Instant(message.timestamp().to_millis().unwrap());
        let record = LogRecord { offset: Offset(message.offset() as u64), append_time, raw };
        let decoded = decode(&raw, &Limits::default());
        let verdict = Verdict { disposition: Disposition::Accepted, identity: 0, content: 0 };
        batch.push(&record, &decoded, &RowMeta { verdict, decision: None, provider: "" });
        if batch.len() >= config.run.flush_max_events || batch.bytes() >= config.run.flush_max_bytes || next == end {
            store.insert_ledger(rules, partition, &batch).unwrap();
            batch = LedgerBatch::default();
        }
    }
}

/// Records that the stream is open.
pub fn open(parts: &Parts, rules: &StreamRules) {
    let opened = Decision::StreamOpened { rules: rules.clone(), closes: None, actor: "bench".to_owned() };
    parts.runtime.block_on(append(&parts.config.kafka, &opened)).unwrap();
}

/// Seconds that a worker takes from the assignment of the stream's partitions to a checkpoint at their ends.
pub fn fold(parts: &Parts, rules: &StreamRules) -> f64 {
    let control = ControlFollower::start(&parts.config.kafka).unwrap();
    control.read_to_end().unwrap();
    let board = Board::default();
    let store = parts.store(&parts.config.clickhouse.database);
    let worker = Worker::new(parts.config.clone(), store, control, board.clone(), RunEnd::CaughtUp);
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, thread_stop) = (Arc::clone(&stop), Arc::clone(&stop));
    let thread = std::thread::spawn(move || worker.run(&thread_stop).unwrap());
    let ours = || {
        let all = board.partitions();
        all.into_iter().filter(|((topic, _), _)| *topic == rules.topic).map(|(_, status)| status).collect::<Vec<_>>()
    };
    while ours().len() < PARTITIONS as usize {
        std::thread::sleep(Duration::from_millis(1));
    }
    let started = Moment::now();
    while !(ours().len() == PARTITIONS as usize && ours().iter().all(|status| status.is_caught_up())) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = started.elapsed().as_secs_f64();
    stopped.store(true, Ordering::Release);
    thread.join().unwrap();
    took
}
