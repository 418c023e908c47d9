//! One part of a line: what was used, and when (PRICING §4, §10).

use crate::core::book::model::QuantityMode;
use crate::core::pricing::decimal::{Decimal, NANO};
use crate::core::pricing::error::Overflow;
use crate::core::pricing::rounding::Rounding;
use crate::core::pricing::wide::{self, Wide};

/// Billionths in a millionth: the last place of a quantity that was divided.
const MICRO: i128 = 1_000;

/// A window, or all of a period that is not looked at by window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Which segment's prices are in force in it.
    pub segment: usize,
    /// Its real milliseconds.
    pub ms: i64,
    /// The commitment in force in it, for a whole period.
    pub committed: Decimal,
    /// What was used in it, as [`Part::one`] counts; of a level its weight among the segments.
    pub used: Wide,
}

/// A part's quantity, whole and by stretch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// In time order.
    stretches: Vec<Stretch>,
    /// Σ used of a sum or mean; a level's numerator.
    used: Wide,
    /// How much of `used` is a quantity of 1.
    one: Wide,
    /// The quantity: one division, half to even at 6 places; a given one as it is (PRICING §4).
    quantity: Decimal,
    /// Where the quantity came from.
    origin: Origin,
}

/// Where a quantity came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Σ of the stretches, which are windows.
    Windows,
    /// One division, but not of a sum: a level has no time.
    Level,
    /// Written down, or rounded to a multiple, or cut down to a ceiling.
    Given,
}

/// Rounding of a quantity to a multiple, before anything else (PRICING §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiple {
    /// Of this; above 0.
    pub to: Decimal,
    /// Which way.
    pub mode: QuantityMode,
}

impl Multiple {
    /// The quantity as a multiple.
    pub fn round(&self, quantity: Decimal) -> Result<Decimal, Overflow> {
        let (quantity, to) = (quantity.wide(), self.to.wide());
        if to <= Wide::ZERO {
            return Err(Overflow);
        }
        let count = match self.mode {
            QuantityMode::Down => quantity / to,
            QuantityMode::Up => quantity / to + Wide::from(i32::from(quantity % to != Wide::ZERO)),
            QuantityMode::HalfUp => wide::divide(quantity, to, Rounding::HalfUp)?,
            QuantityMode::HalfEven => wide::divide(quantity, to, Rounding::HalfEven)?,
        };
        wide::narrow(wide::product([count, to])?).map(Decimal::from_nano)
    }
}

impl Part {
    /// What was measured by window: a mean or a sum. `one` is how much of `used` is a quantity of 1.
    pub fn windows(stretches: Vec<Stretch>, one: Wide) -> Result<Self, Overflow> {
        let used = wide::sum(stretches.iter().map(|stretch| stretch.used))?;
        Ok(Self { quantity: quantity(used, one)?, stretches, used, one, origin: Origin::Windows })
    }

    /// A level of the whole period: a peak or a percentile.
    pub fn level(stretches: Vec<Stretch>, used: Wide, one: Wide) -> Result<Self, Overflow> {
        Ok(Self { quantity: quantity(used, one)?, stretches, used, one, origin: Origin::Level })
    }

    /// A quantity that is written down.
    #[must_use]
    pub fn given(stretches: Vec<Stretch>, quantity: Decimal) -> Self {
        Self { stretches, used: quantity.wide(), one: Wide::from(NANO), quantity, origin: Origin::Given }
    }

    /// The part with its quantity rounded to a multiple; by day the mean of each window is (PRICING §4).
    pub fn rounded(self, multiple: &Multiple, by_day: bool, period_ms: i64) -> Result<Self, Overflow> {
        if !(by_day && self.by_window()) {
            let quantity = multiple.round(self.quantity)?;
            return Ok(Self::given(self.stretches, quantity));
        }
        let period = Wide::from(period_ms);
        let mut stretches = self.stretches;
        for stretch in stretches.iter_mut().filter(|stretch| stretch.ms > 0) {
            let ms = Wide::from(stretch.ms);
            let mean = quantity(wide::product([stretch.used, period])?, wide::product([self.one, ms])?)?;
            stretch.used = wide::product([multiple.round(mean)?.wide(), ms])?;
        }
        Self::windows(stretches, wide::product([Wide::from(NANO), period])?)
    }

