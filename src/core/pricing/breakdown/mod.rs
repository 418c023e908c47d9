//! What a line's usage consists of: the same cells, broken down by array, resource, local day or hour, so that the pieces add up to
//! what was priced to the last unit.

mod piece;

use chrono_tz::Tz;

use super::decimal::Decimal;
use super::error::{Overflow, RateError, at};
use super::party;
use super::period::Span;
use super::quantity::{Level, by_window, peak, percentile};
use super::rounding::Rounding;
use super::selection::LineSelection;
use super::series::series;
use super::terms;
use super::usage::{LineUsage, Slot};
use super::wide::{self, Wide};
use super::window::windows;
use crate::core::book::model::{Book, Charge, Line, Statistic, UsageRate};
use crate::core::book::unit::Unit;
use crate::core::metering::definition::Definition;
use crate::core::word::Instant;

/// What the pieces are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Arrays.
    Array,
    /// Resources, each on its array.
    Resource,
    /// Local days of the contract's zone.
    Day,
    /// UTC hours.
    Hour,
}

/// How a usage line counts.
pub struct Terms<'book> {
    line: &'book Line,
    rate: &'book UsageRate,
    unit: Unit,
    zone: Tz,
    days: Vec<Span>,
    part: Vec<Span>,
    period_ms: i64,
    meter_hold_ms: i64,
}

/// What a quantity was taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis {
    /// When: of a peak its window, of a percentile a slot of its rank, else all of the contract's part.
    pub span: Span,
    /// So much usage is a quantity of 1.
    pub one: i128,
    /// The usage in it, with what was held in gaps.
    pub amount: i128,
}

/// A piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// `array`, `array/resource`, or empty where pieces are of time.
    pub name: String,
    /// When.
    pub span: Span,
    /// In the meter's base unit, of a gauge times milliseconds. What was held in gaps is part of it.
    pub amount: i128,
    /// How much of it was held in gaps.
    pub held: i128,
}

impl Basis {
    /// The quantity of an amount, as it is rounded once: half to even at 6 places (PRICING §4).
    ///
    /// # Errors
    /// Out of range.
    pub fn quantity(&self, amount: i128) -> Result<Decimal, Overflow> {
        let micro = wide::product([Wide::from(amount), wide::ten(6)])?;
        let micro = wide::narrow(wide::divide(micro, Wide::from(self.one), Rounding::HalfEven)?)?;
        micro.checked_mul(1_000).map(Decimal::from_nano).ok_or(Overflow)
    }
}

impl<'book> Terms<'book> {
    /// The terms of a selection's line.
    ///
    /// # Errors
    /// What the rating would refuse.
    pub fn of(
        book: &'book Book,
        contract_id: &str,
        selection: &LineSelection,
        period_ms: i64,
    ) -> Result<Self, RateError> {
        let contract = party::contract(book, contract_id)?;
        let dangling =
            || RateError::Dangling { contract: contract_id.to_owned(), what: format!("card {}", contract.card) };
        let card = book.cards.get(&contract.card).ok_or_else(dangling)?;
        let no_rate = || RateError::NoRate(selection.id.clone());
        let line = contract.lines.get(selection.line).ok_or_else(no_rate)?;
        let segments = terms::segments(card, contract, line, &selection.part)?;
        let Some(Charge::Usage(rate)) = segments.last().map(|segment| &segment.rate.charge) else {
            return Err(no_rate());
        };
        let wrong = || RateError::Unit { line: line.id.clone(), unit: rate.unit.clone() };
        let meter = book.meters.get(&rate.meter);
        Ok(Self {
            line,
            rate,
            unit: Unit::parse(&rate.unit).ok_or_else(wrong)?,
            zone: contract.time_zone,
            days: windows(contract.time_zone, &selection.part, &terms::cuts(&segments, line)),
            part: selection.part.clone(),
            period_ms,
            meter_hold_ms: meter.map_or(Definition::OBSERVED.max_hold_ms, |meter| meter.definition.max_hold_ms),
        })
    }

    /// The windows of the line.
    #[must_use]
    pub fn days(&self) -> &[Span] {
        &self.days
    }

    /// Whether the quantity is taken of all of the time, and not of a moment that has to be found first.
    #[must_use]
    pub fn takes_all(&self) -> bool {
        matches!(self.rate.statistic, Statistic::Mean | Statistic::Sum)
    }

    /// All of the contract's part, from end to end.
    #[must_use]
    pub fn whole(&self) -> Span {
        let from = self.part.first().map_or(Instant(0), |span| span.from);
        Span { from, until: self.part.last().map_or(from, |span| span.until) }
    }

    /// What the quantity of each part was taken of, by name; of a pool under no name.
    ///
    /// # Errors
    /// What the rating would refuse.
    pub fn bases(&self, usage: &LineUsage) -> Result<Vec<(String, Basis)>, RateError> {
        let series = series(self.line, self.rate, &self.part, usage, self.meter_hold_ms)?;
        let basis = |(name, slots): &(&str, std::borrow::Cow<'_, [Slot]>)| {
            Ok(((*name).to_owned(), self.basis(slots).map_err(at(&self.line.id))?))
        };
        series.parts.iter().map(basis).collect()
    }

    fn basis(&self, slots: &[Slot]) -> Result<Basis, Overflow> {
        let amounts = by_window(slots, &self.days)?;
        let level = |span: Span, Level { area, ms }| {
            let one = self.unit.size.checked_mul(i128::from(ms)).ok_or(Overflow)?;
            Ok(Basis { span, one, amount: area })
        };
        match self.rate.statistic {
            Statistic::Mean | Statistic::Sum => {
                let amount = amounts.iter().try_fold(0i128, |sum, amount| sum.checked_add(*amount)).ok_or(Overflow)?;
                let one = self.unit.size.checked_mul(self.unit.time_ms(self.period_ms)).ok_or(Overflow)?;
                Ok(Basis { span: self.whole(), one, amount })
            }
            Statistic::Peak => {
                let greatest = peak(&self.days, &amounts)?;
                let is_it = |(day, area): &(&Span, &i128)| **area == greatest.area && day.ms() == greatest.ms;
                let found = self.days.iter().zip(&amounts).find(is_it);
                level(found.map_or(self.nothing(), |(day, _)| *day), greatest)
            }
            Statistic::P95 => {
                let ranked = percentile(slots, &self.days);
                let is_in = |slot: &&Slot| self.days.iter().any(|day| day.holds(slot.start));
                let found = slots.iter().filter(is_in).find(|slot| slot.amount == ranked.area && ranked.area > 0);
                let span = found.map(|slot| Span { from: slot.start, until: slot.start.plus_ms(slot.length_ms) });
                level(span.unwrap_or(self.nothing()), ranked)
            }
        }
    }

    fn nothing(&self) -> Span {
        Span { until: self.whole().from, ..self.whole() }
    }
}

/// One window of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedWindow {
    /// When, how much was used, and how much is a level of 1.
    pub basis: Basis,
    /// The mean level, of a sum what it would be if it were one; 6 places.
    pub level: Decimal,
    /// The commitment in force in it.
    pub committed: Option<Decimal>,
    /// How far the level lies above it.
    pub over: Option<Decimal>,
}
