//! `[bill]`: how closers work.

use std::time::Duration;

use super::error::ConfigError;
use super::layer::Values;

const SECTION: &str = "bill";

/// `[bill]`, checked.
#[derive(Clone, Debug)]
pub struct Bill {
    /// Between two rounds.
    pub interval: Duration,
    /// Array days that are audited ahead in a round, a provider.
    pub audits_ahead: usize,
}

impl Bill {
    pub(super) fn read(values: &Values) -> Result<Self, ConfigError> {
        Ok(Self {
            interval: values.seconds(SECTION, "interval_seconds", 1..=3600)?,
            audits_ahead: values.count(SECTION, "audits_ahead_max", 0..=100_000)?,
        })
    }
}
