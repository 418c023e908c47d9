//! Configuration: one annotated file that is its own reference, a file of the site's own on top, the environment on top of both.
//!
//! `config/plimsoll.toml` is compiled in and read first, so it holds every key and every default; a key that it lacks does not
//! exist. Every value knows where it was written ([`Origin`]), and every refusal says it.

mod bill;
mod clickhouse;
mod credential;
mod error;
mod gateway;
mod http;
mod kafka;
mod layer;
mod log;
mod run;
mod secret;
mod source;
#[cfg(test)]
mod tests;
mod value;

use std::path::Path;

use sha2::{Digest as _, Sha256};

pub use bill::Bill;
pub use clickhouse::{ClickHouse, Compression};
pub use credential::{Credential, Principal, Producer};
pub use error::{ConfigError, Origin};
pub use gateway::Gateway;
pub use http::{Http, Metrics};
pub use kafka::{Kafka, Sasl, SaslMechanism, SecurityProtocol};
pub use log::{Log, LogFormat};
pub use run::Run;
pub use secret::Secret;
pub use source::Source;

/// The annotated defaults: every key there is, with what it means.
pub const REFERENCE: &str = include_str!("../../config/plimsoll.toml");

/// What is in force: checked, with units turned into types.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which file was read.
    pub source: Source,
    /// The log.
    pub kafka: Kafka,
    /// The database.
    pub clickhouse: ClickHouse,
    /// The fold's bounds.
    pub run: Run,
    /// The closer's bounds.
    pub bill: Bill,
    /// The API's listener and limits.
    pub http: Http,
    /// The listener for usage events and its limits.
    pub gateway: Gateway,
    /// The listener for Prometheus.
    pub metrics: Metrics,
    /// Who may read over HTTP.
    pub credentials: Vec<Credential>,
    /// Who may send events over HTTP and read nothing.
    pub producers: Vec<Producer>,
    /// What is logged, and how.
    pub log: Log,
    effective: toml::Table,
}

impl Config {
    /// Reads the configuration: `path` if given, else the first file that [`Source::find`] sees, else the defaults; then the environment.
    ///
    /// # Errors
    /// What cannot be read or is not allowed, with the place where it was written.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let source = Source::find(path);
        let text = source.read()?;
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_parts(source, &text, variables)
    }

    /// The configuration that a file's `text` and these environment variables give.
    ///
    /// # Errors
    /// What is not allowed, with the place where it was written.
    pub fn from_parts(
        source: Source,
        text: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        Self::from_parts_beside(source, text, variables, &[])
    }

    /// The same where the file has sections beside that are read by somebody else.
    ///
    /// # Errors
    /// What is not allowed, with the place where it was written.
    pub fn from_parts_beside(
        source: Source,
        text: &str,
        variables: impl IntoIterator<Item = (String, String)>,
        others: &[&str],
    ) -> Result<Self, ConfigError> {
        let mut values = layer::Values::defaults()?;
        values.put_file(&source, text, others)?;
        values.put_environment(variables)?;
        let (credentials, producers) = credential::read_all(&values)?;
        let config = Self {
            kafka: Kafka::read(&values)?,
            clickhouse: ClickHouse::read(&values)?,
            run: Run::read(&values)?,
            bill: Bill::read(&values)?,
            http: Http::read(&values)?,
            gateway: Gateway::read(&values)?,
            metrics: Metrics::read(&values)?,
            credentials,
            producers,
            log: Log::read(&values)?,
            effective: values.redacted(),
            source,
        };
        config.http.check_exposure(&values, config.is_open())?;
        config.gateway.check_use(&values, config.is_open(), config.kafka.is_configured)?;
        Ok(config)
    }

    /// Whether nobody needs a token: then only loopback addresses are listened on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.credentials.is_empty() && self.producers.is_empty()
    }

    /// What is in force as a table of the file's own form, secrets as `***`.
    #[must_use]
    pub fn redacted(&self) -> &toml::Table {
        &self.effective
    }

    /// SHA-256 of that, in hexadecimal: whether two processes are set alike can be told by it, and no secret guessed.
    #[must_use]
    pub fn hash(&self) -> String {
        Sha256::digest(self.effective.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
