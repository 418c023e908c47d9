//! What is sent in any form is in the log byte for byte, where its array belongs, and is accepted by the fold.

use std::collections::BTreeMap;

use super::*;

const PARTITIONS: i32 = 7;

/// Spaces, escapes and an extension: what a copy through a parser would lose.
fn odd(array: &str, id: &str) -> String {
    let plain = event("p", array, id).to_string();
    plain.replacen('{', "{ \"extra\" :\t1e2, ", 1).replacen("\"used\"", "\"us\\u0065d\"", 1)
}

#[test]
fn each_form_arrives_byte_for_byte_and_is_accepted() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "7"]);
    parts.ok(&["stream", "open", "all", "--shared", "--partitions", "1"]);
    with_credentials(&parts);
    let door = Door::open(&parts, &[]);
    let accepted = |answer: Answer, count: usize| {
        assert_eq!((answer.status, &answer.body), (202, &json!({"accepted": count})), "{}", answer.head);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    };

    let structured = odd("a-structured", "1");
    accepted(door.send("producer:p", STRUCTURED, structured.as_bytes()), 1);
    let plainest = odd("a-plain", "1");
    accepted(door.send("provider:p", "Content-Type: application/json\r\n", plainest.as_bytes()), 1);
    let whole = event("p", "a-binary", "ignored");
    let data = format!(" {} ", whole["data"]);
    let time = whole["time"].as_str().unwrap();
    let attributes = format!(
        "ce-specversion: 1.0\r\nCe-Id: caf%C3%A9%201\r\nce-source: \"urn:\\\"q\\\"\"\r\nce-type: dev.plimsoll.usage.v1\r\nce-time: {time}\r\nce-extra: x\r\nplimsoll-decision: 0:0\r\nContent-Type: application/json; charset=utf-8\r\n"
    );
    accepted(door.send("producer:p", &attributes, data.as_bytes()), 1);
    let many: Vec<String> = (0..40).map(|n| odd(&format!("array-{}", n % 16), &format!("b{n}"))).collect();
    accepted(door.send("producer:p", BATCH, format!("[ {} ]", many.join(" ,\n")).as_bytes()), 40);
    let zipped: Vec<String> = (0..40).map(|n| odd(&format!("array-{}", n % 16), &format!("z{n}"))).collect();
    let body = gzip(format!("[{}]", zipped.join(",")).as_bytes());
    accepted(door.send("producer:p", &format!("{BATCH}Content-Encoding: gzip\r\n"), &body), 40);
    let chunked = odd("a-chunked", "1");
    let (first, second) = chunked.split_at(50);
    let body = format!("{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", first.len(), second.len());
    let head = format!("Authorization: bearer producer:p\r\nTransfer-Encoding: chunked\r\n{STRUCTURED}");
    accepted(door.raw(&head, body.as_bytes()).unwrap(), 1);
    accepted(door.send("producer:p", BATCH, b"[]"), 0);
    // the same again is lawful, and no second usage
    accepted(door.send("producer:p", STRUCTURED, structured.as_bytes()), 1);
    // of two providers, by whoever may send for both
    let both = batch([event("p", "array-0", "o1"), event("q", "elsewhere", "o2")]);
    accepted(door.send("operator", BATCH, &both), 2);
    accepted(door.send("producer:q", STRUCTURED, event("q", "elsewhere", "o3").to_string().as_bytes()), 1);

    let records = kept(&parts, "usage", PARTITIONS);
    assert_eq!((records.len(), kept(&parts, "all", 1).len()), (86, 2));
    let of = |value: &str| records.iter().filter(|kept| kept.value == value.as_bytes()).collect::<Vec<_>>();
    for value in many.iter().chain(&zipped).chain([&structured, &plainest, &chunked]) {
        let found = of(value);
        assert_eq!(found.len(), if *value == structured { 2 } else { 1 }, "{value}");
        assert_eq!(found[0].headers, [("content-type".to_owned(), "application/cloudevents+json".to_owned())]);
    }
    let binary = of(&data);
    let headers: BTreeMap<&str, &str> = binary[0].headers.iter().map(|(key, value)| (&**key, &**value)).collect();
    let expected = [
        ("ce_extra", "x"),
        ("ce_id", "café 1"),
        ("ce_source", "urn:\"q\""),
        ("ce_specversion", "1.0"),
        ("ce_time", time),
        ("ce_type", "dev.plimsoll.usage.v1"),
        ("content-type", "application/json; charset=utf-8"),
    ];
    assert_eq!((binary[0].key.as_str(), headers), ("a-binary", BTreeMap::from(expected)));
    let partitions: std::collections::BTreeSet<i32> = records.iter().map(|kept| kept.partition).collect();
    assert!(partitions.len() > 4, "{partitions:?}");

    parts.ok(&["run", "--until-caught-up"]);
    let mut found = BTreeMap::new();
    for stream in ["usage", "all"] {
        for event in parts.lines(&["events", "--stream", stream]) {
            *found.entry(event["disposition"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(found, BTreeMap::from([("accepted".to_owned(), 87), ("duplicate".to_owned(), 1)]));
    assert_eq!(door.metric("plimsoll_gateway_accepted_events_total", "credential=\"producer:p\"") as u64, 84);
    assert_eq!(door.metric("plimsoll_gateway_in_flight_bytes", "") as u64, 0);
}

/// A stream that is opened while the gateway runs is used; a provider without one is told so.
#[test]
fn a_provider_without_a_stream_is_told_so_until_it_has_one() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "1"]);
    with_credentials(&parts);
    let door = Door::open(&parts, &[]);
    let send = || door.send("producer:q", STRUCTURED, event("q", "a", "1").to_string().as_bytes());
    let answer = send();
    assert_eq!((answer.status, answer.code()), (409, "no_stream"), "{answer:?}");
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("plimsoll stream open"), "{answer:?}");
    parts.ok(&["stream", "open", "own", "--provider", "q", "--partitions", "1"]);
    let begun = Instant::now();
    while send().status != 202 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(50));
    }
    parts.ok(&["run", "--until-caught-up"]);
    parts.ok(&["stream", "reopen", "usage", "--partitions", "3", "--reason", "more"]);
    let begun = Instant::now();
    while door.send("producer:p", STRUCTURED, event("p", "a", "1").to_string().as_bytes()).status != 202
        || kept(&parts, "usage-2", 3).is_empty()
    {
        assert!(begun.elapsed() < Duration::from_secs(20), "events go on to the topic that is closed");
    }
}
