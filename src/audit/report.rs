//! What an audit is asked, and what it came to.

use std::collections::BTreeSet;

use super::day::ArrayDay;
use super::finding::Finding;
use crate::core::word::Instant;

/// What is audited or repaired.
#[derive(Clone, Debug, Default)]
pub struct Extent {
    /// This provider's arrays, and the streams that may hold its records; else everything.
    pub provider: Option<String>,
    /// Usage measured at this instant or later, in whole days, and what was appended since the day before; else from the beginning.
    pub from: Option<Instant>,
    /// Usage measured before this instant, in whole days; else to the end.
    pub to: Option<Instant>,
}

/// What a whole audit came to.
#[derive(Debug, Default)]
pub struct Report {
    /// The rows that are not what they must be.
    pub findings: Vec<Finding>,
    /// Array days of which nothing can be said: workers write them right now, or a worker died and none has gone on.
    pub moving: BTreeSet<ArrayDay>,
    /// Array days that were audited.
    pub days: usize,
    /// Readings that were metered again.
    pub readings: u64,
    /// What was not looked at, and why.
    pub notes: Vec<String>,
}
