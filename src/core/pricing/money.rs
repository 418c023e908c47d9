//! How exact amounts become minor units: a row's one rounding (PRICING §11).

use super::error::Overflow;
use super::exact::Exact;
use super::rounding::Rounding;

/// Places and rounding of amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// Places of the currency.
    pub places: u32,
    /// How a half is rounded.
    pub rounding: Rounding,
}

impl Money {
    /// The exact amount in minor units.
    pub fn minor(self, exact: Exact) -> Result<i128, Overflow> {
        exact.minor(self.places, self.rounding)
    }
}

#[cfg(test)]
mod tests {
    use super::super::decimal::Decimal;
    use super::*;

    fn minor(quantity: &str, price: &str, places: u32, rounding: Rounding) -> i128 {
        let dec = |text| Decimal::parse(text).unwrap();
        Money { places, rounding }.minor(Exact::product(dec(quantity), dec(price)).unwrap()).unwrap()
    }

    #[test]
    fn halves() {
        assert_eq!(minor("1", "0.125", 2, Rounding::HalfEven), 12);
        assert_eq!(minor("1", "2.675", 2, Rounding::HalfEven), 268);
        assert_eq!(minor("1", "0.125", 2, Rounding::HalfUp), 13);
        assert_eq!(minor("12.5", "3333.3", 0, Rounding::HalfEven), 41_666);
        assert_eq!(minor("10", "0.78125", 3, Rounding::HalfEven), 7_812);
        assert_eq!(minor("10", "0.78125", 3, Rounding::HalfUp), 7_813);
        assert_eq!(minor("12.5", "24.6186", 2, Rounding::HalfEven), 30_773);
    }

    #[test]
    fn halves_of_negative_amounts() {
        let minus = Exact::product(Decimal::ONE, Decimal::parse("0.125").unwrap()).unwrap().negated();
        assert_eq!(Money { places: 2, rounding: Rounding::HalfEven }.minor(minus), Ok(-12));
        assert_eq!(Money { places: 2, rounding: Rounding::HalfUp }.minor(minus), Ok(-13));
    }
}
