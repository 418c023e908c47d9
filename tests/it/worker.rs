//! The real parts and the product's own commands, for tests of the whole.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use plimsoll::dev::{Dev, Guard};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tempfile::TempDir;

/// A broker and an engine of a test's own, which go when it ends.
pub struct Parts {
    pub config: PathBuf,
    pub kafka: String,
    pub dev: Dev,
    url: String,
    _guard: Guard,
    pub directory: TempDir,
}

impl Parts {
    /// Starts both and makes the tables.
    pub fn start() -> Self {
        Self::start_in(TempDir::new().unwrap())
    }

    /// The same, with everything below a directory that the test has prepared.
    pub fn start_in(directory: TempDir) -> Self {
        let dev = Dev::new(directory.path().join("dev")).with_program(env!("CARGO_BIN_EXE_plimsoll"));
        let guard = dev.guard();
        let status = dev.up(None).unwrap();
        let kafka = status.kafka.address.clone().unwrap();
        // a killed worker is missed at once, so that the next one has something to do before it is killed itself
        let config = directory.path().join("plimsoll.toml");
        let quick =
            "[kafka]\nproperties = { \"session.timeout.ms\" = \"1000\", \"heartbeat.interval.ms\" = \"250\" }\n";
        let text = std::fs::read_to_string(&status.config).unwrap().replacen("[kafka]\n", quick, 1);
        std::fs::write(&config, text).unwrap();
        let url = status.engine.url.clone().unwrap();
        let parts = Self { config, kafka, dev, url, _guard: guard, directory };
        parts.ok(&["migrate"]);
        parts
    }

    /// A command with quick flushes and checkpoints, so that a test sees many of them.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.arg("--config").arg(&self.config).args(arguments);
        command.env("PLIMSOLL_RUN__FLUSH_INTERVAL_MS", "50").env("PLIMSOLL_RUN__CHECKPOINT_INTERVAL_SECONDS", "1");
        command.env("PLIMSOLL_METRICS__LISTEN", "").env("PLIMSOLL_LOG__FILTER", "warn");
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The standard output of a command that has to succeed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Lines of JSON.
    pub fn lines(&self, arguments: &[&str]) -> Vec<serde_json::Value> {
        self.ok(arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The one number that a query gives.
    pub fn number(&self, query: &str) -> u64 {
        self.try_number(query).unwrap()
    }

    /// The same where the engine may be away; an answer is waited for no longer than ten seconds.
    pub fn try_number(&self, query: &str) -> Result<u64, String> {
        self.ask(async |client| client.query(query).fetch_one::<u64>().await)
    }

    /// The texts that a query gives.
    pub fn texts(&self, query: &str) -> Vec<String> {
        self.ask(async |client| client.query(query).fetch_all::<String>().await).unwrap()
    }

    /// Runs a statement that answers nothing.
    pub fn execute(&self, statement: &str) -> Result<(), String> {
        self.ask(async |client| client.query(statement).execute().await)
    }

    fn ask<T>(&self, ask: impl AsyncFnOnce(clickhouse::Client) -> clickhouse::error::Result<T>) -> Result<T, String> {
        let client = clickhouse::Client::default().with_url(&self.url).with_database("plimsoll");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(10), ask(client)).await });
        answer.map_err(|_| "no answer within ten seconds".to_owned())?.map_err(|error| error.to_string())
    }

    /// Writes a price book and publishes it.
    pub fn publish_book(&self, text: &str) {
        self.apply_book(text, &[]);
    }

    /// The same with one that changes closed periods.
    pub fn reprice_book(&self, text: &str) {
        self.apply_book(text, &["--reprice", "the old prices were wrong"]);
    }

    fn apply_book(&self, text: &str, more: &[&str]) {
        let directory = self.directory.path().join("book");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("book.toml"), text).unwrap();
        self.ok(&[&["catalog", "apply", directory.to_str().unwrap()], more].concat());
    }

    /// Produces records, keys and values, as any client would that partitions like Java's.
    pub fn produce(&self, topic: &str, records: impl Iterator<Item = (String, String)>) {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.kafka)
            .set("partitioner", "murmur2")
            .set("enable.idempotence", "true")
            .create()
            .unwrap();
        for (key, value) in records {
            while producer.send(BaseRecord::to(topic).key(&key).payload(&value)).is_err() {
                producer.poll(Duration::from_millis(10));
            }
        }
        producer.flush(Duration::from_secs(60)).unwrap();
    }
}

/// A worker's process; killed when it is dropped.
pub struct Worker(Child);

impl Worker {
    /// Starts a command as a worker.
    pub fn of(mut command: Command) -> Self {
        Self(command.spawn().unwrap())
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.kill_now();
    }

    /// The same of one that may have been killed or have ended.
    pub fn kill_now(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
