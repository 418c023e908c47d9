//! `[clickhouse]`: how the database is reached, and what one statement may use there.

use std::time::Duration;

use super::error::ConfigError;
use super::layer::Values;
use super::secret::Secret;

const SECTION: &str = "clickhouse";

/// How blocks travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    None,
    /// LZ4.
    Lz4,
}

/// `[clickhouse]`, checked.
#[derive(Clone, Debug)]
pub struct ClickHouse {
    /// `http://` or `https://` HOST:PORT.
    pub url: String,
    /// The database that holds all tables.
    pub database: String,
    /// Who logs in.
    pub user: String,
    /// With what.
    pub password: Option<Secret>,
    /// How blocks travel.
    pub compression: Compression,
    /// Tables are made `ON CLUSTER` this, with Replicated engines.
    pub cluster: Option<String>,
    /// An insert without an answer for this long counts as failed.
    pub insert_timeout: Duration,
    /// A query is ended by the server after this long.
    pub query_timeout: Duration,
    /// Threads that one query may use.
    pub query_max_threads: u64,
    /// Bytes that one query may use.
    pub query_max_memory_bytes: u64,
}

impl ClickHouse {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        let url = values.required(SECTION, "url")?;
        let scheme = url.starts_with("http://") || url.starts_with("https://");
        let bad_url = if scheme { None } else { Some("must start with http:// or https://") };
        let bad_url = bad_url
            .or_else(|| url.contains('@').then_some("must not hold a user; set clickhouse.user and a password_file"));
        let bad_url = bad_url.or_else(|| {
            url.contains('?').then_some("must not hold parameters; every statement states its own settings")
        });
        if let Some(mend) = bad_url {
            return Err(values.refuse(SECTION, "url", mend));
        }
        let compressions = [("none", Compression::None), ("lz4", Compression::Lz4)];
        Ok(Self {
            url,
            database: read_name(values, "database")?
                .ok_or_else(|| values.refuse(SECTION, "database", "must not be empty"))?,
            user: values.required(SECTION, "user")?,
            password: values.secret(SECTION, "password", "password_file")?,
            compression: values.choice(SECTION, "compression", &compressions)?,
            cluster: read_name(values, "cluster")?,
            insert_timeout: values.seconds(SECTION, "insert_timeout_seconds", 1..=3600)?,
            query_timeout: values.seconds(SECTION, "query_timeout_seconds", 1..=3600)?,
            query_max_threads: values.number(SECTION, "query_max_threads", 1..=256)?,
            query_max_memory_bytes: values.number(SECTION, "query_max_memory_mbytes", 64..=1_048_576)? << 20,
        })
    }
}

/// A name that stands in statements where no parameter may stand, so it has to be harmless by itself.
fn read_name(values: &Values, key: &'static str) -> Result<Option<String>, ConfigError> {
    let name = values.text(SECTION, key)?;
    let harmless = |name: &String| {
        name.len() <= 64
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with(|first: char| first.is_ascii_digit())
    };
    match name {
        Some(name) if !harmless(&name) => {
            Err(values.refuse(SECTION, key, "must be letters, digits and _ (at most 64, no digit first)"))
        }
        name => Ok(name),
    }
}
