//! The API's bounds, as a client meets them. The API runs in this process; no database is asked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll::clickhouse::Client;
use plimsoll::config::{Config, Source};
use plimsoll::http::listener::{HEAD_MAX_BYTES, HEADERS_MAX};
use plimsoll::http::{Api, Listener, Probes, Server};
use plimsoll::metrics::Metrics;
use tokio::runtime::Runtime;
use tokio::sync::watch;

struct Serving {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    _end: watch::Sender<bool>,
    _runtime: Runtime,
}

fn serve(http: &str) -> Serving {
    let text = format!("[http]\nlisten = \"127.0.0.1:0\"\n{http}\n[clickhouse]\nurl = \"http://127.0.0.1:1\"\n");
    let config = Config::from_parts(Source::Named(PathBuf::from("site.toml")), &text, []).unwrap();
    let runtime = Runtime::new().unwrap();
    let (end, shutdown) = watch::channel(false);
    let metrics = Arc::new(Metrics::new().unwrap());
    let api = Api::new(&config, Client::new(&config.clickhouse), Arc::clone(&metrics), None);
    let server = runtime.block_on(Server::bind(api)).unwrap();
    let address = server.address().unwrap();
    runtime.spawn(server.run(shutdown));
    Serving { address, metrics, _end: end, _runtime: runtime }
}

/// The status of what is answered to these bytes; none if the connection is closed without an answer.
fn status(address: SocketAddr, request: &str) -> Option<u16> {
    answer(address, request).split(' ').nth(1).and_then(|status| status.parse().ok())
}

/// All that is answered to these bytes.
fn answer(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // what is refused early is not read to its end
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

const OPENAPI: &str = "GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";

#[test]
fn a_body_is_read_up_to_its_limit() {
    let serving = serve("body_max_kbytes = 2");
    let post = |bytes: usize| {
        let body = format!("{{\"reason\":\"{}\"}}", "r".repeat(bytes - 13));
        let head =
            "POST /v1/quarantine/retry HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n";
        status(serving.address, &format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))
    };
    // it lacks positions and filter, which is said once it is read
    assert_eq!([2047, 2048, 2049].map(post), [Some(400), Some(400), Some(413)]);
}

/// Whatever refuses a request, the router and its extractors included, it is answered in one form and under the id that the log has.
#[test]
fn every_refusal_has_the_form_of_an_error() {
    let serving = serve("body_max_kbytes = 2");
    let long = format!("Content-Type: application/json\r\nContent-Length: 3000\r\n\r\n{}", "r".repeat(3_000));
    let broken = "Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{";
    let text = "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}";
    for (line, rest, status, code, words) in [
        ("GET /v1/nothing", "\r\n", 404, "not_found", "not found"),
        ("DELETE /v1/usage", "\r\n", 405, "method_not_allowed", "does not take this method"),
        ("GET /v1/invoices/%ff/rows/1/trace", "\r\n", 400, "bad_request", "a part of the path is not understood"),
        ("GET /v1/invoices/a/rows/x/trace", "\r\n", 400, "bad_request", "a part of the path is not understood"),
        ("GET /v1/usage?nothing=1", "\r\n", 400, "bad_request", "unknown field `nothing`"),
        ("POST /v1/quarantine/retry", broken, 400, "bad_request", "EOF"),
        ("POST /v1/quarantine/retry", text, 400, "bad_request", "Content-Type: application/json"),
        ("POST /v1/quarantine/retry", &long, 413, "too_large", "too large"),
    ] {
        let said = answer(serving.address, &format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{rest}"));
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {said}");
        let error: serde_json::Value = serde_json::from_str(body).unwrap();
        let (error, head) = (&error["error"], head.to_ascii_lowercase());
        assert!(error["code"] == code && error["message"].as_str().unwrap().contains(words), "{line}: {said}");
        assert!(head.contains(&format!("x-request-id: {}", error["request_id"].as_str().unwrap())), "{line}: {said}");
        assert_eq!(head.contains("\r\nallow: get,head"), status == 405, "{line}: {said}");
    }
}

#[test]
fn without_kafka_nothing_is_resolved() {
    let serving = serve("");
    let body = r#"{"filter":{},"reason":"r"}"#;
    for path in ["quarantine/retry", "quarantine/discard", "late/accept"] {
        let request = format!(
            "POST /v1/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(status(serving.address, &request), Some(501), "{path}");
    }
}

#[test]
fn a_head_is_read_up_to_its_limits() {
    let serving = serve("");
    let headers = |count: usize| {
        let more: String = (0..count - 2).map(|number| format!("X-{number}: y\r\n")).collect();
        status(serving.address, &format!("{OPENAPI}{more}\r\n"))
    };
    assert_eq!([HEADERS_MAX - 1, HEADERS_MAX, HEADERS_MAX + 1].map(headers), [Some(200), Some(200), Some(431)]);
    let bytes = |bytes: usize| status(serving.address, &format!("{OPENAPI}X: {}\r\n\r\n", "y".repeat(bytes)));
    assert_eq!(bytes(HEAD_MAX_BYTES / 2), Some(200));
    assert_eq!(bytes(2 * HEAD_MAX_BYTES), Some(431));
}

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let serving = serve("header_timeout_seconds = 1");
    let started = Instant::now();
    assert_eq!(status(serving.address, "GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n"), None);
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(900) && waited < Duration::from_secs(10), "{waited:?}");
}

