//! A usage line's terms, priced and laid out over the windows of its period (PRICING §2, §9).

use super::charge::Charge;
use super::charge::band::{Band, Bands, Edge};
use super::charge::price::Price;
use super::decimal::Decimal;
use super::error::{RateError, at};
use super::period::Span;
use super::terms::{Segment, committed};
use super::window::length;
use crate::core::book::model::{self, Line, UsageRate};

/// A window with the terms in force in it.
pub struct Window {
    /// When.
    pub span: Span,
    /// Which segment.
    pub segment: usize,
    /// The commitment for a whole period; 0 without one.
    pub committed: Decimal,
}

/// The rates of a line's segments; they differ in prices only (PRICING §9).
pub fn rates<'book>(line: &Line, segments: &[Segment<'book>]) -> Result<Vec<&'book UsageRate>, RateError> {
    let usage = |segment: &Segment<'book>| match &segment.rate.charge {
        model::Charge::Usage(rate) => Ok(rate),
        model::Charge::Fee(_) | model::Charge::Share { .. } => Err(RateError::Changed(line.id.clone())),
    };
    let rates: Vec<&UsageRate> = segments.iter().map(usage).collect::<Result<_, _>>()?;
    if rates.windows(2).all(|pair| alike(pair[0], pair[1])) {
        Ok(rates)
    } else {
        Err(RateError::Changed(line.id.clone()))
    }
}

/// Whether two rates of one id differ in their prices only.
fn alike(one: &UsageRate, other: &UsageRate) -> bool {
    let form = |rate: &UsageRate| match &rate.price {
        model::Price::Bands { mode, by_day, .. } => (Some(*mode), *by_day),
        model::Price::Committed { overage_by_day, .. } => (None, *overage_by_day),
    };
    (&one.meter, one.of, &one.tier, &one.unit, one.statistic, one.round_quantity, form(one))
        == (&other.meter, other.of, &other.tier, &other.unit, other.statistic, other.round_quantity, form(other))
}

/// The line's charge, one element a rate, with the percents that come off (PRICING §8).
pub fn charge(line: &Line, rates: &[&UsageRate], percents: &[Decimal]) -> Result<Charge, RateError> {
    let priced = |rate: &&UsageRate| match &rate.price {
        model::Price::Bands { bands: list, .. } => Ok((Price::ZERO, bands(line, list, percents)?)),
        model::Price::Committed { price: committed, bands: list, .. } => {
            Ok((price(line, *committed, percents)?, bands(line, list, percents)?))
        }
    };
    let segments: Vec<(Price, Bands)> = rates.iter().map(priced).collect::<Result<_, RateError>>()?;
    if segments.len() > 1 && segments.iter().any(|(_, bands)| bands.have_steps()) {
        return Err(RateError::SplitPackage(line.id.clone()));
    }
    let rate = rates.last().ok_or_else(|| RateError::NoRate(line.id.clone()))?;
    let plain = |segments: Vec<(Price, Bands)>| segments.into_iter().map(|(_, bands)| bands).collect();
    Ok(match rate.price {
        model::Price::Bands { mode, by_day: false, .. } => {
            Charge::Bands { mode, found_by: None, segments: plain(segments) }
        }
        model::Price::Bands { by_day: true, .. } => Charge::BandsByDay { segments: plain(segments) },
        model::Price::Committed { overage_by_day: by_day, .. } => Charge::Committed { by_day, segments },
    })
}

fn price(line: &Line, list: rust_decimal::Decimal, percents: &[Decimal]) -> Result<Price, RateError> {
    let price = Decimal::from_decimal(list).and_then(|list| Price::less(list, percents));
    price.map_err(at(&line.id))
}

fn bands(line: &Line, list: &[model::Band], percents: &[Decimal]) -> Result<Bands, RateError> {
    let band = |band: &model::Band| {
        let up_to = match band.up_to {
            None => None,
            Some(model::Edge::Quantity(edge)) => {
                Some(Edge::Quantity(Decimal::from_decimal(edge).map_err(at(&line.id))?))
            }
            Some(model::Edge::Percent(edge)) => Some(Edge::Percent(Decimal::from_decimal(edge).map_err(at(&line.id))?)),
        };
        let per = band.per.map(Decimal::from_decimal).transpose().map_err(at(&line.id))?;
        let flat = band.flat.map(|flat| price(line, flat, percents)).transpose()?;
        let price = band.price.map_or(Ok(Price::ZERO), |list| price(line, list, percents))?;
        Ok(Band { up_to, price, per, flat })
    };
    let bands: Vec<Band> = list.iter().map(band).collect::<Result<_, RateError>>()?;
    Bands::new(bands).map_err(|fault| RateError::Bands { line: line.id.clone(), fault })
}

/// The windows with the segment and the commitment in force in each.
pub fn lay_out(
    line: &Line,
    segments: &[Segment<'_>],
    windows: &[Span],
    rate: &UsageRate,
) -> Result<Vec<Window>, RateError> {
    let is_committed = matches!(rate.price, model::Price::Committed { .. });
    let lay = |span: &Span| {
        let segment = segments.iter().rposition(|segment| segment.spans.iter().any(|own| own.holds(span.from)));
        let segment = segment.ok_or_else(|| RateError::NoRate(line.id.clone()))?;
        let committed = if is_committed { committed(line, span.from)? } else { Decimal::ZERO };
        Ok(Window { span: *span, segment, committed })
    };
    let laid: Vec<Window> = windows.iter().map(lay).collect::<Result<_, RateError>>()?;
    assert_eq!(laid.iter().map(|window| window.span.ms()).sum::<i64>(), length(windows), "I12: windows were lost");
    Ok(laid)
}
