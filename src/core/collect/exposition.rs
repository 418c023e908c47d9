//! The text of an OpenMetrics or Prometheus endpoint, and whole numbers out of it without a float in between.

use std::borrow::Cow;

use super::error::ReadError;

const WHAT: &str = "the exposition";

/// One sample. Its own time and exemplars are not read: the event has the scheduled instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample<'a> {
    /// The metric's name.
    pub name: &'a str,
    /// Its labels in the order of the text.
    pub labels: Vec<(&'a str, Cow<'a, str>)>,
    /// The value as it was written.
    pub value: &'a str,
}

impl Sample<'_> {
    /// The value of a label; none where it is absent or empty, which is the same there.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        let (_, value) = self.labels.iter().find(|(label, _)| *label == name)?;
        Some(&**value).filter(|value| !value.is_empty())
    }
}

/// All samples of a text.
///
/// # Errors
/// The line that is none, or that follows the text's end.
pub fn parse(text: &str) -> Result<Vec<Sample<'_>>, ReadError> {
    let mut samples = Vec::new();
    let mut ended = false;
    for (place, line) in text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()) {
        let fault = |what: &str| ReadError::Malformed { what: WHAT, text: format!("line {}: {what}", place + 1) };
        if ended {
            return Err(fault("something follows # EOF"));
        }
        match line.strip_prefix('#') {
            Some(comment) => ended = comment.trim() == "EOF",
            None => samples.push(sample(line).ok_or_else(|| fault("no sample"))?),
        }
    }
    Ok(samples)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(|c: char| c == '{' || c.is_ascii_whitespace())?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.trim_start().strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let value = rest.split_ascii_whitespace().next()?;
    (!name.is_empty()).then_some(Sample { name, labels, value })
}

/// The labels up to the closing brace, and what follows it.
#[allow(clippy::type_complexity)] // a list and a rest; a name would say no more
fn labels(mut rest: &str) -> Option<(Vec<(&str, Cow<'_, str>)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start().trim_start_matches(',').trim_start();
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = quoted(after.trim_start().strip_prefix('"')?)?;
        labels.push((name.trim(), value));
        rest = after;
    }
}

/// The text up to the closing quote with its escapes undone, and what follows.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut plain = String::new();
    let mut escaped = false;
    for (place, c) in text.char_indices() {
        match (escaped, c) {
            (false, '"') => {
                let whole = &text[..place];
                let value = if whole.contains('\\') { Cow::Owned(plain) } else { Cow::Borrowed(whole) };
                return Some((value, &text[place + 1..]));
            }
            (false, '\\') => escaped = true,
            (true, 'n') => {
                plain.push('\n');
                escaped = false;
            }
            (_, c) => {
                plain.push(c);
                escaped = false;
            }
        }
    }
    None
}

/// The whole number that a decimal text is, exponents included: `1.74548007780351e+14`. None for a fraction, what is negative, not a
/// number, or beyond 64 bits: nothing is rounded.
#[must_use]
pub fn whole(text: &str) -> Option<u64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let mantissa = mantissa.strip_prefix('+').unwrap_or(mantissa);
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (integer.is_empty() && fraction.is_empty() && !mantissa.contains('0'))
        || !is_digits(integer)
        || !is_digits(fraction)
    {
        return None;
    }
    let digits = format!("{integer}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let value: u128 = digits.get(..39.min(digits.len())).filter(|cut| cut.len() == digits.len())?.parse().ok()?;
    let power = 10u128.checked_pow(shift.unsigned_abs())?;
    let value = match shift >= 0 {
        true => value.checked_mul(power)?,
        false if value.is_multiple_of(power) => value / power,
        false => return None,
    };
    u64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_or_none() {
        for (text, value) in [
            ("0", Some(0)),
            ("0.0", Some(0)),
            ("0e+5", Some(0)),
            ("1.74548007780351e+14", Some(174_548_007_780_351)),
            ("3.4359738368e+13", Some(34_359_738_368_000)),
            ("5.36870912E8", Some(536_870_912)),
            ("1200e-2", Some(12)),
            ("17.000", Some(17)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("1e20", None),
            ("1e400", None),
            ("0.8412", None),
            ("25.9843", None),
            ("1.5e0", None),
            ("1201e-2", None),
            ("-1", None),
            ("NaN", None),
            ("+Inf", None),
            ("", None),
            (".", None),
            ("e5", None),
            ("1e", None),
            ("1_000", None),
        ] {
            assert_eq!(whole(text), value, "{text}");
        }
    }

    #[test]
    fn labels_are_read_with_their_escapes() {
        let text = "# TYPE a gauge\na{x=\"1\",y=\"b\\\"c\\\\d\\ne\",} 5 1789372800\nb 7\n c { z = \"\" } 8\n# EOF\n";
        let samples = parse(text).unwrap();
        assert_eq!(samples.len(), 3);
        assert_eq!(samples[0].label("y"), Some("b\"c\\d\ne"));
        assert_eq!((samples[0].value, samples[1].value, samples[2].value), ("5", "7", "8"));
        assert_eq!((samples[2].name, samples[2].label("z"), samples[1].label("z")), ("c", None, None));
    }

    #[test]
    fn what_is_no_exposition_is_refused_with_its_line() {
        for (text, line) in [
            ("<html>", 1),
            ("a 1\nb", 2),
            ("a{x=\"1} 2", 1),
            ("a{x=1} 2", 1),
            ("a 1\n# EOF\nb 2", 3),
            ("{x=\"1\"} 2", 1),
        ] {
            let refused = parse(text).unwrap_err().to_string();
            assert!(refused.contains(&format!("line {line}:")), "{text:?}: {refused}");
        }
    }
}
