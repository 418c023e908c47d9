//! The month holds what it says, and the judge finds what it expects.

use std::collections::{BTreeMap, BTreeSet};

use super::fleet::{DEMO_ARRAY, FLEET, TIB};
use super::*;
use crate::core::event::{Event, Limits, content, decode, identity};
use crate::core::word::Kind;

/// 2026-10-01T00:00:00+02:00.
const START: Instant = Instant(1_790_805_600_000);
const DAY_MS: i64 = 86_400_000;

fn days(days: i64) -> DemoMonth {
    DemoMonth::new(START, START.plus_ms(days * DAY_MS), 7)
}

fn volumes<'e>(event: &'e Event<'_>) -> impl Iterator<Item = u64> + 'e {
    let used = event.readings.iter().filter(|reading| reading.kind != Kind::Array && reading.meter == "effective_used");
    used.map(|reading| reading.value)
}

fn array_used(event: &Event<'_>) -> u64 {
    let used = |reading: &&crate::core::event::Reading<'_>| {
        reading.kind == Kind::Array && reading.meter == "effective_used" && reading.tier.is_some()
    };
    event.readings.iter().find(used).unwrap().value
}

#[test]
fn it_is_the_same_again_and_counts_itself() {
    let mut month = days(3);
    let total = month.total();
    assert!(month.by_ref().eq(days(3)));
    let summary = month.summary();
    assert_eq!(summary.events, total);
    let polls = 3 * 288;
    assert_eq!(summary.accepted, 11 * polls + polls * 870 / 1000);
    assert_eq!(summary.readings, summary.accepted * 42);
    let once = [Reason::Undecodable, Reason::Value, Reason::Conflict, Reason::Future].map(|reason| (reason, 1));
    assert_eq!(summary.quarantined, BTreeMap::from(once));
    assert_eq!(summary.events, summary.accepted + summary.duplicate + 4);
    assert!(summary.duplicate > 5 && summary.out_of_order > 5, "{summary}");
    assert!(DemoMonth::new(START, START.plus_ms(DAY_MS), 8).next() != days(1).next());
}

/// What the judge would say, with an append time at the end of the month.
fn judged(event: &DemoEvent, accepted: &mut BTreeMap<u128, u64>, end: Instant) -> Disposition {
    event.record.with_raw(|raw| {
        let decoded = match decode(raw, &Limits::default()) {
            Ok(decoded) => decoded,
            Err(refusal) => return Disposition::Quarantined(refusal.reason),
        };
        assert_eq!(raw.key, Some(decoded.array.as_bytes()));
        assert_eq!(decoded.provider, event.provider);
        let identity = identity(&decoded.provider, &decoded.array, &decoded.source, &decoded.id);
        match accepted.get(&identity) {
            Some(before) if *before == content(&decoded) => return Disposition::Duplicate,
            Some(_) => return Disposition::Quarantined(Reason::Conflict),
            None => {}
        }
        if decoded.time > end {
            return Disposition::Quarantined(Reason::Future);
        }
        assert!(volumes(&decoded).sum::<u64>() <= array_used(&decoded), "{} at {}", decoded.array, decoded.time);
        accepted.insert(identity, content(&decoded));
        Disposition::Accepted
    })
}

#[test]
fn each_event_becomes_what_is_expected() {
    let end = START.plus_ms(4 * DAY_MS);
    let mut accepted = BTreeMap::new();
    for event in days(4) {
        assert_eq!(judged(&event, &mut accepted, end), event.expected);
    }
}

#[test]
fn tags_are_those_of_the_book_and_one_changes() {
    let mut tags = BTreeSet::new();
    let mut changing = BTreeSet::new();
    for event in days(2).filter(|event| event.expected == Disposition::Accepted) {
        event.record.with_raw(|raw| {
            let decoded = decode(raw, &Limits::default()).unwrap();
            for reading in decoded.readings.iter().filter(|reading| reading.kind != Kind::Array) {
                tags.insert((event.provider, reading.customer.as_deref().map(str::to_owned)));
            }
            if *decoded.array == *FLEET[0].label.id {
                changing.insert(decoded.readings[2 + 2 * 3].customer.as_deref().map(str::to_owned));
            }
        });
    }
    let tag = |provider, tag: &str| (provider, Some(tag.to_owned()));
    let all = [
        tag("northwind", "acme"),
        tag("northwind", "ACME"),
        tag("northwind", "globex"),
        tag("northwind", "umbrella"),
        ("northwind", None),
        tag("fjordcloud", "initech"),
        tag("fjordcloud", "umbrella"),
        ("fjordcloud", None),
    ];
    assert_eq!(tags, BTreeSet::from(all));
    assert_eq!(changing, ["acme", "globex"].map(|tag| Some(tag.to_owned())).into());
}

#[test]
fn the_committed_arrays_wander_around_100_tib() {
    let mut means = BTreeMap::new();
    for event in days(31).filter(|event| event.expected == Disposition::Accepted) {
        event.record.with_raw(|raw| {
            let decoded = decode(raw, &Limits::default()).unwrap();
            let committed = decoded.site.as_deref() == Some("HAM1")
                && decoded.readings[1].tier.as_deref() == Some("//Block - Premium")
                && decoded.array != DEMO_ARRAY;
            if committed {
                let day = (decoded.time.0 - START.0) / DAY_MS;
                *means.entry(day).or_insert(0.0) += array_used(&decoded) as f64 / TIB as f64 / 288.0;
            }
        });
    }
    let above: Vec<f64> = means.values().copied().filter(|mean| *mean > 101.5).collect();
    let top = above.iter().copied().fold(0.0, f64::max);
    let text = format!("{means:.1?}");
    assert!((5..=12).contains(&above.len()), "{text}");
    assert!((121.0..130.0).contains(&top), "{text}");
    assert!(means.values().all(|mean| *mean > 90.0), "{text}");
}

#[test]
fn latecomers_are_polls_of_the_silent_array() {
    let (start, end) = (Instant(1_790_805_600_000), Instant(1_793_487_600_000));
    let records = DemoMonth::new(start, end, 7).latecomers();
    assert_eq!(records.len(), LATECOMERS.len());
    assert!(records.iter().all(|record| *record.key == *FLEET[once::SILENCE.0].label.id));
    assert!(LATECOMERS.iter().all(|per_mille| *per_mille > once::SILENCE.1));
    let month: Vec<_> = DemoMonth::new(start, end, 7).collect();
    assert!(records.iter().all(|late| month.iter().all(|event| event.record != *late)), "one of them was sent in time");
}
