//! An amount before it is rounded: exact, also where a fraction of a period has no finite decimals (PRICING §7, §11).

use super::decimal::Decimal;
use super::error::Overflow;
use super::number::Number;
use super::rounding::Rounding;
use super::wide::{self, Wide};

/// Places of the numerator: 9 of a price, 9 of a percent, 2 of the hundred.
const PLACES: u32 = 20;

/// Places of an unrounded amount in documents.
const SHOWN: u32 = 15;

/// `numerator / (10^20 · per)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    numerator: Wide,
    per: i64,
}

impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self { numerator: Wide::ZERO, per: 1 };

    /// Quantity × price.
    pub fn product(quantity: Decimal, price: Decimal) -> Result<Self, Overflow> {
        Ok(Self { numerator: wide::product([quantity.wide(), price.wide(), wide::ten(PLACES - 18)])?, per: 1 })
    }

    /// A price charged a whole number of times: packages, flats (PRICING §5).
    pub fn times(count: i128, price: Decimal) -> Result<Self, Overflow> {
        Ok(Self { numerator: wide::product([Wide::from(count), price.wide(), wide::ten(PLACES - 9)])?, per: 1 })
    }

    /// The part `active / period` of a value (PRICING §7).
    pub fn prorated(value: Decimal, active_ms: i64, period_ms: i64) -> Result<Self, Overflow> {
        let numerator = wide::product([value.wide(), Wide::from(active_ms), wide::ten(PLACES - 9)])?;
        if period_ms <= 0 { Err(Overflow) } else { Ok(Self { numerator, per: period_ms }) }
    }

    /// A percentage of an amount in minor units of so many places.
    pub fn percent(percent: Decimal, minor: i128, places: u32) -> Result<Self, Overflow> {
        let scale = (PLACES - 11).checked_sub(places).ok_or(Overflow)?;
        Ok(Self { numerator: wide::product([percent.wide(), Wide::from(minor), wide::ten(scale)])?, per: 1 })
    }

    /// An amount in minor units of so many places.
    pub fn whole(minor: i128, places: u32) -> Result<Self, Overflow> {
        let scale = PLACES.checked_sub(places).ok_or(Overflow)?;
        Ok(Self { numerator: wide::product([Wide::from(minor), wide::ten(scale)])?, per: 1 })
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        if self.per == other.per {
            return Ok(Self { numerator: wide::plus(self.numerator, other.numerator)?, per: self.per });
        }
        // Within one rating a part of the period is always a part of the same period, so the greater one serves both.
        let (part, whole) = if self.per == 1 { (other, self) } else { (self, other) };
        if whole.per != 1 {
            return Err(Overflow);
        }
        let raised = wide::product([whole.numerator, Wide::from(part.per)])?;
        Ok(Self { numerator: wide::plus(part.numerator, raised)?, per: part.per })
    }

    /// The amount with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { numerator: -self.numerator, per: self.per }
    }

    /// In minor units of so many places: the one rounding of a row (PRICING §11).
    pub fn minor(self, places: u32, rounding: Rounding) -> Result<i128, Overflow> {
        let scale = wide::ten(PLACES.checked_sub(places).ok_or(Overflow)?);
        let denominator = wide::product([scale, Wide::from(self.per)])?;
        wide::narrow(wide::divide(self.numerator, denominator, rounding)?)
    }

    /// As documents show it: at most 15 places, half to even.
    pub fn shown(self) -> Result<Number, Overflow> {
        Ok(Number { mantissa: self.minor(SHOWN, Rounding::HalfEven)?, places: SHOWN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn a_fraction_is_rounded_once() {
        let fee = Exact::prorated(dec("90"), 1_249_200_000, 2_674_800_000).unwrap();
        assert_eq!(fee.minor(2, Rounding::HalfEven), Ok(4_203));
        let third = Exact::prorated(dec("1"), 1, 3).unwrap();
        let whole = third.plus(third).unwrap().plus(third).unwrap();
        assert_eq!(whole.shown().unwrap().to_string(), "1");
        assert_eq!(
            whole.plus(Exact::product(dec("0.5"), dec("3")).unwrap()).unwrap().shown().unwrap().to_string(),
            "2.5"
        );
        assert_eq!(third.negated().shown().unwrap().to_string(), "-0.333333333333333");
    }

    #[test]
    fn a_percentage_of_rounded_rows() {
        let share = Exact::percent(dec("4"), 313_545, 2).unwrap();
        assert_eq!(share.shown().unwrap().to_string(), "125.418");
        assert_eq!(share.minor(2, Rounding::HalfEven), Ok(12_542));
        assert_eq!(Exact::percent(dec("25"), -50, 2).unwrap().minor(2, Rounding::HalfUp), Ok(-13));
    }
}
