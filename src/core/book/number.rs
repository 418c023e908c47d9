//! Formats of document numbers: `EG-{year}-{seq:6}`. No two sellers may yield the same number.

/// Most digits to which a sequence is filled up.
const MAX_WIDTH: usize = 12;

/// One element of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    /// This character.
    Letter(char),
    /// Any digit.
    Digit,
    /// Any number of digits: a sequence grows beyond its width.
    Digits,
}

/// A format taken apart: letters, digits, `-`, `{year}` and exactly one `{seq:N}`; none if it is anything else.
fn elements(format: &str) -> Option<Vec<Element>> {
    let mut elements = Vec::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("{year}") {
            elements.extend([Element::Digit; 4]);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("{seq:") {
            let (width, after) = after.split_once('}')?;
            let width = width.parse::<usize>().ok().filter(|width| (1..=MAX_WIDTH).contains(width))?;
            elements.extend(vec![Element::Digit; width]);
            elements.push(Element::Digits);
            rest = after;
        } else if first.is_ascii_alphanumeric() || first == '-' {
            elements.push(Element::Letter(first));
            rest = &rest[1..];
        } else {
            return None;
        }
    }
    Some(elements)
}

/// The `count`-th number of a format in a year, counted from 1: a count that outgrows its width has more digits. None if the format is
/// none, or the year does not have four digits.
#[must_use]
pub fn number(format: &str, year: i32, count: u64) -> Option<String> {
    if !is_format(format) || !(0..=9999).contains(&year) {
        return None;
    }
    let mut number = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        number.push_str(before);
        match name.strip_prefix("seq:") {
            Some(width) => number.push_str(&format!("{count:0width$}", width = width.parse().ok()?)),
            None => number.push_str(&format!("{year:04}")),
        }
        rest = after;
    }
    number.push_str(rest);
    Some(number)
}

/// Whether a format has the year in it: then its numbers begin anew each year.
#[must_use]
pub fn has_year(format: &str) -> bool {
    format.contains("{year}")
}

/// Whether a seller can number documents by it.
pub(super) fn is_format(format: &str) -> bool {
    let one_sequence = |elements: Vec<Element>| elements.iter().filter(|e| **e == Element::Digits).count() == 1;
    elements(format).is_some_and(one_sequence)
}

/// Whether some text is a number of both formats.
pub(super) fn collide(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (elements(one), elements(other)) else { return false };
    let mut seen = vec![vec![false; other.len() + 1]; one.len() + 1];
    let mut open = vec![(0, 0)];
    while let Some((i, j)) = open.pop() {
        if std::mem::replace(&mut seen[i][j], true) {
            continue;
        }
        let (a, b) = (one.get(i).copied(), other.get(j).copied());
        if a.is_none() && b.is_none() {
            return true;
        }
        // a sequence may end anywhere
        if a == Some(Element::Digits) {
            open.push((i + 1, j));
        }
        if b == Some(Element::Digits) {
            open.push((i, j + 1));
        }
        if let (Some(a), Some(b)) = (a, b)
            && meet(a, b)
        {
            open.push((i + usize::from(a != Element::Digits), j + usize::from(b != Element::Digits)));
        }
    }
    false
}

/// Whether some character fits both.
fn meet(a: Element, b: Element) -> bool {
    match (a, b) {
        (Element::Letter(a), Element::Letter(b)) => a == b,
        (Element::Letter(letter), _) | (_, Element::Letter(letter)) => letter.is_ascii_digit(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_can_yield_one_number_are_told_from_those_that_cannot() {
        for (one, other, expected) in [
            ("EG-{year}-{seq:6}", "EG-{year}-{seq:5}", true),
            ("EG-{year}-{seq:6}", "NW-{year}-{seq:6}", false),
            ("A1-{seq:6}", "A2-{seq:6}", false),
            ("EG1{seq:5}", "EG{seq:6}", true),
            ("{seq:3}A{year}", "{year}A{seq:4}", true),
            ("EG{seq:6}", "EG-{seq:6}", false),
            ("EG-{year}-{seq:6}", "EG-{seq:6}", false),
            ("EG-{year}{seq:2}", "EG-{seq:8}", true),
            ("EG-{seq:1}", "EG-2026-{seq:1}", false),
        ] {
            assert_eq!(collide(one, other), expected, "{one} {other}");
            assert_eq!(collide(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn numbers_grow_beyond_their_width() {
        for (format, year, count, expected) in [
            ("EG-{year}-{seq:6}", 2026, 118, Some("EG-2026-000118")),
            ("EG-{year}-{seq:6}", 2026, 1_234_567, Some("EG-2026-1234567")),
            ("{seq:3}A{year}B", 987, 7, Some("007A0987B")),
            ("NW{seq:1}", 2026, 12, Some("NW12")),
            ("EG-{year}-{seq:6}", 10_000, 1, None),
            ("EG-{year}", 2026, 1, None),
        ] {
            assert_eq!(number(format, year, count).as_deref(), expected, "{format}");
        }
        assert!(has_year("EG-{year}-{seq:6}") && !has_year("EG-{seq:6}"));
    }

    /// No two counts of a year have one number.
    #[test]
    fn numbers_differ() {
        let numbers: std::collections::BTreeSet<_> =
            (1..2_000).map(|count| number("A{seq:2}{year}", 2026, count)).collect();
        assert_eq!(numbers.len(), 1_999);
    }

    #[test]
    fn a_format_has_one_sequence_and_no_strange_characters() {
        for good in ["EG-{year}-{seq:6}", "{seq:12}", "a{seq:1}B"] {
            assert!(is_format(good), "{good}");
        }
        for wrong in
            ["", "EG-{year}", "EG/{seq:6}", "{seq:0}", "{seq:13}", "{seq:6}{seq:6}", "{month}{seq:6}", "É{seq:2}"]
        {
            assert!(!is_format(wrong), "{wrong}");
        }
    }
}
