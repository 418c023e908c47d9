//! The series that a line prices: its parts, or one pool of them, with gaps held where the line says so (PRICING §10, §12).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::error::{RateError, at};
use super::hold::{Gap, gaps, hold};
use super::period::Span;
use super::quantity::pool;
use super::selection::HOLD_MS;
use super::usage::{LineUsage, PartUsage, Slot};
use crate::core::book::model::{Line, Per, Statistic, UsageRate};
use crate::core::word::Instant;

/// A part's name and slots.
pub type NamedPart<'u> = (&'u str, Cow<'u, [Slot]>);

/// The series of a line.
#[derive(Debug)]
pub struct Series<'u> {
    /// One a part by its name, or one pool without any.
    pub parts: Vec<NamedPart<'u>>,
    /// Whether a gap was held.
    pub estimated: bool,
}

/// The parts' series, gaps held where the line says so; one pool without `per`, one empty part without any (PRICING §10, §12).
/// `meter_hold_ms` is the meter's `max_hold`.
pub fn series<'u>(
    line: &Line,
    rate: &UsageRate,
    contract_part: &[Span],
    usage: &'u LineUsage,
    meter_hold_ms: i64,
) -> Result<Series<'u>, RateError> {
    let held = line.gap_hold && rate.statistic != Statistic::Sum;
    for part in &usage.parts {
        check(line, part, held || rate.statistic == Statistic::P95)?;
    }
    let (mut parts, estimated) = match held {
        true => hold_all(line, contract_part, usage, meter_hold_ms)?,
        false => {
            let parts = usage.parts.iter().map(|part| (part.name.as_str(), Cow::Borrowed(part.slots.as_slice())));
            (parts.collect(), false)
        }
    };
    if (line.per.is_none() && parts.len() != 1) || parts.is_empty() {
        let pooled = pool(parts.iter().map(|(_, slots)| &**slots)).map_err(at(&line.id))?;
        parts = vec![("", Cow::Owned(pooled))];
    }
    // in the order of names, so that neither rows nor digest depend on how the parts came
    parts.sort_by_key(|(name, _)| *name);
    Ok(Series { parts, estimated })
}

/// What was estimated of each resource where a line holds gaps, in slots of its meter.
pub fn estimates<'u>(
    line: &Line,
    rate: &UsageRate,
    contract_part: &[Span],
    usage: &'u LineUsage,
    meter_hold_ms: i64,
) -> Result<Vec<(&'u str, Vec<Slot>)>, RateError> {
    if !line.gap_hold || rate.statistic == Statistic::Sum {
        return Ok(Vec::new());
    }
    let of_arrays = gaps_of_arrays(contract_part, usage);
    let filled = |part: &'u PartUsage| {
        let gaps = of_arrays.get(array_of(part)).map_or(&[][..], Vec::as_slice);
        Ok((part.name.as_str(), hold(part, gaps, meter_hold_ms).map_err(at(&line.id))?.1))
    };
    usage.parts.iter().map(filled).collect()
}

fn gaps_of_arrays<'u>(contract_part: &[Span], usage: &'u LineUsage) -> BTreeMap<&'u str, Vec<Gap>> {
    let first = contract_part.first().map_or(Instant(0), |span| span.from);
    let until = contract_part.last().map_or(first, |span| span.until);
    let read = Span { from: first.plus_ms(-HOLD_MS), until };
    usage.arrays.iter().map(|array| (array.array.as_str(), gaps(array, read))).collect()
}

fn array_of(part: &PartUsage) -> &str {
    part.name.split_once('/').map_or(part.name.as_str(), |(array, _)| array)
}

/// Each resource's gaps held, then resources put together as the line wants its parts.
fn hold_all<'u>(
    line: &Line,
    contract_part: &[Span],
    usage: &'u LineUsage,
    meter_hold_ms: i64,
) -> Result<(Vec<NamedPart<'u>>, bool), RateError> {
    let of_arrays = gaps_of_arrays(contract_part, usage);
    let mut estimated = false;
    let mut by_part: BTreeMap<&str, Vec<Vec<Slot>>> = BTreeMap::new();
    for part in &usage.parts {
        let array = array_of(part);
        let gaps = of_arrays.get(array).map_or(&[][..], Vec::as_slice);
        let (slots, filled) = hold(part, gaps, meter_hold_ms).map_err(at(&line.id))?;
        estimated |= filled.iter().any(|slot| contract_part.iter().any(|span| span.holds(slot.start)));
        let name = if line.per == Some(Per::Resource) { part.name.as_str() } else { array };
        by_part.entry(name).or_default().push(slots);
    }
    let mut parts = Vec::with_capacity(by_part.len());
    for (name, resources) in by_part {
        let pooled = pool(resources.iter().map(Vec::as_slice)).map_err(at(&line.id))?;
        parts.push((name, Cow::Owned(pooled)));
    }
    Ok((parts, estimated))
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