/// A listener for two connections: `/` is answered, `/never` is not, and `/much` has many bytes.
fn for_two(runtime: &Runtime) -> (SocketAddr, watch::Sender<bool>) {
    let app = axum::Router::new()
        .route("/", axum::routing::get(|| async { "ok" }))
        .route("/never", axum::routing::get(std::future::pending::<&str>))
        .route("/much", axum::routing::get(|| async { vec![b'm'; MUCH] }));
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = runtime.block_on(Listener::bind(address, 2, Duration::from_secs(60))).unwrap();
    let address = listener.address().unwrap();
    let (end, shutdown) = watch::channel(false);
    runtime.spawn(listener.serve(app, shutdown));
    (address, end)
}

/// More than the system takes from one side before the other has read.
const MUCH: usize = 64 << 20;

/// A connection that has sent these bytes.
fn sent(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

fn asked(address: SocketAddr, path: &str) -> TcpStream {
    sent(address, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
}

/// Whether it is answered, within a time.
fn answered(stream: &mut TcpStream, wait_ms: u64) -> std::io::Result<bool> {
    stream.set_read_timeout(Some(Duration::from_millis(wait_ms))).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).map(|()| answer == *b"HTTP/1.1 200")
}

#[test]
fn no_more_connections_are_served_than_may_be() {
    let runtime = Runtime::new().unwrap();
    let (address, _end) = for_two(&runtime);
    let (first, _second) = (asked(address, "/never"), asked(address, "/never"));
    std::thread::sleep(Duration::from_millis(200));
    let mut third = asked(address, "/");
    assert!(answered(&mut third, 1_000).is_err(), "two wait for their answers, so nobody serves the third");
    drop(first);
    assert!(answered(&mut third, 20_000).unwrap());
}

/// Whoever asks waits for none that asks for nothing: the one that has waited longest gives way, whatever it sent before.
#[test]
fn who_sends_nothing_gives_way_to_who_does() {
    let runtime = Runtime::new().unwrap();
    let (address, _end) = for_two(&runtime);
    let mut idle = [sent(address, ""), sent(address, "GET / HTTP/1.1\r\nHo")];
    for _ in 0..8 {
        let started = Instant::now();
        assert!(answered(&mut asked(address, "/"), 20_000).unwrap());
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
    // it has answered the last one and waits for its next, which is as good as nothing
    let kept = [asked(address, "/"), asked(address, "/")].map(|mut kept| {
        assert!(answered(&mut kept, 20_000).unwrap());
        kept
    });
    let started = Instant::now();
    assert!(answered(&mut asked(address, "/"), 20_000).unwrap());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    for stream in &mut idle {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap(), 0, "it is closed");
    }
    drop(kept);
}

/// Who reads an answer slowly is not cut off in the middle of it.
#[test]
fn an_answer_under_way_goes_to_its_end() {
    let runtime = Runtime::new().unwrap();
    let (address, _end) = for_two(&runtime);
    let mut slow = asked(address, "/much");
    let _other = asked(address, "/never");
    std::thread::sleep(Duration::from_millis(300));
    let mut third = asked(address, "/");
    assert!(answered(&mut third, 1_000).is_err(), "nobody gives way while an answer is on its way");
    let mut answer = Vec::new();
    slow.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    slow.read_to_end(&mut answer).unwrap();
    assert!(answer.len() > MUCH && answer.ends_with(b"m"), "{} bytes", answer.len());
    assert!(answered(&mut third, 20_000).unwrap());
}

#[test]
fn requests_at_once_wait_for_each_other_up_to_the_time_limit() {
    // one place, and a database that takes the connection and never answers
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\nconcurrent_requests = 1\nrequest_timeout_seconds = 1\n[clickhouse]\nurl = \"http://{}\"\n",
        silent.local_addr().unwrap()
    );
    let config = Config::from_parts(Source::Named(PathBuf::from("site.toml")), &text, []).unwrap();
    let runtime = Runtime::new().unwrap();
    let (_end, shutdown) = watch::channel(false);
    let api = Api::new(&config, Client::new(&config.clickhouse), Arc::new(Metrics::new().unwrap()), None);
    let server = runtime.block_on(Server::bind(api)).unwrap();
    let address = server.address().unwrap();
    runtime.spawn(server.run(shutdown));
    let started = Instant::now();
    let ask = move || status(address, "GET /v1/quarantine HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let both = [std::thread::spawn(ask), std::thread::spawn(ask)].map(|asked| asked.join().unwrap());
    assert_eq!(both, [Some(503), Some(503)]);
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(900) && waited < Duration::from_secs(10), "{waited:?}");
}

