//! Windows: local day ∩ contract ∩ segment of constant terms ∩ period, with their real milliseconds (PRICING §2).

use chrono_tz::Tz;

use super::period::{Span, local_day, midnight};
use crate::core::word::Instant;

/// The windows of the contract's part of a period, in time order: its local days, cut at `cuts`, where terms change.
#[must_use]
pub fn windows(zone: Tz, part: &[Span], cuts: &[Instant]) -> Vec<Span> {
    let mut windows = Vec::new();
    for &span in part {
        let mut edges = midnights(zone, span);
        edges.extend(cuts.iter().copied().filter(|cut| span.holds(*cut)));
        edges.extend([span.from, span.until]);
        edges.sort_unstable();
        edges.dedup();
        windows.extend(edges.windows(2).map(|pair| Span { from: pair[0], until: pair[1] }));
    }
    assert_eq!(length(&windows), length(part), "I12: the windows are not the contract's part of the period");
    windows
}

/// The local midnights inside a span.
fn midnights(zone: Tz, span: Span) -> Vec<Instant> {
    let Some(first) = local_day(zone, span.from) else { return Vec::new() };
    first
        .iter_days()
        .skip(1)
        .map_while(|day| midnight(zone, day))
        .take_while(|instant| *instant < span.until)
        .filter(|instant| span.holds(*instant))
        .collect()
}

/// Milliseconds of all spans together.
#[must_use]
pub fn length(spans: &[Span]) -> i64 {
    spans.iter().map(|span| span.ms()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_real_seconds() {
        let at = |text: &str| Instant(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis());
        let march = Span { from: at("2026-03-01T00:00:00+01:00"), until: at("2026-04-01T00:00:00+02:00") };
        let days = windows(chrono_tz::Europe::Berlin, &[march], &[]);
        assert_eq!(days.len(), 31);
        assert_eq!(days[28].ms(), 82_800_000);
        assert_eq!(length(&days), 2_674_800_000);
        let cut = at("2026-03-17T12:00:00+01:00");
        assert_eq!(windows(chrono_tz::Europe::Berlin, &[march], &[cut]).len(), 32);
    }

    #[test]
    fn a_skipped_midnight_starts_at_the_change() {
        let at = |text: &str| Instant(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis());
        // Beirut goes from 00:00 to 01:00 on 29 March 2026.
        let day = chrono::NaiveDate::from_ymd_opt(2026, 3, 29).unwrap();
        assert_eq!(midnight(chrono_tz::Asia::Beirut, day), Some(at("2026-03-29T01:00:00+03:00")));
    }
}
