//! Amounts and quantities of a document, read back exactly.

use crate::core::pricing::decimal::Decimal;

/// A text that no document shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no amount of {1} places: the document was changed by hand or belongs to a later version")]
pub struct WrongAmount(pub String, pub u32);

/// An amount in minor units of so many places, with its sign.
///
/// # Errors
/// What is no decimal, or has more places.
pub fn minor(text: &str, places: u32) -> Result<i128, WrongAmount> {
    let wrong = || WrongAmount(text.to_owned(), places);
    let (size, is_negative) = text.strip_prefix('-').map_or((text, false), |size| (size, true));
    let nano = Decimal::parse(size).ok_or_else(wrong)?.nano();
    let scale = 9u32.checked_sub(places).map(|missing| 10i128.pow(missing)).ok_or_else(wrong)?;
    if nano % scale != 0 {
        return Err(wrong());
    }
    Ok(if is_negative { -(nano / scale) } else { nano / scale })
}

/// A quantity in billionths, with its sign.
///
/// # Errors
/// What is no decimal of at most 9 places.
pub fn nano(text: &str) -> Result<i128, WrongAmount> {
    minor(text, 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_their_places_and_sign() {
        assert_eq!([minor("2188.32", 2), minor("-0.05", 2), minor("41666", 0)], [Ok(218_832), Ok(-5), Ok(41_666)]);
        assert_eq!(nano("13.333333"), Ok(13_333_333_000));
        for wrong in ["2.005", "", "-", "1e3", "--1"] {
            assert!(minor(wrong, 2).is_err(), "{wrong}");
        }
    }
}
