//! Decimals as whole numbers of their last place: quantities of 6 places, prices of 9, their products of 15 (PRICING §11).

use std::fmt;

use rust_decimal::Decimal;

use super::error::Overflow;

/// A decimal of `PLACES` places, kept as a whole number of its last place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed<const PLACES: u32>(pub i128);

/// A quantity: 6 places (PRICING §4).
pub type Quantity = Fixed<6>;
/// A price: 9 places (PRICING §8).
pub type Price = Fixed<9>;
/// An exact product of a quantity and a price: 15 places (PRICING §11).
pub type Exact = Fixed<15>;

impl<const PLACES: u32> Fixed<PLACES> {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(10i128.pow(PLACES));

    /// The same decimal; an error where it has more places than these or is too great.
    pub fn from_decimal(decimal: Decimal) -> Result<Self, Overflow> {
        let decimal = decimal.normalize();
        let missing = PLACES.checked_sub(decimal.scale()).ok_or(Overflow)?;
        let scale = 10i128.checked_pow(missing).ok_or(Overflow)?;
        decimal.mantissa().checked_mul(scale).map(Self).ok_or(Overflow)
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(Overflow)
    }

    /// This decimal with its places as data.
    #[must_use]
    pub fn number(self) -> Number {
        Number { mantissa: self.0, places: PLACES }
    }
}

impl Quantity {
    /// The exact product, all 15 places of it (PRICING §11).
    pub fn times(self, price: Price) -> Result<Exact, Overflow> {
        self.0.checked_mul(price.0).map(Fixed).ok_or(Overflow)
    }
}

impl Price {
    /// A price charged a whole number of times: packages, flats (PRICING §5).
    pub fn times_whole(self, count: i128) -> Result<Exact, Overflow> {
        self.0.checked_mul(count).and_then(|product| product.checked_mul(1_000_000)).map(Fixed).ok_or(Overflow)
    }
}

impl<const PLACES: u32> fmt::Display for Fixed<PLACES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

/// A decimal whose places are data. Shown in its shortest form: no trailing zeros, no exponent, `0` and never `-0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The decimal as a whole number of its last place.
    pub mantissa: i128,
    /// How many places it has.
    pub places: u32,
}

impl Number {
    /// The same decimal.
    #[must_use]
    pub fn from_decimal(decimal: Decimal) -> Self {
        Self { mantissa: decimal.mantissa(), places: decimal.scale() }
    }

    /// With exactly its places, as amounts are shown.
    #[must_use]
    pub fn padded(self) -> String {
        let digits = format!("{:0>width$}", self.mantissa.unsigned_abs(), width = self.places as usize + 1);
        let (whole, part) = digits.split_at(digits.len() - self.places as usize);
        let sign = if self.mantissa < 0 { "-" } else { "" };
        if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let padded = self.padded();
        if padded.contains('.') {
            f.write_str(padded.trim_end_matches('0').trim_end_matches('.'))
        } else {
            f.write_str(&padded)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_form_and_padding() {
        assert_eq!(Fixed::<6>(98_333_334).to_string(), "98.333334");
        assert_eq!(Fixed::<6>(100_000_000).to_string(), "100");
        assert_eq!(Fixed::<9>(0).to_string(), "0");
        assert_eq!(Fixed::<9>(-500_000_000).to_string(), "-0.5");
        assert_eq!(Number { mantissa: 5, places: 2 }.padded(), "0.05");
        assert_eq!(Number { mantissa: -1200, places: 0 }.to_string(), "-1200");
        assert_eq!(Number { mantissa: -63, places: 2 }.padded(), "-0.63");
    }
}
