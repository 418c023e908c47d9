//! Who sends slowly is cut off at the stated limit, and nobody else waits for it.

use super::*;

const HEADER: Duration = Duration::from_secs(2);
const BODY: Duration = Duration::from_secs(3);

/// A byte each 100 ms until the other side has had enough: how long that took, and what it said.
fn dribble(address: &str, begin: &str, with: &str) -> (Duration, Option<u16>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(begin.as_bytes()).unwrap();
    let started = Instant::now();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut said = Vec::new();
    loop {
        let _ = stream.write_all(with.as_bytes());
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => said.extend_from_slice(&piece[..count]),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
        assert!(started.elapsed() < Duration::from_secs(60), "it is served for ever");
    }
    let status = String::from_utf8_lossy(&said).split(' ').nth(1).and_then(|status| status.parse().ok());
    (started.elapsed(), status)
}

#[test]
fn heads_and_bodies_that_dribble_are_cut_off_while_others_are_served() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "1"]);
    with_credentials(&parts);
    let keys = [("header_timeout_seconds", "2"), ("body_timeout_seconds", "3"), ("connections_max", "24")];
    let door = Door::open(&parts, &keys);
    let right = || door.send("producer:p", STRUCTURED, event("p", "a", "1").to_string().as_bytes()).status;
    assert_eq!(right(), 202, "the log of decisions is read");

    let head = "POST /v1/events HTTP/1.1\r\nHost: x\r\n";
    let body = format!("{head}Authorization: Bearer producer:p\r\nContent-Length: 60000\r\n{STRUCTURED}\r\n{{");
    let chunked = format!("{head}Authorization: Bearer producer:p\r\nTransfer-Encoding: chunked\r\n{STRUCTURED}\r\n");
    let kinds =
        [(head.to_owned(), "X", HEADER, None), (body, " ", BODY, Some(408)), (chunked, "1\r\n \r\n", BODY, Some(408))];
    let address = &door.address;
    std::thread::scope(|scope| {
        let dribblers: Vec<_> = kinds
            .iter()
            .flat_map(|kind| std::iter::repeat_n(kind, 6))
            .map(|(begin, with, limit, status)| (scope.spawn(move || dribble(address, begin, with)), limit, status))
            .collect();
        // eighteen of them hold connections, six are left
        let mut served = 0;
        let mut slowest = Duration::ZERO;
        let begun = Instant::now();
        while begun.elapsed() < BODY {
            let started = Instant::now();
            assert_eq!(right(), 202);
            slowest = slowest.max(started.elapsed());
            served += 1;
        }
        assert!(served >= 10 && slowest < Duration::from_secs(2), "{served} served, the slowest in {slowest:?}");
        for (dribbler, limit, status) in dribblers {
            let (took, said) = dribbler.join().unwrap();
            assert_eq!(said, *status);
            let least = *limit - Duration::from_millis(200);
            assert!(took >= least && took < *limit + Duration::from_secs(4), "{took:?} where {limit:?} are stated");
        }
    });
    assert_eq!(door.metric("plimsoll_gateway_refused_requests_total", "\"slow\"") as u64, 12);
    assert_eq!(door.metric("plimsoll_gateway_in_flight_bytes", "") as u64, 0, "their memory is given back");
}
