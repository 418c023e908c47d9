//! A month on the command line: the one in which periods begin.

use crate::core::programme::month::Month;

pub(super) fn month(text: &str) -> Result<Month, String> {
    Month::parse(text).ok_or_else(|| "write a month: 2026-10".to_owned())
}

/// The label of the periods that begin in a month.
pub(super) fn label(text: &str) -> Result<String, String> {
    month(text).map(|month| month.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_month_is_refused_in_words() {
        assert_eq!(month("2026-10").unwrap().to_string(), "2026-10");
        for wrong in ["", "2026", "2026-1", "2026-13", "october"] {
            assert_eq!(month(wrong).unwrap_err(), "write a month: 2026-10", "{wrong}");
            assert!(label(wrong).is_err(), "{wrong}");
        }
    }
}
