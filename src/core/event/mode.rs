//! The two modes of CloudEvents over Kafka: structured (the value is the whole event) and binary (attributes are headers).

use std::borrow::Cow;

use serde::Deserialize;

use super::reading::{Data, Text, present};
use super::time::parse;
use super::{Event, RawRecord, USAGE_TYPE};

/// How a record carries its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The value is the event.
    Structured,
    /// The value is `data`, the attributes are headers `ce_NAME`.
    Binary,
    /// A CloudEvents form that is not read: a batch, or another encoding.
    Unread,
}

/// The mode of a record: by its content type, else by its headers. A record that says nothing is taken for structured, so that
/// the plainest of producers works.
pub(super) fn mode(record: &RawRecord<'_>) -> Mode {
    let content_type = header(record, "content-type").unwrap_or_default();
    let (media, _) = content_type.split_once(';').unwrap_or((content_type, ""));
    let media = media.trim();
    if media.len() >= 23 && media.is_char_boundary(23) && media[..23].eq_ignore_ascii_case("application/cloudevents") {
        return match &media[23..] {
            "" => Mode::Structured,
            suffix if suffix.eq_ignore_ascii_case("+json") => Mode::Structured,
            _ => Mode::Unread,
        };
    }
    let attribute = |name: &str| name.get(..3).is_some_and(|prefix| prefix.eq_ignore_ascii_case("ce_"));
    match record.headers.iter().any(|(name, _)| attribute(name)) {
        true => Mode::Binary,
        false => Mode::Structured,
    }
}

/// A header's text; none if it is absent or not UTF-8.
pub(super) fn header<'a>(record: &RawRecord<'a>, name: &str) -> Option<&'a str> {
    let (_, value) = record.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(value).ok()
}

/// The header that names the decision under which a record is sent again: `OFFSET:HASH`. The hash is of the decision's own bytes, which
/// nobody knows before it is made, so a header cannot name a decision that is made after it.
pub const DECISION_HEADER: &str = "plimsoll-decision";

/// A decision as a header names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionName<'a> {
    /// Its offset in the control log.
    pub offset: u64,
    /// [`decision_hash`](crate::core::decision::decision_hash) of its record.
    pub hash: &'a str,
}

impl std::fmt::Display for DecisionName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.offset, self.hash)
    }
}

/// The decision that a record's header names, if it has that header; `Some(None)` if the header names none in that form.
#[must_use]
pub fn decision_header<'a>(record: &RawRecord<'a>) -> Option<Option<DecisionName<'a>>> {
    let (_, value) = record.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(DECISION_HEADER))?;
    let named = std::str::from_utf8(value).ok().and_then(|text| text.split_once(':'));
    Some(named.and_then(|(offset, hash)| Some(DecisionName { offset: offset.parse().ok()?, hash })))
}

#[derive(Deserialize)]
struct Structured<'a> {
    #[serde(borrow)]
    specversion: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    source: Text<'a>,
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    time: Text<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    recordedtime: Option<Text<'a>>,
    #[serde(borrow)]
    data: Data<'a>,
}

/// The event in one pass, if it is of the form that producers send; none sends it to the diagnosis.
pub(super) fn read<'a>(record: &RawRecord<'a>) -> Option<Event<'a>> {
    match mode(record) {
        Mode::Structured => {
            let whole: Structured<'a> = from_json(record.value)?;
            let head = Head {
                specversion: whole.specversion.0,
                id: whole.id.0,
                source: whole.source.0,
                kind: whole.kind.0,
                time: whole.time.0,
                recorded: whole.recordedtime.map(|text| text.0),
            };
            event(head, whole.data)
        }
        Mode::Binary => {
            let text = |name| header(record, name).map(Cow::Borrowed);
            let head = Head {
                specversion: text("ce_specversion")?,
                id: text("ce_id")?,
                source: text("ce_source")?,
                kind: text("ce_type")?,
                time: text("ce_time")?,
                recorded: match record.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("ce_recordedtime")) {
                    true => Some(text("ce_recordedtime")?),
                    false => None,
                },
            };
            event(head, from_json(record.value)?)
        }
        Mode::Unread => None,
    }
}

/// UTF-8 is checked once for the whole value, not text by text.
fn from_json<'a, T: Deserialize<'a>>(value: &'a [u8]) -> Option<T> {
    serde_json::from_str(std::str::from_utf8(value).ok()?).ok()
}

struct Head<'a> {
    specversion: Cow<'a, str>,
    id: Cow<'a, str>,
    source: Cow<'a, str>,
    kind: Cow<'a, str>,
    time: Cow<'a, str>,
    recorded: Option<Cow<'a, str>>,
}

fn event<'a>(head: Head<'a>, data: Data<'a>) -> Option<Event<'a>> {
    if head.specversion != "1.0" || head.kind != USAGE_TYPE {
        return None;
    }
    let recorded = match &head.recorded {
        Some(text) => Some(parse(text)?),
        None => None,
    };
    Some(Event {
        time: parse(&head.time)?,
        recorded,
        id: head.id,
        source: head.source,
        provider: data.provider.0,
        array: data.array.id.0,
        array_name: data.array.name.map(|text| text.0),
        site: data.array.site.map(|text| text.0),
        readings: data.readings.0,
    })
}
