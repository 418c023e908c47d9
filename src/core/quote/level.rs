//! A step function of levels and its statistics (PRICING §4): mean, peak, 95th percentile; a gap counts nothing.

use std::cmp::Ordering;

use super::field::{decimal, list, whole};
use super::frame::Stretch;
use super::json::Json;
use super::refusal::Refusal;
use crate::core::pricing::decimal::Decimal;
use crate::core::pricing::error::Overflow;
use crate::core::pricing::wide::{self, Wide};

/// Five minutes: what a percentile is taken over.
const SLOT_MS: i64 = 300_000;

/// Levels of a period; each holds until the next, the last to the period's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels(Vec<Step>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    from: i64,
    /// None is a gap.
    level: Option<Decimal>,
}

/// A level as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Height {
    /// Billionths × milliseconds.
    pub area: Wide,
    /// Milliseconds, above 0.
    pub ms: i64,
}

impl Height {
    fn cmp(&self, other: &Self) -> Result<Ordering, Overflow> {
        let cross = |one: &Self, other: &Self| wide::product([one.area, Wide::from(other.ms)]);
        Ok(cross(self, other)?.cmp(&cross(other, self)?))
    }
}

impl Levels {
    /// Levels by rising time inside a period of so many milliseconds.
    pub fn read(json: &Json, pointer: &str, period_ms: i64) -> Result<Self, Refusal> {
        let mut steps: Vec<Step> = Vec::new();
        for (pair, pointer) in list(json, pointer, 1, 100_000)? {
            let pair = list(pair, &pointer, 2, 2)?;
            let (time, level) = (&pair[0], &pair[1]);
            let seconds = whole(time.0, time.1.clone())?;
            let from = i64::try_from(seconds).ok().and_then(|s| s.checked_mul(1000)).filter(|from| *from <= period_ms);
            let from =
                from.ok_or_else(|| Refusal::at(&*time.1, "past the end of the period: write seconds inside it"))?;
            if steps.last().is_some_and(|before| from <= before.from) {
                return Err(Refusal::at(&*time.1, "not after the level before it: write rising seconds"));
            }
            let level = match level.0 {
                Json::Null => None,
                json => Some(decimal(json, level.1.clone())?),
            };
            steps.push(Step { from, level });
        }
        Ok(Self(steps))
    }

