//! `[run]`: the bounds of the fold.

use std::time::Duration;

use super::error::ConfigError;
use super::layer::Values;

const SECTION: &str = "run";

/// `[run]`, checked.
#[derive(Clone, Debug)]
pub struct Run {
    /// Ledger rows are written at least this often.
    pub flush_interval: Duration,
    /// Readings that may wait for a flush.
    pub flush_max_events: usize,
    /// Bytes that may wait for a flush.
    pub flush_max_bytes: usize,
    /// Buckets and manifest are written at least this often.
    pub checkpoint_interval: Duration,
    /// Marked series-hours that may wait for a checkpoint.
    pub marked_hours_max: usize,
    /// Bytes of a partition's identities and series.
    pub state_max_bytes: usize,
    /// How long a partition that is taken away is flushed.
    pub revoke_flush: Duration,
    /// The longest pause between two tries.
    pub retry_max: Duration,
}

impl Run {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            flush_interval: values.milliseconds(SECTION, "flush_interval_ms", 10..=60_000)?,
            flush_max_events: values.count(SECTION, "flush_max_events", 1..=10_000_000)?,
            flush_max_bytes: values.count(SECTION, "flush_max_bytes", 65_536..=4_294_967_296)?,
            checkpoint_interval: values.seconds(SECTION, "checkpoint_interval_seconds", 1..=300)?,
            marked_hours_max: values.count(SECTION, "marked_hours_max", 1..=1_000_000)?,
            state_max_bytes: values.count(SECTION, "state_max_mbytes", 64..=1_048_576)? << 20,
            revoke_flush: values.milliseconds(SECTION, "revoke_flush_ms", 0..=60_000)?,
            retry_max: values.seconds(SECTION, "retry_max_seconds", 1..=300)?,
        })
    }
}
