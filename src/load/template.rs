//! Text with gaps: rendered once, then filled for each event by copying and writing digits.

use super::stamp::Stamp;

/// Stands for the time when it was measured. None of the three can stand in JSON, which escapes control characters.
pub const TIME: char = '\u{1}';
/// Stands for the time when the collector recorded it.
pub const RECORDED: char = '\u{2}';
/// Stands for the next value.
pub const VALUE: char = '\u{3}';

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    Time,
    Recorded,
    Value,
}

/// A text with gaps for times and values.
#[derive(Clone, Debug)]
pub struct Template {
    text: Vec<u8>,
    /// Where in `text` each gap is, ascending.
    gaps: Vec<(usize, Gap)>,
}

impl Template {
    /// Takes a text whose gaps are marked by [`TIME`], [`RECORDED`] and [`VALUE`].
    #[must_use]
    pub fn new(marked: &str) -> Self {
        let mut template = Self { text: Vec::with_capacity(marked.len()), gaps: Vec::new() };
        for piece in marked.split_inclusive([TIME, RECORDED, VALUE]) {
            let (text, gap) = match piece.chars().next_back() {
                Some(TIME) => (&piece[..piece.len() - 1], Some(Gap::Time)),
                Some(RECORDED) => (&piece[..piece.len() - 1], Some(Gap::Recorded)),
                Some(VALUE) => (&piece[..piece.len() - 1], Some(Gap::Value)),
                _ => (piece, None),
            };
            template.text.extend_from_slice(text.as_bytes());
            template.gaps.extend(gap.map(|gap| (template.text.len(), gap)));
        }
        template
    }

    /// How much room a filled text takes at most.
    #[must_use]
    pub fn room(&self) -> usize {
        self.text.len() + self.gaps.len() * 24
    }

    /// Appends the text with its gaps filled. Values that are not there are 0.
    pub fn fill(&self, time: &Stamp, recorded: &Stamp, values: &mut impl Iterator<Item = u64>, into: &mut Vec<u8>) {
        let mut from = 0;
        for (to, gap) in &self.gaps {
            into.extend_from_slice(&self.text[from..*to]);
            match gap {
                Gap::Time => into.extend_from_slice(time.bytes()),
                Gap::Recorded => into.extend_from_slice(recorded.bytes()),
                Gap::Value => write_number(values.next().unwrap_or_default(), into),
            }
            from = *to;
        }
        into.extend_from_slice(&self.text[from..]);
    }
}

/// "00" to "99", so that a division gives two digits.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0u8; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// Appends a number's decimal digits.
fn write_number(number: u64, into: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let (mut at, mut rest) = (digits.len(), number);
    while rest >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
        rest /= 100;
    }
    if rest > 0 || number == 0 {
        at -= 1;
        digits[at] = b'0' + rest as u8;
    }
    into.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::word::Instant;

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 10_000, 123_456, 1_234_567, u64::MAX - 1, u64::MAX] {
            let mut text = Vec::new();
            write_number(number, &mut text);
            assert_eq!(String::from_utf8(text).unwrap(), number.to_string());
        }
    }

    #[test]
    fn gaps_are_filled_in_order() {
        let template = Template::new(&format!("a{TIME}b{VALUE}{VALUE}c{RECORDED}"));
        let mut text = Vec::new();
        let stamp = |ms| Stamp::new(Instant(ms));
        template.fill(&stamp(0), &stamp(1000), &mut [7, 42].into_iter(), &mut text);
        assert_eq!(String::from_utf8(text).unwrap(), "a1970-01-01T00:00:00Zb742c1970-01-01T00:00:01Z");
    }
}
