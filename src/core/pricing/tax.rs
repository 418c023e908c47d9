//! Tax at the percent that the contract states (PRICING §13); which one applies is the seller's to know.

use rust_decimal::Decimal;

use super::error::Overflow;
use super::ratio;
use super::rounding::Rounding;

/// The tax on a base in minor units, rounded once.
pub fn tax(base: i128, percent: Decimal, rounding: Rounding) -> Result<i128, Overflow> {
    let percent = percent.normalize();
    let whole = 10i128.checked_pow(percent.scale() + 2).ok_or(Overflow)?;
    ratio::scale(base, percent.mantissa(), whole, rounding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nineteen_percent() {
        assert_eq!(tax(488_000, "19".parse().unwrap(), Rounding::HalfEven), Ok(92_720));
        assert_eq!(tax(-50, "25".parse().unwrap(), Rounding::HalfUp), Ok(-13));
    }
}