    /// The steps inside a stretch: their stretches and levels, gaps too; nothing before the first.
    fn inside(&self, stretch: Stretch) -> impl Iterator<Item = (Stretch, Option<Decimal>)> + '_ {
        let first = self.0.partition_point(|step| step.from <= stretch.from).saturating_sub(1);
        let ends = self.0.iter().skip(first + 1).map(|step| step.from).chain([i64::MAX]);
        let steps = self.0.iter().skip(first).zip(ends).take_while(move |(step, _)| step.from < stretch.until);
        steps
            .map(move |(step, end)| {
                (Stretch { from: step.from.max(stretch.from), until: end.min(stretch.until) }, step.level)
            })
            .filter(|(piece, _)| piece.from < piece.until)
    }

    /// Σ level × milliseconds in a stretch, in billionths.
    pub fn area(&self, stretch: Stretch) -> Result<Wide, Overflow> {
        let area = |(piece, level): (Stretch, Option<Decimal>)| {
            level.map_or(Ok(Wide::ZERO), |level| wide::product([level.wide(), Wide::from(piece.ms())]))
        };
        self.inside(stretch).try_fold(Wide::ZERO, |sum, piece| wide::plus(sum, area(piece)?))
    }

    /// (observed, expected) milliseconds of a stretch, from the first level on (PRICING §12).
    #[must_use]
    pub fn observed(&self, stretch: Stretch) -> (i64, i64) {
        self.inside(stretch).fold((0, 0), |(observed, expected), (piece, level)| {
            (observed + if level.is_some() { piece.ms() } else { 0 }, expected + piece.ms())
        })
    }

    /// The greatest mean of a day.
    pub fn peak(&self, days: &[Stretch]) -> Result<Height, Overflow> {
        let mut greatest = Height { area: Wide::ZERO, ms: 1 };
        for day in days {
            let height = Height { area: self.area(*day)?, ms: day.ms() };
            if height.cmp(&greatest)? == Ordering::Greater {
                greatest = height;
            }
        }
        Ok(greatest)
    }

    /// The value of rank ⌈0.95·N⌉ of the N five-minute slots of a stretch, ascending; nothing without any slot.
    pub fn p95(&self, stretch: Stretch) -> Result<Height, Overflow> {
        let mut runs = self.slots(stretch)?;
        let mut failed = Ok(());
        runs.sort_by(|(one, _), (other, _)| {
            one.cmp(other).unwrap_or_else(|overflow| {
                failed = Err(overflow);
                Ordering::Equal
            })
        });
        failed?;
        let slots = runs.iter().try_fold(0i128, |sum, run| sum.checked_add(run.1)).ok_or(Overflow)?;
        let rank = (slots * 95 + 99) / 100;
        let mut below = 0i128;
        for (height, count) in runs {
            below += count;
            if below >= rank && count > 0 {
                return Ok(height);
            }
        }
        Ok(Height { area: Wide::ZERO, ms: 1 })
    }

    /// The slots of a stretch as runs of equal ones; a slot in which the level changes, or which the stretch cuts, has its mean.
    fn slots(&self, stretch: Stretch) -> Result<Vec<(Height, i128)>, Overflow> {
        let mut runs = Vec::new();
        let mut open = Height { area: Wide::ZERO, ms: 0 };
        for (piece, level) in self.with_lead(stretch) {
            let level = level.unwrap_or(Decimal::ZERO).wide();
            let mut from = piece.from;
            while from < piece.until {
                let slot_end = ((from / SLOT_MS + 1) * SLOT_MS).min(stretch.until);
                let until = slot_end.min(piece.until);
                let whole = (piece.until - from) / SLOT_MS;
                if open.ms == 0 && from % SLOT_MS == 0 && whole > 0 {
                    runs.push((Height { area: level, ms: 1 }, i128::from(whole)));
                    from += whole * SLOT_MS;
                    continue;
                }
                let area = wide::product([level, Wide::from(until - from)])?;
                open = Height { area: wide::plus(open.area, area)?, ms: open.ms + until - from };
                if until == slot_end {
                    runs.push((open, 1));
                    open = Height { area: Wide::ZERO, ms: 0 };
                }
                from = until;
            }
        }
        Ok(runs)
    }

    /// The steps inside a stretch, with the time before the first as a gap.
    fn with_lead(&self, stretch: Stretch) -> impl Iterator<Item = (Stretch, Option<Decimal>)> + '_ {
        let first = self.0.first().map_or(i64::MAX, |step| step.from);
        let lead = Stretch { from: stretch.from, until: first.min(stretch.until) };
        std::iter::once((lead, None)).filter(|(lead, _)| lead.from < lead.until).chain(self.inside(stretch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(steps: &[(i64, Option<i128>)]) -> Levels {
        let step = |&(seconds, level): &(i64, Option<i128>)| Step {
            from: seconds * 1000,
            level: level.map(|level| Decimal::from_nano(level * Decimal::ONE.nano())),
        };
        Levels(steps.iter().map(step).collect())
    }

    fn height(height: Height) -> i128 {
        wide::narrow(height.area / Wide::from(height.ms) / Decimal::ONE.wide()).unwrap()
    }

    #[test]
    fn rank_counts_gaps_as_nothing() {
        let day = Stretch { from: 0, until: 86_400_000 };
        let rising: Vec<_> = (0..288).map(|n| (n * 300, Some(i128::from(n) + 1))).collect();
        assert_eq!(height(levels(&rising).p95(day).unwrap()), 274);
        let gap: Vec<_> = (0..288).map(|n| (n * 300, (n < 268).then_some(i128::from(n) + 1))).collect();
        assert_eq!(height(levels(&gap).p95(day).unwrap()), 254);
        let lead: Vec<_> = (20..288).map(|n| (n * 300, Some(i128::from(n) - 19))).collect();
        assert_eq!(height(levels(&lead).p95(day).unwrap()), 254);
        assert_eq!(height(levels(&rising).p95(Stretch { from: 5, until: 5 }).unwrap()), 0);
    }

    #[test]
    fn a_slot_in_which_the_level_changes_has_its_mean() {
        let slot = Stretch { from: 0, until: 300_000 };
        assert_eq!(height(levels(&[(0, Some(10)), (150, Some(20))]).p95(slot).unwrap()), 15);
        let month = Stretch { from: 0, until: 2_678_400_000 };
        assert_eq!(height(levels(&[(0, Some(10)), (150, Some(20))]).p95(month).unwrap()), 20);
    }

    #[test]
    fn coverage_starts_at_the_first_level() {
        let levels = levels(&[(100, Some(1)), (200, None), (300, Some(1))]);
        assert_eq!(levels.observed(Stretch { from: 0, until: 400_000 }), (200_000, 300_000));
        assert_eq!(levels.observed(Stretch { from: 150_000, until: 250_000 }), (50_000, 100_000));
        assert_eq!(levels.observed(Stretch { from: 0, until: 50_000 }), (0, 0));
    }
}
