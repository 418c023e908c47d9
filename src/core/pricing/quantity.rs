//! From slots to amounts per window, and to the statistic of the whole (PRICING §4).

use std::collections::BTreeMap;

use super::amount::{Fixed, Quantity};
use super::error::Overflow;
use super::period::Span;
use super::ratio;
use super::rounding::Rounding;
use super::usage::Slot;
use super::window::length;
use crate::core::book::model::Statistic;
use crate::core::book::unit::Unit;
use crate::core::word::Instant;

/// A quantity before its one division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    /// In the meter's base unit, times milliseconds for a mean.
    pub numerator: i128,
    /// The unit's size, times its time.
    pub denominator: i128,
}

impl Fraction {
    /// The quantity: one division, half-even at 6 places (PRICING §4).
    pub fn quantity(self) -> Result<Quantity, Overflow> {
        ratio::scale(self.numerator, Quantity::ONE.0, self.denominator, Rounding::HalfEven).map(Fixed)
    }
}

/// Series added slot by slot, before any statistic (PRICING §4).
pub fn pool<'a>(series: impl IntoIterator<Item = &'a [Slot]>) -> Result<Vec<Slot>, Overflow> {
    let mut pool: BTreeMap<Instant, Slot> = BTreeMap::new();
    for slot in series.into_iter().flatten() {
        let sum = pool.entry(slot.start).or_insert(Slot { amount: 0, ..*slot });
        sum.amount = sum.amount.checked_add(slot.amount).ok_or(Overflow)?;
    }
    Ok(pool.into_values().collect())
}

/// What each window holds; slots outside of all windows count for nothing.
pub fn by_window(slots: &[Slot], windows: &[Span]) -> Result<Vec<i128>, Overflow> {
    let mut amounts = vec![0i128; windows.len()];
    for slot in slots {
        let after = windows.partition_point(|window| window.from <= slot.start);
        let Some(index) = after.checked_sub(1).filter(|index| windows[*index].holds(slot.start)) else { continue };
        amounts[index] = amounts[index].checked_add(slot.amount).ok_or(Overflow)?;
    }
    Ok(amounts)
}

/// The statistic of a part over its windows (PRICING §4).
pub fn statistic(
    statistic: Statistic,
    unit: Unit,
    period_ms: i64,
    slots: &[Slot],
    windows: &[Span],
    amounts: &[i128],
) -> Result<Fraction, Overflow> {
    let times = |ms: i128| unit.size.checked_mul(ms).ok_or(Overflow);
    match statistic {
        Statistic::Mean | Statistic::Sum => {
            let numerator = amounts.iter().try_fold(0i128, |sum, one| sum.checked_add(*one)).ok_or(Overflow)?;
            Ok(Fraction { numerator, denominator: times(unit.time_ms(period_ms))? })
        }
        Statistic::Peak => peak(unit, windows, amounts),
        Statistic::P95 => {
            let slot_ms = slots.first().map_or(300_000, |slot| slot.length_ms);
            let inside = slots.iter().filter(|slot| windows.iter().any(|window| window.holds(slot.start)));
            let numerator = p95(inside.map(|slot| slot.amount).collect(), length(windows) / slot_ms);
            Ok(Fraction { numerator, denominator: times(i128::from(slot_ms))? })
        }
    }
}

/// The greatest window mean, a gap counting nothing.
fn peak(unit: Unit, windows: &[Span], amounts: &[i128]) -> Result<Fraction, Overflow> {
    let (mut greatest, mut over_ms) = (0i128, 1i128);
    for (window, amount) in windows.iter().zip(amounts) {
        let ms = i128::from(window.ms());
        if amount.checked_mul(over_ms).ok_or(Overflow)? > greatest.checked_mul(ms).ok_or(Overflow)? {
            (greatest, over_ms) = (*amount, ms);
        }
    }
    Ok(Fraction { numerator: greatest, denominator: unit.size.checked_mul(over_ms).ok_or(Overflow)? })
}

/// The value of rank ⌈0.95·N⌉ ascending; slots that are missing count as 0.
fn p95(mut amounts: Vec<i128>, slots: i64) -> i128 {
    amounts.sort_unstable();
    let slots = usize::try_from(slots).unwrap_or(0).max(amounts.len());
    let missing = slots - amounts.len();
    let rank = (slots * 95).div_ceil(100);
    rank.checked_sub(missing + 1).and_then(|index| amounts.get(index)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_rank_counts_gaps_as_nothing() {
        assert_eq!(p95((1..=288).collect(), 288), 274);
        assert_eq!(p95((1..=268).collect(), 288), 254);
        assert_eq!(p95((1..=8_928).collect(), 8_928), 8_482);
        assert_eq!(p95((1..=8_916).collect(), 8_916), 8_471);
        assert_eq!(p95(Vec::new(), 288), 0);
    }

    #[test]
    fn volumes_are_added_before_the_statistic() {
        let day = Span { from: Instant(0), until: Instant(86_400_000) };
        let slots = |range: std::ops::Range<i64>| -> Vec<Slot> {
            let slot = |n| Slot { start: Instant(n * 300_000), length_ms: 300_000, amount: 3_000_000 };
            range.map(slot).collect()
        };
        let value = |one: &[Slot], other: &[Slot], kind| {
            let slots = pool([one, other]).unwrap();
            let amounts = by_window(&slots, &[day]).unwrap();
            let unit = Unit::parse("each").unwrap();
            statistic(kind, unit, 86_400_000, &slots, &[day], &amounts).unwrap().quantity().unwrap().to_string()
        };
        let (first, second, whole) = (slots(0..144), slots(144..288), slots(0..288));
        assert_eq!(value(&first, &second, Statistic::Peak), "10");
        assert_eq!(value(&first, &second, Statistic::P95), "10");
        assert_eq!(value(&whole, &whole, Statistic::P95), "20");
    }
}
