//! From slots to amounts per window, and to the statistic of the whole (PRICING §4).

use super::error::Overflow;
use super::period::Span;
use super::usage::Slot;
use super::wide::{self, Wide};
use super::window::length;
/// A level before its one division (PRICING §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// In the meter's base unit, times milliseconds.
    pub area: i128,
    /// Milliseconds, above 0.
    pub ms: i64,
}

/// Series added slot by slot, before any statistic (PRICING §4). Each comes by rising start.
pub fn pool<'a>(series: impl IntoIterator<Item = &'a [Slot]>) -> Result<Vec<Slot>, Overflow> {
    let (mut pool, mut missing): (Vec<Slot>, Vec<Slot>) = (Vec::new(), Vec::new());
    for slots in series {
        let mut at = 0;
        for slot in slots {
            while pool.get(at).is_some_and(|sum| sum.start < slot.start) {
                at += 1;
            }
            match pool.get_mut(at).filter(|sum| sum.start == slot.start) {
                Some(sum) => sum.amount = sum.amount.checked_add(slot.amount).ok_or(Overflow)?,
                None => missing.push(*slot),
            }
        }
        if !missing.is_empty() {
            // two rising runs: what the sort merges in one pass
            pool.append(&mut missing);
            pool.sort_by_key(|slot| slot.start);
        }
    }
    Ok(pool)
}

/// What each window holds; slots outside of all windows count for nothing. Both come by rising time, so they are walked together.
pub fn by_window(slots: &[Slot], windows: &[Span]) -> Result<Vec<i128>, Overflow> {
    let mut amounts = vec![0i128; windows.len()];
    let mut index = 0;
    for slot in slots {
        while windows.get(index).is_some_and(|window| window.until <= slot.start) {
            index += 1;
        }
        let Some(window) = windows.get(index) else { break };
        if window.from <= slot.start {
            amounts[index] = amounts[index].checked_add(slot.amount).ok_or(Overflow)?;
        }
    }
    Ok(amounts)
}

/// The greatest window mean, a gap counting nothing (PRICING §4).
pub fn peak(windows: &[Span], amounts: &[i128]) -> Result<Level, Overflow> {
    let mut greatest = Level { area: 0, ms: 1 };
    for (window, &area) in windows.iter().zip(amounts) {
        let cross = |area: i128, ms: i64| wide::product([Wide::from(area), Wide::from(ms)]);
        if cross(area, greatest.ms)? > cross(greatest.area, window.ms())? {
            greatest = Level { area, ms: window.ms() };
        }
    }
    Ok(greatest)
}

/// The 95th percentile of the slots in the windows, a gap counting nothing (PRICING §4).
#[must_use]
pub fn percentile(slots: &[Slot], windows: &[Span]) -> Level {
    let ms = slots.first().map_or(300_000, |slot| slot.length_ms);
    let inside = slots.iter().filter(|slot| windows.iter().any(|window| window.holds(slot.start)));
    Level { area: p95(inside.map(|slot| slot.amount).collect(), length(windows) / ms), ms }
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
    use crate::core::word::Instant;

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
        let value = |one: &[Slot], other: &[Slot]| {
            let slots = pool([one, other]).unwrap();
            let peak = peak(&[day], &by_window(&slots, &[day]).unwrap()).unwrap();
            let p95 = percentile(&slots, &[day]);
            (peak.area / i128::from(peak.ms), p95.area / i128::from(p95.ms))
        };
        let (first, second, whole) = (slots(0..144), slots(144..288), slots(0..288));
        assert_eq!(value(&first, &second), (10, 10));
        assert_eq!(value(&whole, &whole), (20, 20));
    }
}
