//! Values taken out of the layers: ranges and forms checked, the place named when they do not fit.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Value;

use super::error::{ConfigError, Origin};
use super::layer::Values;
use super::secret::Secret;

impl Values {
    /// The refusal of a key's value, at its place.
    pub(super) fn refuse(&self, section: &'static str, key: &'static str, mend: impl Into<String>) -> ConfigError {
        let at = self.entry(section, key).map_or(Origin::Default, |entry| entry.origin.clone());
        ConfigError::Value { at, key: format!("{section}.{key}"), mend: mend.into() }
    }

    /// A string; `None` where it is empty.
    pub(super) fn text(&self, section: &'static str, key: &'static str) -> Result<Option<String>, ConfigError> {
        let text = self.entry(section, key)?.value.as_str().unwrap_or_default();
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }

    /// A string that must be there.
    pub(super) fn required(&self, section: &'static str, key: &'static str) -> Result<String, ConfigError> {
        self.text(section, key)?.ok_or_else(|| self.refuse(section, key, "must not be empty"))
    }

    /// A whole number in a range.
    pub(super) fn number(
        &self,
        section: &'static str,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<u64, ConfigError> {
        let number = self.entry(section, key)?.value.as_integer().and_then(|number| u64::try_from(number).ok());
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            self.refuse(section, key, format!("must be a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// The same for numbers that count things in memory.
    pub(super) fn count(
        &self,
        section: &'static str,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<usize, ConfigError> {
        let number = self.number(section, key, range)?;
        usize::try_from(number).map_err(|_| self.refuse(section, key, "is more than this machine can address"))
    }

    /// A time in whole seconds.
    pub(super) fn seconds(
        &self,
        section: &'static str,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<Duration, ConfigError> {
        Ok(Duration::from_secs(self.number(section, key, range)?))
    }

    /// A time in whole milliseconds.
    pub(super) fn milliseconds(
        &self,
        section: &'static str,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<Duration, ConfigError> {
        Ok(Duration::from_millis(self.number(section, key, range)?))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &self,
        section: &'static str,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Result<T, ConfigError> {
        let text = self.text(section, key)?.unwrap_or_default();
        choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.refuse(section, key, format!("must be one of {}", names.join(", ")))
        })
    }

    /// A path; `None` where it is empty.
    pub(super) fn path(&self, section: &'static str, key: &'static str) -> Result<Option<PathBuf>, ConfigError> {
        Ok(self.text(section, key)?.map(PathBuf::from))
    }

    /// An address to listen on; `None` where it is empty.
    pub(super) fn address(&self, section: &'static str, key: &'static str) -> Result<Option<SocketAddr>, ConfigError> {
        let Some(text) = self.text(section, key)? else {
            return Ok(None);
        };
        let address = text
            .parse()
            .map_err(|_| self.refuse(section, key, "must be ADDRESS:PORT, as in 127.0.0.1:8080 or [::1]:8080"))?;
        Ok(Some(address))
    }

    /// Text to text, numbers and flags in their usual form.
    pub(super) fn table(&self, section: &'static str, key: &'static str) -> Result<Vec<(String, String)>, ConfigError> {
        let Some(table) = self.entry(section, key)?.value.as_table() else {
            return Ok(Vec::new());
        };
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Boolean(flag) => Some(flag.to_string()),
            _ => None,
        };
        let refuse =
            |name: &str| self.refuse(section, key, format!("needs a string, a whole number or a flag under `{name}`"));
        table.iter().map(|(name, value)| Ok((name.clone(), text(value).ok_or_else(|| refuse(name))?))).collect()
    }

    /// A secret, from its own key or from the file that `file_key` names. One of the two: the environment's goes before the file's,
    /// otherwise both together are refused, since nobody could tell which is meant.
    pub(super) fn secret(
        &self,
        section: &'static str,
        key: &'static str,
        file_key: &'static str,
    ) -> Result<Option<Secret>, ConfigError> {
        let from_environment =
            |key| self.entry(section, key).is_ok_and(|entry| matches!(entry.origin, Origin::Environment(_)));
        let (text, path) = (self.text(section, key)?, self.path(section, file_key)?);
        match (text, path) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) if from_environment(key) == from_environment(file_key) => {
                Err(self.refuse(section, key, format!("is set beside `{section}.{file_key}`; set only one of them")))
            }
            (Some(text), path) if path.is_none() || from_environment(key) => Ok(Some(Secret::new(text))),
            (_, Some(path)) => self.secret_file(section, file_key, &path).map(Some),
            (Some(text), None) => Ok(Some(Secret::new(text))),
        }
    }

    fn secret_file(&self, section: &'static str, key: &'static str, path: &Path) -> Result<Secret, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| {
            let at = self.entry(section, key).map_or(Origin::Default, |entry| entry.origin.clone());
            ConfigError::Read { at: format!("{at}: `{section}.{key}`"), path: path.to_owned(), source }
        })?;
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err(self.refuse(section, key, "names an empty file; write the secret into it"));
        }
        Ok(Secret::new(secret.to_owned()))
    }
}
