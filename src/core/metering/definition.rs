//! What a meter is: set once by the price book, never changed (DESIGN §3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::word::{HOUR_MS, Hour, Instant};

/// The built-in gauge of every array: 1 at each accepted event. Coverage is read from its cells (PRICING §12).
pub const OBSERVED: &str = "$observed";

/// How the readings of a meter add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum MeterKind {
    /// A level at an instant; holds until the next reading or `max_hold`.
    Gauge = 1,
    /// An amount since the last reading; all readings add.
    Delta = 2,
    /// An ever-growing total; a smaller value is a reset.
    Counter = 3,
}

impl MeterKind {
    /// The name as it stands in the price book, tables and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MeterKind::Gauge => "gauge",
            MeterKind::Delta => "delta",
            MeterKind::Counter => "counter",
        }
    }
}

/// A meter's definition, as far as metering needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// How readings add up.
    pub kind: MeterKind,
    /// How long a gauge holds its last value, and how old a counter's predecessor may be, in milliseconds.
    pub max_hold_ms: i64,
    /// Length of a cell in milliseconds: 900,000 or 300,000.
    pub cell_ms: i64,
}

impl Definition {
    /// The definition of [`OBSERVED`]: a gauge of 15-minute cells that holds for the default 2 hours.
    pub const OBSERVED: Definition = Definition { kind: MeterKind::Gauge, max_hold_ms: 2 * HOUR_MS, cell_ms: 900_000 };

    /// The hours whose buckets a reading at `instant` can change.
    #[must_use]
    pub fn touched(&self, instant: Instant) -> (Hour, Hour) {
        let last = match self.kind {
            // its area, or the increase of a successor, reaches up to max_hold further
            MeterKind::Gauge | MeterKind::Counter => instant.plus_ms(self.max_hold_ms).hour(),
            MeterKind::Delta => instant.hour(),
        };
        (instant.hour(), last)
    }

    /// Length of a cell in minutes.
    #[must_use]
    pub fn cell_minutes(&self) -> u8 {
        if self.cell_ms == 300_000 { 5 } else { 15 }
    }
}

/// All meters that are defined, by name. [`OBSERVED`] always is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meters {
    by_name: BTreeMap<String, Definition>,
}

impl Default for Meters {
    fn default() -> Self {
        Self { by_name: BTreeMap::from([(OBSERVED.to_owned(), Definition::OBSERVED)]) }
    }
}

impl Meters {
    /// Adds a meter. A meter is set once: of two definitions of one name the first stays.
    pub fn define(&mut self, name: &str, definition: Definition) {
        self.by_name.entry(name.to_owned()).or_insert(definition);
    }

    /// The definition of a meter, if anyone has defined it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Definition> {
        self.by_name.get(name)
    }

    /// All meters by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Definition)> {
        self.by_name.iter().map(|(name, definition)| (name.as_str(), definition))
    }

    /// The names defined here that `earlier` does not define.
    #[must_use]
    pub fn new_since(&self, earlier: &Meters) -> Vec<String> {
        self.by_name.keys().filter(|name| !earlier.by_name.contains_key(*name)).cloned().collect()
    }
}
