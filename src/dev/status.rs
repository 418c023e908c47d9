//! What runs and where.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// Whether a part runs and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It runs and answers.
    Up,
    /// It does not.
    Down,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartStatus {
    /// Whether it runs and answers.
    pub state: State,
    /// Its process, if one runs.
    pub pid: Option<i32>,
    /// Where it listens, or did and will again.
    pub address: Option<String>,
    /// The same as a URL, for the engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Both parts, and the files that say how to reach them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The Kafka broker.
    pub kafka: PartStatus,
    /// The ClickHouse engine.
    pub engine: PartStatus,
    /// Where the API of `plimsoll serve` with that configuration listens, whether or not it runs; none before the first start.
    pub api: Option<String>,
    /// The same of the metrics.
    pub metrics: Option<String>,
    /// The configuration file for Plimsoll that points at both.
    pub config: PathBuf,
    /// Where everything is.
    #[serde(rename = "dir")]
    pub directory: PathBuf,
}

impl Status {
    /// Whether both parts are up.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.kafka.state == State::Up && self.engine.state == State::Up
    }
}

/// The configuration file that points Plimsoll at the parts.
#[must_use]
pub fn configuration(kafka: u16, engine: u16, http: u16, metrics: u16) -> String {
    format!(
        "# Written by `plimsoll dev up`, and again by the next one: change config/plimsoll.toml's copy, not this.\n\
         [kafka]\nbootstrap_servers = \"127.0.0.1:{kafka}\"\n\n\
         [clickhouse]\nurl = \"http://127.0.0.1:{engine}\"\ndatabase = \"plimsoll\"\n\n\
         [http]\nlisten = \"127.0.0.1:{http}\"\n\n\
         [metrics]\nlisten = \"127.0.0.1:{metrics}\"\n"
    )
}

/// Where the configuration file of a directory is.
#[must_use]
pub fn configuration_file(directory: &Path) -> PathBuf {
    directory.join("plimsoll.toml")
}
