//! Records that were put aside, resolved over HTTP: by whom they concern, bounded, and billed once however often a request is repeated.

use serde_json::{Value, json};

use crate::api::Served;
use crate::aside::{event, send, sum};
use crate::worker::Parts;

const PRINCIPALS: [&str; 6] = ["operator", "provider:p", "provider:q", "vendor:v", "customer:p/c", "provider:nobody"];

const RETRY: &str = "/v1/quarantine/retry";
const DISCARD: &str = "/v1/quarantine/discard";
const ACCEPT: &str = "/v1/late/accept";

/// What was done, by outcome; outcomes of no record are left out.
fn counts(answer: &(u16, Value)) -> Vec<(String, u64)> {
    assert_eq!(answer.0, 200, "{answer:?}");
    let counts = answer.1["counts"].as_object().unwrap();
    let counts = counts.iter().map(|(name, count)| (name.clone(), count.as_u64().unwrap()));
    counts.filter(|(_, count)| *count > 0).collect()
}

fn only(name: &str, count: u64) -> Vec<(String, u64)> {
    vec![(name.to_owned(), count)]
}

fn right() -> i32 {
    i32::try_from(plimsoll::core::event::partition_of(b"a", 2).0).unwrap()
}

/// Good, misrouted twice, undecodable thrice, late once: partition and offset of each are known.
fn filled() -> Parts {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "2", "--acceptance-window", "1d"]);
    parts.publish_book("format = 1\n[meter.written]\nkind = \"delta\"\nbase = \"byte\"\n");
    let (right, now) = (right(), chrono::Utc::now());
    send(&parts, right, &event("good", now), None);
    send(&parts, right, &event("late", now - chrono::TimeDelta::days(3)), None);
    (0..3).for_each(|_| send(&parts, right, "{", None));
    (0..2).for_each(|number| send(&parts, 1 - right, &event(&format!("astray{number}"), now), None));
    parts.ok(&["run", "--until-caught-up"]);
    assert_eq!(sum(&parts), 7);
    parts
}

#[test]
fn what_was_put_aside_is_resolved_over_http_by_whom_it_concerns() {
    let parts = filled();
    let served = Served::start(&parts, &PRINCIPALS);
    who_sees_a_record(&served);
    for (path, status) in
        [("?reason=misrouted", 200), ("?reason=late", 200), ("?reason=misroute", 400), ("?array=", 400)]
    {
        assert_eq!(served.get("operator", &format!("/v1/quarantine{path}")).0, status, "{path}");
    }
    for filter in [json!({"reason": "misroute"}), json!({"array": "x".repeat(257)})] {
        let answer = served.post("provider:p", RETRY, &json!({"filter": filter, "reason": "x", "dry_run": false}));
        assert_eq!(answer.0, 400, "{answer:?}");
    }
    let misrouted = json!({"filter": {"reason": "misrouted"}, "reason": "partitioner fixed"});
    // nothing is done unless it is said that it is meant
    for _ in 0..2 {
        let answer = served.post("provider:p", RETRY, &misrouted);
        assert_eq!(counts(&answer), only("decided", 2));
        assert_eq!(answer.1["dry_run"], true);
    }
    for (principal, path) in
        ["vendor:v", "customer:p/c"].into_iter().flat_map(|who| [RETRY, DISCARD, ACCEPT].map(|path| (who, path)))
    {
        assert_eq!(served.post(principal, path, &misrouted).0, 404, "{principal} {path}");
    }
    // another provider finds nothing, also where it names the position
    let position = format!("usage-1/{}/0", 1 - right());
    for stranger in ["provider:q", "provider:nobody"] {
        let named = json!({"positions": [position], "reason": "mine?", "dry_run": false});
        assert_eq!(counts(&served.post(stranger, RETRY, &named)), only("not_found", 1));
        let all = json!({"filter": {}, "reason": "mine?", "dry_run": false});
        assert_eq!(counts(&served.post(stranger, RETRY, &all)), []);
    }
    in_portions(&served);
    // killed or repeated: the same request, again and again, and by another hand
    let meant = json!({"filter": {"reason": "misrouted"}, "reason": "partitioner fixed", "dry_run": false});
    assert_eq!(counts(&served.post("provider:p", RETRY, &meant)), only("decided", 2));
    assert_eq!(counts(&served.post("provider:p", RETRY, &meant)), only("sent_again", 2));
    parts.ok(&["quarantine", "retry", "--by-reason", "misrouted", "--reason", "by hand"]);
    let late = json!({"filter": {"array": "a", "from": "2020-01-01", "to": "2040-01-01"}, "reason": "offline", "dry_run": false});
    assert_eq!(counts(&served.post("operator", ACCEPT, &late)), only("decided", 1));
    parts.ok(&["run", "--until-caught-up"]);
    assert_eq!(sum(&parts), 4 * 7, "each once");
    assert_eq!(counts(&served.post("provider:p", RETRY, &meant)), only("resolved_before", 2));
    assert_eq!(
        counts(&served.post("provider:p", DISCARD, &meant)),
        only("resolved_before", 2),
        "the first decision counts"
    );
    who_decided(&parts);
}

