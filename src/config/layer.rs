//! Defaults, file and environment, laid over each other; every value with its origin.

use std::collections::BTreeMap;

use toml::Value;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

use super::REFERENCE;
use super::error::{ConfigError, Origin};
use super::secret::REDACTED;
use super::source::Source;
use crate::core::nearest::nearest;

/// Environment variables that start so and hold `__` set keys; others (`PLIMSOLL_CONFIG`) are none of our business here.
const PREFIX: &str = "PLIMSOLL_";
/// The array of tables that has no default.
const CREDENTIAL: &str = "credential";
/// The keys of a credential; all of them are needed.
const CREDENTIAL_KEYS: [&str; 3] = ["id", "token_sha256", "principal"];
/// Keys that are shown as `***` once they are set.
const SECRETS: [&str; 4] = ["password", "sasl_password", "ssl_key_password", "token_sha256"];
/// Parts of names of librdkafka's settings that hold secrets.
const SECRET_PROPERTIES: [&str; 5] = ["password", "secret", "key", "jaas", "token"];

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The keys of one section.
pub(super) type Section = BTreeMap<String, Entry>;

/// All keys that exist, as they are in force.
#[derive(Clone, Debug)]
pub(super) struct Values {
    sections: BTreeMap<String, Section>,
    credentials: Vec<Section>,
}

impl Values {
    /// The compiled-in reference: it alone says which keys there are and of which type.
    pub(super) fn defaults() -> Result<Self, ConfigError> {
        let table: Table = REFERENCE.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
            at: Origin::Default,
            message: error.message().to_owned(),
        })?;
        let section = |value: Value| match value {
            Value::Table(keys) => {
                keys.into_iter().map(|(key, value)| (key, Entry { value, origin: Origin::Default })).collect()
            }
            _ => Section::new(),
        };
        let sections = table.into_iter().map(|(name, value)| (name, section(value))).collect();
        Ok(Self { sections, credentials: Vec::new() })
    }

    /// Lays a file over what is there. Sections that others read are passed over.
    pub(super) fn put_file(&mut self, source: &Source, text: &str, others: &[&str]) -> Result<(), ConfigError> {
        let Some(path) = source.path() else {
            return Ok(());
        };
        let at = |offset: usize| Origin::File(path.to_owned(), line_of(text, offset));
        let document = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            at: at(error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        for (name, value) in document.get_ref() {
            let origin = at(name.span().start);
            let name = name.get_ref().as_ref();
            if others.contains(&name) {
                continue;
            }
            if name == CREDENTIAL {
                self.credentials = credentials(value, &origin, &at)?;
                continue;
            }
            self.known_section(name, &origin)?;
            let DeValue::Table(keys) = value.get_ref() else {
                return Err(wrong_type(origin, name, "a section", value.get_ref().type_str()));
            };
            for (key, value) in keys {
                self.put(name, key.get_ref(), owned(value), at(key.span().start))?;
            }
        }
        Ok(())
    }

    /// Lays the environment over what is there.
    pub(super) fn put_environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        for (variable, text) in variables {
            let Some((section, key)) = variable.strip_prefix(PREFIX).and_then(|rest| rest.split_once("__")) else {
                continue;
            };
            let (section, key) = (section.to_ascii_lowercase(), key.to_ascii_lowercase());
            let origin = Origin::Environment(variable);
            let wanted = self.known_key(&section, &key, &origin)?;
            let value = match wanted {
                Value::String(_) => Value::String(text),
                _ => parse_value(&text).unwrap_or(Value::String(text)),
            };
            self.put(&section, &key, value, origin)?;
        }
        Ok(())
    }

    fn put(&mut self, section: &str, key: &str, value: Value, origin: Origin) -> Result<(), ConfigError> {
        let known = self.known_key(section, key, &origin)?;
        if !value.same_type(known) {
            let name = format!("{section}.{key}");
            return Err(wrong_type(origin, &name, wanted_type(known), value.type_str()));
        }
        if let Some(keys) = self.sections.get_mut(section) {
            keys.insert(key.to_owned(), Entry { value, origin });
        }
        Ok(())
    }

    fn known_section(&self, name: &str, origin: &Origin) -> Result<&Section, ConfigError> {
        self.sections.get(name).ok_or_else(|| {
            let known = self.sections.keys().map(String::as_str).chain([CREDENTIAL]);
            // A key that stands above the first section is best told where it belongs.
            let home = self.sections.iter().find(|(_, keys)| keys.contains_key(name)).map(|(section, _)| section);
            let hint = match (home, nearest(name, known)) {
                (Some(section), _) => format!("it belongs under [{section}]"),
                (None, Some(near)) => format!("did you mean [{near}]?"),
                (None, None) => "see config/plimsoll.toml for all there are".to_owned(),
            };
            ConfigError::Unknown { at: origin.clone(), what: "section", name: name.to_owned(), hint }
        })
    }

    fn known_key(&self, section: &str, key: &str, origin: &Origin) -> Result<&Value, ConfigError> {
        let keys = self.known_section(section, origin)?;
        match keys.get(key) {
            Some(entry) => Ok(&entry.value),
            None => Err(unknown_key(origin, section, key, keys.keys().map(String::as_str))),
        }
    }

    /// One key that exists.
    pub(super) fn entry(&self, section: &'static str, key: &'static str) -> Result<&Entry, ConfigError> {
        let found = self.sections.get(section).and_then(|keys| keys.get(key));
        found.ok_or_else(|| unknown_key(&Origin::Default, section, key, []))
    }

    /// The `[[credential]]` sections, in the file's order.
    pub(super) fn credentials(&self) -> &[Section] {
        &self.credentials
    }

    /// The same as a table of the file's form, secrets as `***`.
    pub(super) fn redacted(&self) -> Table {
        let table = |section: &Section| -> Table {
            section.iter().map(|(key, entry)| (key.clone(), redact(key, &entry.value))).collect()
        };
        let mut all: Table =
            self.sections.iter().map(|(name, keys)| (name.clone(), Value::Table(table(keys)))).collect();
        if !self.credentials.is_empty() {
            let credentials = self.credentials.iter().map(|keys| Value::Table(table(keys))).collect();
            all.insert(CREDENTIAL.to_owned(), Value::Array(credentials));
        }
        all
    }
}

