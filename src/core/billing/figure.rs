//! A document's figures as exact numbers: what is kept as text is added and taken off without losing a digit.

use std::fmt;

use super::error::DocumentError;
use crate::core::pricing::number::Number;
use crate::core::pricing::rounding::Rounding;
use crate::core::pricing::wide::{self, Wide};

/// Places of the finest figure in documents, the unrounded amount.
const PLACES: u32 = 15;
/// Places of decimals in tables.
const TABLE_PLACES: u32 = 9;

/// A signed decimal of at most 15 places, kept as a whole number of its last place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figure(i128);

impl Figure {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The figure that a text of a document holds: digits with at most one point and one leading minus.
    ///
    /// # Errors
    /// Any other text, more than 15 places, more than 128 bits.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        Self::parsed(text).ok_or_else(|| DocumentError::Figure(text.to_owned()))
    }

    fn parsed(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(part) || part.len() > PLACES as usize {
            return None;
        }
        let part: i128 = format!("{part:0<width$}", width = PLACES as usize).parse().ok()?;
        let size = whole.parse::<i128>().ok()?.checked_mul(10i128.pow(PLACES))?.checked_add(part)?;
        Some(Self(if negative { -size } else { size }))
    }

    /// An amount in minor units of so many places.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn of_minor(minor: i128, places: u32) -> Result<Self, DocumentError> {
        let scale = PLACES.checked_sub(places).map(|missing| 10i128.pow(missing));
        let figure = scale.and_then(|scale| minor.checked_mul(scale)).map(Self);
        figure.ok_or(DocumentError::OutOfRange("an amount"))
    }

    /// The sum.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn plus(self, other: Self) -> Result<Self, DocumentError> {
        self.0.checked_add(other.0).map(Self).ok_or(DocumentError::OutOfRange("a sum"))
    }

    /// The difference.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn minus(self, other: Self) -> Result<Self, DocumentError> {
        self.0.checked_sub(other.0).map(Self).ok_or(DocumentError::OutOfRange("a difference"))
    }

    /// The sum of all texts.
    ///
    /// # Errors
    /// A text that is no figure, a sum that does not fit.
    pub fn sum<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, DocumentError> {
        texts.into_iter().try_fold(Self::ZERO, |sum, text| sum.plus(Self::parse(text)?))
    }

    /// The figure with the other sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self(-self.0)
    }

    /// Its size.
    #[must_use]
    pub fn size(self) -> Self {
        Self(self.0.abs())
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn sign(self) -> i128 {
        self.0.signum()
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `self × part / whole`, rounded once to so many places.
    ///
    /// # Errors
    /// If `whole` is not above 0, or something does not fit.
    pub fn share(self, part: Self, whole: Self, places: u32, rounding: Rounding) -> Result<Self, DocumentError> {
        let out_of_range = |_| DocumentError::OutOfRange("a share");
        let scale = PLACES.checked_sub(places).ok_or(DocumentError::OutOfRange("a share"))?;
        let share = wide::product([Wide::from(self.0), Wide::from(part.0)]).map_err(out_of_range)?;
        let unit = wide::product([Wide::from(whole.0), wide::ten(scale)]).map_err(out_of_range)?;
        let minor = wide::divide(share, unit, rounding).and_then(wide::narrow).map_err(out_of_range)?;
        Self::of_minor(minor, places)
    }

    /// The product with a figure of another meaning, all its places kept up to 15, half to even.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn times(self, other: Self) -> Result<Self, DocumentError> {
        self.share(other, Self(10i128.pow(PLACES)), PLACES, Rounding::HalfEven)
    }

    /// Whether it is to `whole` as `other` to `other_whole`, exactly.
    #[must_use]
    pub fn is_to(self, whole: Self, other: Self, other_whole: Self) -> bool {
        let product = |one: Self, two: Self| wide::product([Wide::from(one.0), Wide::from(two.0)]);
        product(self, other_whole) == product(other, whole)
    }

    /// How many times `unit` is in it, if it is a whole number of times.
    #[must_use]
    pub fn count_of(self, unit: Self) -> Option<Self> {
        if unit.0 == 0 || self.0 % unit.0 != 0 {
            return None;
        }
        (self.0 / unit.0).checked_mul(10i128.pow(PLACES)).map(Self)
    }

    /// In minor units of so many places.
    ///
    /// # Errors
    /// If it has more.
    pub fn minor(self, places: u32) -> Result<i128, DocumentError> {
        let unit = PLACES.checked_sub(places).map(|missing| 10i128.pow(missing));
        match unit {
            Some(unit) if self.0 % unit == 0 => Ok(self.0 / unit),
            _ => Err(DocumentError::Figure(self.to_string())),
        }
    }

    /// As a Decimal(38, 9) of a table holds it.
    ///
    /// # Errors
    /// If it has more places.
    pub fn billionths(self) -> Result<i128, DocumentError> {
        self.minor(TABLE_PLACES)
    }

    /// What a Decimal(38, 9) of a table holds.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn of_billionths(billionths: i128) -> Result<Self, DocumentError> {
        Self::of_minor(billionths, TABLE_PLACES)
    }

    /// As an amount with exactly so many places.
    ///
    /// # Errors
    /// If it has more.
    pub fn amount(self, places: u32) -> Result<String, DocumentError> {
        Ok(Number { mantissa: self.minor(places)?, places }.padded())
    }
}

impl fmt::Display for Figure {
    /// Its shortest form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Number { mantissa: self.0, places: PLACES }.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_documents_are_read_exactly() {
        for text in ["0", "-0.5", "3260.87", "123.0929876907", "0.000000000000001", "-99999999999999999999999"] {
            assert_eq!(Figure::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "-", ".5", "5.", "1e3", "+1", "--1", "1.0000000000000001", "1,5", "1.-5", "1٣", " 1"] {
            assert!(Figure::parse(text).is_err(), "{text}");
        }
        assert!(Figure::parse("999999999999999999999999").is_err());
    }

    #[test]
    fn amounts_have_their_places_and_no_more() {
        assert_eq!(Figure::parse("-34.4").unwrap().amount(2).unwrap(), "-34.40");
        assert_eq!(Figure::parse("41666").unwrap().amount(0).unwrap(), "41666");
        assert!(Figure::parse("0.001").unwrap().amount(2).is_err());
    }

    #[test]
    fn a_share_is_rounded_once() {
        let figure = |text: &str| Figure::parse(text).unwrap();
        let share = figure("19").share(figure("0.5"), figure("100"), 2, Rounding::HalfEven).unwrap();
        assert_eq!(share.amount(2).unwrap(), "0.10");
        let half = figure("5").share(figure("0.5"), figure("100"), 2, Rounding::HalfEven).unwrap();
        assert_eq!(half.amount(2).unwrap(), "0.02");
        assert!(figure("1").share(figure("1"), Figure::ZERO, 2, Rounding::HalfEven).is_err());
        assert_eq!(figure("10").times(figure("24.6186")).unwrap().to_string(), "246.186");
    }
}
