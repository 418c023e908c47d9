//! What lies above a base in each band: overage above a commitment, or a mean that is split window by window (PRICING §5, §6).
//! All in whole numbers over one denominator; nothing is rounded before the end.

use super::band::{Bands, Edge};
use crate::core::pricing::decimal::{Decimal, NANO};
use crate::core::pricing::error::Overflow;
use crate::core::pricing::rounding::Rounding;
use crate::core::pricing::wide::{self, Wide};

/// One window, or all of them as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// What was used.
    pub used: Wide,
    /// Σ commitment in billionths × milliseconds in which it is in force.
    pub base: Wide,
    /// Milliseconds that an edge in quantities is weighted with: the window's; the whole period's if it is one window.
    pub edge_ms: i64,
}

/// The common denominator of usage, commitments and edges: `one × period × 10^20`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    one: Wide,
    period: Wide,
}

impl Scale {
    /// The scale of a part in a period; `one` is how much of its usage is a quantity of 1.
    #[must_use]
    pub fn new(one: Wide, period_ms: i64) -> Self {
        Self { one, period: Wide::from(period_ms) }
    }

    /// What lies above the base of a slice in each band, scaled. A slice with nothing above its base has nothing in any band.
    pub fn split(&self, slice: &Slice, bands: &Bands) -> Result<Vec<Wide>, Overflow> {
        let used = wide::product([slice.used, self.period, wide::ten(20)])?;
        let base = wide::product([slice.base, self.one, wide::ten(11)])?;
        let over = wide::minus(used, base)?.max(Wide::ZERO);
        let (mut portions, mut lower) = (Vec::with_capacity(bands.as_slice().len()), Wide::ZERO);
        for band in bands.as_slice() {
            let upper = match band.up_to {
                None => over,
                Some(Edge::Percent(percent)) => wide::product([slice.base, self.one, percent.wide()])?.min(over),
                Some(Edge::Quantity(edge)) => {
                    let edge = wide::product([edge.wide(), Wide::from(slice.edge_ms), self.one, wide::ten(11)])?;
                    edge.min(over)
                }
            };
            portions.push(wide::minus(upper, lower)?.max(Wide::ZERO));
            lower = lower.max(upper);
        }
        Ok(portions)
    }

    /// Scaled quantities as quantities that sum to their rounded sum, by largest remainder (PRICING §11). `step` is the last place
    /// in billionths.
    pub fn quantities(&self, scaled: &[Wide], step: i128) -> Result<Vec<Decimal>, Overflow> {
        let last_place = wide::product([self.one, self.period, wide::ten(20) / Wide::from(NANO / step)])?;
        let whole = wide::divide(wide::sum(scaled.iter().copied())?, last_place, Rounding::HalfEven)?;
        let shares = wide::apportion(wide::narrow(whole)?, scaled, last_place)?;
        shares.into_iter().map(|share| share.checked_mul(step).map(Decimal::from_nano).ok_or(Overflow)).collect()
    }
}