fn redact(key: &str, value: &Value) -> Value {
    let hidden = || Value::String(REDACTED.to_owned());
    match value {
        Value::String(text) if SECRETS.contains(&key) && !text.is_empty() => hidden(),
        Value::Table(properties) => {
            let secret = |name: &str| SECRET_PROPERTIES.iter().any(|part| name.contains(part));
            let shown = properties
                .iter()
                .map(|(name, value)| (name.clone(), if secret(name) { hidden() } else { value.clone() }));
            Value::Table(shown.collect())
        }
        other => other.clone(),
    }
}

fn credentials<'i>(
    value: &Spanned<DeValue<'i>>,
    origin: &Origin,
    at: &impl Fn(usize) -> Origin,
) -> Result<Vec<Section>, ConfigError> {
    let wrong = |found| wrong_type(origin.clone(), CREDENTIAL, "sections [[credential]]", found);
    let list = value.get_ref().as_array().ok_or_else(|| wrong(value.get_ref().type_str()))?;
    let mut credentials = Vec::new();
    for item in list.iter() {
        let keys = item.get_ref().as_table().ok_or_else(|| wrong(item.get_ref().type_str()))?;
        let mut section = Section::new();
        for (key, value) in keys {
            let origin = at(key.span().start);
            let key = key.get_ref().as_ref();
            if !CREDENTIAL_KEYS.contains(&key) {
                return Err(unknown_key(&origin, CREDENTIAL, key, CREDENTIAL_KEYS));
            }
            if !value.get_ref().is_str() {
                return Err(wrong_type(origin, &format!("{CREDENTIAL}.{key}"), "a string", value.get_ref().type_str()));
            }
            section.insert(key.to_owned(), Entry { value: owned(value), origin });
        }
        for key in CREDENTIAL_KEYS {
            let mend = || format!("is missing: every [[credential]] has {}", CREDENTIAL_KEYS.join(", "));
            if !section.contains_key(key) {
                return Err(ConfigError::Value {
                    at: at(item.span().start),
                    key: format!("{CREDENTIAL}.{key}"),
                    mend: mend(),
                });
            }
        }
        credentials.push(section);
    }
    Ok(credentials)
}

fn unknown_key<'a>(origin: &Origin, section: &str, key: &str, known: impl IntoIterator<Item = &'a str>) -> ConfigError {
    let hint = match nearest(key, known) {
        Some(near) => format!("did you mean `{section}.{near}`?"),
        None => "see config/plimsoll.toml for all there are".to_owned(),
    };
    ConfigError::Unknown { at: origin.clone(), what: "key", name: format!("{section}.{key}"), hint }
}

fn wrong_type(at: Origin, key: &str, wanted: &'static str, found: &str) -> ConfigError {
    ConfigError::Type { at, key: key.to_owned(), wanted, found: format!("a value of type {found}") }
}

fn wanted_type(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "a whole number",
        Value::Table(_) => "a table, as in { \"client.rack\" = \"b\" }",
        _ => "of the reference's type",
    }
}

/// A whole number or an inline table, as TOML writes it.
fn parse_value(text: &str) -> Option<Value> {
    let mut table: Table = format!("value = {text}").parse().ok()?;
    table.remove("value")
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The parsed value without its places. A number that is none (beyond 64 bits) stays a string, which no number's key takes.
fn owned(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(&number.as_str().replace('_', ""), number.radix())
            .map_or_else(|_| Value::String(number.to_string()), Value::Integer),
        DeValue::Float(number) => {
            number.as_str().parse().map_or_else(|_| Value::String(number.to_string()), Value::Float)
        }
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(datetime) => Value::Datetime(*datetime),
        DeValue::Array(items) => Value::Array(items.iter().map(owned).collect()),
        DeValue::Table(keys) => {
            Value::Table(keys.iter().map(|(key, value)| (key.get_ref().clone().into_owned(), owned(value))).collect())
        }
    }
}
