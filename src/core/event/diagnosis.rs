//! Why a record is no usage event: every rule over the whole event, the first reason in the order of DESIGN §3.
//!
//! Slow and thorough, since it runs only for records that [`decode`](super::decode) could not take. It reads raw JSON values
//! one level at a time, so neither a number out of range nor deep nesting in a key that is ignored disturbs it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::level::{Object, list, object};
use super::mode::{Mode, header, mode};
use super::reading::digits;
use super::time::parse;
use super::{Event, Limits, RawRecord, Refusal, USAGE_TYPE};
use crate::core::word::{Kind, Reason};

/// Details are for people: long enough to find the place, short enough for a table.
pub const DETAIL_CHARS: usize = 300;
/// What is shown of a text that is not as it should be.
const SHOWN_CHARS: usize = 40;

/// The refusal of a value over the greatest size, which is not read any further.
pub(super) fn too_long(record: &RawRecord<'_>, limits: &Limits) -> Refusal {
    let detail = format!("{} bytes, and at most {} are taken", record.value.len(), limits.event_bytes);
    Diagnosis::new().refusal(Reason::OverLimit, detail)
}

/// The first reason that applies. The caller has tried the common form already.
pub(super) fn diagnose<'a>(record: &RawRecord<'a>, limits: &Limits) -> Result<Event<'a>, Box<Refusal>> {
    let mut diagnosis = Diagnosis::new();
    diagnosis.look(record, limits);
    Err(Box::new(diagnosis.finish()))
}

struct Diagnosis {
    found: BTreeMap<Reason, String>,
    seen: Refusal,
}

impl Diagnosis {
    fn new() -> Self {
        let (provider, array, source, id) = (None, None, None, None);
        let seen = Refusal {
            reason: Reason::Schema,
            detail: String::new(),
            provider,
            array,
            time: None,
            source,
            id,
            readings: 0,
        };
        Self { found: BTreeMap::new(), seen }
    }

    fn note(&mut self, reason: Reason, detail: impl Into<String>) {
        self.found.entry(reason).or_insert_with(|| detail.into());
    }

    fn finish(mut self) -> Refusal {
        // a form that the rules do not name, such as a known key that stands twice
        self.note(Reason::Conflict, String::new());
        match self.found.pop_first() {
            Some((reason, detail)) if reason < Reason::Conflict => self.refusal(reason, detail),
            _ => self.refusal(Reason::Schema, "a key stands twice".to_owned()),
        }
    }

    fn refusal(self, reason: Reason, detail: String) -> Refusal {
        Refusal { reason, detail: detail.chars().take(DETAIL_CHARS).collect(), ..self.seen }
    }

    fn look(&mut self, record: &RawRecord<'_>, limits: &Limits) {
        let value = match std::str::from_utf8(record.value) {
            Ok(value) => value,
            Err(error) => return self.note(Reason::Undecodable, format!("not UTF-8 at byte {}", error.valid_up_to())),
        };
        let mode = mode(record);
        if mode == Mode::Unread {
            return self.note(
                Reason::Undecodable,
                "the content type is a CloudEvents form that is not read; send application/cloudevents+json",
            );
        }
        if let Err(error) = serde_json::from_str::<&RawValue>(value) {
            return self.note(Reason::Undecodable, format!("not JSON: {error}"));
        }
        let Some(whole) = object(value) else {
            return self.note(Reason::Schema, "the value is not a JSON object");
        };
        let data = match mode {
            Mode::Binary => {
                self.attributes(limits, |name| attribute_header(record, name));
                Some(whole)
            }
            _ => {
                self.attributes(limits, |name| whole.get(name).map(|raw| text(raw)));
                whole.get("data").and_then(|data| object(data.get()))
            }
        };
        match data {
            Some(data) => self.data(&data, limits),
            None => self.note(Reason::Schema, "data is not an object"),
        }
    }

