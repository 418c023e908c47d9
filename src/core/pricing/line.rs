//! A usage line: its parts are metered, split over bands and commitments, and added up (PRICING §4 to §10).

use super::amount::{Fixed, Quantity};
use super::bands::portions;
use super::commitment::{Scale, Stretch, percent_places, split};
use super::discount::Discount;
use super::error::{Overflow, RateError, at};
use super::layout::{Terms, Window, alike, lay_out, terms};
use super::period::Span;
use super::quantity::{Fraction, by_window, statistic};
use super::ratio;
use super::rounding::{Rounding, round_quantity};
use super::row::RowKind;
use super::tally::Tally;
use super::terms::Segment;
use super::usage::Slot;
use crate::core::book::model::{Band, Line, Mode, Price as BookPrice, Statistic, UsageRate};
use crate::core::book::unit::Unit;

/// A usage line with its terms laid out over the windows of the period.
pub struct UsageLine<'book> {
    line: &'book Line,
    /// The terms that all segments share.
    pub rate: &'book UsageRate,
    unit: Unit,
    period_ms: i64,
    windows: Vec<Window>,
    segments: Vec<Terms<'book>>,
}

/// What one part used.
struct Part {
    amounts: Vec<i128>,
    fraction: Fraction,
    quantity: Quantity,
}

