//! `gap = "hold"` (PRICING §12): while an array is not observed its last level goes on, for at most three days.

use std::collections::BTreeMap;

use super::error::Overflow;
use super::period::Span;
use super::rounding::Rounding;
use super::selection::HOLD_MS;
use super::usage::{ArrayCoverage, PartUsage, Slot};
use super::wide::{self, Wide};
use crate::core::word::Instant;

const QUARTER_MS: i64 = 900_000;

/// The part's slots with its gaps held, and whether anything was estimated.
pub fn hold(part: &PartUsage, arrays: &[ArrayCoverage], read: Span) -> Result<(Vec<Slot>, bool), Overflow> {
    let array = part.name.split_once('/').map_or(part.name.as_str(), |(array, _)| array);
    let (Some(coverage), Some(first)) = (arrays.iter().find(|one| one.array == array), part.slots.first()) else {
        return Ok((part.slots.clone(), false));
    };
    let observed: BTreeMap<Instant, i64> = coverage.observed.iter().copied().collect();
    let measured: BTreeMap<Instant, i128> = part.slots.iter().map(|slot| (slot.start, slot.amount)).collect();
    let mut holder = Holder { length_ms: first.length_ms, last: None, held_ms: 0, estimated: false };
    let mut slots = Vec::new();
    let mut start = first.start.max(read.from);
    while start < read.until {
        let quarter = Instant(start.0 - start.0.rem_euclid(QUARTER_MS));
        let known = observed.get(&quarter).copied().unwrap_or(0) * first.length_ms / QUARTER_MS;
        let amount = holder.slot(measured.get(&start).copied().unwrap_or(0), known)?;
        if amount != 0 {
            slots.push(Slot { start, length_ms: first.length_ms, amount });
        }
        start = start.plus_ms(first.length_ms);
    }
    Ok((slots, holder.estimated))
}

/// The level that is held: an amount over the milliseconds in which it was measured.
struct Holder {
    length_ms: i64,
    last: Option<(i128, i64)>,
    held_ms: i64,
    estimated: bool,
}

impl Holder {
    /// The slot's amount with what is missing of it, as long as holding is allowed.
    fn slot(&mut self, measured: i128, known_ms: i64) -> Result<i128, Overflow> {
        if known_ms > 0 {
            self.last = Some((measured, known_ms));
        }
        let missing = (self.length_ms - known_ms).max(0).min(HOLD_MS - self.held_ms);
        self.held_ms = if known_ms >= self.length_ms { 0 } else { self.held_ms + missing };
        let Some((amount, over)) = self.last.filter(|last| missing > 0 && last.0 > 0) else { return Ok(measured) };
        self.estimated = true;
        let area = wide::product([Wide::from(amount), Wide::from(missing)])?;
        let held = wide::narrow(wide::divide(area, Wide::from(over), Rounding::HalfEven)?)?;
        measured.checked_add(held).ok_or(Overflow)
    }
}
