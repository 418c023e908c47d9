//! What was put into the month, for comparison with what came out.

use std::collections::BTreeMap;
use std::fmt;

use crate::core::word::{Disposition, Reason};

/// Counts of the events that the month has given out so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// All records.
    pub events: u64,
    /// Those to be accepted.
    pub accepted: u64,
    /// Those that came before with the same content.
    pub duplicate: u64,
    /// Those to be quarantined, by reason.
    pub quarantined: BTreeMap<Reason, u64>,
    /// Readings of accepted events.
    pub readings: u64,
    /// Accepted events that come after a later one of their array.
    pub out_of_order: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

impl Summary {
    /// Counts a record.
    pub(super) fn note(&mut self, expected: Disposition, readings: u64, bytes: u64) {
        self.events += 1;
        self.bytes += bytes;
        match expected {
            Disposition::Accepted => {
                self.accepted += 1;
                self.readings += readings;
            }
            Disposition::Quarantined(reason) => *self.quarantined.entry(reason).or_default() += 1,
            // the month knows no late event: how late it is produced is not its affair
            Disposition::Duplicate | Disposition::Late => self.duplicate += 1,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} events: {} to be accepted ({} readings, {} out of order), {} duplicates",
            self.events, self.accepted, self.readings, self.out_of_order, self.duplicate
        )?;
        for (reason, count) in &self.quarantined {
            write!(f, ", {count} {}", reason.as_str())?;
        }
        Ok(())
    }
}
