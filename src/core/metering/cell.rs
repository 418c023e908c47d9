//! The meter function: readings of one series in, the cells of one hour out (DESIGN §4).

use super::definition::{Definition, MeterKind};
use super::tag::TagId;
use crate::core::word::{Hour, Instant};
use crate::mutation::{Mutation, planted};

/// One reading as the meter function sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was measured.
    pub instant: Instant,
    /// Its value in the meter's base unit.
    pub value: u64,
    /// Whose area it opens.
    pub tags: TagId,
}

/// A quarter of an hour (or 5 minutes) of one series under one tag set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Which cell of the hour, from 0.
    pub index: u8,
    /// Customer, tier and site.
    pub tags: TagId,
    /// Gauge: Σ value·milliseconds of the step function inside the cell. Delta: sum. Counter: increase. In the base unit.
    pub amount: i128,
    /// Gauge: milliseconds of the cell that are known. Else 0.
    pub observed_ms: u32,
    /// Readings at instants inside the cell that count.
    pub count: u32,
    /// Gauge: the least level inside the cell. Else 0.
    pub min: u64,
    /// Gauge: the greatest level inside the cell. Else 0.
    pub max: u64,
    /// Gauge: the level at the end of what is known. Else 0.
    pub last: u64,
}

/// The cells of `hour`, in time order, none of them empty.
///
/// `samples` are readings of one series in the order (instant, recorded time with absent first, position); they must hold
/// every reading from `hour - max_hold` to the hour's end, and may hold more. Nothing else is an input: no clock, no state.
pub fn meter(samples: impl Iterator<Item = Sample>, definition: &Definition, hour: Hour, cells: &mut Vec<Cell>) {
    match definition.kind {
        MeterKind::Gauge => gauge(samples, definition, hour, cells),
        MeterKind::Delta => delta(samples, definition, hour, cells),
        MeterKind::Counter => counter(samples, definition, hour, cells),
    }
}

/// A level holds from its instant to the next reading or for `max_hold`, whichever is first. Of equal instants the last counts.
fn gauge(samples: impl Iterator<Item = Sample>, definition: &Definition, hour: Hour, cells: &mut Vec<Cell>) {
    let mut samples = samples.peekable();
    while let Some(sample) = samples.next() {
        let hold_end = sample.instant.plus_ms(definition.max_hold_ms);
        let cuts = |next: &&Sample| !planted(Mutation::OldAttributionStays) || next.tags == sample.tags;
        let next = samples.peek().filter(cuts).filter(|_| !planted(Mutation::HoldNotCutBack));
        let end = next.map_or(hold_end, |next| next.instant.min(hold_end));
        let (from, to) = (sample.instant.max(hour.start()), end.min(hour.end()));
        if from < to {
            spread(sample, from, to, definition.cell_ms, hour, cells);
        }
        if end >= hour.end() {
            break;
        }
    }
}

/// Adds one step of the level, [from, to) inside the hour, to the cells that it touches.
fn spread(sample: Sample, from: Instant, to: Instant, cell_ms: i64, hour: Hour, cells: &mut Vec<Cell>) {
    let mut at = from;
    while at < to {
        let index = (at.0 - hour.start().0) / cell_ms;
        let cell_end = Instant(hour.start().0 + (index + 1) * cell_ms);
        let stop = to.min(cell_end);
        let length_ms = stop.0 - at.0;
        let cell = cell_of(cells, index as u8, sample.tags);
        if cell.observed_ms == 0 {
            (cell.min, cell.max) = (sample.value, sample.value);
        }
        cell.amount += i128::from(sample.value) * i128::from(length_ms);
        cell.observed_ms += length_ms as u32;
        cell.min = cell.min.min(sample.value);
        cell.max = cell.max.max(sample.value);
        cell.last = sample.value;
        cell.count += u32::from(at == sample.instant);
        at = stop;
    }
}

/// All deltas add, those of equal instants too, at their own instant.
fn delta(samples: impl Iterator<Item = Sample>, definition: &Definition, hour: Hour, cells: &mut Vec<Cell>) {
    let mut before = None;
    for sample in samples.filter(|sample| sample.instant.hour() == hour) {
        if before.replace(sample.instant) == Some(sample.instant) && planted(Mutation::DeltaEqualInstants) {
            continue;
        }
        let index = (sample.instant.0 - hour.start().0) / definition.cell_ms;
        let cell = cell_of(cells, index as u8, sample.tags);
        cell.amount += i128::from(sample.value);
        cell.count += 1;
    }
    cells.sort_by_key(|cell| cell.index);
}

/// The increase since the predecessor, whole at the later reading's instant, with its tags. A smaller value is a reset and
/// counts whole; a predecessor more than `max_hold` older counts as none. Of equal instants the last counts.
fn counter(samples: impl Iterator<Item = Sample>, definition: &Definition, hour: Hour, cells: &mut Vec<Cell>) {
    let mut samples = samples.peekable();
    let mut before: Option<Sample> = None;
    while let Some(sample) = samples.next() {
        if samples.peek().is_some_and(|next| next.instant == sample.instant) {
            continue;
        }
        if sample.instant >= hour.end() {
            break;
        }
        if sample.instant >= hour.start() {
            let increase = match before {
                Some(before)
                    if sample.instant.0 - before.instant.0 <= definition.max_hold_ms
                        || planted(Mutation::CounterHoldIgnored) =>
                {
                    let reset = if planted(Mutation::ResetCountsNothing) { 0 } else { sample.value };
                    sample.value.checked_sub(before.value).unwrap_or(reset)
                }
                _ => 0,
            };
            let index = (sample.instant.0 - hour.start().0) / definition.cell_ms;
            let cell = cell_of(cells, index as u8, sample.tags);
            cell.amount += i128::from(increase);
            cell.count += 1;
        }
        before = Some(sample);
    }
}

/// The cell under this index and tag set, made if it is not there. Samples come in time order, so it is one of the last few.
fn cell_of(cells: &mut Vec<Cell>, index: u8, tags: TagId) -> &mut Cell {
    let place = cells.iter().rposition(|cell| cell.index == index && cell.tags == tags).unwrap_or_else(|| {
        cells.push(Cell { index, tags, amount: 0, observed_ms: 0, count: 0, min: 0, max: 0, last: 0 });
        cells.len() - 1
    });
    &mut cells[place]
}
