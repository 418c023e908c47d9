//! A price before and after discounts (PRICING §8).

use crate::core::pricing::decimal::{Decimal, NANO};
use crate::core::pricing::error::Overflow;

/// A unit price, fee or flat: as written, and what is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Before discounts.
    pub list: Decimal,
    /// After them.
    pub net: Decimal,
}

impl Price {
    /// Nothing: the price of a band that has only a flat.
    pub const ZERO: Self = Self { list: Decimal::ZERO, net: Decimal::ZERO };

    /// The price after percents off, each 0 to 100: they multiply, and the product is rounded once, half to even, at 9 places.
    pub fn less(list: Decimal, percents: &[Decimal]) -> Result<Self, Overflow> {
        let mut product = Limbs::of(list)?;
        for percent in percents {
            let left = (100 * NANO).checked_sub(percent.nano()).and_then(|left| u64::try_from(left).ok());
            product.multiply(left.ok_or(Overflow)? * FACTOR);
        }
        Ok(Self { list, net: product.rounded(2 * percents.len())? })
    }
}

/// Nine decimal digits: a limb.
const LIMB: u64 = 1_000_000_000;

/// What makes a share of 100 percent in billionths, 10^11, two whole limbs.
const FACTOR: u64 = 10_000_000;

/// A decimal number of any length, lowest limb first: ten percents of 9 places make 110 digits.
struct Limbs(Vec<u64>);

impl Limbs {
    fn of(decimal: Decimal) -> Result<Self, Overflow> {
        let mut rest = u128::try_from(decimal.nano()).map_err(|_| Overflow)?;
        let mut limbs = Vec::new();
        while rest > 0 {
            limbs.push((rest % u128::from(LIMB)) as u64);
            rest /= u128::from(LIMB);
        }
        Ok(Self(limbs))
    }

    fn multiply(&mut self, factor: u64) {
        let mut carry = 0u128;
        for limb in &mut self.0 {
            let product = u128::from(*limb) * u128::from(factor) + carry;
            *limb = (product % u128::from(LIMB)) as u64;
            carry = product / u128::from(LIMB);
        }
        while carry > 0 {
            self.0.push((carry % u128::from(LIMB)) as u64);
            carry /= u128::from(LIMB);
        }
    }

    /// The number without its lowest `fraction` limbs, rounded half to even, as billionths.
    fn rounded(&self, fraction: usize) -> Result<Decimal, Overflow> {
        let (below, above) = self.0.split_at(fraction.min(self.0.len()));
        let mut whole = 0i128;
        for limb in above.iter().rev() {
            let raised = whole.checked_mul(i128::from(LIMB)).ok_or(Overflow)?;
            whole = raised.checked_add(i128::from(*limb)).ok_or(Overflow)?;
        }
        let first = if below.len() == fraction { below.last().copied().unwrap_or(0) } else { 0 };
        let rest = below.iter().rev().skip(1).any(|limb| *limb > 0);
        let half = LIMB / 2;
        let up = first > half || (first == half && (rest || whole % 2 == 1));
        Ok(Decimal::from_nano(whole + i128::from(up)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(list: &str, percents: &[&str]) -> String {
        let percents: Vec<Decimal> = percents.iter().map(|text| Decimal::parse(text).unwrap()).collect();
        Price::less(Decimal::parse(list).unwrap(), &percents).unwrap().net.to_string()
    }

    #[test]
    fn discounts_multiply() {
        assert_eq!(net("27", &["6", "3"]), "24.6186");
        assert_eq!(net("24", &["6", "3"]), "21.8832");
        assert_eq!(net("27", &[]), "27");
        assert_eq!(net("5", &["100"]), "0");
        assert_eq!(net("0", &["10"]), "0");
    }

    #[test]
    fn the_net_price_is_rounded_once_half_to_even() {
        assert_eq!(net("0.000000001", &["50"]), "0");
        assert_eq!(net("0.000000003", &["50"]), "0.000000002");
        assert_eq!(net("0.000000001", &["49.999999999"]), "0.000000001");
        assert_eq!(net("0.000000001", &["49", "1.9"]), "0.000000001");
        let ten = vec!["12.345678901"; 10];
        assert_eq!(net("999999999999999999999.999999999", &ten), "267752357829161205795.691618363");
    }

    proptest! {
        #[test]
        fn agrees_with_rationals(list in 0..10i128.pow(30), percents in prop::collection::vec(0..=100 * NANO, 0..=10)) {
            let percents: Vec<Decimal> = percents.into_iter().map(Decimal::from_nano).collect();
            let price = Price::less(Decimal::from_nano(list), &percents).unwrap();
            let mut exact = num_rational::BigRational::from_integer(list.into());
            for percent in &percents {
                exact *= num_rational::BigRational::new((100 * NANO - percent.nano()).into(), (100 * NANO).into());
            }
            let two = num_rational::BigRational::from_integer(2.into());
            let off = (exact - num_rational::BigRational::from_integer(price.net.nano().into())) * two;
            let one = num_rational::BigRational::from_integer(1.into());
            let tie = off == one || off == -one.clone();
            prop_assert!(off <= one && off >= -num_rational::BigRational::from_integer(1.into()));
            prop_assert!(!tie || price.net.nano() % 2 == 0);
        }
    }
}
