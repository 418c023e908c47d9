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
