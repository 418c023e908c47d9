//! Audits over several generations of a stream: what is void disturbs nobody, and rows of either generation are found and mended.

use serde_json::json;

use super::{Site, altered, has};
use crate::guards::{BOOK, Broker, CAUGHT_UP, open, polls, rules, usage};
use crate::worker::Parts;

/// A stream that was opened again with another N while workers had folded past its end: the ledger has void rows.
fn reopened() -> Site {
    let parts = Parts::start();
    let broker = Broker::of(&parts);
    open(&parts, "usage", "p", "3");
    parts.publish_book(BOOK);
    parts.produce("usage", polls("p", 0..6, 0..38).into_iter());
    parts.ok(&CAUGHT_UP);
    let end = |partition: u32| {
        let of = format!("FROM checkpoint WHERE stream = 'usage-1' AND partition = {partition}");
        parts.number(&format!("SELECT max(next_offset) {of}"))
    };
    let ends: Vec<u64> = (0..3).map(end).collect();
    parts.produce("usage", polls("p", 0..9, 38..50).into_iter());
    parts.ok(&CAUGHT_UP);
    broker.create("usage-2", 5);
    broker.decide(&json!({
        "kind": "StreamOpened", "rules": rules("usage-2", "usage-2", (2, 5), "p", 1),
        "closes": {"stream": "usage-1", "ends": ends, "reason": "more arrays"}, "actor": "test"
    }));
    parts.produce("usage-2", polls("p", 0..9, 38..60).into_iter());
    parts.ok(&CAUGHT_UP);
    assert_eq!(parts.lines(&["stream", "void", "usage-1"]).len(), 9 * 12);
    Site::of(parts)
}

#[test]
fn an_audit_sees_all_generations_of_a_stream() {
    let site = reopened();
    let figures = usage(&site.parts, "p");
    site.green();
    let accepted = |stream: &str, step: &str| {
        let row = format!("stream = '{stream}' AND disposition = 'accepted' AND array = 'array-1' AND {step}");
        let of = format!("FROM usage_event FINAL WHERE {row}");
        (
            site.number(&format!("SELECT toUInt64(any(partition)) {of}")),
            site.number(&format!("SELECT min(offset) + 5 {of}")),
        )
    };
    // below the old end, and of the new generation: one altered, one deleted, of each
    let (old, new) = (accepted("usage-1", "time < '2026-10-01 01:00:00'"), accepted("usage-2", "1"));
    for (stream, (partition, offset)) in [("usage-1", old), ("usage-2", new)] {
        let at = |offset: u64| format!("stream = '{stream}' AND partition = {partition} AND offset = {offset}");
        let more = "arrayMap(value -> value + 1, reading_value) AS reading_value";
        altered(&site, "usage_event", more, &at(offset));
        let gone = at(offset + 1);
        site.execute(&format!("DELETE FROM usage_event WHERE {gone} SETTINGS lightweight_deletes_sync = 2"));
    }
    // the bucket of an hour that void events had touched: as a worker wrote it that had not heard of the end
    let seam = "array = 'array-2' AND meter = 'written' AND hour = toDateTime('2026-10-01 03:00:00', 'UTC')";
    altered(&site, "usage_bucket", "arrayMap(amount -> amount + 7, cell_amount) AS cell_amount", seam);
    let (code, found) = site.audit(&[]);
    assert_eq!(code, 2);
    for (partition, offset) in [old, new] {
        has(&found, "usage_event", "differs", &format!("{partition} {offset}"));
        has(&found, "usage_event", "missing", &format!("{partition} {}", offset + 1));
    }
    has(&found, "usage_bucket", "differs", "array-2 written 2026-10-01T03:00:00Z");
    site.repair();
    site.green();
    assert_eq!(usage(&site.parts, "p"), figures);
}

/// The last polls of an array lie below the end and went under a checkpoint past it, and no void event is of that array: its buckets are right,
/// and count up to an offset that no cut reaches. The successor writes them again, or no period of theirs could be closed.
#[test]
fn no_bucket_is_left_past_the_end_of_a_closed_generation() {
    let parts = Parts::start();
    let broker = Broker::of(&parts);
    open(&parts, "usage", "p", "3");
    parts.publish_book(BOOK);
    parts.produce("usage", polls("p", 0..9, 0..38).into_iter());
    parts.ok(&CAUGHT_UP);
    let own = parts.number("SELECT toUInt64(any(partition)) FROM usage_event WHERE array = 'array-0'");
    let end = |partition: u64| {
        let of = format!("FROM checkpoint WHERE stream = 'usage-1' AND partition = {partition}");
        parts.number(&format!("SELECT max(next_offset) {of}")) + if partition == own { 6 } else { 0 }
    };
    let ends: Vec<u64> = (0..3).map(end).collect();
    parts.produce("usage", polls("p", 0..1, 38..44).into_iter());
    parts.produce("usage", polls("p", 1..9, 44..50).into_iter());
    parts.ok(&CAUGHT_UP);
    let past = |of: &str| {
        let end = ends[usize::try_from(own).unwrap()];
        let row = format!("stream = 'usage-1' AND partition = {own} AND as_of > {end}{of}");
        parts.number(&format!("SELECT count() FROM usage_bucket FINAL WHERE {row}"))
    };
    assert!(past(" AND array = 'array-0'") > 0, "a worker went on past the end");
    let figures = usage(&parts, "p");
    let of_first = |figures: &std::collections::BTreeMap<String, String>| {
        figures.iter().filter(|(place, _)| place.contains("array-0")).map(|(_, cell)| cell.clone()).collect::<Vec<_>>()
    };
    broker.create("usage-2", 5);
    broker.decide(&json!({
        "kind": "StreamOpened", "rules": rules("usage-2", "usage-2", (2, 5), "p", 1),
        "closes": {"stream": "usage-1", "ends": ends, "reason": "more arrays"}, "actor": "test"
    }));
    parts.produce("usage-2", polls("p", 1..9, 50..60).into_iter());
    parts.ok(&CAUGHT_UP);
    assert_eq!(past(""), 0);
    assert_eq!(of_first(&usage(&parts, "p")), of_first(&figures), "they were right");
}
