//! Figures as people read them.

use super::escape::escape;
use crate::core::billing::document::{Document, DocumentType};

/// How the figures of a document are shown: a credit note says what is given back, so its figures have the other sign.
pub(super) struct Shown {
    flipped: bool,
}

impl Shown {
    pub(super) fn of(document: &Document) -> Self {
        Self { flipped: document.kind == DocumentType::CreditNote }
    }

    /// A signed figure: thousands apart, a true minus.
    pub(super) fn figure(&self, text: &str) -> String {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let nothing = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        let sign = if negative != self.flipped && !nothing { "\u{2212}" } else { "" };
        format!("{sign}{}", escape(&grouped(digits)))
    }

    /// A figure that may be none.
    pub(super) fn maybe(&self, text: Option<&str>) -> String {
        text.map(|text| self.figure(text)).unwrap_or_default()
    }

    /// A figure that a note only takes away: credits.
    pub(super) fn taken(&self, text: &str) -> String {
        Self { flipped: !self.flipped }.figure(text)
    }
}

/// A price or an edge, which has no sign to turn.
pub(super) fn plain(text: &str) -> String {
    Shown { flipped: false }.figure(text)
}

/// A unit price with at least the places that `amount` has: 24.00 beside 21.8832.
pub(super) fn priced(price: &str, amount: &str) -> String {
    let places = |text: &str| text.split_once('.').map_or(0, |(_, part)| part.len());
    let missing = places(amount).saturating_sub(places(price));
    let point = if missing > 0 && !price.contains('.') { "." } else { "" };
    plain(&format!("{price}{point}{}", "0".repeat(missing)))
}

/// Groups of three with a narrow space between. From four digits on: amounts stand in one column with longer ones.
fn grouped(digits: &str) -> String {
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    match part {
        Some(part) => grouped + "." + part,
        None => grouped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_a_credit_note_turns_their_sign() {
        assert_eq!((plain("3260.87"), plain("326.08")), ("3\u{202f}260.87".to_owned(), "326.08".to_owned()));
        assert_eq!(plain("-1234567.005"), "\u{2212}1\u{202f}234\u{202f}567.005");
        assert_eq!(plain("12345"), "12\u{202f}345");
        assert_eq!(
            (priced("24", "1.00"), priced("40.5", "1.00"), priced("21.8832", "1.00")),
            ("24.00".into(), "40.50".into(), "21.8832".into())
        );
        assert_eq!((priced("24", "1"), priced("0.5", "1.000")), ("24".into(), "0.500".into()));
        let note = Shown { flipped: true };
        assert_eq!(
            (note.figure("-34.38"), note.figure("5"), note.figure("0.00")),
            ("34.38".to_owned(), "\u{2212}5".to_owned(), "0.00".to_owned())
        );
        assert_eq!(note.taken("-1"), "\u{2212}1");
    }
}
