//! A row of usage, and as a line of what is printed.

use clickhouse::Row;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use super::usage::UsageQuery;
use super::usage_key::Key;
use super::whole::Whole;
use super::window::Window;
use crate::core::word::Instant;

/// One row of usage.
#[derive(Debug, Row, Deserialize)]
pub struct UsageRow {
    provider: String,
    array: String,
    kind: String,
    resource: String,
    customer: String,
    tier: String,
    site: String,
    meter: String,
    meter_kind: String,
    start: u32,
    minutes: u8,
    amount: i128,
    observed: u64,
    readings: u64,
    least: u64,
    greatest: u64,
    newest: u64,
}

impl UsageRow {
    /// The row's place in the order of an answer: what the next page starts after.
    #[must_use]
    pub fn place(&self, query: &UsageQuery) -> (Vec<String>, u32) {
        let implied = (!query.by.contains(&Key::Meter)).then_some(Key::Meter);
        let keys = query.by.iter().copied().chain(implied).map(|key| self.text(key).to_owned());
        (keys.collect(), self.start)
    }

    /// The value of a key; empty where it is absent or not grouped by.
    #[must_use]
    pub fn text(&self, key: Key) -> &str {
        match key {
            Key::Provider => &self.provider,
            Key::Array => &self.array,
            Key::Kind => &self.kind,
            Key::Resource => &self.resource,
            Key::Customer => &self.customer,
            Key::Tier => &self.tier,
            Key::Site => &self.site,
            Key::Meter => &self.meter,
        }
    }

    /// The measured figures by the meter's kind, in the order in which they are printed.
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, i128)> {
        match self.meter_kind.as_str() {
            "gauge" => vec![
                ("integral", self.amount),
                ("observed_ms", i128::from(self.observed)),
                ("min", i128::from(self.least)),
                ("max", i128::from(self.greatest)),
                ("last", i128::from(self.newest)),
            ],
            "delta" => vec![("sum", self.amount), ("count", i128::from(self.readings))],
            _ => vec![("increase", self.amount)],
        }
    }

    /// When the row's part of the range starts.
    #[must_use]
    pub fn start(&self) -> Instant {
        Instant(i64::from(self.start) * 1000)
    }

    /// How long that part is.
    #[must_use]
    pub fn seconds(&self, window: &Window, edges: &[u32]) -> u32 {
        window.seconds(self.start, self.minutes, edges)
    }
}

/// A row as `plimsoll usage` prints it: the keys, `start`, `seconds`, the figures.
#[derive(Debug)]
pub struct UsageLine<'a> {
    /// The row.
    pub row: &'a UsageRow,
    /// The keys to print.
    pub by: &'a [Key],
    /// The length of its part.
    pub seconds: u32,
}

impl Serialize for UsageLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        for key in self.by {
            let text = self.row.text(*key);
            let tag = matches!(key, Key::Customer | Key::Tier | Key::Site);
            line.serialize_entry(key.as_str(), &Some(text).filter(|text| !(tag && text.is_empty())))?;
        }
        line.serialize_entry("start", &self.row.start().rfc3339())?;
        line.serialize_entry("seconds", &self.seconds)?;
        for (name, figure) in self.row.figures() {
            line.serialize_entry(name, &Whole(figure))?;
        }
        line.end()
    }
}
