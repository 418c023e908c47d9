//! Decimals of a request or a price: 9 places, kept as whole billionths.

use std::fmt;

use super::error::Overflow;
use super::number::Number;
use super::wide::Wide;

/// A decimal of at most 9 places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i128);

/// Billionths in one.
pub const NANO: i128 = 1_000_000_000;

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(NANO);

    /// So many billionths.
    #[must_use]
    pub const fn from_nano(nano: i128) -> Self {
        Self(nano)
    }

    /// The decimal in billionths.
    #[must_use]
    pub const fn nano(self) -> i128 {
        self.0
    }

    /// The decimal in billionths, for products.
    #[must_use]
    pub fn wide(self) -> Wide {
        Wide::from(self.0)
    }

    /// The decimal that a text holds: `^(0|[1-9][0-9]{0,20})(\.[0-9]{1,9})?$`, nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, part) = match text.split_once('.') {
            Some((whole, part)) => (whole, Some(part)),
            None => (text, None),
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let leading = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || whole.len() > 21 || leading || !digits(whole) {
            return None;
        }
        let part = part.unwrap_or("0");
        if part.is_empty() || part.len() > 9 || !digits(part) {
            return None;
        }
        let whole: i128 = whole.parse().ok()?;
        let part: i128 = format!("{part:0<9}").parse().ok()?;
        Some(Self(whole * NANO + part))
    }

    /// The same decimal; an error where it has more than 9 places.
    pub fn from_decimal(decimal: rust_decimal::Decimal) -> Result<Self, Overflow> {
        let decimal = decimal.normalize();
        let missing = 9u32.checked_sub(decimal.scale()).ok_or(Overflow)?;
        decimal.mantissa().checked_mul(10i128.pow(missing)).map(Self).ok_or(Overflow)
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(Overflow)
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The decimal with its places as data.
    #[must_use]
    pub fn number(self) -> Number {
        Number { mantissa: self.0, places: 9 }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_decimals() {
        for text in ["0", "1", "0.5", "27.50", "999999999999999999999.999999999", "0.000000001"] {
            let shown = Decimal::parse(text).unwrap().to_string();
            let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
            assert_eq!(shown, short);
        }
        for text in [
            "",
            ".5",
            "5.",
            "01",
            "00",
            "-1",
            "+1",
            "1e3",
            "1.0000000001",
            "1000000000000000000000",
            " 1",
            "1,5",
            "1.٣",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
