//! What an audit finds: which row, of which table, is not what it must be.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::core::metering::bucket::SeriesKey;
use crate::core::word::{Hour, Offset, Partition, StreamId};

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It must be there and is not.
    Missing,
    /// It is there and must not be.
    Surplus,
    /// It says something else than it must.
    Differs,
}

impl Fault {
    /// The fault as it is printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Fault::Missing => "missing",
            Fault::Surplus => "surplus",
            Fault::Differs => "differs",
        }
    }
}

/// Which row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The bucket of a series and hour.
    Bucket(Box<SeriesKey>, Hour),
    /// What is stored of a record.
    Record(StreamId, Partition, Offset),
    /// A checkpoint: from where, and up to where it counts.
    Checkpoint(StreamId, Partition, Offset, Offset),
    /// A decision.
    Decision(Offset),
    /// All rows of a partition of a stream.
    Partition(StreamId, Partition),
}

/// One row that is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The invariant of DESIGN §10 that it breaks.
    pub invariant: &'static str,
    /// The table.
    pub table: &'static str,
    /// What is wrong.
    pub fault: Fault,
    /// Which row.
    pub place: Place,
    /// What a person should know.
    pub detail: String,
}

impl Finding {
    /// A line of JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut line = Map::new();
        let mut put = |key: &str, value: Value| line.insert(key.to_owned(), value);
        put("invariant", json!(self.invariant));
        put("table", json!(self.table));
        put("fault", json!(self.fault));
        match &self.place {
            Place::Bucket(series, hour) => {
                put("provider", json!(&*series.provider));
                put("array", json!(&*series.array));
                put("kind", json!(series.kind));
                put("resource", json!(&*series.resource));
                put("meter", json!(&*series.meter));
                put("hour", json!(hour.start().rfc3339()));
            }
            Place::Record(stream, partition, offset) => {
                put("stream", json!(stream));
                put("partition", json!(partition));
                put("offset", json!(offset));
            }
            Place::Checkpoint(stream, partition, from, next) => {
                put("stream", json!(stream));
                put("partition", json!(partition));
                put("from_offset", json!(from));
                put("next_offset", json!(next));
            }
            Place::Decision(offset) => {
                put("offset", json!(offset));
            }
            Place::Partition(stream, partition) => {
                put("stream", json!(stream));
                put("partition", json!(partition));
            }
        }
        put("detail", json!(self.detail));
        Value::Object(line)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Bucket(series, hour) => {
                let SeriesKey { provider, array, kind, resource, meter } = &**series;
                write!(f, "{provider}/{array} {} {resource} {meter} {}", kind.as_str(), hour.start())
            }
            Place::Record(stream, partition, offset) => write!(f, "{stream}/{}/{}", partition.0, offset.0),
            Place::Checkpoint(stream, partition, from, next) => {
                write!(f, "{stream}/{} [{}, {})", partition.0, from.0, next.0)
            }
            Place::Decision(offset) => write!(f, "decision {}", offset.0),
            Place::Partition(stream, partition) => write!(f, "{stream}/{}", partition.0),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { invariant, table, fault, place, detail } = self;
        write!(f, "{invariant}  {table} {}  {place}: {detail}", fault.as_str())
    }
}
