//! The collectors' own configuration file. `config/collect.toml` is its annotated reference; the sections `[kafka]`, `[metrics]` and `[log]` have
//! the keys of plimsoll.toml and are read by the same code.

mod check;
mod raw;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use raw::Collect;

use super::client::AnswerLimits;
use super::error::CollectError;
use super::token::TokenSource;
use crate::config::{Config, Source};
use crate::core::collect::rule::Identity;
use crate::core::collect::{Customers, Rule, Schedule};
use check::Check;
use raw::{Raw, RawIdentity, parse};

/// The annotated defaults: every key there is, with what it means.
pub const REFERENCE: &str = include_str!("../../../config/collect.toml");

/// The sections that are the collectors' own.
const OWN_SECTIONS: [&str; 5] = ["collect", "customers", "identity", "array", "rule"];

/// What is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// FlashArrays by REST API 2.x.
    FlashArray,
    /// FlashBlades by REST API 2.x.
    FlashBlade,
    /// OpenMetrics or Prometheus endpoints.
    OpenMetrics,
}

/// One array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayConfig {
    /// Its name in logs and metrics.
    pub name: String,
    /// Its id: the key of its events. Answers of another one are refused.
    pub id: String,
    /// `https://HOST`, or the whole address of an exposition.
    pub url: String,
    /// The version in the paths of the REST API.
    pub api_version: String,
    /// Where its API token is.
    pub token: TokenSource,
    /// PEM file of the authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// Where it stands.
    pub site: Option<String>,
    /// The service tier that it is sold as.
    pub tier: Option<String>,
}

/// What is in force: checked.
#[derive(Clone, Debug)]
pub struct CollectConfig {
    /// `[kafka]`, `[metrics]`, `[log]`.
    pub site: Config,
    /// What is polled.
    pub family: Family,
    /// `[collect]`.
    pub collect: Collect,
    /// `[customers]`.
    pub customers: Customers,
    /// `[identity]`, if anything is to be looked at.
    pub identity: Option<Identity>,
    /// `[[array]]`.
    pub arrays: Vec<ArrayConfig>,
    /// `[[rule]]`; those of the reference where the file has none.
    pub rules: Vec<Rule>,
    /// The instants.
    pub schedule: Schedule,
    effective: toml::Table,
}

impl CollectConfig {
    /// Reads the collector's file, and the environment for the sections that it shares with plimsoll.toml.
    ///
    /// # Errors
    /// What cannot be read or is not allowed, with the mend.
    pub fn load(path: &Path, family: Family) -> Result<Self, CollectError> {
        let text =
            std::fs::read_to_string(path).map_err(|cause| CollectError::File { path: path.to_owned(), cause })?;
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_parts(path, &text, family, variables)
    }

    /// The configuration that a file's `text` and these environment variables give.
    ///
    /// # Errors
    /// What is not allowed, with the mend.
    pub fn from_parts(
        path: &Path,
        text: &str,
        family: Family,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, CollectError> {
        let raw = parse(path, text)?;
        let site = Config::from_parts_beside(Source::Named(path.to_owned()), text, variables, &OWN_SECTIONS)?;
        let check = Check { path, family };
        check.collect(&raw.collect)?;
        let schedule = check.schedule(&raw.collect)?;
        let customers = check.customers(&raw.customers)?;
        let arrays = check.arrays(&raw.array)?;
        let rules = match raw.rule.is_empty() {
            true => parse(Path::new("config/collect.toml"), REFERENCE)?.rule,
            false => raw.rule.clone(),
        };
        let effective = check.effective(Raw { rule: rules.clone(), ..raw.clone() }, &site)?;
        let RawIdentity { metric, id, name } = raw.identity;
        let identity = (!metric.is_empty()).then_some(Identity { metric, id, name });
        Ok(Self { site, family, collect: raw.collect, customers, identity, arrays, rules, schedule, effective })
    }

    /// What is in force in the form of the file. It holds no secret: tokens are named by where they are, Kafka's are `***`.
    #[must_use]
    pub fn redacted(&self) -> &toml::Table {
        &self.effective
    }

    /// What bounds an answer.
    #[must_use]
    pub fn limits(&self) -> AnswerLimits {
        AnswerLimits {
            bytes: self.collect.response_max_mbytes << 20,
            time: Duration::from_secs(self.collect.request_timeout_seconds),
        }
    }
}
