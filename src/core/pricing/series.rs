//! The series that a line prices: its parts, or one pool of them, with gaps held where the line says so (PRICING §10, §12).

use std::borrow::Cow;

use super::error::{RateError, at};
use super::hold::hold;
use super::period::Span;
use super::quantity::pool;
use super::selection::HOLD_MS;
use super::usage::{LineUsage, PartUsage, Slot};
use crate::core::book::model::{Line, Statistic, UsageRate};
use crate::core::word::Instant;

/// The series of a line.
#[derive(Debug)]
pub struct Series<'u> {
    /// One a part, or one pool.
    pub slots: Vec<Cow<'u, [Slot]>>,
    /// Whether a gap was held.
    pub estimated: bool,
}

/// The parts' series, gaps held where the line says so; one pool without `per`, one empty part without any (PRICING §10, §12).
pub fn series<'u>(
    line: &Line,
    rate: &UsageRate,
    contract_part: &[Span],
    usage: &'u LineUsage,
) -> Result<Series<'u>, RateError> {
    let first = contract_part.first().map_or(Instant(0), |span| span.from);
    let until = contract_part.last().map_or(first, |span| span.until);
    let read = Span { from: first.plus_ms(-HOLD_MS), until };
    let (mut series, mut estimated) = (Vec::with_capacity(usage.parts.len()), false);
    let held = line.gap_hold && rate.statistic != Statistic::Sum;
    for part in &usage.parts {
        check(line, part, held || rate.statistic == Statistic::P95)?;
        if held {
            let (slots, filled) = hold(part, &usage.arrays, read).map_err(at(&line.id))?;
            estimated |= filled;
            series.push(Cow::Owned(slots));
        } else {
            series.push(Cow::Borrowed(part.slots.as_slice()));
        }
    }
    if (line.per.is_none() && series.len() != 1) || series.is_empty() {
        series = vec![Cow::Owned(pool(series.iter().map(|slots| &**slots)).map_err(at(&line.id))?)];
    }
    Ok(Series { slots: series, estimated })
}

/// Slots come by rising start and never overlap; where it matters they are a meter's cells.
fn check(line: &Line, part: &PartUsage, cells: bool) -> Result<(), RateError> {
    let length = part.slots.first().map_or(900_000, |slot| slot.length_ms);
    let mut before = Instant(i64::MIN);
    for slot in &part.slots {
        let whole = slot.length_ms > 0 && slot.start.0 % 300_000 == 0 && slot.length_ms % 300_000 == 0;
        let cell = !cells || (slot.length_ms == length && matches!(length, 900_000 | 300_000));
        if !whole || !cell || slot.amount < 0 || slot.start < before {
            return Err(RateError::Slots { line: line.id.clone(), part: part.name.clone() });
        }
        before = slot.start.plus_ms(slot.length_ms);
    }
    Ok(())
}
