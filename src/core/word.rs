//! The words of the design as types: instants, positions, kinds, dispositions and their reason codes.
//!
//! Everything that crosses a module seam is one of these, so an offset cannot be taken for a partition.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds in one hour, the length of a bucket.
pub const HOUR_MS: i64 = 3_600_000;

/// A moment in UTC, in milliseconds since 1970-01-01T00:00:00Z. No leap seconds, as in POSIX time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(pub i64);

impl Instant {
    /// The start of the UTC hour that holds this instant.
    #[must_use]
    pub fn hour(self) -> Hour {
        Hour(self.0.div_euclid(HOUR_MS))
    }

    /// This instant moved by `ms` milliseconds; saturates at the ends of time, which no event reaches
    /// (the window and the future limit are checked first).
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// RFC 3339 in UTC, with milliseconds only where there are any.
    #[must_use]
    pub fn rfc3339(self) -> String {
        match chrono::DateTime::from_timestamp_millis(self.0) {
            Some(t) if self.0.rem_euclid(1000) == 0 => t.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Some(t) => t.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            None => format!("{}ms", self.0),
        }
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// One UTC hour, counted from 1970-01-01T00:00Z: the key of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub i64);

impl Hour {
    /// The first instant of the hour.
    #[must_use]
    pub fn start(self) -> Instant {
        Instant(self.0 * HOUR_MS)
    }

    /// The first instant after the hour.
    #[must_use]
    pub fn end(self) -> Instant {
        Instant((self.0 + 1) * HOUR_MS)
    }
}

/// A stream's id: TOPIC-GENERATION.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(pub String);

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A partition of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(pub u32);

/// An offset in a partition. As an upper end ("next", "as_of", "cut") it is always exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub u64);

/// What is measured on an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Kind {
    /// The array itself.
    Array = 1,
    /// A block volume.
    Volume = 2,
    /// A pod of volumes.
    Pod = 3,
    /// A realm: a tenant's part of an array.
    Realm = 4,
    /// A file system.
    FileSystem = 5,
    /// A bucket of objects.
    ObjectBucket = 6,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Kind; 6] =
        [Kind::Array, Kind::Volume, Kind::Pod, Kind::Realm, Kind::FileSystem, Kind::ObjectBucket];

    /// The kind's name as it stands in events, tables and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Array => "array",
            Kind::Volume => "volume",
            Kind::Pod => "pod",
            Kind::Realm => "realm",
            Kind::FileSystem => "file_system",
            Kind::ObjectBucket => "object_bucket",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind with this number, the one tables keep.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// What became of a record of the usage log. It never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// Well-formed, inside the acceptance window, identity not seen: it is metered.
    Accepted,
    /// Its identity was accepted before, with the same content.
    Duplicate,
    /// Older than the acceptance window: stored, never billed by itself.
    Late,
    /// Not usable as it is; kept whole under a reason.
    Quarantined(Reason),
}

impl Disposition {
    /// The disposition's name as it stands in tables and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Disposition::Accepted => "accepted",
            Disposition::Duplicate => "duplicate",
            Disposition::Late => "late",
            Disposition::Quarantined(_) => "quarantined",
        }
    }

    /// The number that the tables' Enum8 gives it.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Disposition::Accepted => 1,
            Disposition::Duplicate => 2,
            Disposition::Late => 3,
            Disposition::Quarantined(_) => 4,
        }
    }

    /// The reason code of a quarantined record.
    #[must_use]
    pub fn reason(self) -> Option<Reason> {
        match self {
            Disposition::Quarantined(reason) => Some(reason),
            _ => None,
        }
    }
}

/// Why a record was quarantined; of several the first in this order (DESIGN §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Larger than a stated limit: bytes, readings, or an id.
    OverLimit,
    /// Not JSON, or not a CloudEvent in either mode.
    Undecodable,
    /// A CloudEvent of another type.
    UnknownType,
    /// Breaks the JSON Schema of usage events.
    Schema,
    /// A value that is not a whole number from 0 to 2^64-1.
    Value,
    /// The same (kind, resource, meter) twice in one event.
    RepeatedReading,
    /// In the wrong partition, or its key is not its array's id.
    Misrouted,
    /// Its provider is not the stream's.
    ForeignProvider,
    /// Its header names a decision that does not exist or is about something else.
    UnmatchedRetry,
    /// Its identity was accepted before, with other content.
    Conflict,
    /// Measured more than 15 minutes after it was appended.
    Future,
}

impl Reason {
    /// All reasons, in the order in which they apply.
    pub const ALL: [Reason; 11] = [
        Reason::OverLimit,
        Reason::Undecodable,
        Reason::UnknownType,
        Reason::Schema,
        Reason::Value,
        Reason::RepeatedReading,
        Reason::Misrouted,
        Reason::ForeignProvider,
        Reason::UnmatchedRetry,
        Reason::Conflict,
        Reason::Future,
    ];

    /// The reason with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.as_str() == code)
    }

    /// The reason's code as it stands in tables, metrics and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::OverLimit => "over_limit",
            Reason::Undecodable => "undecodable",
            Reason::UnknownType => "unknown_type",
            Reason::Schema => "schema",
            Reason::Value => "value",
            Reason::RepeatedReading => "repeated_reading",
            Reason::Misrouted => "misrouted",
            Reason::ForeignProvider => "foreign_provider",
            Reason::UnmatchedRetry => "unmatched_retry",
            Reason::Conflict => "conflict",
            Reason::Future => "future",
        }
    }
}