/// Nobody makes the process keep a series for each path that is asked for.
#[test]
fn paths_that_do_not_exist_make_no_series() {
    let serving = serve("");
    for number in 0..20 {
        status(serving.address, &format!("GET /v1/nothing{number} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    }
    let text = serving.metrics.text().unwrap();
    let series: Vec<&str> = text.lines().filter(|line| line.starts_with("plimsoll_http_requests_total")).collect();
    assert_eq!(series, ["plimsoll_http_requests_total{route=\"none\",status=\"404\"} 20"]);
}

/// A page has from one row to the most.
#[test]
fn a_page_has_rows_up_to_their_limit() {
    let serving = serve("page_size = 2\npage_size_max = 3");
    let page = |limit: usize| {
        status(
            serving.address,
            &format!("GET /v1/quarantine?limit={limit} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        )
    };
    // what is taken fails at the database, which is not there
    assert_eq!([0, 1, 3, 4].map(page), [Some(400), Some(503), Some(503), Some(400)]);
}

/// Connections that do not end by themselves are cut off.
#[test]
fn the_end_does_not_wait_for_ever() {
    let runtime = Runtime::new().unwrap();
    let app = axum::Router::new().route("/", axum::routing::get(std::future::pending::<&str>));
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = runtime.block_on(Listener::bind(address, 2, Duration::from_secs(60))).unwrap();
    let mut stream = TcpStream::connect(listener.address().unwrap()).unwrap();
    let (end, shutdown) = watch::channel(false);
    let served = runtime.spawn(listener.serve(app, shutdown));
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let started = Instant::now();
    end.send_replace(true);
    runtime.block_on(served).unwrap();
    let waited = started.elapsed();
    assert!(waited > Duration::from_secs(9) && waited < Duration::from_secs(20), "{waited:?}");
}

/// Whoever asks whether the process is ready hears it in time, whatever the database does.
#[test]
fn readiness_is_answered_in_time() {
    let runtime = Runtime::new().unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let never: plimsoll::http::Ready = Arc::new(|| Box::pin(std::future::pending()));
    let probes = Probes::bind(address, Arc::new(Metrics::new().unwrap()), never);
    let probes = runtime.block_on(probes).unwrap();
    let address = probes.address().unwrap();
    let (_end, shutdown) = watch::channel(false);
    runtime.spawn(probes.run(shutdown));
    let started = Instant::now();
    assert_eq!(status(address, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), Some(503));
    let waited = started.elapsed();
    assert!(waited > Duration::from_millis(1_900) && waited < Duration::from_secs(10), "{waited:?}");
}