impl<'book> UsageLine<'book> {
    /// Lays out a line's terms; rates of one id may differ in prices only (PRICING §9).
    pub fn new(
        line: &'book Line,
        segments: &[Segment<'book>],
        windows: &[Span],
        period_ms: i64,
        discounts: &[Discount],
    ) -> Result<Self, RateError> {
        let terms: Vec<Terms> =
            segments.iter().map(|segment| terms(line, segment, discounts)).collect::<Result<_, _>>()?;
        let rate = terms.last().map(|terms| terms.rate).ok_or_else(|| RateError::NoRate(line.id.clone()))?;
        if terms.iter().any(|other| !alike(other.rate, rate)) {
            return Err(RateError::Changed(line.id.clone()));
        }
        if terms.len() > 1 && terms.iter().flat_map(|t| &t.bands).any(|band| band.per.is_some() || band.flat.is_some())
        {
            return Err(RateError::SplitPackage(line.id.clone()));
        }
        let wrong = || RateError::Unit { line: line.id.clone(), unit: rate.unit.clone() };
        let unit = Unit::parse(&rate.unit).filter(|unit| unit.goes_with(rate.statistic)).ok_or_else(wrong)?;
        let windows = lay_out(line, segments, windows, rate)?;
        Ok(Self { line, rate, unit, period_ms, windows, segments: terms })
    }

    /// Prices one part and adds its rows (PRICING §10).
    pub fn part(&self, slots: &[Slot], tally: &mut Tally) -> Result<(), RateError> {
        let overflow = at(&self.line.id);
        let spans: Vec<Span> = self.windows.iter().map(|window| window.span).collect();
        let amounts = by_window(slots, &spans).map_err(&overflow)?;
        let fraction = statistic(self.rate.statistic, self.unit, self.period_ms, slots, &spans, &amounts);
        let fraction = fraction.map_err(&overflow)?;
        let mut quantity = fraction.quantity().map_err(&overflow)?;
        if let Some(round) = &self.rate.round_quantity {
            quantity = round_quantity(quantity, round).map_err(&overflow)?;
        }
        let part = Part { amounts, fraction, quantity };
        match &self.rate.price {
            BookPrice::Bands { by_day: false, mode, .. } => self.whole(&part, *mode, tally),
            BookPrice::Bands { by_day: true, .. } => self.by_day(&part, tally),
            BookPrice::Committed { overage_by_day, .. } => self.committed(&part, *overage_by_day, tally),
        }
        .map_err(&overflow)
    }

    /// Plain bands: the quantity as a whole is split, segments pay their shares of it (PRICING §5, §9).
    fn whole(&self, part: &Part, mode: Mode, tally: &mut Tally) -> Result<(), Overflow> {
        let shares = self.segment_shares(part)?;
        for (segment, (terms, share)) in self.segments.iter().zip(&shares).enumerate() {
            let last = part.quantity.0 == 0 && segment + 1 == self.segments.len();
            if share.0 == 0 && !last {
                continue;
            }
            let entered = portions(mode, &terms.bands, part.quantity)?;
            let numerators: Vec<i128> = entered.iter().map(|portion| portion.1.0).collect();
            let parts = ratio::apportion(share.0, &numerators, share.0, part.quantity.0.max(1))?;
            for ((band, _), portion) in entered.iter().zip(parts) {
                tally.portion(RowKind::Usage, (segment, *band), &terms.bands[*band], Fixed(portion))?;
            }
        }
        Ok(())
    }

    /// The quantity's shares by segment: by what they used, a level's by time; they sum to the quantity (PRICING §9).
    fn segment_shares(&self, part: &Part) -> Result<Vec<Quantity>, Overflow> {
        let mut weights = vec![0i128; self.segments.len()];
        for (window, amount) in self.windows.iter().zip(&part.amounts) {
            let weight = match self.rate.statistic {
                Statistic::Mean | Statistic::Sum => *amount,
                Statistic::Peak | Statistic::P95 => i128::from(window.span.ms()),
            };
            weights[window.segment] = weights[window.segment].checked_add(weight).ok_or(Overflow)?;
        }
        let whole = weights.iter().try_fold(0i128, |sum, one| sum.checked_add(*one)).ok_or(Overflow)?;
        if whole == 0 {
            let mut shares = vec![Quantity::ZERO; weights.len()];
            if let Some(last) = shares.last_mut() {
                *last = part.quantity;
            }
            return Ok(shares);
        }
        let of_time = matches!(self.rate.statistic, Statistic::Peak | Statistic::P95);
        let (factor, denominator) = if self.rate.round_quantity.is_some() || of_time {
            (part.quantity.0, whole)
        } else {
            (Quantity::ONE.0, part.fraction.denominator)
        };
        let shares = ratio::apportion(part.quantity.0, &weights, factor, denominator)?;
        Ok(shares.into_iter().map(Fixed).collect())
    }

    /// Plain bands by day: each window's mean is split, portions weighted by time (PRICING §5).
    fn by_day(&self, part: &Part, tally: &mut Tally) -> Result<(), Overflow> {
        let scale = Scale::new(part.fraction.denominator, self.period_ms, 0)?;
        let portions = self.portions(&self.stretches(part, false), &scale)?;
        let mut sum = Quantity::ZERO;
        for &(segment, band, portion) in &portions {
            sum = sum.plus(portion)?;
            let only = part.quantity.0 == 0 && segment + 1 == self.segments.len() && band == 0;
            if portion.0 != 0 || only {
                tally.portion(RowKind::Usage, (segment, band), &self.segments[segment].bands[band], portion)?;
            }
        }
        assert_eq!(sum, part.quantity, "I12: the bands' portions are not the quantity of line {}", self.line.id);
        Ok(())
    }

    /// A commitment in full, and what lies above it (PRICING §6).
    fn committed(&self, part: &Part, by_day: bool, tally: &mut Tally) -> Result<(), Overflow> {
        let by_day = by_day && matches!(self.rate.statistic, Statistic::Mean | Statistic::Sum);
        let places = percent_places(self.segments.iter().flat_map(|terms| terms.book_bands));
        let scale = Scale::new(part.fraction.denominator, self.period_ms, places)?;
        let portions =
            if by_day { self.portions(&self.stretches(part, true), &scale)? } else { self.as_one(part, &scale)? };
        let mut over = vec![Quantity::ZERO; self.segments.len()];
        for &(segment, band, portion) in &portions {
            over[segment] = over[segment].plus(portion)?;
            if portion.0 != 0 {
                tally.portion(RowKind::Overage, (segment, band), &self.segments[segment].bands[band], portion)?;
            }
        }
        let used = self.segment_shares(part)?;
        for (segment, quantity) in self.commitments()?.into_iter().enumerate() {
            let used = used[segment].minus(over[segment])?.clamp(Quantity::ZERO, quantity);
            tally.commitment(segment, self.segments[segment].committed, quantity, used)?;
        }
        Ok(())
    }

    /// Overage of the period as one window, with the commitment prorated; segments pay their shares of it (PRICING §6, §9).
    fn as_one(&self, part: &Part, scale: &Scale) -> Result<Vec<(usize, usize, Quantity)>, Overflow> {
        let base = self.windows.iter().try_fold(0i128, |sum, window| sum.checked_add(window.base)).ok_or(Overflow)?;
        let used = match self.rate.round_quantity {
            None => part.fraction.numerator,
            Some(_) => ratio::scale(part.quantity.0, part.fraction.denominator, Quantity::ONE.0, Rounding::HalfEven)?,
        };
        let shares = self.segment_shares(part)?;
        let mut rows = Vec::new();
        for (segment, (terms, share)) in self.segments.iter().zip(&shares).enumerate() {
            let stretch = Stretch { segment: 0, used, base, edge_ms: self.period_ms };
            let split = split(&[stretch], &[terms.book_bands], scale)?;
            let whole = scale.quantities(&split[0])?;
            for (band, portion) in whole.into_iter().enumerate() {
                rows.push((segment, band, portion, *share));
            }
        }
        share_out(&rows, self.segments.len(), part.quantity)
    }

    fn stretches(&self, part: &Part, with_base: bool) -> Vec<Stretch> {
        let stretch = |(window, used): (&Window, &i128)| Stretch {
            segment: window.segment,
            used: *used,
            base: if with_base { window.base } else { 0 },
            edge_ms: window.span.ms(),
        };
        self.windows.iter().zip(&part.amounts).map(stretch).collect()
    }

    /// Portions per segment and band that sum to their rounded sum.
    fn portions(&self, stretches: &[Stretch], scale: &Scale) -> Result<Vec<(usize, usize, Quantity)>, Overflow> {
        let bands: Vec<&[Band]> = self.segments.iter().map(|terms| terms.book_bands).collect();
        let split = split(stretches, &bands, scale)?;
        let flat: Vec<i128> = split.iter().flatten().copied().collect();
        let places = split.iter().enumerate().flat_map(|(segment, bands)| (0..bands.len()).map(move |b| (segment, b)));
        Ok(places.zip(scale.quantities(&flat)?).map(|((segment, band), portion)| (segment, band, portion)).collect())
    }

    /// The commitment's quantity per segment: C × active seconds / period seconds (PRICING §6).
    fn commitments(&self) -> Result<Vec<Quantity>, Overflow> {
        let mut bases = vec![0i128; self.segments.len()];
        for window in &self.windows {
            bases[window.segment] = bases[window.segment].checked_add(window.base).ok_or(Overflow)?;
        }
        let sum = bases.iter().try_fold(0i128, |sum, one| sum.checked_add(*one)).ok_or(Overflow)?;
        let period = i128::from(self.period_ms);
        let whole = ratio::scale(sum, 1, period, Rounding::HalfEven)?;
        Ok(ratio::apportion(whole, &bases, 1, period)?.into_iter().map(Fixed).collect())
    }
}

/// Each segment's share of its own bands, the quantity being shared out in proportion to what the segments used.
fn share_out(
    rows: &[(usize, usize, Quantity, Quantity)],
    segments: usize,
    quantity: Quantity,
) -> Result<Vec<(usize, usize, Quantity)>, Overflow> {
    if segments == 1 || quantity.0 == 0 {
        return Ok(rows.iter().map(|(segment, band, portion, _)| (*segment, *band, *portion)).collect());
    }
    let mut shared = Vec::with_capacity(rows.len());
    let shares: Vec<i128> =
        (0..segments).map(|segment| rows.iter().find(|row| row.0 == segment).map_or(0, |row| row.3.0)).collect();
    let over: i128 = rows.iter().filter(|row| row.0 == 0).map(|row| row.2.0).sum();
    let totals = ratio::apportion(over, &shares, over, quantity.0)?;
    for (segment, total) in totals.into_iter().enumerate() {
        let own: Vec<_> = rows.iter().filter(|row| row.0 == segment).collect();
        let portions: Vec<i128> = own.iter().map(|row| row.2.0).collect();
        let parts = ratio::apportion(total, &portions, total, over.max(1))?;
        shared.extend(own.iter().zip(parts).map(|(row, portion)| (segment, row.1, Fixed(portion))));
    }
    Ok(shared)
}
