//! Reading one section of a price book: every value with its place, every key accounted for.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostics;
use super::model::BookDate;
use crate::core::word::Instant;

/// One file.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

/// A table of the file under its path, such as `contract.acme`.
pub(super) struct Section<'a, 'd> {
    source: &'a Source<'a>,
    path: String,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    found: &'d Diagnostics,
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'a, 'd> Section<'a, 'd> {
    pub(super) fn new(
        source: &'a Source<'a>,
        path: String,
        table: &'a DeTable<'a>,
        span: Range<usize>,
        found: &'d Diagnostics,
    ) -> Self {
        if !path.is_empty() {
            found.remember(path.clone(), source, span.clone());
        }
        Self { source, path, table, span, found, known: RefCell::default() }
    }

    /// The section's own id: the last part of its path.
    pub(super) fn id(&self) -> &str {
        self.path.split_once('.').map_or(&*self.path, |(_, id)| id)
    }

    fn sub(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// A fault of the section as a whole.
    pub(super) fn refuse_whole(&self, message: &str, mend: &str) {
        self.found.add(self.source, self.span.start..self.span.start + 1, message.to_owned(), mend.to_owned());
    }

    /// A fault at a key.
    pub(super) fn refuse(&self, key: &str, message: impl Into<String>, mend: impl Into<String>) {
        let span = self.table.get(key).map_or(self.span.clone(), Spanned::span);
        self.found.add(self.source, span, message.into(), mend.into());
    }

    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().insert(key);
        let value = self.table.get(key)?;
        self.found.remember(self.sub(key), self.source, value.span());
        Some(value)
    }

    /// Whether the key stands there.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.known.borrow_mut().insert(key);
        self.table.contains_key(key)
    }

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

    /// Refuses the section if the key is missing.
    pub(super) fn need(&self, key: &'static str) {
        if !self.has(key) {
            self.refuse_whole(&format!("{key} is missing"), &format!("add {key} = ... to [{}]", self.path));
        }
    }

    /// The text of a key that may be of another type as well; says nothing if it is.
    pub(super) fn text_of(&self, key: &'static str) -> Option<&'a str> {
        self.value(key)?.get_ref().as_str()
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
        let text = match value.get_ref() {
            DeValue::String(text) => text,
            DeValue::Float(_) | DeValue::Integer(_) => {
                let written = &self.source.text[value.span()];
                self.refuse(
                    key,
                    format!("{key} is a bare number"),
                    format!("write prices in quotes: {key} = \"{written}\""),
                );
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
        let value = self.value(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok());
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let mend = if least == most {
                    format!("write {key} = {least}")
                } else {
                    format!("write a whole number from {least} to {most}")
                };
                self.refuse(key, format!("{key} is not one of the numbers that are possible here"), mend);
                None
            }
        }
    }

    /// Yes or no.
    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.refuse(
                key,
                format!("{key} is neither true nor false"),
                format!("write {key} = true or {key} = false"),
            );
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

    /// A table under a key.
    pub(super) fn section(&self, key: &'static str) -> Option<Section<'a, 'd>> {
        let value = self.value(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Section::new(self.source, self.sub(key), table, value.span(), self.found)),
            None => {
                self.refuse(key, format!("{key} is not a table"), format!("write {key} = {{ ... }}"));
                None
            }
        }
    }

    /// All tables in this one, by their own keys.
    pub(super) fn sections(&self) -> Vec<Section<'a, 'd>> {
        let mut all = Vec::new();
        for (key, value) in self.table {
            match value.get_ref().as_table() {
                Some(table) => {
                    let path = self.sub(key.get_ref());
                    all.push(Section::new(self.source, path, table, key.span(), self.found));
                }
                None => self.found.add(
                    self.source,
                    key.span(),
                    format!("{} is not a section", key.get_ref()),
                    format!("write [{}.ID] and its keys below it", self.path),
                ),
            }
        }
        all
    }

