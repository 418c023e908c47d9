//! Rounding: of amounts to minor units (PRICING §11) and of quantities to a multiple (PRICING §4).

use super::amount::{Exact, Quantity};
use super::error::Overflow;
use super::ratio;
use crate::core::book::model::{QuantityMode, RoundQuantity};

/// How a half is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the even neighbour.
    HalfEven,
    /// Away from zero.
    HalfUp,
}

impl Rounding {
    /// Its name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Rounding::HalfEven => "half_even",
            Rounding::HalfUp => "half_up",
        }
    }

    /// The exact amount in minor units of a currency with so many places.
    pub fn minor(self, exact: Exact, places: u32) -> Result<i128, Overflow> {
        let lost = 15u32.checked_sub(places).ok_or(Overflow)?;
        ratio::scale(exact.0, 1, 10i128.pow(lost), self)
    }
}

/// `round_quantity`: the quantity as a multiple of `to` (PRICING §4).
pub fn round_quantity(quantity: Quantity, round: &RoundQuantity) -> Result<Quantity, Overflow> {
    let to = Quantity::from_decimal(round.to)?.0;
    if to <= 0 {
        return Err(Overflow);
    }
    let floor = quantity.0.div_euclid(to);
    let multiple = match round.mode {
        QuantityMode::Down => floor,
        QuantityMode::Up => floor + i128::from(quantity.0.rem_euclid(to) != 0),
        QuantityMode::HalfUp => ratio::scale(quantity.0, 1, to, Rounding::HalfUp)?,
        QuantityMode::HalfEven => ratio::scale(quantity.0, 1, to, Rounding::HalfEven)?,
    };
    multiple.checked_mul(to).map(super::amount::Fixed).ok_or(Overflow)
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::super::amount::Fixed;
    use super::*;

    fn minor(thousandths: i128, places: u32, rounding: Rounding) -> i128 {
        rounding.minor(Fixed(thousandths * 10i128.pow(12)), places).unwrap()
    }

    #[test]
    fn halves() {
        assert_eq!(minor(125, 2, Rounding::HalfEven), 12);
        assert_eq!(minor(-125, 2, Rounding::HalfEven), -12);
        assert_eq!(minor(2_675, 2, Rounding::HalfEven), 268);
        assert_eq!(minor(125, 2, Rounding::HalfUp), 13);
        assert_eq!(minor(-125, 2, Rounding::HalfUp), -13);
        assert_eq!(minor(41_666_250, 0, Rounding::HalfEven), 41_666);
        assert_eq!(Rounding::HalfEven.minor(Fixed(7_812_500 * 10i128.pow(9)), 3), Ok(7_812));
        assert_eq!(Rounding::HalfUp.minor(Fixed(7_812_500 * 10i128.pow(9)), 3), Ok(7_813));
    }

    #[test]
    fn multiples() {
        let round = |quantity, to: &str, mode| {
            let to = to.parse::<Decimal>().unwrap();
            round_quantity(Fixed(quantity), &RoundQuantity { to, mode }).unwrap().to_string()
        };
        assert_eq!(round(123_456_000, "0.01", QuantityMode::Up), "123.46");
        assert_eq!(round(123_456_000, "1", QuantityMode::Down), "123");
        assert_eq!(round(14_370_000, "1", QuantityMode::HalfUp), "14");
        assert_eq!(round(2_500_000, "1", QuantityMode::HalfEven), "2");
        assert_eq!(round(250_000_000, "100", QuantityMode::Down), "200");
    }
}
