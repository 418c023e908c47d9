//! Splitting windows over bands above a base: overage above a commitment, or a mean by day (PRICING §5, §6). All in whole
//! numbers of a common denominator; nothing is rounded before the end.

use rust_decimal::Decimal;

use super::amount::{Fixed, Quantity};
use super::error::Overflow;
use super::quantity::Fraction;
use super::ratio;
use super::rounding::Rounding;
use crate::core::book::model::{Band, Edge};

/// One window, or all of them as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Which segment's bands split it.
    pub segment: usize,
    /// What was used, as the numerator of the [`Scale`]'s fraction.
    pub used: i128,
    /// Σ commitment in millionths · milliseconds in which it is in force.
    pub base: i128,
    /// Milliseconds that a quantity edge is weighted with: the window's, or the whole period's.
    pub edge_ms: i64,
}

/// The common denominator of usage, commitments and edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// What one unit of quantity is.
    pub one: i128,
    used: i128,
    base: i128,
}

impl Scale {
    /// The scale of quantities with this denominator in a period, with room for the places of percent edges.
    pub fn new(denominator: i128, period_ms: i64, percent_places: u32) -> Result<Self, Overflow> {
        let period = i128::from(period_ms);
        let common = ratio::common(denominator, period);
        let room = 10i128.checked_pow(percent_places).ok_or(Overflow)?;
        let used = (period / common).checked_mul(Quantity::ONE.0).and_then(|n| n.checked_mul(room)).ok_or(Overflow)?;
        let base = (denominator / common).checked_mul(room).ok_or(Overflow)?;
        Ok(Self { one: denominator.checked_mul(used).ok_or(Overflow)?, used, base })
    }

    /// A quantity of the scale.
    pub fn quantity(&self, scaled: i128) -> Result<Quantity, Overflow> {
        Fraction { numerator: scaled, denominator: self.one }.quantity()
    }

    /// Scaled quantities that sum to their rounded sum by largest remainder (PRICING §11).
    pub fn quantities(&self, scaled: &[i128]) -> Result<Vec<Quantity>, Overflow> {
        let sum = scaled.iter().try_fold(0i128, |sum, one| sum.checked_add(*one)).ok_or(Overflow)?;
        let whole = self.quantity(sum)?;
        let shares = ratio::apportion(whole.0, scaled, Quantity::ONE.0, self.one)?;
        Ok(shares.into_iter().map(Fixed).collect())
    }

    fn edge(&self, edge: Edge, stretch: &Stretch) -> Result<i128, Overflow> {
        match edge {
            Edge::Quantity(edge) => {
                let edge = Quantity::from_decimal(edge)?.0;
                edge.checked_mul(i128::from(stretch.edge_ms)).and_then(|n| n.checked_mul(self.base)).ok_or(Overflow)
            }
            Edge::Percent(percent) => {
                let percent = percent.normalize();
                let whole = 10i128.checked_pow(percent.scale() + 2).ok_or(Overflow)?;
                let base = stretch.base.checked_mul(self.base).ok_or(Overflow)?;
                ratio::scale(base, percent.mantissa(), whole, Rounding::HalfEven)
            }
        }
    }
}

/// How many places percent edges need to be whole numbers of the scale.
#[must_use]
pub fn percent_places<'a>(bands: impl IntoIterator<Item = &'a Band>) -> u32 {
    let places = |band: &Band| match band.up_to {
        Some(Edge::Percent(percent)) => Decimal::normalize(&percent).scale() + 2,
        _ => 0,
    };
    bands.into_iter().map(places).max().unwrap_or(0)
}

/// What lies above the base in each band, per segment: `split[segment][band]`, scaled (PRICING §6). A stretch with nothing above
/// its base has nothing in any band.
pub fn split(stretches: &[Stretch], bands: &[&[Band]], scale: &Scale) -> Result<Vec<Vec<i128>>, Overflow> {
    let mut split: Vec<Vec<i128>> = bands.iter().map(|bands| vec![0; bands.len()]).collect();
    for stretch in stretches {
        let used = stretch.used.checked_mul(scale.used).ok_or(Overflow)?;
        let base = stretch.base.checked_mul(scale.base).ok_or(Overflow)?;
        let over = (used - base).max(0);
        let mut lower = 0;
        for (index, band) in bands[stretch.segment].iter().enumerate() {
            let upper = match band.up_to {
                Some(edge) => scale.edge(edge, stretch)?.min(over),
                None => over,
            };
            let sum = &mut split[stretch.segment][index];
            *sum = sum.checked_add((upper - lower).max(0)).ok_or(Overflow)?;
            lower = lower.max(upper);
        }
    }
    Ok(split)
}
