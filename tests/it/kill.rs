//! kill -9 of workers at random moments of a real run, two of them at a time now and then. At the end every record has one row and
//! every cell equals a reference that was computed from what was produced, by other means.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use plimsoll::load::random::hash;

use crate::worker::Parts;

const KILLS: u64 = 20;
const ARRAYS: u64 = 6;
const POLLS: u64 = 1500;
const STEP_S: i64 = 300;
const START_S: i64 = 1_790_812_800;
const HOLD_S: i64 = 7200;
const CELL_S: i64 = 900;

const BOOK: &str = r#"format = 1
[meter.used]
kind = "gauge"
base = "byte"
[meter.read]
kind = "counter"
base = "byte"
[meter.written]
kind = "delta"
base = "byte"
"#;

#[derive(Clone, Debug)]
struct Poll {
    array: u64,
    time_s: i64,
    customer: &'static str,
    values: [u64; 3],
}

/// Everything that is sent, in order: polls with disorder of minutes and hours, some of them twice.
fn polls(seed: u64) -> Vec<Poll> {
    let mut keyed: Vec<(i64, Poll)> = Vec::new();
    for number in 0..POLLS {
        for array in 0..ARRAYS {
            let luck = hash(seed, array, number);
            if luck.is_multiple_of(97) {
                continue; // a missed poll
            }
            let time_s = START_S + number as i64 * STEP_S;
            let counter = if number > 700 { number - 700 } else { number + 5000 } * 1000;
            let customer = if number > 600 { "globex" } else { "acme" };
            let poll = Poll { array, time_s, customer, values: [luck % 1_000_000, counter, luck % 777] };
            let delay = match luck % 50 {
                0 => 5 * STEP_S,
                1 if luck.is_multiple_of(11) => 60 * STEP_S,
                _ => 0,
            };
            if luck % 40 == 7 {
                keyed.push((time_s + delay + 3 * STEP_S, poll.clone()));
            }
            keyed.push((time_s + delay, poll));
        }
    }
    keyed.sort_by_key(|(at, _)| *at);
    keyed.into_iter().map(|(_, poll)| poll).collect()
}

fn event(poll: &Poll) -> (String, String) {
    let key = format!("array-{}", poll.array);
    let time = chrono::DateTime::from_timestamp(poll.time_s, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
    let readings: Vec<String> = ["used", "read", "written"]
        .iter()
        .zip(poll.values)
        .map(|(meter, value)| {
            format!(
                r#"{{"resource":"v","kind":"volume","customer":"{}","meter":"{meter}","value":{value}}}"#,
                poll.customer
            )
        })
        .collect();
    let value = format!(
        r#"{{"specversion":"1.0","id":"{time}","source":"urn:{key}","type":"dev.plimsoll.usage.v1","time":"{time}","data":{{"provider":"p","array":{{"id":"{key}","site":"S"}},"readings":[{}]}}}}"#,
        readings.join(",")
    );
    (key, value)
}

/// (array, meter, customer, cell start) -> amount: integral in byte · milliseconds, sum, or increase.
type Cells = BTreeMap<(String, String, String, i64), i128>;

fn reference(polls: &[Poll]) -> Cells {
    let mut cells = Cells::new();
    for array in 0..ARRAYS {
        let by_time: BTreeMap<i64, &Poll> = polls.iter().filter(|p| p.array == array).map(|p| (p.time_s, p)).collect();
        let all: Vec<&Poll> = by_time.into_values().collect();
        let mut add = |meter: &str, poll: &Poll, at: i64, amount: i128| {
            let key =
                (format!("array-{array}"), meter.to_owned(), poll.customer.to_owned(), at.div_euclid(CELL_S) * CELL_S);
            *cells.entry(key).or_default() += amount;
        };
        for (place, poll) in all.iter().enumerate() {
            let next = all.get(place + 1).map_or(i64::MAX, |next| next.time_s);
            // second by second, which is slow and cannot be wrong about edges
            for at in poll.time_s..next.min(poll.time_s + HOLD_S) {
                add("used", poll, at, i128::from(poll.values[0]) * 1000);
            }
            let before =
                place.checked_sub(1).map(|before| all[before]).filter(|before| poll.time_s - before.time_s <= HOLD_S);
            let increase =
                before.map_or(0, |before| poll.values[1].checked_sub(before.values[1]).unwrap_or(poll.values[1]));
            add("read", poll, poll.time_s, i128::from(increase));
            add("written", poll, poll.time_s, i128::from(poll.values[2]));
        }
    }
    cells
}

fn metered(parts: &Parts) -> Cells {
    let from = chrono::DateTime::from_timestamp(START_S, 0).unwrap().to_rfc3339();
    let to = chrono::DateTime::from_timestamp(START_S + 10 * 86_400, 0).unwrap().to_rfc3339();
    let rows = parts.lines(&[
        "usage",
        "--provider",
        "p",
        "--from",
        &from,
        "--to",
        &to,
        "--step",
        "cell",
        "--by",
        "array,customer,meter",
    ]);
    let number = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.parse::<i128>().unwrap(),
        value => i128::from(value.as_i64().unwrap()),
    };
    let mut cells = Cells::new();
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let start = chrono::DateTime::parse_from_rfc3339(&text("start")).unwrap().timestamp();
        let amount = ["integral", "sum", "increase"].iter().find_map(|key| row.get(*key)).map(number).unwrap();
        cells.insert((text("array"), text("meter"), text("customer"), start), amount);
    }
    cells
}

