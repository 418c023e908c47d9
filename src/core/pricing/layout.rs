//! A usage line's terms, priced and laid out over the windows of its period (PRICING §2, §9).

use super::amount::{Price, Quantity};
use super::bands::{self, PricedBand};
use super::discount::{Discount, net};
use super::error::{Overflow, RateError, at};
use super::period::Span;
use super::terms::{Segment, committed};
use super::window::length;
use crate::core::book::model::{Band, Charge, Edge, Line, Price as BookPrice, UsageRate};

/// A window with the terms in force in it.
pub struct Window {
    /// When.
    pub span: Span,
    /// Which segment.
    pub segment: usize,
    /// Commitment in millionths · milliseconds.
    pub base: i128,
}

/// The prices of a segment.
pub struct Terms<'book> {
    /// The rate.
    pub rate: &'book UsageRate,
    /// Its bands, with edges in percent.
    pub book_bands: &'book [Band],
    /// Its bands, with net prices.
    pub bands: Vec<PricedBand>,
    /// List and net price of a committed unit.
    pub committed: (Price, Price),
}

/// The prices of a segment of a usage line.
pub fn terms<'book>(line: &Line, segment: &Segment<'book>, discounts: &[Discount]) -> Result<Terms<'book>, RateError> {
    let Charge::Usage(rate) = &segment.rate.charge else { return Err(RateError::Changed(line.id.clone())) };
    let (book_bands, committed) = match &rate.price {
        BookPrice::Bands { bands, .. } => (bands, Price::ZERO),
        BookPrice::Committed { bands, price, .. } => (bands, Price::from_decimal(*price).map_err(at(&line.id))?),
    };
    let percent = |band: &Band| matches!(band.up_to, Some(Edge::Percent(_)));
    if matches!(rate.price, BookPrice::Bands { .. })
        && let Some(band) = book_bands.iter().position(percent)
    {
        return Err(RateError::Band { line: line.id.clone(), band: band + 1 });
    }
    let bands = bands::priced(&line.id, book_bands, discounts)?;
    let committed = (committed, net(committed, discounts).map_err(at(&line.id))?);
    Ok(Terms { rate, book_bands, bands, committed })
}

/// Whether two rates of one id differ in their prices only.
pub fn alike(one: &UsageRate, other: &UsageRate) -> bool {
    let form = |rate: &UsageRate| match &rate.price {
        BookPrice::Bands { mode, by_day, .. } => (Some(*mode), *by_day),
        BookPrice::Committed { overage_by_day, .. } => (None, *overage_by_day),
    };
    (&one.meter, one.of, &one.tier, &one.unit, one.statistic, one.round_quantity, form(one))
        == (&other.meter, other.of, &other.tier, &other.unit, other.statistic, other.round_quantity, form(other))
}

/// The windows with the segment and the commitment in force in each.
pub fn lay_out(
    line: &Line,
    segments: &[Segment<'_>],
    windows: &[Span],
    rate: &UsageRate,
) -> Result<Vec<Window>, RateError> {
    let by_day =
        matches!(rate.price, BookPrice::Bands { by_day: true, .. } | BookPrice::Committed { overage_by_day: true, .. });
    if by_day && rate.round_quantity.is_some() {
        return Err(RateError::RoundByDay(line.id.clone()));
    }
    let is_committed = matches!(rate.price, BookPrice::Committed { .. });
    let lay = |span: &Span| {
        let segment = segments.iter().rposition(|segment| segment.spans.iter().any(|own| own.holds(span.from)));
        let segment = segment.ok_or_else(|| RateError::NoRate(line.id.clone()))?;
        let committed = if is_committed { committed(line, span.from)? } else { Quantity::ZERO };
        let base = committed.0.checked_mul(i128::from(span.ms())).ok_or(Overflow).map_err(at(&line.id))?;
        Ok(Window { span: *span, segment, base })
    };
    let laid: Vec<Window> = windows.iter().map(lay).collect::<Result<_, RateError>>()?;
    assert_eq!(laid.iter().map(|window| window.span.ms()).sum::<i64>(), length(windows), "I12: windows were lost");
    Ok(laid)
}
