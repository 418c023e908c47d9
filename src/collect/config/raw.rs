//! The form of the file, as serde reads it.

use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::collect::error::CollectError;
use crate::core::collect::Rule;

/// `[collect]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Collect {
    /// The stream, by topic or id.
    pub stream: String,
    /// Who runs the arrays.
    pub provider: String,
    /// From one instant to the next.
    pub interval_seconds: u64,
    /// From the instant to the poll.
    pub delay_seconds: u64,
    /// How far back missed instants are made up for.
    pub backfill_hours: u64,
    /// Arrays that are polled at the same time.
    pub arrays_at_once: usize,
    /// For one answer.
    pub request_timeout_seconds: u64,
    /// Of one answer.
    pub response_max_mbytes: usize,
    /// Elements of a page.
    pub page_size: usize,
    /// Meters that are sent.
    pub meters: Vec<String>,
    /// Where events lie until Kafka has them.
    pub spool_dir: PathBuf,
    /// The most they may take there.
    pub spool_max_mbytes: u64,
}

impl Default for Collect {
    fn default() -> Self {
        Self {
            stream: "usage".to_owned(),
            provider: String::new(),
            interval_seconds: 300,
            delay_seconds: 30,
            backfill_hours: 24,
            arrays_at_once: 8,
            request_timeout_seconds: 30,
            response_max_mbytes: 32,
            page_size: 1000,
            meters: vec!["installed".to_owned(), "effective_used".to_owned()],
            spool_dir: PathBuf::from("/var/lib/plimsoll/collect"),
            spool_max_mbytes: 1024,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawCustomers {
    pub(super) from: String,
    pub(super) namespace: String,
    pub(super) key: String,
    pub(super) separator: String,
}

impl Default for RawCustomers {
    fn default() -> Self {
        Self { from: String::new(), namespace: "default".to_owned(), key: String::new(), separator: "::".to_owned() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawIdentity {
    pub(super) metric: String,
    pub(super) id: String,
    pub(super) name: String,
}

impl Default for RawIdentity {
    fn default() -> Self {
        Self { metric: "purefa_info".to_owned(), id: "system_id".to_owned(), name: "array_name".to_owned() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawArray {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) url: String,
    pub(super) api_version: String,
    pub(super) api_token_file: String,
    pub(super) api_token_env: String,
    pub(super) ca_file: String,
    pub(super) site: String,
    pub(super) tier: String,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(default)]
    pub(super) collect: Collect,
    #[serde(default)]
    pub(super) customers: RawCustomers,
    #[serde(default)]
    pub(super) identity: RawIdentity,
    #[serde(default)]
    pub(super) array: Vec<RawArray>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) rule: Vec<Rule>,
    /// These three are read by others: here they only may be there.
    #[expect(dead_code)]
    #[serde(default, skip_serializing)]
    pub(super) kafka: Option<IgnoredAny>,
    #[expect(dead_code)]
    #[serde(default, skip_serializing)]
    pub(super) metrics: Option<IgnoredAny>,
    #[expect(dead_code)]
    #[serde(default, skip_serializing)]
    pub(super) log: Option<IgnoredAny>,
}

/// The text's form; values are not looked at yet. The parser's words may hold a value of ours; none of
/// them is a secret, and sections that hold some are not read here.
pub(super) fn parse(path: &Path, text: &str) -> Result<Raw, CollectError> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let mut message = error.message().to_owned();
        // most often PLIMSOLL_CONFIG is set, and names plimsoll.toml
        if message.contains("expected one of `collect`") {
            message.push_str(
                "; a collector has a file of its own, named by --config or PLIMSOLL_CONFIG: config/collect.toml is the reference",
            );
        }
        CollectError::Form { path: path.to_owned(), line, message }
    })
}
