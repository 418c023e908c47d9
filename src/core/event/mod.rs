//! Usage events: CloudEvents 1.0 in both Kafka modes, decoded without a copy (DESIGN §3).
//!
//! [`decode`] takes the common form in one pass. Whatever that pass does not like goes to [`diagnose`](diagnosis::diagnose),
//! which finds the first reason that applies, in the order of DESIGN §3, over the whole event.

pub mod batch;
pub mod diagnosis;
pub mod hash;
mod level;
pub mod mode;
pub mod reading;
pub mod repeat;
pub mod route;
pub mod time;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use hash::{content, identity, series_hash};
pub use mode::{DECISION_HEADER, DecisionName, decision_header};
pub use reading::Reading;
pub use route::partition_of;

use crate::core::word::{Instant, Reason};

/// Greatest value of a record in bytes.
pub const MAX_EVENT_BYTES: usize = 16 << 20;
/// Most readings of an event. No stream may take more: the decoder holds no more than these.
pub const MAX_EVENT_READINGS: usize = 50_000;
/// Longest id in bytes: of events, sources, providers, arrays, sites, resources, meters, tags.
pub const MAX_ID_BYTES: usize = 256;

/// The only event type that is usage.
pub const USAGE_TYPE: &str = "dev.plimsoll.usage.v1";

/// One record of the usage log as Kafka gave it.
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    /// The key: the array's id.
    pub key: Option<&'a [u8]>,
    /// The headers.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The value.
    pub value: &'a [u8],
}

/// All the readings that one poll of an array gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// CloudEvents id: unique within the source.
    pub id: Cow<'a, str>,
    /// CloudEvents source.
    pub source: Cow<'a, str>,
    /// When it was measured.
    pub time: Instant,
    /// When the collector recorded it: of readings at one instant the later recorded counts.
    pub recorded: Option<Instant>,
    /// Who runs the array.
    pub provider: Cow<'a, str>,
    /// The array's id.
    pub array: Cow<'a, str>,
    /// Its name, a label.
    pub array_name: Option<Cow<'a, str>>,
    /// Its site.
    pub site: Option<Cow<'a, str>>,
    /// What was read. May be empty: then the event only says that the array is there.
    pub readings: Vec<Reading<'a>>,
}

/// Why a record is no usage event, and what could be read of it all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The first reason that applies.
    pub reason: Reason,
    /// Where and what, for a person.
    pub detail: String,
    /// The provider it names.
    pub provider: Option<String>,
    /// The array it names.
    pub array: Option<String>,
    /// When it says it was measured.
    pub time: Option<Instant>,
    /// Its source.
    pub source: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// How many readings it lists.
    pub readings: u32,
}

/// The limits of an event, from its stream's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Greatest value in bytes.
    pub event_bytes: usize,
    /// Most readings.
    pub readings: usize,
    /// Longest id in bytes.
    pub id_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { event_bytes: MAX_EVENT_BYTES, readings: MAX_EVENT_READINGS, id_bytes: MAX_ID_BYTES }
    }
}

/// Decodes a record. Borrows from it wherever a text holds no escape, so nothing is allocated per reading.
///
/// # Errors
/// The first reason of DESIGN §3 that applies, of those that the record alone decides.
pub fn decode<'a>(record: &RawRecord<'a>, limits: &Limits) -> Result<Event<'a>, Box<Refusal>> {
    if record.value.len() > limits.event_bytes {
        return Err(Box::new(diagnosis::too_long(record, limits)));
    }
    match mode::read(record).and_then(|event| reading::check(event, limits)) {
        Some(event) => Ok(event),
        None => diagnosis::diagnose(record, limits),
    }
}
