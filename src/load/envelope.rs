//! The CloudEvent around an array's readings, prepared so that an event is little more than a copy.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use super::record::{Header, Mode, UsageRecord};
use super::stamp::Stamp;
use super::template::{RECORDED, TIME, Template, VALUE};
use crate::core::event::USAGE_TYPE;
use crate::core::word::{Instant, Kind};

/// The array of an event.
#[derive(Clone, Copy, Debug)]
pub struct ArrayLabel<'a> {
    /// Who runs it.
    pub provider: &'a str,
    /// Its id, which is the key.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Where it stands.
    pub site: &'a str,
}

/// All of a reading but its value.
#[derive(Clone, Copy, Debug)]
pub struct ReadingLabel<'a> {
    /// What is measured.
    pub kind: Kind,
    /// Which one.
    pub resource: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The tenant tag.
    pub customer: Option<&'a str>,
    /// The service tier.
    pub tier: Option<&'a str>,
    /// The quantity.
    pub meter: &'a str,
    /// Whether the value is written as a text, as some collectors do.
    pub quoted: bool,
}

/// The readings of an event with gaps for their values, to the closing bracket of `data`.
#[must_use]
pub fn readings_template(labels: &[ReadingLabel<'_>]) -> Template {
    let mut text = String::from("[");
    for (place, label) in labels.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let (resource, kind, name) = (json(label.resource), label.kind.as_str(), json(label.name));
        let _ = write!(text, r#"{comma}{{"resource":{resource},"kind":"{kind}","name":{name}"#);
        for (key, tag) in [("customer", label.customer), ("tier", label.tier)] {
            if let Some(tag) = tag {
                let _ = write!(text, r#","{key}":{}"#, json(tag));
            }
        }
        let quote = if label.quoted { "\"" } else { "" };
        let _ = write!(text, r#","meter":{},"value":{quote}{VALUE}{quote}}}"#, json(label.meter));
    }
    text.push_str("]}");
    Template::new(&text)
}

/// What all events of one array have in common.
#[derive(Clone, Debug)]
pub struct Envelope {
    key: Arc<str>,
    mode: Mode,
    source: Arc<str>,
    head: Template,
    readings: Arc<Template>,
}

impl Envelope {
    /// The envelope of an array. Arrays with like readings share one template of them.
    #[must_use]
    pub fn new(mode: Mode, array: &ArrayLabel<'_>, readings: Arc<Template>) -> Self {
        let ArrayLabel { provider, id, name, site } = *array;
        let source = format!("urn:plimsoll:array:{id}");
        let data = format!(
            r#"{{"provider":{},"array":{{"id":"{id}","name":{},"site":{}}},"readings":"#,
            json(provider),
            json(name),
            json(site)
        );
        let head = match mode {
            Mode::Binary => data,
            Mode::Structured => format!(
                r#"{{"specversion":"1.0","id":"{id}/{TIME}","source":"{source}","type":"{USAGE_TYPE}","subject":"{id}","time":"{TIME}","recordedtime":"{RECORDED}","datacontenttype":"application/json","data":{data}"#
            ),
        };
        Self { key: id.into(), mode, source: source.into(), head: Template::new(&head), readings }
    }

    /// The array's id.
    #[must_use]
    pub fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// Other readings from now on: a tag changed.
    pub fn set_readings(&mut self, readings: Arc<Template>) {
        self.readings = readings;
    }

    /// The record of one poll.
    #[must_use]
    pub fn record(&self, time: Instant, recorded: Instant, mut values: impl Iterator<Item = u64>) -> UsageRecord {
        let (time, recorded) = (Stamp::new(time), Stamp::new(recorded));
        let mut value = Vec::with_capacity(self.head.room() + self.readings.room() + 1);
        self.head.fill(&time, &recorded, &mut values, &mut value);
        self.readings.fill(&time, &recorded, &mut values, &mut value);
        let headers = match self.mode {
            Mode::Structured => {
                value.push(b'}');
                vec![text("content-type", "application/cloudevents+json; charset=UTF-8")]
            }
            Mode::Binary => self.attributes(&time, &recorded),
        };
        UsageRecord { key: Arc::clone(&self.key), headers, value }
    }

    fn attributes(&self, time: &Stamp, recorded: &Stamp) -> Vec<Header> {
        let id = [self.key.as_bytes(), b"/", time.bytes()].concat();
        let owned = |name, value: &[u8]| (name, Cow::Owned(value.to_vec()));
        vec![
            text("content-type", "application/json"),
            text("ce_specversion", "1.0"),
            ("ce_id", Cow::Owned(id)),
            owned("ce_source", self.source.as_bytes()),
            text("ce_type", USAGE_TYPE),
            owned("ce_subject", self.key.as_bytes()),
            owned("ce_time", time.bytes()),
            owned("ce_recordedtime", recorded.bytes()),
        ]
    }
}

fn text(name: &'static str, value: &'static str) -> Header {
    (name, Cow::Borrowed(value.as_bytes()))
}

/// A text as JSON writes it, quotes included.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
