//! While the broker is away nothing is acknowledged, memory is bounded, and afterwards it goes on by itself.

use plimsoll::dev::Part;

use super::*;

#[test]
fn a_broker_that_is_away_takes_nothing_and_loses_nothing() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "1"]);
    with_credentials(&parts);
    let keys = [
        ("acknowledge_timeout_seconds", "3"),
        ("body_max_kbytes", "64"),
        ("inflated_max_kbytes", "64"),
        ("in_flight_max_kbytes", "160"),
    ];
    let door = Door::open(&parts, &keys);
    let padded = |id: &str, bytes: usize| {
        let mut text = event("p", "a", id).to_string();
        text.extend(std::iter::repeat_n(' ', bytes - text.len()));
        text
    };
    let send = |id: &str, bytes: usize| door.send("producer:p", STRUCTURED, padded(id, bytes).as_bytes());
    assert_eq!(send("before", 1_000).status, 202);
    parts.dev.kill(Part::Kafka).unwrap();

    let started = Instant::now();
    let while_away = padded("while-away", 1_000);
    let answer = door.send("producer:p", STRUCTURED, while_away.as_bytes());
    let waited = started.elapsed();
    assert_eq!((answer.status, answer.code(), answer.header("retry-after")), (503, "unavailable", Some("5")));
    assert!(waited >= Duration::from_secs(2) && waited < Duration::from_secs(6), "{waited:?} where 3 s are stated");

    // of six bodies of 60 KiB two have room; the others are told at once, those two when Kafka's time is over
    let codes: Vec<(String, Duration)> = std::thread::scope(|scope| {
        let sends: Vec<_> = (0..6)
            .map(|n| {
                std::thread::sleep(Duration::from_millis(200));
                scope.spawn(move || {
                    let started = Instant::now();
                    let answer = send(&format!("full-{n}"), 60 << 10);
                    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{answer:?}");
                    (answer.code().to_owned(), started.elapsed())
                })
            })
            .collect();
        sends.into_iter().map(|send| send.join().unwrap()).collect()
    });
    let full = codes.iter().filter(|(code, _)| code == "full");
    assert_eq!(full.clone().count(), 4, "{codes:?}");
    assert!(full.clone().all(|(_, took)| *took < Duration::from_secs(2)), "{codes:?}");
    assert_eq!(door.metric("plimsoll_gateway_refused_requests_total", "\"full\"") as u64, 4);

    parts.dev.up(None).unwrap();
    let begun = Instant::now();
    while send("after", 1_000).status != 202 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not go on by itself");
    }
    // what was told to come again comes again, whether it was in the log or not
    assert_eq!(door.send("producer:p", STRUCTURED, while_away.as_bytes()).status, 202);
    parts.ok(&["run", "--until-caught-up"]);
    for id in ["before", "while-away", "after"] {
        let query = format!("SELECT count() FROM usage_event WHERE disposition = 'accepted' AND id = '{id}'");
        assert_eq!(parts.number(&query), 1, "{id}");
    }
}

/// A gateway that starts before its broker takes events once that is there.
#[test]
fn a_gateway_may_start_before_its_broker() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "1"]);
    with_credentials(&parts);
    parts.dev.kill(Part::Kafka).unwrap();
    let door = Door::open(&parts, &[("acknowledge_timeout_seconds", "3")]);
    let send = || door.send("producer:p", STRUCTURED, event("p", "a", "1").to_string().as_bytes());
    let answer = send();
    assert_eq!((answer.status, answer.code()), (503, "unavailable"), "{answer:?}");
    parts.dev.up(None).unwrap();
    let begun = Instant::now();
    while send().status != 202 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not find its broker");
    }
}
