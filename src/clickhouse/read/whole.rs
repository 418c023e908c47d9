//! Whole numbers in JSON.

use serde::{Serialize, Serializer};

/// A whole number as a string of digits, however small (INVOICE §3): readers of JSON round what is beyond 2^53, and nobody should have to
/// read a field in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole(pub i128);

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_string_whatever_its_size() {
        let json = |number| serde_json::to_string(&Whole(number)).unwrap();
        assert_eq!(json(0), "\"0\"");
        assert_eq!(json(-7), "\"-7\"");
        assert_eq!(json(9_007_199_254_740_993), "\"9007199254740993\"");
        assert_eq!(json(i128::MAX), format!("\"{}\"", i128::MAX));
    }
}
