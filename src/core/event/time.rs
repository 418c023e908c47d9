//! Times of events: RFC 3339 with any offset and at most 3 fractional digits.

use chrono::Datelike;

use crate::core::word::Instant;

/// The instant of an RFC 3339 text; none if it is not one, is finer than a millisecond, or names a leap second.
#[must_use]
pub fn parse(text: &str) -> Option<Instant> {
    utc(text.as_bytes()).or_else(|| any(text))
}

/// The form that collectors send, `2026-10-14T08:00:00Z`, without the cost of the general one.
fn utc(text: &[u8]) -> Option<Instant> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, b'Z'] = text else {
        return None;
    };
    let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
    let (month, day) = (pair(m1, m2)? as u32, pair(d1, d2)? as u32);
    let (hour, minute, second) = (pair(h1, h2)?, pair(n1, n2)?, pair(s1, s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = chrono::NaiveDate::from_ymd_opt(year as i32, month, day)?.to_epoch_days();
    Some(Instant(((i64::from(days) * 24 + hour) * 60 + minute) * 60_000 + second * 1000))
}

fn pair(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

fn any(text: &str) -> Option<Instant> {
    let fraction = text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    // RFC 3339 has a T (or t) here; the general parser would take a space as well, and a typographic minus before the offset
    let shaped = text.is_ascii() && text.len() >= 20 && matches!(text.as_bytes()[10], b'T' | b't');
    if fraction > 3 || !shaped || text.as_bytes().get(17..19) == Some(b"60") {
        return None;
    }
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?.to_utc();
    // an offset can carry an instant out of the years that RFC 3339 can write
    (0..=9999).contains(&time.year()).then(|| Instant(time.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree_and_strange_forms_are_refused() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-10-14T08:00:00Z", Some(1_791_964_800_000)),
            ("2026-10-14T10:00:00+02:00", Some(1_791_964_800_000)),
            ("2026-10-14T08:00:00.123Z", Some(1_791_964_800_123)),
            ("2026-10-14t08:00:00.1z", Some(1_791_964_800_100)),
            ("2026-10-14T08:00:00.1234Z", None),
            ("2026-10-14 08:00:00Z", None),
            ("2026-10-14T08:00:00", None),
            ("2026-02-29T08:00:00Z", None),
            ("2026-10-14T24:00:00Z", None),
            ("2016-12-31T23:59:60Z", None),
            ("2026-10-14T08:00:00\u{2212}02:00", None),
            ("0000-01-01T00:00:00+23:59", None),
            ("9999-12-31T23:59:59-23:59", None),
            ("9999-12-31T23:59:59Z", Some(253_402_300_799_000)),
            ("2026-10-14", None),
            ("", None),
        ] {
            assert_eq!(parse(text), ms.map(Instant), "{text}");
            assert_eq!(utc(text.as_bytes()).and(any(text)), utc(text.as_bytes()), "{text}");
        }
    }
}