    /// The part with at most this quantity (PRICING §6).
    #[must_use]
    pub fn at_most(self, ceiling: Decimal) -> Self {
        if self.quantity <= ceiling { self } else { Self::given(self.stretches, ceiling) }
    }

    /// The quantity.
    #[must_use]
    pub fn quantity(&self) -> Decimal {
        self.quantity
    }

    /// The stretches in time order.
    #[must_use]
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// Whether the stretches are windows that can be priced one by one.
    #[must_use]
    pub fn by_window(&self) -> bool {
        self.origin == Origin::Windows
    }

    /// Everything that was used, and how much of it is a quantity of 1.
    #[must_use]
    pub fn fraction(&self) -> (Wide, Wide) {
        (self.used, self.one)
    }

    /// The last place of the part's quantities, in billionths: millionths, but of a given quantity of more places.
    #[must_use]
    pub fn step(&self) -> i128 {
        if self.quantity.nano() % MICRO == 0 { MICRO } else { 1 }
    }

    /// The quantity's shares by segment, forced to sum to it by largest remainder (PRICING §9).
    pub fn shares(&self, segments: usize) -> Result<Vec<Decimal>, Overflow> {
        let mut weights = vec![Wide::ZERO; segments];
        for stretch in &self.stretches {
            weights[stretch.segment] = wide::plus(weights[stretch.segment], stretch.used)?;
        }
        let (step, steps) = (self.step(), self.quantity.nano() / self.step());
        let whole = wide::sum(weights.iter().copied())?;
        let shares = if whole == Wide::ZERO {
            let mut shares = vec![0; segments];
            *shares.last_mut().ok_or(Overflow)? = steps;
            shares
        } else if self.by_window() {
            let micro = Wide::from(NANO / MICRO);
            let weights = weights.into_iter().map(|weight| wide::product([weight, micro]));
            wide::apportion(steps, &weights.collect::<Result<Vec<_>, _>>()?, self.one)?
        } else {
            let weights = weights.into_iter().map(|weight| wide::product([weight, Wide::from(steps)]));
            wide::apportion(steps, &weights.collect::<Result<Vec<_>, _>>()?, whole)?
        };
        Ok(shares.into_iter().map(|share| Decimal::from_nano(share * step)).collect())
    }
}

/// One division, half to even at 6 places (PRICING §4).
fn quantity(used: Wide, one: Wide) -> Result<Decimal, Overflow> {
    let micro = wide::divide(wide::product([used, Wide::from(NANO / MICRO)])?, one, Rounding::HalfEven)?;
    let nano = wide::narrow(micro)?.checked_mul(MICRO).ok_or(Overflow)?;
    Ok(Decimal::from_nano(nano))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples() {
        let round = |quantity: &str, to: &str, mode| {
            let multiple = Multiple { to: Decimal::parse(to).unwrap(), mode };
            multiple.round(Decimal::parse(quantity).unwrap()).unwrap().to_string()
        };
        assert_eq!(round("123.456", "0.01", QuantityMode::Up), "123.46");
        assert_eq!(round("123.456", "1", QuantityMode::Down), "123");
        assert_eq!(round("14.37", "1", QuantityMode::HalfUp), "14");
        assert_eq!(round("2.5", "1", QuantityMode::HalfEven), "2");
        assert_eq!(round("2.5", "1", QuantityMode::HalfUp), "3");
        assert_eq!(round("250", "100", QuantityMode::Down), "200");
        assert_eq!(round("250", "100", QuantityMode::HalfEven), "200");
        assert_eq!(round("0", "7", QuantityMode::Up), "0");
    }
}
