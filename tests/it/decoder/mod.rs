//! The decoder against inputs that nobody sends by accident: no panic, no more memory and no more time than an input's size allows,
//! and whatever is taken keeps every rule.
//!
//! `make soak` runs ten million inputs; docs/TESTING.md says how long that takes.

mod event;
mod growth;
mod json;
mod mutation;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll::core::event::{Event, Limits, MAX_ID_BYTES, RawRecord, content, decision_header, decode, identity};
use plimsoll::core::ledger::digest::raw_hash;
use plimsoll::core::word::Reason;

use crate::cases::{PLAIN, check, is_soak};
use crate::memory::peak_of;
use crate::quote::random::Random;

/// Inputs of one `make test`.
const INPUTS: u64 = 20 * PLAIN;
/// A soak has five times as many for each of its comparisons: ten million with 100,000.
const SOAK_INPUTS: u64 = 5 * INPUTS;

/// Most bytes that decoding holds at once, for each byte of its input: texts that are told in an error take the most.
const BYTES_PER_BYTE: usize = 16;
/// ... and for any input at all: room for a usual poll.
const BYTES_ALWAYS: usize = 32 << 10;

/// A record as the log would give it, with what it owns.
#[derive(Clone, Debug, Default)]
struct Input {
    headers: Vec<(String, Vec<u8>)>,
    value: Vec<u8>,
}

impl Input {
    fn decode<T>(&self, limits: &Limits, look: impl FnOnce(&RawRecord<'_>, Result<Event<'_>, Reason>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let record = RawRecord { key: Some(b"k"), headers: &headers, value: &self.value };
        let (decoded, peak) = peak_of(|| decode(&record, limits));
        let size = self.value.len() + self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let most = BYTES_ALWAYS + BYTES_PER_BYTE * size;
        assert!(peak <= most, "{peak} bytes held for an input of {size}");
        let decoded = decoded.map_err(|refusal| {
            assert!(refusal.reason <= Reason::RepeatedReading, "{refusal:?}");
            assert!(!refusal.detail.is_empty() && refusal.detail.chars().count() <= 300, "{refusal:?}");
            for text in [&refusal.provider, &refusal.array, &refusal.source, &refusal.id].into_iter().flatten() {
                assert!(text.len() <= limits.id_bytes, "{refusal:?}");
            }
            refusal.reason
        });
        look(&record, decoded)
    }
}

/// Whatever is taken keeps the rules, looked at one by one.
fn keeps_the_rules(event: &Event<'_>, limits: &Limits) {
    let is_id = |text: &str| !text.is_empty() && text.len() <= limits.id_bytes;
    assert!([&event.id, &event.source, &event.provider, &event.array].into_iter().all(|text| is_id(text)), "{event:?}");
    assert!(event.site.as_deref().is_none_or(is_id) && event.readings.len() <= limits.readings, "{event:?}");
    let mut names = BTreeSet::new();
    for reading in &event.readings {
        assert!(is_id(&reading.resource) && is_id(&reading.meter) && !reading.meter.starts_with('$'), "{reading:?}");
        assert!(reading.customer.as_deref().is_none_or(is_id) && reading.tier.as_deref().is_none_or(is_id));
        assert!(names.insert((reading.kind as u8, &*reading.resource, &*reading.meter)), "{reading:?} twice");
    }
    std::hint::black_box((identity(&event.provider, &event.array, &event.source, &event.id), content(event)));
}

/// Limits as streams have them, and small ones, so that short inputs reach them.
fn limits(random: &mut Random) -> Limits {
    match random.below(4) {
        0 => Limits { event_bytes: 700, readings: 3, id_bytes: 12 },
        _ => Limits::default(),
    }
}

#[test]
fn nothing_panics_or_outgrows_its_input() {
    let (taken, refused) = (AtomicU64::new(0), [const { AtomicU64::new(0) }; Reason::ALL.len()]);
    let inputs = if is_soak() { SOAK_INPUTS } else { INPUTS };
    check("decoder: mutated events", inputs, |seed| {
        let mut random = Random::new(seed ^ 0xDEC0_DE00_0000);
        let input = mutation::input(&mut random);
        let limits = limits(&mut random);
        input.decode(&limits, |record, decoded| {
            std::hint::black_box((decision_header(record), raw_hash(record.headers, record.value)));
            match decoded {
                Ok(event) => {
                    keeps_the_rules(&event, &limits);
                    taken.fetch_add(1, Ordering::Relaxed);
                }
                Err(reason) => drop(refused[reason as usize].fetch_add(1, Ordering::Relaxed)),
            }
        });
    });
    // a fuzzer that reaches nothing proves nothing; one case alone may be of one kind
    if !is_soak() {
        let refused = refused.map(AtomicU64::into_inner);
        let reached = refused.iter().take(Reason::RepeatedReading as usize + 1).all(|count| *count > INPUTS / 1000);
        assert!(reached && taken.into_inner() > INPUTS / 10, "{refused:?}");
    }
}

/// What is lawful is taken and read as it was meant, in both modes, however it is written.
#[test]
fn a_lawful_event_is_read_as_it_was_meant() {
    check("decoder: lawful events", 10 * PLAIN, |seed| {
        let mut random = Random::new(seed ^ 0x1A3F_0000);
        let meant = event::Meant::draw(&mut random);
        let input = meant.input(&mut random);
        input.decode(&Limits::default(), |_, decoded| match decoded {
            Ok(event) => meant.compare(&event),
            Err(reason) => panic!("{reason:?}: {}", String::from_utf8_lossy(&input.value)),
        });
    });
}

/// One below, at and above each limit.
#[test]
fn the_limits_of_an_event_are_where_they_are_stated() {
    let limits = Limits::default();
    let reason = |input: &Input| input.decode(&limits, |_, decoded| decoded.map(drop));
    for (bytes, wanted) in [(-1, Ok(())), (0, Ok(())), (1, Err(Reason::OverLimit))] {
        let size = limits.event_bytes.checked_add_signed(bytes).unwrap();
        let mut value = event::plain(3).into_bytes();
        value.resize(size, b' ');
        assert_eq!(reason(&Input { headers: Vec::new(), value }), wanted, "{size} bytes");
    }
    for (more, wanted) in [(-1, Ok(())), (0, Ok(())), (1, Err(Reason::OverLimit))] {
        let readings = limits.readings.checked_add_signed(more).unwrap();
        let value = event::plain(readings).into_bytes();
        assert_eq!(reason(&Input { headers: Vec::new(), value }), wanted, "{readings} readings");
    }
    for (more, wanted) in [(-1, Ok(())), (0, Ok(())), (1, Err(Reason::OverLimit))] {
        let id = "x".repeat(MAX_ID_BYTES.checked_add_signed(more).unwrap());
        for name in ["\"r0\"", "\"i\"", "\"s\"", "\"p\"", "\"a\"", "\"m\""] {
            let value = event::plain(1).replacen(name, &format!("\"{id}\""), 1).into_bytes();
            assert_eq!(reason(&Input { headers: Vec::new(), value }), wanted, "{name} of {} bytes", id.len());
        }
    }
}
