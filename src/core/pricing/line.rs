//! A usage line: each part is metered over the windows of the period and charged (PRICING §4 to §10).

use super::charge::Charge;
use super::charge::entry::Tally;
use super::charge::part::{Multiple, Part, Stretch};
use super::decimal::Decimal;
use super::digest::InputsDigest;
use super::error::{Overflow, RateError, at};
use super::layout::{Window, charge, lay_out, rates};
use super::period::Span;
use super::quantity::{self, by_window, peak, percentile};
use super::terms::Segment;
use super::usage::Slot;
use super::wide::{self, Wide};
use crate::core::book::model::{Line, Statistic, UsageRate};
use crate::core::book::unit::Unit;

/// A usage line with its terms laid out over the windows of the period.
pub struct UsageLine<'book> {
    line: &'book Line,
    /// The terms that all segments share.
    pub rate: &'book UsageRate,
    unit: Unit,
    multiple: Option<Multiple>,
    period_ms: i64,
    windows: Vec<Window>,
    /// Those of the windows.
    spans: Vec<Span>,
    charge: Charge,
}

/// What was held in a window and what was committed in it: both in the same fractions, of which a quantity of 1 for a millisecond is
/// [`Level::one`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// What was used.
    pub used: Wide,
    /// What was committed.
    pub committed: Wide,
    /// How much of both is a quantity of 1.
    pub one: Wide,
}

impl<'book> UsageLine<'book> {
    /// Lays out a line's terms; rates of one id may differ in prices only (PRICING §9).
    pub fn new(
        line: &'book Line,
        segments: &[Segment<'book>],
        windows: &[Span],
        period_ms: i64,
        percents: &[Decimal],
    ) -> Result<Self, RateError> {
        let rates = rates(line, segments)?;
        let rate = *rates.last().ok_or_else(|| RateError::NoRate(line.id.clone()))?;
        let wrong = || RateError::Unit { line: line.id.clone(), unit: rate.unit.clone() };
        let unit = Unit::parse(&rate.unit).filter(|unit| unit.goes_with(rate.statistic)).ok_or_else(wrong)?;
        let multiple = match &rate.round_quantity {
            Some(round) => {
                Some(Multiple { to: Decimal::from_decimal(round.to).map_err(at(&line.id))?, mode: round.mode })
            }
            None => None,
        };
        let (charge, windows) = (charge(line, &rates, percents)?, lay_out(line, segments, windows, rate)?);
        let spans = windows.iter().map(|window| window.span).collect();
        Ok(Self { line, rate, unit, multiple, period_ms, windows, spans, charge })
    }

    /// The commitment, if it is the same in all of the period.
    #[must_use]
    pub fn commitment(&self) -> Option<Decimal> {
        let first = self.windows.first()?.committed;
        self.windows.iter().all(|window| window.committed == first).then_some(first)
    }

    /// Prices one part and adds its rows (PRICING §10). Its digest covers what is priced of it: its windows, or what a percentile ranks.
    pub fn part(
        &self,
        (name, slots): (&str, &[Slot]),
        tally: &mut Tally,
        digest: &mut InputsDigest,
    ) -> Result<(), RateError> {
        let mut add = || {
            let amounts = by_window(slots, &self.spans)?;
            match self.rate.statistic {
                Statistic::P95 => digest.part(name, slots.iter().map(|slot| (slot.start, slot.amount))),
                _ => digest.part(name, self.spans.iter().map(|span| span.from).zip(amounts.iter().copied())),
            }
            self.charge.add(&self.measured(slots, amounts)?, self.period_ms, tally)
        };
        add().map_err(at(&self.line.id))
    }

    /// What a part held in each window beside the commitment in force, before any rounding.
    pub fn levels(&self, slots: &[Slot]) -> Result<Vec<Level>, Overflow> {
        let unit = wide::product([Wide::from(self.unit.size), Wide::from(self.unit.time_ms(self.period_ms))])?;
        // a level of 1 for a millisecond: in billionths, and in what a unit counts, over the whole period
        let one = wide::product([unit, wide::ten(9)])?;
        let level = |(window, amount): (&Window, i128)| {
            let used = wide::product([Wide::from(amount), Wide::from(self.period_ms), wide::ten(9)])?;
            let committed = wide::product([window.committed.wide(), Wide::from(window.span.ms()), unit])?;
            Ok(Level { used, committed, one })
        };
        self.windows.iter().zip(by_window(slots, &self.spans)?).map(level).collect()
    }

    /// The part's quantity (PRICING §4), rounded to a multiple where the rate says so.
    fn measured(&self, slots: &[Slot], amounts: Vec<i128>) -> Result<Part, Overflow> {
        let spans = &self.spans;
        let size = Wide::from(self.unit.size);
        let level = |level: quantity::Level| {
            let weights = spans.iter().map(|span| Wide::from(span.ms()));
            let one = wide::product([size, Wide::from(level.ms)])?;
            Part::level(self.stretches(weights), Wide::from(level.area), one)
        };
        let part = match self.rate.statistic {
            Statistic::Mean | Statistic::Sum => {
                let one = wide::product([size, Wide::from(self.unit.time_ms(self.period_ms))])?;
                Part::windows(self.stretches(amounts.into_iter().map(Wide::from)), one)?
            }
            Statistic::Peak => level(peak(spans, &amounts)?)?,
            Statistic::P95 => level(percentile(slots, spans))?,
        };
        match &self.multiple {
            Some(multiple) => part.rounded(multiple, self.charge.by_day(), self.period_ms),
            None => Ok(part),
        }
    }

    fn stretches(&self, used: impl Iterator<Item = Wide>) -> Vec<Stretch> {
        let stretch = |(window, used): (&Window, Wide)| Stretch {
            segment: window.segment,
            ms: window.span.ms(),
            committed: window.committed,
            used,
        };
        self.windows.iter().zip(used).map(stretch).collect()
    }
}
