//! Records that were put aside, resolved from the command line: billed once however often the commands are repeated.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;

use crate::worker::Parts;

pub fn event(id: &str, time: chrono::DateTime<chrono::Utc>) -> String {
    let time = time.format("%Y-%m-%dT%H:%M:%SZ");
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"s","type":"dev.plimsoll.usage.v1","time":"{time}","data":{{"provider":"p","array":{{"id":"a"}},"readings":[{{"resource":"v","kind":"volume","meter":"written","value":7}}]}}}}"#
    )
}

pub fn send(parts: &Parts, partition: i32, value: &str, decision: Option<&str>) {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &parts.kafka).create().unwrap();
    let mut record = BaseRecord::to("usage").partition(partition).key("a").payload(value);
    if let Some(decision) = decision {
        record = record.headers(OwnedHeaders::new().insert(Header { key: "plimsoll-decision", value: Some(decision) }));
    }
    producer.send(record).unwrap();
    producer.flush(Duration::from_secs(30)).unwrap();
}

/// What was metered in all: each accepted event adds 7.
pub fn sum(parts: &Parts) -> i64 {
    let rows = parts.lines(&[
        "usage",
        "--provider",
        "p",
        "--from",
        "2020-01-01",
        "--to",
        "2040-01-01",
        "--step",
        "period",
        "--by",
        "meter",
    ]);
    rows.first().map_or(0, |row| row["sum"].as_i64().unwrap())
}

fn states(parts: &Parts, command: &str) -> Vec<(String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or("late").to_owned();
    let rows = parts.lines(&[command, "list", "--format", "json"]);
    rows.iter().map(|row| (text(row, "reason"), text(row, "state"))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(reason, state)| ((*reason).to_owned(), (*state).to_owned())).collect()
}

