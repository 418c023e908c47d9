//! Inputs made to hurt, at a size and at four times that size: the time may grow four times, not sixteen times, and memory is bounded
//! at the greatest size that is taken.

use plimsoll::core::event::{Limits, MAX_EVENT_BYTES, RawRecord, USAGE_TYPE, decode, series_hash};
use plimsoll::core::ledger::digest::raw_hash;
use plimsoll::core::word::Kind;

use super::Input;
use super::event::plain;

/// What sixteen would be for quadratic time and four is for linear time; sorting and caches take a little more than that.
const MOST_GROWTH: f64 = 9.0;
/// Rounds of which the fastest counts: the machine is shared, and noise only ever adds.
const ROUNDS: usize = 5;

type Family = (&'static str, fn(usize) -> Input);

/// Each makes an input of about as many bytes as it is asked for.
const FAMILIES: [Family; 20] = [
    ("readings", |size| value(plain(size / 60))),
    ("white space", |size| value(plain(1) + &" ".repeat(size))),
    ("nested lists", |size| with_extension(&format!("{}1{}", "[".repeat(size / 2), "]".repeat(size / 2)))),
    ("nested lists that do not end", |size| with_extension(&"[".repeat(size))),
    ("nested objects", |size| with_extension(&format!("{}1{}", "{\"a\":".repeat(size / 6), "}".repeat(size / 6)))),
    ("nested readings", |size| with_readings(&format!("{}1{}", "[".repeat(size / 2), "]".repeat(size / 2)))),
    ("a long number", |size| with_value(&"9".repeat(size))),
    ("a long fraction", |size| with_value(&format!("0.{}1", "0".repeat(size)))),
    ("a long exponent", |size| with_value(&format!("1e{}", "0".repeat(size)))),
    ("a long text of digits", |size| with_value(&format!("\"{}\"", "1".repeat(size)))),
    ("escapes", |size| with_extension(&format!("\"{}\"", "\\u00e9".repeat(size / 6)))),
    ("escapes in an id", |size| value(plain(1).replacen("\"i\"", &format!("\"{}\"", "\\u007f".repeat(size / 6)), 1))),
    ("a text for data", |size| {
        value(plain(0).replacen("{\"provider\"", &format!("\"{}\",\"x\":{{\"y\"", "\u{7f}".repeat(size)), 1))
    }),
    ("the same key", |size| value(plain(1).replacen('{', &format!("{{{}", "\"id\":\"i\",".repeat(size / 9)), 1))),
    ("other keys", |size| {
        let keys: String = (0..size / 12).map(|number| format!("\"k{number}\":1,")).collect();
        value(plain(1).replacen('{', &format!("{{{keys}"), 1))
    }),
    ("numbers for readings", |size| with_readings(&format!("[{}1]", "1,".repeat(size / 2)))),
    ("empty readings", |size| with_readings(&format!("[{}{{}}]", "{},".repeat((size / 3).min(49_999))))),
    ("the same reading", |size| {
        with_readings(&format!(
            "[{}]",
            vec![r#"{"kind":"pod","resource":"r","meter":"m","value":-1}"#; size / 53].join(",")
        ))
    }),
    ("names that share a slot", colliding),
    ("headers", |size| {
        let headers = (0..size / 20).map(|number| (format!("CE_x{number}"), b"application".to_vec())).collect();
        Input { headers, value: plain(1).into_bytes() }
    }),
];

fn value(text: String) -> Input {
    Input { headers: Vec::new(), value: text.into_bytes() }
}

fn with_extension(json: &str) -> Input {
    value(plain(1).replacen('{', &format!("{{\"extension\":{json},"), 1))
}

fn with_value(json: &str) -> Input {
    value(plain(1).replacen("\"value\":0", &format!("\"value\":{json}"), 1))
}

fn with_readings(json: &str) -> Input {
    value(plain(0).replacen("[]", json, 1))
}

/// Readings whose hashes agree in the bits that a table of them would look at.
fn colliding(size: usize) -> Input {
    let wanted = (size / 64).min(4_000);
    let mask = (wanted * 2).next_power_of_two() as u128 - 1;
    let names = (0u64..).map(|number| format!("{number:x}"));
    let same = names.filter(|name| series_hash(Kind::Pod, name, "m") & mask == 0).take(wanted);
    let readings: Vec<String> =
        same.map(|name| format!(r#"{{"kind":"pod","resource":"{name}","meter":"m","value":1}}"#)).collect();
    with_readings(&format!("[{}]", readings.join(",")))
}

/// Nanoseconds of this thread on a processor: other work on the machine does not count.
fn processor_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec of this function's own.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds that an input takes: decoded, and hashed as a record that is put aside.
fn fastest(input: &Input) -> f64 {
    let headers: Vec<(&str, &[u8])> = input.headers.iter().map(|(name, text)| (&**name, &**text)).collect();
    let record = RawRecord { key: None, headers: &headers, value: &input.value };
    let mut best = u64::MAX;
    for _ in 0..ROUNDS {
        let started = processor_ns();
        let _ = std::hint::black_box(decode(&record, &Limits::default()));
        std::hint::black_box(raw_hash(&headers, &input.value));
        best = best.min(processor_ns() - started);
    }
    best as f64
}

#[test]
fn time_grows_with_size_and_not_with_its_square() {
    for (name, family) in FAMILIES {
        let small = 1 << 16;
        let (one, four) = (family(small), family(4 * small));
        let growth = fastest(&four) / fastest(&one).max(20_000.0);
        assert!(growth < MOST_GROWTH, "{name}: four times the bytes take {growth:.1} times the time");
    }
}

/// The measure sees what it is there to see.
#[test]
fn a_quadratic_search_would_be_seen() {
    let search = |count: u64| {
        let started = processor_ns();
        let all: Vec<u64> = (0..count).collect();
        let found =
            all.iter().filter(|one| all.iter().any(|other| std::hint::black_box(*other) == **one + count)).count();
        assert_eq!(found, 0);
        (processor_ns() - started) as f64
    };
    let least = |count| (0..ROUNDS).map(|_| search(count)).fold(f64::INFINITY, f64::min);
    assert!(least(4_000) / least(1_000) > MOST_GROWTH);
}

/// 16 MiB of each: what is held stays within the bound of every input (asserted where it is decoded), and the answer comes at once.
#[test]
fn the_greatest_inputs_are_answered_in_bounded_memory_and_time() {
    for (name, family) in FAMILIES {
        let mut input = family(MAX_EVENT_BYTES - 4096);
        input.value.truncate(MAX_EVENT_BYTES);
        let started = processor_ns();
        input.decode(&Limits::default(), |_, decoded| drop(decoded));
        let seconds = (processor_ns() - started) as f64 / 1e9;
        assert!(seconds < 10.0, "{name}: {seconds:.1} s");
    }
    assert!(plain(0).contains(USAGE_TYPE));
}
