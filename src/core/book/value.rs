//! The values of a section: texts, numbers and lists, each refused where it stands if it is none.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use toml::de::{DeInteger, DeValue};

use super::reader::Section;

/// Most digits before the point: with 9 places behind it a decimal keeps all of them.
const MAX_DIGITS: usize = 18;

impl<'a> Section<'a, '_> {
    /// A text.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some("") => {
                self.refuse(key, format!("{key} is empty"), "leave it out where there is none");
                None
            }
            Some(text) => Some(text.to_owned()),
            None => {
                self.refuse(key, format!("{key} is not a text"), format!("write {key} = \"...\""));
                None
            }
        }
    }

    /// A text that has to stand there.
    pub(super) fn need_text(&self, key: &'static str) -> Option<String> {
        self.need(key);
        self.text(key)
    }

    /// The text of a key that may be of another type as well; says nothing if it is.
    pub(super) fn text_of(&self, key: &'static str) -> Option<&'a str> {
        self.value(key)?.get_ref().as_str()
    }

    /// Whether a key that may be of another type as well is a bare number.
    pub(super) fn is_bare(&self, key: &'static str) -> bool {
        self.value(key).is_some_and(|value| matches!(value.get_ref(), DeValue::Float(_) | DeValue::Integer(_)))
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.refuse(key, format!("{key} cannot be {text:?}"), format!("write one of {}", names.join(", ")));
        }
        found
    }

    /// A decimal in quotes, of at most `places` places, never negative.
    pub(super) fn decimal(&self, key: &'static str, places: u32) -> Option<Decimal> {
        let value = self.value(key)?;
        self.read_decimal(key, value, places)
    }

    fn read_decimal(&self, key: &str, value: &toml::Spanned<DeValue<'_>>, places: u32) -> Option<Decimal> {
        let text = match value.get_ref() {
            DeValue::String(text) => text,
            DeValue::Float(_) | DeValue::Integer(_) => {
                let written = &self.source.text[value.span()];
                let mend = format!("write prices in quotes: {key} = \"{written}\"");
                self.refuse(key, format!("{key} is a bare number"), mend);
                return None;
            }
            _ => {
                self.refuse(key, format!("{key} is not a decimal"), format!("write {key} = \"24.00\""));
                return None;
            }
        };
        let parsed = decimal(text, places);
        if let Err(mend) = &parsed {
            self.refuse(key, format!("{key} cannot be {text:?}"), mend.clone());
        }
        parsed.ok()
    }

    /// A percentage from 0 to 100.
    pub(super) fn percent(&self, key: &'static str) -> Option<Decimal> {
        let percent = self.decimal(key, 9)?;
        if percent > Decimal::ONE_HUNDRED {
            self.refuse(key, format!("{key} is above 100"), "write a percentage from \"0\" to \"100\"");
            return None;
        }
        Some(percent)
    }

    /// A whole number.
    pub(super) fn integer(&self, key: &'static str, least: i64, most: i64) -> Option<i64> {
        let number = self.value(key)?.get_ref().as_integer().and_then(whole);
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let mend = if least == most {
                    format!("write {key} = {least}")
                } else {
                    format!("write a whole number from {least} to {most}, without quotes")
                };
                self.refuse(key, format!("{key} is not one of the numbers that are possible here"), mend);
                None
            }
        }
    }

    /// Yes or no.
    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        let found = self.value(key)?.get_ref().as_bool();
        if found.is_none() {
            let mend = format!("write {key} = true or {key} = false");
            self.refuse(key, format!("{key} is neither true nor false"), mend);
        }
        found
    }

    /// A list of texts; empty if it is not there.
    pub(super) fn texts(&self, key: &'static str) -> Vec<String> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let texts = value.get_ref().as_array().and_then(|items| {
            let texts =
                items.iter().map(|item| item.get_ref().as_str().filter(|text| !text.is_empty()).map(str::to_owned));
            texts.collect::<Option<Vec<_>>>()
        });
        texts.unwrap_or_else(|| {
            self.refuse(key, format!("{key} is not a list of texts"), format!("write {key} = [\"...\", \"...\"]"));
            Vec::new()
        })
    }

    /// A list of texts that has to name something.
    pub(super) fn need_texts(&self, key: &'static str) -> Vec<String> {
        self.need(key);
        let texts = self.texts(key);
        if texts.is_empty() && self.value(key).is_some_and(|value| value.get_ref().as_array().is_some()) {
            self.refuse(key, format!("{key} is empty"), format!("write {key} = [\"...\"]"));
        }
        texts
    }

    /// A table of whole numbers by name.
    pub(super) fn counts(&self, key: &'static str) -> BTreeMap<String, u32> {
        let Some(section) = self.section(key) else { return BTreeMap::new() };
        let count = |(name, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
            let name: &std::borrow::Cow<'_, str> = name.get_ref();
            let count = value.get_ref().as_integer().and_then(whole).and_then(|count| u32::try_from(count).ok());
            if count.is_none() {
                section.refuse(name, format!("{name} is not a count"), "write a whole number without quotes");
            }
            Some((name.to_string(), count?))
        };
        section.table.iter().filter_map(count).collect()
    }

    /// A table of decimals by name.
    pub(super) fn decimals(&self, key: &'static str) -> BTreeMap<String, Decimal> {
        let Some(section) = self.section(key) else { return BTreeMap::new() };
        let entries = section.table.iter();
        let decimals = entries.filter_map(|(name, value)| {
            let name = name.get_ref();
            Some((name.to_string(), section.read_decimal(name, value, 9)?))
        });
        decimals.collect()
    }
}

fn whole(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
}

/// A decimal of at most `places` places and 18 digits before the point, in its shortest form.
pub(super) fn decimal(text: &str, places: u32) -> Result<Decimal, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
        return Err("write digits with at most one point, without sign, exponent or spaces: \"24.00\"".to_owned());
    }
    if whole.len() > MAX_DIGITS {
        return Err(format!("write at most {MAX_DIGITS} digits before the point"));
    }
    if fraction.len() > places as usize {
        return Err(format!("write at most {places} places after the point"));
    }
    text.parse::<Decimal>().map(|number| number.normalize()).map_err(|error| error.to_string())
}
