//! `gap = "hold"` (PRICING §12): while an array is not observed, what its resources held when it was last heard of goes on, for at
//! most three days of a gap.
//!
//! A resource that its array's last event before the gap did not show any more is gone and not held. How long the meter's own level
//! holds makes no difference: what it still covers of a gap is not filled a second time.

use super::error::Overflow;
use super::period::Span;
use super::quantity::pool;
use super::selection::HOLD_MS;
use super::usage::{ArrayCoverage, Known, PartUsage, Slot};
use crate::core::metering::definition::Definition;
use crate::core::word::Instant;

const QUARTER_MS: i64 = 900_000;

/// A stretch in which an array was not observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// From its first instant to the first one after it; a gap inside one quarter of an hour has the quarter.
    pub span: Span,
    /// When the array was last heard of: its last event before the gap (of a gap inside a quarter the earliest that it can have been).
    /// None where nothing is known of what was before.
    pub last_event: Option<Instant>,
    /// How much of the span was not observed.
    pub missing_ms: i64,
}

/// The gaps of an array in `read`, from what was observed of it per quarter of an hour. An event holds for two hours, so there is
/// never more than one gap near a quarter that was observed in part.
#[must_use]
pub fn gaps(array: &ArrayCoverage, read: Span) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut end = read.from;
    for (place, &(start, ms)) in array.observed.iter().enumerate() {
        let quarter = Span { from: start, until: start.plus_ms(QUARTER_MS) };
        let next_is_whole =
            array.observed.get(place + 1).is_some_and(|(next, ms)| *next == quarter.until && *ms >= QUARTER_MS);
        let goes_on = start == end && end > read.from;
        if goes_on && ms < QUARTER_MS && next_is_whole {
            gaps.push(Gap { missing_ms: QUARTER_MS - ms, ..gap(quarter.from, quarter.until, read) });
            end = quarter.until;
            continue;
        }
        let (from, until) = match goes_on {
            true => (start, start.plus_ms(ms)),
            false => (quarter.until.plus_ms(-ms), quarter.until),
        };
        if from > end {
            gaps.push(gap(end, from, read));
        }
        end = until;
    }
    // what comes after a hand-over is no gap of the old provider's
    let until = array.handed_over.unwrap_or(read.until).min(read.until);
    if end < until {
        gaps.push(gap(end, until, read));
    }
    gaps
}

fn gap(from: Instant, until: Instant, read: Span) -> Gap {
    let last_event = (from > read.from).then(|| from.plus_ms(-Definition::OBSERVED.max_hold_ms));
    Gap { span: Span { from, until }, last_event, missing_ms: until.0 - from.0 }
}

/// A resource's slots with its array's gaps held, and what was estimated of them.
pub fn hold(part: &PartUsage, gaps: &[Gap], meter_hold_ms: i64) -> Result<(Vec<Slot>, Vec<Slot>), Overflow> {
    let Some(length_ms) = part.slots.first().map(|slot| slot.length_ms) else { return Ok((Vec::new(), Vec::new())) };
    let mut filled: Vec<Slot> = Vec::new();
    for gap in gaps {
        let Some(level) = gap.last_event.and_then(|event| level_in(part, gap, event.plus_ms(meter_hold_ms))) else {
            continue;
        };
        let until = gap.span.until.min(gap.span.from.plus_ms(HOLD_MS));
        let mut start = Instant(gap.span.from.0 - gap.span.from.0.rem_euclid(length_ms));
        let mut left = gap.missing_ms;
        while level > 0 && start < until {
            let end = start.plus_ms(length_ms);
            let inside = end.min(until).0 - start.max(gap.span.from).0;
            let measured = known(part, start).map_or(0, |known| known.measured_ms);
            let missing = inside.min(length_ms - measured).min(left);
            if missing > 0 {
                let amount = i128::from(level).checked_mul(i128::from(missing)).ok_or(Overflow)?;
                filled.push(Slot { start, length_ms, amount });
                left -= missing;
            }
            start = end;
        }
    }
    match filled.is_empty() {
        true => Ok((part.slots.clone(), filled)),
        false => Ok((pool([part.slots.as_slice(), &filled])?, filled)),
    }
}

/// The level that is held in a gap; none if the array's last event did not show the resource any more: then what was known of it
/// ended before `alive_until`, its own hold after that event.
fn level_in(part: &PartUsage, gap: &Gap, alive_until: Instant) -> Option<u64> {
    // a gap inside a quarter has no cell of its own before readings go on: what was known when the quarter began counts
    let inside = gap.missing_ms < gap.span.ms();
    let before = if inside { gap.span.from } else { gap.span.until };
    let last = part.slots.partition_point(|slot| slot.start.plus_ms(slot.length_ms) <= before).checked_sub(1)?;
    let (slot, known) = (part.slots.get(last)?, part.known.get(last)?);
    (slot.start.plus_ms(known.measured_ms) >= alive_until).then_some(known.last)
}