    /// A list of tables; empty if it is not there.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Section<'a, 'd>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let items = value.get_ref().as_array();
        let tables = items.and_then(|items| {
            let numbered = items.iter().enumerate();
            let tables = numbered.map(|(number, item)| {
                let path = format!("{}.{number}", self.sub(key));
                item.get_ref().as_table().map(|table| Section::new(self.source, path, table, item.span(), self.found))
            });
            tables.collect::<Option<Vec<_>>>()
        });
        tables.unwrap_or_else(|| {
            self.refuse(key, format!("{key} is not a list of tables"), format!("write {key} = [{{ ... }}, {{ ... }}]"));
            Vec::new()
        })
    }

    /// A table of whole numbers by name.
    pub(super) fn counts(&self, key: &'static str) -> std::collections::BTreeMap<String, u32> {
        let mut counts = std::collections::BTreeMap::new();
        if let Some(section) = self.section(key) {
            for (name, value) in section.table {
                match value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok()) {
                    Some(count) => {
                        counts.insert(name.get_ref().to_string(), count);
                    }
                    None => self.refuse(key, format!("{} is not a count", name.get_ref()), "write a whole number"),
                }
            }
        }
        counts
    }

    /// A table of decimals by name.
    pub(super) fn decimals(&self, key: &'static str) -> std::collections::BTreeMap<String, Decimal> {
        let mut decimals = std::collections::BTreeMap::new();
        if let Some(section) = self.section(key) {
            for (name, value) in section.table {
                match value.get_ref().as_str().map(|text| decimal(text, 9)) {
                    Some(Ok(number)) => {
                        decimals.insert(name.get_ref().to_string(), number);
                    }
                    _ => self.refuse(
                        key,
                        format!("{} is not a decimal", name.get_ref()),
                        "write decimals in quotes: \"0.92\"",
                    ),
                }
            }
        }
        decimals
    }

    /// A date without a time (local midnight), or an instant with an offset.
    pub(super) fn date(&self, key: &'static str) -> Option<BookDate> {
        let value = self.value(key)?;
        let written = value.get_ref().as_datetime();
        let date = written.and_then(|written| match (written.date, written.time, written.offset) {
            (Some(date), None, None) => {
                let day =
                    chrono::NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day));
                day.map(BookDate::Day)
            }
            (Some(_), Some(_), Some(_)) => {
                let text = written.to_string().replace(' ', "T");
                let instant = chrono::DateTime::parse_from_rfc3339(&text).ok()?;
                Some(BookDate::At(Instant(instant.timestamp_millis())))
            }
            _ => None,
        });
        if date.is_none() {
            self.refuse(
                key,
                format!("{key} is neither a date nor an instant"),
                format!("write {key} = 2026-01-01 (midnight), or with an offset {key} = 2026-03-17T12:00:00+01:00, without quotes"),
            );
        }
        date
    }

    /// A date that means midnight UTC.
    pub(super) fn utc_date(&self, key: &'static str) -> Option<Instant> {
        let instant = match self.date(key)? {
            BookDate::Day(day) => Instant(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()),
            BookDate::At(instant) => instant,
        };
        self.on_quarter(key, instant)
    }

    /// The instant, if it lies on a quarter of an hour: cells are not cut.
    pub(super) fn on_quarter(&self, key: &'static str, instant: Instant) -> Option<Instant> {
        if instant.0.rem_euclid(900_000) == 0 {
            return Some(instant);
        }
        let message = format!("{key} is {instant}, which is not on a quarter of an hour");
        self.refuse(key, message, "write an instant at :00, :15, :30 or :45");
        None
    }

    /// Refuses every key that was not asked for.
    pub(super) fn finish(&self) {
        let known = self.known.borrow();
        for key in self.table.keys().filter(|key| !known.contains(&**key.get_ref())) {
            let name = key.get_ref();
            let nearest =
                known.iter().min_by_key(|other| distance(name, other)).filter(|other| distance(name, other) <= 3);
            let mend = match nearest {
                Some(nearest) => format!("did you mean {nearest}?"),
                None => format!("possible here: {}", known.iter().copied().collect::<Vec<_>>().join(", ")),
            };
            self.found.add(self.source, key.span(), format!("unknown key {name}"), mend);
        }
    }
}

/// A decimal of at most `places` places and 21 digits before the point, in its shortest form.
pub(super) fn decimal(text: &str, places: u32) -> Result<Decimal, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') || whole.len() > 18 {
        return Err("write digits with at most one point, without sign, exponent or spaces: \"24.00\"".to_owned());
    }
    if fraction.len() > places as usize {
        return Err(format!("write at most {places} places after the point"));
    }
    text.parse::<Decimal>().map(|number| number.normalize()).map_err(|error| error.to_string())
}

/// How many letters differ (Levenshtein), to name the nearest key.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let cost = (corner + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            corner = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[b.len()]
}
