//! The series that a line prices: its parts, or one pool of them, with gaps held where the line says so (PRICING §10, §12).

use super::error::{RateError, at};
use super::hold::hold;
use super::period::Span;
use super::quantity::pool;
use super::selection::HOLD_MS;
use super::usage::{LineUsage, PartUsage, Slot};
use crate::core::book::model::{Line, Statistic, UsageRate};
use crate::core::word::Instant;

/// The parts' series, gaps held where the line says so; one pool without `per`, one empty part without any (PRICING §10, §12).
pub fn series(
    line: &Line,
    rate: &UsageRate,
    contract_part: &[Span],
    usage: &LineUsage,
) -> Result<(Vec<Vec<Slot>>, bool), RateError> {
    let first = contract_part.first().map_or(Instant(0), |span| span.from);
    let until = contract_part.last().map_or(first, |span| span.until);
    let read = Span { from: first.plus_ms(-HOLD_MS), until };
    let (mut series, mut estimated) = (Vec::with_capacity(usage.parts.len()), false);
    for part in &usage.parts {
        check(line, part)?;
        if line.gap_hold && rate.statistic != Statistic::Sum {
            let (slots, held) = hold(part, &usage.arrays, read).map_err(at(&line.id))?;
            estimated |= held;
            series.push(slots);
        } else {
            series.push(part.slots.clone());
        }
    }
    if line.per.is_none() || series.is_empty() {
        series = vec![pool(series.iter().map(Vec::as_slice)).map_err(at(&line.id))?];
    }
    Ok((series, estimated))
}

/// Slots come by rising start and are cells of a meter.
fn check(line: &Line, part: &PartUsage) -> Result<(), RateError> {
    let length = part.slots.first().map_or(900_000, |slot| slot.length_ms);
    let cells = |slot: &Slot| slot.length_ms == length && slot.start.0.rem_euclid(length) == 0 && slot.amount >= 0;
    let rising = part.slots.windows(2).all(|pair| pair[0].start < pair[1].start);
    if matches!(length, 900_000 | 300_000) && rising && part.slots.iter().all(cells) {
        return Ok(());
    }
    Err(RateError::Slots { line: line.id.clone(), part: part.name.clone() })
}