#[test]
fn what_was_put_aside_is_resolved_once() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "2", "--acceptance-window", "1d"]);
    parts.publish_book("format = 1\n[meter.written]\nkind = \"delta\"\nbase = \"byte\"\n");
    // the right partition of key "a" among two
    let right = i32::try_from(plimsoll::core::event::partition_of(b"a", 2).0).unwrap();
    let now = chrono::Utc::now();
    let late = now - chrono::TimeDelta::days(3);
    send(&parts, right, &event("good", now), None);
    send(&parts, right, &event("late", late), None);
    send(&parts, right, &event("late", late), None);
    send(&parts, right, "{", None);
    send(&parts, right, &event("forged", now), Some("0"));
    send(&parts, 1 - right, &event("astray", now), None);
    parts.ok(&["run", "--until-caught-up"]);
    assert_eq!(sum(&parts), 7);
    let mut quarantined = states(&parts, "quarantine");
    quarantined.sort();
    let unresolved = [("misrouted", "unresolved"), ("undecodable", "unresolved"), ("unmatched_retry", "unresolved")];
    assert_eq!(quarantined, pairs(&unresolved));

    let dry = parts.ok(&["quarantine", "retry", "--by-reason", "misrouted", "--reason", "x", "--dry-run"]);
    assert!(dry.contains("1 records: 1 would be sent again: 1 accepted; 0 resolved before"), "{dry}");
    let dry = parts.ok(&["quarantine", "retry", "--all", "--reason", "x", "--dry-run"]);
    assert!(dry.contains("3 would be sent again: 2 accepted, 1 put aside again (undecodable)"), "{dry}");
    let counts = parts.lines(&["quarantine", "list", "--counts", "--format", "json"]);
    assert_eq!(counts.iter().map(|count| count["records"].as_u64().unwrap()).sum::<u64>(), 3, "{counts:?}");
    let table = parts.ok(&["quarantine", "list", "--by-reason", "misrouted"]);
    assert!(table.contains("position") && table.contains(&format!("usage-1/{}/0", 1 - right)), "{table}");
    let late = parts.ok(&["late", "list", "--counts"]);
    assert!(late.contains("records") && late.contains("unresolved") && late.contains('2'), "{late}");
    ends_quietly(&parts, right);
    let range = ["--from", "2026-10-01", "--to", "2026-10-02", "--step", "day"];
    let output = parts.run(&[&["usage", "--provider", "p", "--meter", "writen"], &range[..]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the price book has no meter writen; did you mean written?"), "{said}");
    for command in [&["late", "accept"][..], &["quarantine", "retry"], &["quarantine", "discard"]] {
        let output = parts.run(&[command, &["--provider", "pp", "--reason", "x"]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        assert!(said.contains("the price book has no provider pp; did you mean p?"), "{command:?}: {said}");
    }
    for refused in [
        &["usage", "--provider", "nobody", "--from", "2026-10-01", "--to", "2026-10-02", "--step", "day"][..],
        &["usage", "--provider", "p", "--from", "2026-10-02", "--to", "2026-10-01", "--step", "day"],
        &["late", "list", "--provider", "nobody"],
        &["stream", "void", "usagee"],
        &["quarantine", "retry", "--reason", "x"],
        &["quarantine", "retry", "--all", "--provider", "p", "--reason", "x"],
        &["quarantine", "discard", "--all", "--reason", " "],
        &["quarantine", "list", "--by-reason", "misroute"],
        &["late", "list", "--by-reason", "misrouted"],
        &["late", "accept", "--reason", "x"],
        &["quarantine", "show", "usage-1/0/99999"],
    ] {
        let output = parts.run(refused);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{refused:?}");
    }
    assert_eq!(
        parts.run(&["quarantine", "retry", "--by-reason", "misrouted"]).status.code(),
        Some(2),
        "a reason is needed"
    );
    for round in 0..3 {
        let told = parts.ok(&["quarantine", "retry", "--by-reason", "misrouted", "--reason", "partitioner fixed"]);
        assert!(told.contains(&format!("({} newly decided)", u64::from(round == 0))), "{told}");
    }
    parts.ok(&["quarantine", "retry", "--by-reason", "unmatched_retry", "--reason", "it was real"]);
    parts.ok(&["quarantine", "discard", "--by-reason", "undecodable", "--reason", "noise"]);
    // both copies: the second is a duplicate of the first
    parts.ok(&["late", "accept", "--provider", "p", "--reason", "the site was offline"]);
    parts.ok(&["run", "--until-caught-up"]);
    assert_eq!(sum(&parts), 4 * 7);
    let mut quarantined = states(&parts, "quarantine");
    quarantined.sort();
    let resolved = [("misrouted", "accepted"), ("undecodable", "discarded"), ("unmatched_retry", "accepted")];
    assert_eq!(quarantined, pairs(&resolved));
    let mut late = states(&parts, "late");
    late.sort();
    assert_eq!(late, pairs(&[("late", "accepted"), ("late", "duplicate")]));

    let again = parts.ok(&["quarantine", "retry", "--all", "--reason", "again"]);
    assert!(again.contains("3 records: 0 sent again (0 newly decided), 3 resolved before"), "{again}");
    let again = parts.ok(&["late", "accept", "--all", "--reason", "again"]);
    assert!(again.contains("2 records: 0 sent again"), "{again}");
    // a third copy of what was accepted by a decision is left alone, although its identity was forgotten long ago
    send(&parts, right, &event("late", now - chrono::TimeDelta::days(3)), None);
    parts.ok(&["run", "--until-caught-up"]);
    assert_eq!(sum(&parts), 4 * 7);
    // more than one batch of them, all found
    for _ in 0..150 {
        send(&parts, right, "{", None);
    }
    parts.ok(&["run", "--until-caught-up"]);
    let told = parts.ok(&["quarantine", "discard", "--by-reason", "undecodable", "--reason", "noise"]);
    assert!(told.contains("151 records: 150 discarded, 1 resolved before"), "{told}");
    let shown = parts.ok(&["quarantine", "show", &format!("usage-1/{right}/3")]);
    assert!(shown.contains("\"undecodable\"") && shown.contains("\"noise\"") && shown.contains("key: a"), "{shown}");
}

/// Whoever reads the output may have seen enough: that is no failure, and no panic.
fn ends_quietly(parts: &Parts, right: i32) {
    let position = format!("usage-1/{right}/3");
    for arguments in [
        &["quarantine", "show", &position][..],
        &["quarantine", "list"],
        &["stream", "list"],
        &["stream", "void", "usage"],
        &["catalog", "history"],
        &["config", "show"],
        &["migrate"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = parts.command(arguments).stdout(writer).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !errors.contains("panicked"), "{arguments:?}: {} {errors}", output.status);
    }
}
