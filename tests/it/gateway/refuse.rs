//! What is wrong is refused with its reason, counted, and nothing of it is sent.

use super::*;

/// One that is right beside one with something replaced.
fn broken(from: &str, to: &str) -> Vec<u8> {
    let (right, wrong) = (event("p", "a", "1").to_string(), event("p", "a", "2").to_string());
    assert!(wrong.contains(from), "{from}");
    format!("[{right},{}]", wrong.replacen(from, to, 1)).into_bytes()
}

/// What is put into an event, and the reason for which it is refused.
const WRONG: [(&str, &str, &str); 14] = [
    ("\"1.0\"", "\"0.3\"", "schema"),
    ("\"specversion\"", "\"version\"", "schema"),
    ("\"id\":\"2\"", "\"id\":\"\"", "schema"),
    ("\"id\":\"2\"", "\"id\":2", "schema"),
    ("\"source\":\"urn:test\",", "", "schema"),
    ("dev.plimsoll.usage.v1", "dev.plimsoll.usage.v2", "unknown_type"),
    ("\"time\":\"2", "\"time\":\"soon 2", "schema"),
    ("\"kind\":\"volume\"", "\"kind\":\"disk\"", "schema"),
    ("\"value\":7", "\"value\":-7", "value"),
    ("\"value\":7", "\"value\":7.5", "value"),
    ("\"value\":7", "\"value\":18446744073709551616", "value"),
    ("\"provider\":\"p\"", "\"provider\":null", "schema"),
    ("\"array\":{\"id\":\"a\"}", "\"array\":\"a\"", "schema"),
    (
        "\"readings\":[",
        "\"readings\":[{\"resource\":\"v\",\"kind\":\"volume\",\"meter\":\"used\",\"value\":7},",
        "repeated_reading",
    ),
];

#[test]
fn what_is_wrong_is_named_and_nothing_of_it_is_sent() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "1"]);
    with_credentials(&parts);
    let keys = [("body_max_kbytes", "64"), ("inflated_max_kbytes", "256"), ("batch_max_events", "10")];
    let door = Door::open(&parts, &keys);
    for (from, to, reason) in WRONG {
        let answer = door.send("producer:p", BATCH, &broken(from, to));
        assert_eq!((answer.status, answer.code()), (400, "refused_events"), "{to}: {answer:?}");
        let events = answer.body["error"]["events"].as_array().unwrap();
        assert_eq!((events.len(), &events[0]["index"], &events[0]["reason"]), (1, &json!(1), &json!(reason)), "{to}");
        assert!(!events[0]["detail"].as_str().unwrap().is_empty());
    }
    let long = "x".repeat(257);
    let answer = door.send("producer:p", BATCH, &broken("\"id\":\"2\"", &format!("\"id\":\"{long}\"")));
    assert_eq!(answer.body["error"]["events"][0]["reason"], "over_limit");
    foreign(&door);
    forms(&door);
    sizes(&door);
    paths(&door);
    strangers(&door);
    assert!(kept(&parts, "usage", 1).is_empty(), "nothing of all that is in the log");
    let right = door.send("producer:p", STRUCTURED, event("p", "a", "1").to_string().as_bytes());
    assert_eq!(right.status, 202, "{right:?}");
    assert_eq!(kept(&parts, "usage", 1).len(), 1);
}

fn foreign(door: &Door) {
    let both = batch([event("p", "a", "1"), event("q", "b", "2"), event("p", "a", "3")]);
    let answer = door.send("producer:p", BATCH, &both);
    assert_eq!((answer.status, answer.code()), (403, "foreign_provider"), "{answer:?}");
    assert_eq!(answer.body["error"]["events"][0]["index"], 1);
    assert_eq!(door.send("provider:p", BATCH, &both).status, 403);
    assert_eq!(door.metric("plimsoll_gateway_refused_requests_total", "\"foreign_provider\"") as u64, 2);
}

fn forms(door: &Door) {
    let one = event("p", "a", "1").to_string();
    for (headers, body, status, code) in [
        ("", one.as_bytes(), 415, "unread"),
        ("Content-Type: text/plain\r\n", one.as_bytes(), 415, "unread"),
        ("Content-Type: application/cloudevents+avro\r\n", one.as_bytes(), 415, "unread"),
        ("Content-Type: application/cloudevents-batch+xml\r\n", one.as_bytes(), 415, "unread"),
        (&format!("{STRUCTURED}Content-Encoding: br\r\n"), one.as_bytes(), 415, "unread"),
        (&format!("{STRUCTURED}Content-Encoding: gzip, gzip\r\n"), one.as_bytes(), 415, "unread"),
        (&format!("{STRUCTURED}Content-Encoding: gzip\r\n"), one.as_bytes(), 400, "malformed"),
        (BATCH, one.as_bytes(), 400, "malformed"),
        (BATCH, b"[{},", 400, "malformed"),
        (BATCH, b"", 400, "malformed"),
        (STRUCTURED, b"", 400, "refused_events"),
        (STRUCTURED, b"\xff\xfe", 400, "refused_events"),
        (STRUCTURED, b"[]", 400, "refused_events"),
        ("ce-id: %zz\r\nContent-Type: application/json\r\n", b"{}", 400, "malformed"),
        ("ce-id: a\r\nce-id: b\r\nContent-Type: application/json\r\n", b"{}", 400, "malformed"),
        ("ce-id: a\r\nContent-Type: application/json\r\n", b"{}", 400, "refused_events"),
    ] {
        let answer = door.send("producer:p", headers, body);
        assert_eq!((answer.status, answer.code()), (status, code), "{headers} {answer:?}");
    }
    let nested = "[".repeat(60_000);
    assert_eq!(door.send("producer:p", BATCH, nested.as_bytes()).status, 400);
}