#[test]
fn kill_9_at_any_moment_changes_no_figure() {
    let seed = std::env::var("PLIMSOLL_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_124);
    println!("seed {seed} (PLIMSOLL_TEST_SEED repeats it)");
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "3", "--acceptance-window", "400d"]);
    let polls = polls(seed);
    let slices: Vec<&[Poll]> = polls.chunks(polls.len().div_ceil(KILLS as usize)).collect();
    for (round, slice) in slices.iter().enumerate() {
        parts.produce("usage", slice.iter().map(event));
        let luck = hash(seed, round as u64, 99);
        let worker = parts.worker();
        let second = luck.is_multiple_of(3).then(|| parts.worker());
        if round == 7 {
            parts.publish_book(BOOK); // the meters come late: what lies in the ledger is metered then
        }
        std::thread::sleep(Duration::from_millis(900 + luck % 2400));
        worker.kill();
        drop(second);
    }
    let (checkpoints, rows) =
        (parts.number("SELECT count() FROM checkpoint"), parts.number("SELECT count() FROM usage_event"));
    assert!(checkpoints >= 3 && rows > 1000, "the workers were killed before they did anything: {checkpoints}, {rows}");
    parts.ok(&["run", "--until-caught-up"]);

    let events = parts.lines(&["events", "--stream", "usage"]);
    assert_eq!(events.len(), polls.len(), "one row a record");
    let positions: BTreeSet<(u64, u64)> =
        events.iter().map(|row| (row["partition"].as_u64().unwrap(), row["offset"].as_u64().unwrap())).collect();
    assert_eq!(positions.len(), polls.len(), "one row a position");
    let distinct: HashSet<(u64, i64)> = polls.iter().map(|poll| (poll.array, poll.time_s)).collect();
    let of = |disposition: &str| events.iter().filter(|row| row["disposition"] == disposition).count();
    assert_eq!((of("accepted"), of("duplicate")), (distinct.len(), polls.len() - distinct.len()));

    let (expected, metered) = (reference(&polls), metered(&parts));
    let differing: Vec<_> = expected
        .iter()
        .filter(|(key, amount)| metered.get(*key) != Some(amount))
        .map(|(key, amount)| (key, amount, metered.get(key)))
        .take(5)
        .collect();
    assert!(differing.is_empty(), "seed {seed}: cells differ from the reference: {differing:?}");
    assert_eq!(metered.len(), expected.len(), "seed {seed}: no cell too many");
}