fn known(part: &PartUsage, start: Instant) -> Option<Known> {
    let place = part.slots.binary_search_by(|slot| slot.start.cmp(&start)).ok()?;
    part.known.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// A resource at levels read each hour, held for `hold_hours` or to the next reading: by milliseconds, which is slow and plain.
    fn part(readings: &[(i64, u64)], hold_ms: i64, cell_ms: i64, end: i64) -> PartUsage {
        let mut part = PartUsage::default();
        for start in (0..end).step_by(cell_ms as usize) {
            let (mut amount, mut measured_ms, mut last) = (0i128, 0i64, 0u64);
            for minute in (start..start + cell_ms).step_by(60_000) {
                let reading = readings.iter().rev().find(|(at, _)| *at <= minute && minute < *at + hold_ms);
                if let Some((_, level)) = reading {
                    amount += i128::from(*level) * 60_000;
                    measured_ms += 60_000;
                    last = *level;
                }
            }
            if measured_ms > 0 {
                part.slots.push(Slot { start: Instant(start), length_ms: cell_ms, amount });
                part.known.push(Known { measured_ms, last });
            }
        }
        part
    }

    fn observed(readings: &[(i64, u64)], end: i64) -> ArrayCoverage {
        let ones: Vec<(i64, u64)> = readings.iter().map(|(at, _)| (*at, 1)).collect();
        let seen = part(&ones, 2 * HOUR, QUARTER_MS, end);
        let observed =
            seen.slots.iter().zip(&seen.known).map(|(slot, known)| (slot.start, known.measured_ms)).collect();
        ArrayCoverage {
            array: "a".to_owned(),
            first_reading: Some(Instant(readings[0].0)),
            handed_over: None,
            observed,
        }
    }

    fn held_hours(readings: &[(i64, u64)], hold_ms: i64, cell_ms: i64) -> f64 {
        let end = 400 * HOUR;
        let read = Span { from: Instant(0), until: Instant(end) };
        let (slots, _) =
            hold(&part(readings, hold_ms, cell_ms, end), &gaps(&observed(readings, end), read), hold_ms).unwrap();
        slots.iter().map(|slot| slot.amount).sum::<i128>() as f64 / HOUR as f64
    }

    /// Level 1 each hour from 1:00 to 11:00, level 3 from 16:10 to 21:10, then silence: 12 h and 7 h are known, 3 h 10 min are
    /// held at 1, three days at 3. Neither the length of cells nor the meter's own hold matters.
    fn readings() -> Vec<(i64, u64)> {
        let early = (1..=11).map(|hour| (hour * HOUR, 1));
        early.chain((16..=21).map(|hour| (hour * HOUR + 600_000, 3))).collect()
    }

    #[test]
    fn a_gap_is_held_at_the_last_level_for_three_days() {
        let wanted = 12.0 + 19.0 / 6.0 + 21.0 + 216.0;
        for (hold_hours, cell_ms) in [(2, QUARTER_MS), (2, 300_000), (10, QUARTER_MS), (80, 300_000)] {
            let held = held_hours(&readings(), hold_hours * HOUR, cell_ms);
            let longer = if hold_hours > 74 { (hold_hours as f64 - 74.0) * 3.0 } else { 0.0 };
            assert!((held - wanted - longer).abs() < 1e-9, "{hold_hours} {cell_ms}: {held} instead of {wanted}");
        }
        // a meter that lets go before the array counts as unobserved: the hour between is no gap and counts nothing
        assert!((held_hours(&readings(), HOUR, QUARTER_MS) - (wanted - 1.0 - 3.0)).abs() < 1e-9);
    }

    /// 1000 at 1:15, 1 at 3:25 and then silence: the gap from 3:15 to 3:25 lies inside one quarter and is held at 1000.
    #[test]
    fn a_gap_inside_a_quarter_is_held_at_the_level_of_before() {
        let readings = [(HOUR + QUARTER_MS, 1000), (3 * HOUR + 1_500_000, 1)];
        let minutes = |hold_ms, cell_ms| held_hours(&readings, hold_ms, cell_ms) * 60.0;
        let tail = 4320.0;
        for cell_ms in [QUARTER_MS, 300_000] {
            assert!((minutes(2 * HOUR, cell_ms) - (120_000.0 + 10_000.0 + 120.0 + tail)).abs() < 1e-6);
            assert!((minutes(HOUR, cell_ms) - (60_000.0 + 10_000.0 + 60.0 + tail)).abs() < 1e-6);
        }
    }

    #[test]
    fn a_resource_that_was_gone_before_the_gap_is_not_held() {
        let array = observed(&readings(), 400 * HOUR);
        let read = Span { from: Instant(0), until: Instant(400 * HOUR) };
        let gone: Vec<(i64, u64)> = (1..=8).map(|hour| (hour * HOUR, 5)).collect();
        let (slots, filled) =
            hold(&part(&gone, 2 * HOUR, QUARTER_MS, 400 * HOUR), &gaps(&array, read), 2 * HOUR).unwrap();
        assert_eq!((slots.iter().map(|slot| slot.amount).sum::<i128>(), filled.len()), (i128::from(9 * HOUR) * 5, 0));
    }

    #[test]
    fn what_was_silent_before_anything_was_read_is_not_held() {
        let read = Span { from: Instant(10 * HOUR), until: Instant(400 * HOUR) };
        let late = observed(&[(50 * HOUR, 1)], 400 * HOUR);
        let found = gaps(&late, read);
        assert_eq!((found[0].span.until, found[0].last_event), (Instant(50 * HOUR), None));
        assert_eq!(found[1].last_event, Some(Instant(50 * HOUR)));
    }
}
