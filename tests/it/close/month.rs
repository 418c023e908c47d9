//! A month of random usage closed with a reason, issued, corrected twice and proved; refusals in words, and nothing written by them.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::prove::random::{corrections, polls};
use crate::prove::statement::BOOK;
use crate::quote::random::Random;
use crate::stage::shared_site;
use crate::worker::{Parts, Worker};

/// The longest wait for a worker to take in what was produced or decided.
const WAIT: Duration = Duration::from_secs(60);

const CLOSE: [&str; 7] = ["close", "--provider", "p", "--period", "2026-10", "--format", "json"];

/// Waits until workers have taken in all records of the topic.
fn caught_up(parts: &Parts, produced: u64) {
    let since = Instant::now();
    while parts.number(
        "SELECT toUInt64(sum(next)) FROM (SELECT max(next_offset) AS next FROM checkpoint GROUP BY stream, partition)",
    ) < produced
    {
        assert!(since.elapsed() < WAIT, "the worker does not catch up");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn closed(parts: &Parts, more: &[&str]) -> (Option<i32>, Vec<Value>, String) {
    let arguments: Vec<&str> = CLOSE.iter().chain(more).copied().collect();
    let output = parts.run(&arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    let objects = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code(), objects, String::from_utf8(output.stderr).unwrap())
}

fn outcomes(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["outcome"].as_str().unwrap()).collect()
}

fn proven(parts: &Parts) -> u64 {
    let output = parts.run(&["prove", "--all", "--format", "json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let summary: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(summary["documents"], summary["proven"]);
    summary["proven"].as_u64().unwrap()
}

#[test]
fn a_month_is_closed_issued_corrected_and_proved() {
    let parts = shared_site(2);
    parts.publish_book(&BOOK);
    let mut random = Random::new(7);
    let events = polls(&mut random);
    let mut produced = events.len() as u64;
    parts.produce("usage", events.into_iter());
    let worker = Worker::of(parts.command(&["run"]));
    caught_up(&parts, produced);

    // gaps of days: too little was measured of the wholesale; retail has a zone, and so a close, of its own
    let (code, objects, errors) = closed(&parts, &["--dry-run"]);
    assert_eq!((code, outcomes(&objects)), (Some(2), vec!["refused", "can_be_closed"]), "{objects:?} {errors}");
    assert_eq!(parts.number("SELECT count() FROM rating"), 0, "a dry run writes nothing");
    let (code, objects, errors) = closed(&parts, &[]);
    assert_eq!((code, outcomes(&objects)), (Some(2), vec!["refused", "closed"]), "{objects:?} {errors}");
    let holes = objects[0]["holes"].as_array().unwrap();
    assert!(!holes.is_empty() && holes.iter().all(|hole| hole["kind"] == "coverage"), "{holes:?}");
    assert!(holes[0]["text"].as_str().unwrap().contains("is below 0.95"), "{holes:?}");
    // the arrays of which something is missing are named, in words and for programs
    let named = |hole: &Value| {
        let arrays = hole["arrays"].as_array().unwrap();
        let text = hole["text"].as_str().unwrap();
        !arrays.is_empty()
            && arrays.iter().all(|one| text.contains(&format!("array {} ", one["array"].as_str().unwrap())))
    };
    assert!(holes.iter().all(named), "{holes:?}");
    let mut drafts = objects[1]["drafts"].as_array().unwrap().clone();

    let (_, objects, errors) = closed(&parts, &["--override", "arrays were off the net"]);
    assert_eq!(outcomes(&objects), ["closed", "nothing_to_correct"], "{objects:?} {errors}");
    drafts.extend(objects[0]["drafts"].as_array().unwrap().clone());
    let blocked = drafts.iter().filter(|draft| !draft["blocked"].is_null()).count();
    assert!(blocked >= 1, "nobody knows `somebody`");
    parts.ok(&["bill", "--once"]);
    // the days of September before are a period too, which closers close by themselves
    let issued = parts.number("SELECT count() FROM invoice FINAL WHERE label = '2026-10'");
    assert_eq!(issued as usize + blocked, drafts.len());
    // what it proves is kept, for who asks another process
    let kept = "SELECT countIf(proven = documents AND documents > 0 AND altered = 0) FROM proof FINAL";
    assert_eq!(parts.number(kept), 1, "a round of it proves one close");
    assert!(proven(&parts) >= drafts.len() as u64);
    assert!(parts.number(kept) >= 2, "and `prove --all` each");

    let (code, objects, _) = closed(&parts, &[]);
    assert_eq!(code, Some(2), "a second close: {objects:?}");
    assert_eq!(outcomes(&objects), ["nothing_to_correct"; 2]);

    // what comes after the cut makes the next revision, twice
    for revision in 1..=2 {
        let late = corrections(&mut random);
        produced += late.len() as u64;
        parts.produce("usage", late.into_iter());
        caught_up(&parts, produced);
        let (code, objects, errors) = closed(&parts, &[]);
        // blocked drafts wait: whoever would be corrected has to be settled first
        if outcomes(&objects).contains(&"refused") {
            let mut holes = objects.iter().flat_map(|object| object["holes"].as_array().unwrap());
            assert!(holes.all(|hole| hole["kind"] == "draft_waits"), "{objects:?}");
            for draft in parts.ok(&["drafts"]).lines().filter_map(|line| line.split_whitespace().next()) {
                parts.ok(&["discard", draft, "--reason", "nobody knows them"]);
            }
            let (code, objects, errors) = closed(&parts, &[]);
            assert_ne!(code, Some(1), "{objects:?} {errors}");
            assert!(objects.iter().all(|object| object["outcome"] != "refused"), "{objects:?}");
        } else {
            assert_eq!(code, Some(0), "revision {revision}: {objects:?} {errors}");
        }
        parts.ok(&["bill", "--once"]);
        proven(&parts);
    }
    assert!(parts.number("SELECT count() FROM invoice FINAL WHERE document_type != 'invoice'") > 0);

    // a close of which a draft lacks is not worked with: what it corrects would be billed again
    let lacking = "SELECT rating_id FROM rating GROUP BY rating_id HAVING uniqExact(contract, customer) > 1 ORDER BY rating_id LIMIT 1";
    let some = format!(
        "rating_id = ({lacking}) AND customer = (SELECT max(customer) FROM rating WHERE rating_id = ({lacking}))"
    );
    parts.execute(&format!("ALTER TABLE rating DELETE WHERE {some} SETTINGS mutations_sync = 2")).unwrap();
    let output = parts.run(&["drafts"]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && errors.contains("its drafts are not all shown (I9)"), "{errors}");
    worker.kill();
}
