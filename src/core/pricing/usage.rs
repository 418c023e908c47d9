//! What metering found, as plain data: the shell reads it, [`super::rating::rate`] prices it.

use crate::core::word::Instant;

/// The readings of one usage line, as its [`super::selection::LineSelection`] asked for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineUsage {
    /// The pool as one part without a name, or one part for each array or resource.
    pub parts: Vec<PartUsage>,
    /// What was observed of each array that the line covers, also of arrays that were silent in the period.
    pub arrays: Vec<ArrayCoverage>,
}

/// The readings of one part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartUsage {
    /// Empty for the pool, else `array` or `array/resource`.
    pub name: String,
    /// By rising start, none twice, empty ones left out.
    pub slots: Vec<Slot>,
    /// What is known of the level in each slot, for lines that hold gaps; empty for others.
    pub known: Vec<Known>,
}

/// A cell of a meter, or a whole window, as [`super::selection::Grain`] asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its first instant.
    pub start: Instant,
    /// 900,000 or 300,000, or a window's milliseconds.
    pub length_ms: i64,
    /// Gauge: Σ value · milliseconds. Delta or counter: sum or increase. In the meter's base unit.
    pub amount: i128,
}

/// What is known of a level in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// For how many milliseconds of the slot the level is known.
    pub measured_ms: i64,
    /// The level at the end of what is known.
    pub last: u64,
}

/// When an array was observed (PRICING §12).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrayCoverage {
    /// The array.
    pub array: String,
    /// Its first reading ever.
    pub first_reading: Option<Instant>,
    /// When another provider's first event ended what was expected of it (DESIGN §3); none if it is still this provider's.
    pub handed_over: Option<Instant>,
    /// Per quarter of an hour, or per window, by rising start: how many milliseconds of it were observed; unobserved ones left out.
    pub observed: Vec<(Instant, i64)>,
}

/// An array that went from its provider to another one: the first accepted event of the new provider after the last of the old ends
/// the array's older holds (DESIGN §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// The array.
    pub array: String,
    /// The first accepted event of a new provider after the last of the old.
    pub at: Instant,
}

impl ArrayCoverage {
    /// Ends what is known and expected of the array at a hand-over. The old provider's last event held up to it or ran out before, so
    /// what was observed in the slot of the hand-over lies before it as far as it can.
    pub fn end_at(&mut self, at: Instant) {
        self.handed_over = Some(at);
        self.observed.retain(|(start, _)| *start < at);
        if let Some((start, ms)) = self.observed.last_mut() {
            *ms = (*ms).min(at.0 - start.0);
        }
    }
}
