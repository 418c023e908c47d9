//! Whole numbers in JSON.

use serde::{Serialize, Serializer};

/// Beyond this a JSON number may lose digits in its reader.
const EXACT: u128 = 1 << 53;

/// A whole number of usage: a JSON number up to 2^53, a string of digits beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole(pub i128);

/// A whole number as a string of digits, however small, as documents have figures (INVOICE §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits(pub i128);

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(number) if self.0.unsigned_abs() <= EXACT => serializer.serialize_i64(number),
            _ => serializer.collect_str(&self.0),
        }
    }
}

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_json_readers_would_round_is_a_string() {
        let json = |number| serde_json::to_string(&Whole(number)).unwrap();
        assert_eq!(json(9_007_199_254_740_992), "9007199254740992");
        assert_eq!(json(9_007_199_254_740_993), "\"9007199254740993\"");
        assert_eq!(json(-9_007_199_254_740_993), "\"-9007199254740993\"");
        assert_eq!(json(0), "0");
    }

    #[test]
    fn digits_are_a_string_whatever_their_number() {
        let json = |number| serde_json::to_string(&Digits(number)).unwrap();
        assert_eq!(json(0), "\"0\"");
        assert_eq!(json(-7), "\"-7\"");
        assert_eq!(json(i128::MAX), format!("\"{}\"", i128::MAX));
    }
}
