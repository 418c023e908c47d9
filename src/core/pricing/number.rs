//! Decimals as documents show them.

use std::fmt;

/// A decimal whose places are data. Shown in its shortest form: no trailing zeros, no exponent, `0` and never `-0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The decimal as a whole number of its last place.
    pub mantissa: i128,
    /// How many places it has.
    pub places: u32,
}

impl Number {
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
        assert_eq!(Number { mantissa: 98_333_334, places: 6 }.to_string(), "98.333334");
        assert_eq!(Number { mantissa: 100_000_000, places: 6 }.to_string(), "100");
        assert_eq!(Number { mantissa: 0, places: 9 }.to_string(), "0");
        assert_eq!(Number { mantissa: -500_000_000, places: 9 }.to_string(), "-0.5");
        assert_eq!(Number { mantissa: 5, places: 2 }.padded(), "0.05");
        assert_eq!(Number { mantissa: -1200, places: 0 }.to_string(), "-1200");
        assert_eq!(Number { mantissa: -63, places: 2 }.padded(), "-0.63");
    }
}
