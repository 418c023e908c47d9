//! What values may be.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::raw::{Collect, Raw, RawArray, RawCustomers};
use super::{ArrayConfig, Family};
use crate::collect::error::CollectError;
use crate::collect::token::TokenSource;
use crate::config::Config;
use crate::core::collect::snapshot::METERS;
use crate::core::collect::{Customers, Schedule};
use crate::core::event::MAX_ID_BYTES;

/// The most arrays of one collector.
pub const ARRAYS_MAX: u64 = 10_000;

/// Looks at values.
pub(super) struct Check<'a> {
    pub(super) path: &'a Path,
    pub(super) family: Family,
}

impl Check<'_> {
    fn refuse(&self, key: impl Into<String>, mend: impl Into<String>) -> CollectError {
        CollectError::Value { path: self.path.to_owned(), key: key.into(), mend: mend.into() }
    }

    pub(super) fn collect(&self, collect: &Collect) -> Result<(), CollectError> {
        let numbers = [
            ("interval_seconds", collect.interval_seconds, 1..=3_600),
            ("delay_seconds", collect.delay_seconds, 0..=600),
            ("backfill_hours", collect.backfill_hours, 0..=168),
            ("arrays_at_once", collect.arrays_at_once as u64, 1..=256),
            ("request_timeout_seconds", collect.request_timeout_seconds, 1..=600),
            ("response_max_mbytes", collect.response_max_mbytes as u64, 1..=256),
            ("page_size", collect.page_size as u64, 1..=10_000),
            ("spool_max_mbytes", collect.spool_max_mbytes, 1..=1_048_576),
        ];
        for (key, value, range) in numbers {
            if !range.contains(&value) {
                let mend = format!("must be from {} to {}", range.start(), range.end());
                return Err(self.refuse(format!("collect.{key}"), mend));
            }
        }
        for (key, text) in [("collect.provider", &collect.provider), ("collect.stream", &collect.stream)] {
            self.id(key, text)?;
        }
        match collect.meters.iter().find(|meter| !METERS.contains(&meter.as_str())) {
            Some(meter) => {
                Err(self.refuse("collect.meters", format!("has no `{meter}`; there are {}", METERS.join(", "))))
            }
            None => Ok(()),
        }
    }

    /// The instants of these arrays. Only a FlashArray says today what it held yesterday.
    pub(super) fn schedule(&self, collect: &Collect) -> Result<Schedule, CollectError> {
        let ms = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
        let reach_ms = match self.family {
            Family::FlashArray => ms(collect.backfill_hours.saturating_mul(3600)),
            Family::FlashBlade | Family::OpenMetrics => 0,
        };
        let mend = "must divide an hour: 60, 300, 600, 900, 1800, 3600";
        Schedule::new(ms(collect.interval_seconds), ms(collect.delay_seconds), reach_ms)
            .ok_or_else(|| self.refuse("collect.interval_seconds", mend))
    }

    /// A text that an event may carry as an id.
    fn id(&self, key: &str, text: &str) -> Result<(), CollectError> {
        match text.is_empty() || text.len() > MAX_ID_BYTES {
            true => Err(self.refuse(key, format!("must have 1 to {MAX_ID_BYTES} bytes"))),
            false => Ok(()),
        }
    }

    pub(super) fn customers(&self, raw: &RawCustomers) -> Result<Customers, CollectError> {
        let from = raw.from.as_str();
        let known: &[&str] = match self.family {
            Family::FlashArray => &["", "tag", "pod", "prefix"],
            Family::FlashBlade => &["", "prefix"],
            Family::OpenMetrics => &[""],
        };
        if !known.contains(&from) {
            let mend = match self.family {
                Family::OpenMetrics => "has no effect here: each [[rule]] names the label of its customer".to_owned(),
                _ => format!("must be one of \"{}\"", known.join("\", \"")),
            };
            return Err(self.refuse("customers.from", mend));
        }
        match from {
            "tag" if raw.key.is_empty() || raw.namespace.is_empty() => {
                Err(self.refuse("customers.key", "and customers.namespace are needed with from = \"tag\""))
            }
            "tag" => Ok(Customers::Tag { namespace: raw.namespace.clone(), key: raw.key.clone() }),
            "pod" => Ok(Customers::Pod),
            "prefix" if raw.separator.is_empty() => Err(self.refuse("customers.separator", "must not be empty")),
            "prefix" => Ok(Customers::Prefix(raw.separator.clone())),
            _ => Ok(Customers::Untagged),
        }
    }

    pub(super) fn arrays(&self, raw: &[RawArray]) -> Result<Vec<ArrayConfig>, CollectError> {
        if !(1..=ARRAYS_MAX).contains(&(raw.len() as u64)) {
            return Err(
                self.refuse("array", format!("must be there 1 to {ARRAYS_MAX} times: one section [[array]] each"))
            );
        }
        let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
        raw.iter()
            .map(|array| {
                if !names.insert(&array.name) || !ids.insert(&array.id) {
                    return Err(self.refuse("array", format!("{} or its id is there twice", array.name)));
                }
                self.array(array)
            })
            .collect()
    }

    fn array(&self, raw: &RawArray) -> Result<ArrayConfig, CollectError> {
        let place = |key: &str| format!("array.{key} of {:?}", raw.name);
        self.id("array.name", &raw.name)?;
        self.id(&place("id"), &raw.id)?;
        let is_web = raw.url.starts_with("https://") || raw.url.starts_with("http://");
        let is_plain = !raw.url.contains('@') && raw.url.parse::<hyper::Uri>().is_ok();
        if !is_web || !is_plain {
            return Err(self.refuse(place("url"), "must be https://HOST or http://HOST, without a user"));
        }
        let is_rest = self.family != Family::OpenMetrics;
        let is_version = raw.api_version.starts_with("2.")
            && raw.api_version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_rest && !is_version {
            return Err(self.refuse(place("api_version"), "must be a version that the array has: \"2.26\""));
        }
        let token = match (raw.api_token_file.as_str(), raw.api_token_env.as_str()) {
            ("", "") if is_rest => {
                return Err(self.refuse(place("api_token_file"), "or api_token_env is needed: where the API token is"));
            }
            ("", "") => TokenSource::Absent,
            (file, "") => TokenSource::File(PathBuf::from(file)),
            ("", variable) => TokenSource::Environment(variable.to_owned()),
            _ => return Err(self.refuse(place("api_token_file"), "is set beside api_token_env; set only one of them")),
        };
        if token != TokenSource::Absent && !is_private(&raw.url) {
            return Err(self.refuse(place("url"), "must be https://: the token would be read on the wire"));
        }
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        for (key, text) in [("site", &raw.site), ("tier", &raw.tier)].into_iter().filter(|(_, text)| !text.is_empty()) {
            self.id(&place(key), text)?;
        }
        Ok(ArrayConfig {
            name: raw.name.clone(),
            id: raw.id.clone(),
            url: if is_rest { raw.url.trim_end_matches('/').to_owned() } else { raw.url.clone() },
            api_version: raw.api_version.clone(),
            token,
            ca_file: some(&raw.ca_file).map(PathBuf::from),
            site: some(&raw.site),
            tier: some(&raw.tier),
        })
    }

    pub(super) fn effective(&self, mut raw: Raw, site: &Config) -> Result<toml::Table, CollectError> {
        match self.family {
            Family::OpenMetrics => {}
            Family::FlashArray | Family::FlashBlade => raw.rule.clear(),
        }
        let mut table = toml::Table::try_from(&raw)
            .map_err(|error| self.refuse("collect", format!("cannot be written out: {error}")))?;
        for section in ["kafka", "metrics", "log"] {
            if let Some(keys) = site.redacted().get(section) {
                table.insert(section.to_owned(), keys.clone());
            }
        }
        Ok(table)
    }
}

/// Whether nobody on the way reads what is sent there.
fn is_private(url: &str) -> bool {
    let host = url.parse::<hyper::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    url.starts_with("https://") || host.is_some_and(|host| ["127.0.0.1", "[::1]", "localhost"].contains(&host.as_str()))
}
