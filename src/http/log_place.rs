//! Where the log of a partition ends, and what of it is committed.

use std::sync::Arc;

/// Where the log of a topic's partition ends, and what the workers' group has committed of it. It blocks; an error says why nobody knows.
pub type LogPlaces = Arc<dyn Fn(&str, u32) -> Result<LogPlace, String> + Send + Sync>;

/// A place in a partition's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPlace {
    /// Behind its last record.
    pub end: u64,
    /// What is committed; none if nothing.
    pub committed: Option<u64>,
}