    fn attributes<'v>(&mut self, limits: &Limits, get: impl Fn(&str) -> Option<Option<Said<'v>>>) {
        let mut read = |name: &str| match get(name) {
            Some(said) => self.said(name, said),
            None => {
                self.note(Reason::Schema, format!("{name} is missing"));
                None
            }
        };
        let (version, kind, id) = (read("specversion"), read("type"), read("id"));
        let (source, time) = (read("source"), read("time"));
        if version.is_some_and(|version| version != "1.0") {
            self.note(Reason::Schema, "specversion is not 1.0");
        }
        if let Some(kind) = kind.filter(|kind| kind != USAGE_TYPE) {
            self.note(Reason::UnknownType, format!("type is {:?}, not {USAGE_TYPE}", shown(&kind)));
        }
        self.id_text("id", id.as_deref(), limits);
        self.id_text("source", source.as_deref(), limits);
        (self.seen.id, self.seen.source) = (bounded(id, limits), bounded(source, limits));
        if let Some(time) = time {
            self.seen.time = parse(&time);
            if self.seen.time.is_none() {
                self.note(
                    Reason::Schema,
                    format!("time is {:?}: write RFC 3339 with at most 3 fractional digits", shown(&time)),
                );
            }
        }
        if let Some(said) = get("recordedtime")
            && let Some(recorded) = self.said("recordedtime", said)
            && parse(&recorded).is_none()
        {
            self.note(
                Reason::Schema,
                format!("recordedtime is {:?}: write RFC 3339 with at most 3 fractional digits", shown(&recorded)),
            );
        }
    }

    fn data(&mut self, data: &Object<'_>, limits: &Limits) {
        let provider = self.needed("provider", data, limits);
        self.seen.provider = bounded(provider, limits);
        match data.get("array").map(|raw| object(raw.get())) {
            Some(Some(array)) => {
                let id = self.needed("id", &array, limits);
                self.seen.array = bounded(id, limits);
                self.label("name", &array);
                self.tag("site", &array, limits);
            }
            _ => self.note(Reason::Schema, "data.array is not an object"),
        }
        let Some((readings, count)) = data.get("readings").and_then(|raw| list(raw.get(), limits.readings)) else {
            return self.note(Reason::Schema, "data.readings is not a list");
        };
        self.seen.readings = u32::try_from(count).unwrap_or(u32::MAX);
        if count > limits.readings {
            // no reason goes before this one, so nobody asks what else is wrong with them
            return self
                .note(Reason::OverLimit, format!("{count} readings, and at most {} are taken", limits.readings));
        }
        let mut named = BTreeMap::new();
        for (place, raw) in readings.iter().enumerate() {
            let Some(reading) = object(raw.get()) else {
                self.note(Reason::Schema, format!("reading {place} is not an object"));
                continue;
            };
            if let Some(name) = self.reading(place, &reading, limits)
                && let Some(before) = named.insert(name, place)
            {
                self.note(
                    Reason::RepeatedReading,
                    format!("readings {before} and {place} are of the same kind, resource and meter"),
                );
            }
        }
    }

    fn reading(&mut self, place: usize, reading: &Object<'_>, limits: &Limits) -> Option<(Kind, String, String)> {
        let resource = self.needed("resource", reading, limits);
        let meter = self.needed("meter", reading, limits);
        if meter.as_deref().is_some_and(|meter| meter.starts_with('$')) {
            self.note(Reason::Schema, format!("reading {place}: meters that begin with $ are Plimsoll's own"));
        }
        self.tag("customer", reading, limits);
        self.tag("tier", reading, limits);
        self.label("name", reading);
        let kind = reading.get("kind").and_then(|raw| text(raw)).and_then(|said| Kind::parse(&said.ok()?));
        if kind.is_none() {
            self.note(Reason::Schema, format!("reading {place}: kind is none of the six"));
        }
        self.value(place, reading);
        Some((kind?, resource?, meter?))
    }

    fn value(&mut self, place: usize, reading: &Object<'_>) {
        let Some(raw) = reading.get("value").map(|raw| raw.get()) else {
            return self.note(Reason::Schema, format!("reading {place}: value is missing"));
        };
        let number = match raw.as_bytes().first() {
            Some(b'"') => serde_json::from_str::<String>(raw).ok().and_then(|text| digits(&text)),
            Some(b'-' | b'0'..=b'9') => digits(raw),
            _ => return self.note(Reason::Schema, format!("reading {place}: value is neither a number nor a text")),
        };
        if number.is_none() {
            let raw = shown(raw);
            self.note(Reason::Value, format!("reading {place}: value {raw} is not a whole number from 0 to 2^64-1"));
        }
    }

    /// The text of a key; what is no text breaks the schema, what cannot be a text (a lone surrogate) cannot be decoded.
    fn said(&mut self, name: &str, said: Option<Said<'_>>) -> Option<String> {
        match said {
            Some(Ok(text)) => Some(text.into_owned()),
            Some(Err(())) => {
                self.note(Reason::Undecodable, format!("{name} is not Unicode text"));
                None
            }
            None => {
                self.note(Reason::Schema, format!("{name} is not a text"));
                None
            }
        }
    }

    fn needed(&mut self, name: &str, from: &Object<'_>, limits: &Limits) -> Option<String> {
        let Some(raw) = from.get(name) else {
            self.note(Reason::Schema, format!("{name} is missing"));
            return None;
        };
        let text = self.said(name, text(raw));
        self.id_text(name, text.as_deref(), limits);
        text
    }

    fn tag(&mut self, name: &str, from: &Object<'_>, limits: &Limits) {
        if let Some(raw) = from.get(name) {
            let text = self.said(name, text(raw));
            self.id_text(name, text.as_deref(), limits);
        }
    }

    fn label(&mut self, name: &str, from: &Object<'_>) {
        if let Some(raw) = from.get(name) {
            self.said(name, text(raw));
        }
    }

    fn id_text(&mut self, name: &str, text: Option<&str>, limits: &Limits) {
        match text {
            Some("") => self.note(Reason::Schema, format!("{name} is empty: leave it out where there is none")),
            Some(text) if text.len() > limits.id_bytes => {
                self.note(
                    Reason::OverLimit,
                    format!("{name} has {} bytes, and at most {} are taken", text.len(), limits.id_bytes),
                );
            }
            _ => {}
        }
    }
}

/// What a key says: a text, or something that should be one and is no Unicode.
type Said<'a> = Result<std::borrow::Cow<'a, str>, ()>;

fn text<'a>(raw: &&'a RawValue) -> Option<Said<'a>> {
    raw.get().starts_with('"').then(|| serde_json::from_str::<String>(raw.get()).map(Into::into).map_err(|_| ()))
}

fn attribute_header<'a>(record: &RawRecord<'a>, name: &str) -> Option<Option<Said<'a>>> {
    let name = format!("ce_{name}");
    record.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(&name))?;
    Some(Some(header(record, &name).map(Into::into).ok_or(())))
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

fn bounded(text: Option<String>, limits: &Limits) -> Option<String> {
    text.filter(|text| text.len() <= limits.id_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_cut_at_its_length() {
        for (chars, kept) in
            [(DETAIL_CHARS - 1, DETAIL_CHARS - 1), (DETAIL_CHARS, DETAIL_CHARS), (DETAIL_CHARS + 1, DETAIL_CHARS)]
        {
            let refusal = Diagnosis::new().refusal(Reason::Schema, "é".repeat(chars));
            assert_eq!(refusal.detail.chars().count(), kept);
        }
    }
}
