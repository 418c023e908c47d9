//! Killed or asked to end at any moment: whatever had a 202 is in the log.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const SENDERS: usize = 4;
const OF_BATCH: usize = 20;

/// Sends batches until told to stop or cut off; keeps the ids of those that were acknowledged, and counts those that got no answer.
fn sender(address: &str, name: &str, stop: &AtomicBool, acknowledged: &Mutex<BTreeSet<String>>) -> (usize, bool) {
    let mut answered = 0;
    for round in 0.. {
        if stop.load(Ordering::Acquire) {
            return (answered, false);
        }
        let ids: Vec<String> = (0..OF_BATCH).map(|n| format!("{name}-{round}-{n}")).collect();
        let body = batch(ids.iter().enumerate().map(|(n, id)| event("p", &format!("array-{n}"), id)));
        let Ok(mut stream) = TcpStream::connect(address) else { return (answered, false) };
        let head = format!(
            "POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer producer:p\r\nContent-Length: {}\r\n{BATCH}\r\n",
            body.len()
        );
        let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).is_ok();
        match answer(stream) {
            Some(answer) => {
                assert_eq!(answer.status, 202, "{answer:?}");
                answered += 1;
                acknowledged.lock().unwrap().extend(ids);
            }
            // sent whole and never answered
            None => return (answered, sent),
        }
    }
    unreachable!("the rounds have no end")
}

/// Senders while something happens to the gateway: how many requests were answered, and how many senders were cut off under way.
fn while_sending(
    door: &Door,
    name: &str,
    acknowledged: &Mutex<BTreeSet<String>>,
    happens: impl FnOnce(),
) -> (usize, usize) {
    let stop = AtomicBool::new(false);
    let ends: Vec<(usize, bool)> = std::thread::scope(|scope| {
        let (stop, address) = (&stop, &door.address);
        let names: Vec<String> = (0..SENDERS).map(|n| format!("{name}-{n}")).collect();
        let senders: Vec<_> =
            names.into_iter().map(|name| scope.spawn(move || sender(address, &name, stop, acknowledged))).collect();
        std::thread::sleep(Duration::from_millis(1_500));
        happens();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    (ends.iter().map(|(answered, _)| answered).sum(), ends.iter().filter(|(_, cut)| *cut).count())
}

#[test]
fn whatever_was_acknowledged_is_in_the_log() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "3"]);
    with_credentials(&parts);
    let acknowledged = Mutex::new(BTreeSet::new());
    let signal = |door: &Door, signal: i32| {
        // SAFETY: our own child, which is not waited for before this
        assert_eq!(unsafe { libc::kill(door.process.pid(), signal) }, 0);
    };
    let mut cut = 0;
    for round in 0..3 {
        let door = Door::open(&parts, &[]);
        let (answered, off) =
            while_sending(&door, &format!("kill-{round}"), &acknowledged, || signal(&door, libc::SIGKILL));
        assert!(answered > 0, "nothing was sent");
        cut += off;
    }
    assert!(cut > 0, "nobody was cut off under way, so nothing was tried");
    // asked to end, it finishes what it took
    let mut door = Door::open(&parts, &[]);
    let (answered, off) = while_sending(&door, "end", &acknowledged, || signal(&door, libc::SIGTERM));
    assert!(answered > 0);
    // a connection that waits in the system's queue is not taken; it is closed without a word
    let begun = Instant::now();
    while door.process.ended().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(door.process.ended().unwrap().success());
    assert!(off <= SENDERS);

    let kept: BTreeSet<String> = kept(&parts, "usage", 3)
        .iter()
        .map(|kept| serde_json::from_slice::<Value>(&kept.value).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    let acknowledged = acknowledged.into_inner().unwrap();
    let lost: Vec<&String> = acknowledged.difference(&kept).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged are lost: {:?}", lost.len(), acknowledged.len(), lost.first());
}

/// A request whose body is still coming when the end is asked for is taken to its end.
#[test]
fn a_request_under_way_is_finished() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "1"]);
    with_credentials(&parts);
    let door = Door::open(&parts, &[]);
    let body = event("p", "a", "under-way").to_string();
    let mut stream = TcpStream::connect(&door.address).unwrap();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer producer:p\r\nContent-Length: {}\r\n{STRUCTURED}\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{}", &body[..20]).as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    // SAFETY: our own child, which is not waited for before this
    assert_eq!(unsafe { libc::kill(door.process.pid(), libc::SIGTERM) }, 0);
    std::thread::sleep(Duration::from_millis(500));
    stream.write_all(&body.as_bytes()[20..]).unwrap();
    let answer = answer(stream).unwrap();
    assert_eq!((answer.status, &answer.body), (202, &json!({"accepted": 1})));
    assert_eq!(kept(&parts, "usage", 1).len(), 1);
}