/// At each limit and above it, announced and not.
fn sizes(door: &Door) {
    let wide = |bytes: usize| {
        let mut text = event("p", "a", "1").to_string().replacen("\"p\"", "\"wrong\"", 1);
        text.extend(std::iter::repeat_n(' ', bytes - text.len()));
        text.into_bytes()
    };
    // a foreign provider is what is wrong with those that are read
    let statuses = [65_536, 65_537].map(|bytes| door.send("producer:p", STRUCTURED, &wide(bytes)).status);
    assert_eq!(statuses, [403, 413]);
    let head = format!("Authorization: Bearer producer:p\r\nTransfer-Encoding: chunked\r\n{STRUCTURED}");
    let chunks = format!("10\r\n{}\r\n", " ".repeat(16)).repeat(65_536 / 16 + 1) + "0\r\n\r\n";
    let answer = door.raw(&head, chunks.as_bytes());
    assert!(answer.is_none_or(|answer| answer.status == 413), "an endless body is cut");
    let zipped = format!("{STRUCTURED}Content-Encoding: gzip\r\n");
    let statuses = [262_144, 262_145].map(|bytes| door.send("producer:p", &zipped, &gzip(&wide(bytes))).status);
    assert_eq!(statuses, [403, 413]);
    let bomb = gzip(&vec![b' '; 32 << 20]);
    assert!(bomb.len() < 65_536);
    let answer = door.send("producer:p", &zipped, &bomb);
    assert_eq!((answer.status, answer.code()), (413, "too_large"), "{answer:?}");
    let events = |count: usize| batch((0..count).map(|_| json!({})));
    let statuses = [9, 10, 11].map(|count| door.send("producer:p", BATCH, &events(count)).status);
    assert_eq!(statuses, [400, 400, 413]);
}

fn paths(door: &Door) {
    let ask = |line: &str| {
        let mut stream = TcpStream::connect(&door.address).unwrap();
        stream.write_all(format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        answer(stream).unwrap().status
    };
    assert_eq!(
        ["GET /v1/events", "POST /v1/invoices", "POST /v1/events/../events", "GET /", "GET /v1/openapi.json"].map(ask),
        [405, 404, 404, 404, 200]
    );
}

/// Wrong tokens are counted, and what comes with them is not read.
fn strangers(door: &Door) {
    let one = event("p", "a", "1").to_string();
    let before = door.metric("plimsoll_gateway_refused_requests_total", "\"unauthorized\"") as u64;
    for header in
        ["", "Authorization: Bearer\r\n", "Authorization: Bearer producer:x\r\n", "Authorization: Basic producer:p\r\n"]
    {
        let answer =
            door.raw(&format!("{header}{STRUCTURED}Content-Length: {}\r\n", one.len()), one.as_bytes()).unwrap();
        assert_eq!((answer.status, answer.code()), (401, "unauthorized"), "{header}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    // a body that is announced and never comes is not waited for
    let begun = Instant::now();
    let answer = door.raw(&format!("Authorization: Bearer no\r\n{STRUCTURED}Content-Length: 60000\r\n"), b"").unwrap();
    assert!(answer.status == 401 && begun.elapsed() < Duration::from_secs(5));
    assert_eq!(door.metric("plimsoll_gateway_refused_requests_total", "\"unauthorized\"") as u64, before + 5);
    let reader = door.send("vendor:v", STRUCTURED, one.as_bytes());
    assert_eq!((reader.status, reader.code()), (403, "forbidden"), "{reader:?}");
    // and who sends does not read
    let mut stream = TcpStream::connect(&door.api).unwrap();
    stream
        .write_all(
            b"GET /v1/arrays HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer producer:p\r\nConnection: close\r\n\r\n",
        )
        .unwrap();
    let reader = super::answer(stream).unwrap();
    assert_eq!((reader.status, reader.code()), (403, "forbidden"), "{reader:?}");
}

/// Each principal has its rate, and its burst before that.
#[test]
fn who_sends_too_fast_waits_and_the_others_do_not() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "all", "--shared", "--partitions", "1"]);
    with_credentials(&parts);
    let keys = [("events_per_second", "20"), ("burst_seconds", "2"), ("kbytes_per_second", "1000")];
    let door = Door::open(&parts, &keys);
    let send = |token: &str, provider: &str, count: usize| {
        door.send(token, BATCH, &batch((0..count).map(|n| event(provider, "a", &format!("{token} {n}")))))
    };
    // a burst may be overdrawn, and is paid back
    assert_eq!(send("producer:p", "p", 100).status, 202);
    let answer = send("producer:p", "p", 1);
    assert_eq!((answer.status, answer.code()), (429, "too_fast"), "{answer:?}");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=4).contains(&wait), "{wait}");
    assert_eq!(send("producer:q", "q", 1).status, 202);
    assert_eq!(door.metric("plimsoll_gateway_refused_requests_total", "\"too_fast\"") as u64, 1);
    std::thread::sleep(Duration::from_secs(wait));
    assert_eq!(send("producer:p", "p", 1).status, 202, "after the time that was named");
    // bytes have a rate of their own, and what is refused costs too
    let wide = vec![b' '; 8_000_000];
    assert_eq!([0, 1].map(|_| door.send("provider:p", STRUCTURED, &wide).status), [400, 429]);
}
