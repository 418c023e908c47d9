//! What producers send, as the producer knows it. The oracle works from these and never decodes a byte.

use std::fmt::Write;

use crate::core::word::{Instant, Kind};

/// What is wrong with an event, for its bytes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    Garbage,
    OtherType,
    EmptyTag,
    Negative,
    Repeated,
    TooMany,
}

impl Flaw {
    pub(super) const ALL: [Flaw; 6] =
        [Flaw::Garbage, Flaw::OtherType, Flaw::EmptyTag, Flaw::Negative, Flaw::Repeated, Flaw::TooMany];

    /// The reason code that it is quarantined for.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Flaw::Garbage => "undecodable",
            Flaw::OtherType => "unknown_type",
            Flaw::EmptyTag => "schema",
            Flaw::Negative => "value",
            Flaw::Repeated => "repeated_reading",
            Flaw::TooMany => "over_limit",
        }
    }
}

/// One reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SentReading {
    pub(super) resource: &'static str,
    pub(super) meter: &'static str,
    pub(super) customer: Option<&'static str>,
    pub(super) tier: Option<&'static str>,
    pub(super) value: u64,
}

impl SentReading {
    /// All resources are volumes.
    pub(super) const KIND: Kind = Kind::Volume;
}

/// One event. What is sent again is the same event.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) number: usize,
    pub(super) provider: &'static str,
    pub(super) array: String,
    pub(super) id: String,
    pub(super) time: i64,
    pub(super) recorded: Option<i64>,
    pub(super) site: Option<&'static str>,
    pub(super) readings: Vec<SentReading>,
    pub(super) flaw: Option<Flaw>,
    pub(super) value: Vec<u8>,
}

impl Sent {
    /// Whether both say the same of what is billed.
    pub(super) fn same_content(&self, other: &Sent) -> bool {
        let all_in = |one: &Sent, other: &Sent| one.readings.iter().all(|reading| other.readings.contains(reading));
        self.time == other.time
            && self.readings.len() == other.readings.len()
            && all_in(self, other)
            && all_in(other, self)
    }

    /// Whether both are the same event, as its id says.
    pub(super) fn same_identity(&self, other: &Sent) -> bool {
        self.provider == other.provider && self.array == other.array && self.id == other.id
    }

    /// Writes the bytes that are sent.
    pub(super) fn encode(&mut self) {
        self.value = self.json().unwrap_or_default().into_bytes();
    }

    fn json(&self) -> Result<String, std::fmt::Error> {
        let mut json = String::with_capacity(500);
        let kind = if self.flaw == Some(Flaw::OtherType) { "other.v1" } else { "dev.plimsoll.usage.v1" };
        write!(json, r#"{{"specversion":"1.0","id":"{}","source":"s","type":"{kind}","#, self.id)?;
        write!(json, r#""time":"{}","#, Instant(self.time))?;
        if let Some(recorded) = self.recorded {
            write!(json, r#""recordedtime":"{}","#, Instant(recorded))?;
        }
        write!(json, r#""data":{{"provider":"{}","array":{{"id":"{}""#, self.provider, self.array)?;
        if let Some(site) = self.site {
            write!(json, r#","site":"{site}""#)?;
        }
        json.push_str(r#"},"readings":["#);
        for (place, reading) in self.readings.iter().enumerate() {
            json.push_str(if place == 0 { "" } else { "," });
            self.reading(place, reading, &mut json)?;
        }
        json.push_str(if self.flaw == Some(Flaw::Garbage) { "]}" } else { "]}}" });
        Ok(json)
    }

    fn reading(&self, place: usize, reading: &SentReading, json: &mut String) -> std::fmt::Result {
        write!(json, r#"{{"resource":"{}","kind":"volume","meter":"{}","#, reading.resource, reading.meter)?;
        let customer = if place == 0 && self.flaw == Some(Flaw::EmptyTag) { Some("") } else { reading.customer };
        if let Some(customer) = customer {
            write!(json, r#""customer":"{customer}","#)?;
        }
        if let Some(tier) = reading.tier {
            write!(json, r#""tier":"{tier}","#)?;
        }
        let sign = if place == 0 && self.flaw == Some(Flaw::Negative) { "-" } else { "" };
        write!(json, r#""value":{sign}{}}}"#, reading.value)
    }
}