/// Operator and provider see it, with its bytes; to all others it does not exist.
fn who_sees_a_record(served: &Served) {
    let path = format!("/v1/quarantine/usage-1/{}/2", right());
    let statuses = PRINCIPALS.map(|principal| served.get(principal, &path).0);
    assert_eq!(statuses, [200, 200, 404, 404, 404, 404]);
    let statuses = PRINCIPALS.map(|principal| served.get(principal, &format!("{path}/value")).0);
    assert_eq!(statuses, [200, 200, 404, 404, 404, 404]);
    let (_, record) = served.get("provider:p", &path);
    let found = ["disposition", "reason", "key", "value"].map(|name| record[name].as_str().unwrap());
    assert_eq!(found, ["quarantined", "undecodable", "a", "{"]);
    assert_eq!((&record["is_whole"], &record["bytes"]), (&json!(true), &json!(1)));
    let late = served.get("operator", &format!("/v1/quarantine/usage-1/{}/1", right())).1;
    assert_eq!((&late["disposition"], &late["reason"]), (&json!("late"), &Value::Null));
    for nothing in ["usage-1/0/77", "usage-1/0/x", "usage-2/0/0"] {
        let (status, _) = served.get("operator", &format!("/v1/quarantine/{nothing}"));
        assert!(status == 404 || (status == 400 && nothing.ends_with('x')), "{nothing}: {status}");
    }
}

/// Three records in portions of two: each once, and a cursor is good for its own question only.
fn in_portions(served: &Served) {
    let noise = |cursor: &Value, dry_run: bool| json!({"filter": {"reason": "undecodable"}, "reason": "noise", "limit": 2, "cursor": cursor, "dry_run": dry_run});
    let first = served.post("provider:p", DISCARD, &noise(&Value::Null, false));
    assert_eq!(counts(&first), only("decided", 2));
    let cursor = &first.1["next_cursor"];
    assert_eq!(served.post("provider:p", RETRY, &noise(cursor, false)).0, 400);
    let second = served.post("provider:p", DISCARD, &noise(cursor, false));
    assert_eq!((counts(&second), &second.1["next_cursor"]), (only("decided", 1), &Value::Null));
    assert_eq!(counts(&served.post("operator", DISCARD, &noise(&Value::Null, true))), only("resolved_before", 2));
}

/// Decisions name who made them and why.
fn who_decided(parts: &Parts) {
    let count = |condition: &str| parts.number(&format!("SELECT count() FROM decision FINAL WHERE {condition}"));
    assert_eq!(count("kind = 'RecordResent' AND actor = 'provider:p' AND body LIKE '%partitioner fixed%'"), 2);
    assert_eq!(count("kind = 'RecordResent' AND actor = 'operator' AND body LIKE '%offline%'"), 1);
    assert_eq!(count("kind = 'RecordDiscarded' AND actor = 'provider:p'"), 3);
    assert_eq!(count("kind LIKE 'Record%'"), 6);
}
