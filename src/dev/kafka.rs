//! A Kafka broker of one node that is its own controller.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::Error;
use super::parts::Parts;
use super::record::replace;

/// Longest wait for the answer to one request for metadata.
const ANSWER_WAIT: Duration = Duration::from_secs(2);
/// Replies of the broker's logging library go to the process's output, which is the log file.
const LOGGING: &str = "\
status = warn
shutdownHook = disable
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
";

/// The files of a broker, and what it is started with.
#[derive(Debug)]
pub struct Kafka {
    home: PathBuf,
    libraries: PathBuf,
}

impl Kafka {
    /// A broker that keeps everything below `home`.
    #[must_use]
    pub fn new(home: PathBuf, parts: &Parts) -> Self {
        Self { home, libraries: parts.kafka_libraries() }
    }

    /// Writes the settings, formats the storage if there is none, and says how to start the broker.
    ///
    /// # Errors
    /// When files cannot be written or the storage not be formatted.
    pub fn prepare(&self, port: u16, controller_port: u16) -> Result<Command, Error> {
        let failed = |source| Error::Directory { directory: self.home.clone(), source };
        fs::create_dir_all(&self.home).map_err(failed)?;
        let data = self.home.join("data");
        replace(&self.settings_file(), &settings(port, controller_port, &data)).map_err(failed)?;
        replace(&self.logging_file(), LOGGING).map_err(failed)?;
        if !data.join("meta.properties").exists() {
            self.format()?;
        }
        let mut command = self.java(&["-Xms256m", "-Xmx512m"]);
        command.arg("kafka.Kafka").arg(self.settings_file());
        Ok(command)
    }

    fn format(&self) -> Result<(), Error> {
        let mut command = self.java(&["-Xmx128m", "-XX:TieredStopAtLevel=1"]);
        command.args(["kafka.tools.StorageTool", "format", "-t", &cluster_id(), "-c"]).arg(self.settings_file());
        let output = command.output().map_err(|source| Error::Start { program: "java".into(), source })?;
        if output.status.success() {
            return Ok(());
        }
        let text = [output.stdout, output.stderr].concat();
        Err(Error::Format { text: String::from_utf8_lossy(&text).trim_end().to_owned() })
    }

    fn java(&self, options: &[&str]) -> Command {
        let mut command = Command::new("java");
        command
            .args(options)
            .arg(format!("-Dlog4j2.configurationFile={}", self.logging_file().display()))
            .arg("-cp")
            .arg(self.libraries.join("*"))
            .current_dir(&self.home);
        command
    }

    fn settings_file(&self) -> PathBuf {
        self.home.join("server.properties")
    }

    fn logging_file(&self) -> PathBuf {
        self.home.join("log4j2.properties")
    }
}

/// Whether a broker answers at this address and counts itself in.
#[must_use]
pub fn answers(address: &str) -> bool {
    let consumer: Result<BaseConsumer, _> = ClientConfig::new()
        .set("bootstrap.servers", address)
        .set("log_level", "0")
        .set("socket.connection.setup.timeout.ms", "2000")
        .create();
    consumer
        .and_then(|consumer| consumer.fetch_metadata(None, ANSWER_WAIT))
        .is_ok_and(|metadata| !metadata.brokers().is_empty())
}

/// After a kill the controller takes the broker back when its old session has expired: 4 s instead of 9.
fn settings(port: u16, controller_port: u16, data: &Path) -> String {
    format!(
        "\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
inter.broker.listener.name=PLAINTEXT
log.dirs={}
auto.create.topics.enable=false
message.max.bytes=67108864
replica.fetch.max.bytes=67108864
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=16777216
",
        data.display()
    )
}

/// 16 random bytes in base64: 21 letters of four random bits each are enough to tell two clusters apart, and the last
/// letter has none, because 22 letters hold four bits more than 16 bytes do.
fn cluster_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    let id = format!("{:016x}{:016x}", random(), random());
    format!("{}A", &id[..21])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_listens_on_loopback_only() {
        let settings = settings(1, 2, Path::new("/data"));
        for line in settings.lines().filter(|line| line.contains("listeners=")) {
            assert_eq!(line.matches("://").count(), line.matches("://127.0.0.1:").count(), "{line}");
        }
        assert!(settings.contains("log.dirs=/data\n"));
    }

    #[test]
    fn a_cluster_id_is_22_letters() {
        let id = cluster_id();
        assert!(id.len() == 22 && id.ends_with('A') && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    }
}
