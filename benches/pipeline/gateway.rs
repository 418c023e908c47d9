//! Events over HTTP until Kafka has them: batches over connections that are kept, sender, gateway and broker on the same cores.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant as Moment};

use plimsoll::gateway::Intake;
use plimsoll::http::{Gateway, GatewayServer};
use plimsoll::kafka::control::ControlFollower;
use plimsoll::metrics::Metrics;

use crate::end_to_end::{Parts, open, publish_meters, topic};
use crate::events::event;
use crate::row;

const OF_BATCH: u64 = 100;
/// Batches that are made beforehand and sent again and again: the gateway knows no identities.
const MADE: u64 = 400;
/// Events as fast as they go.
const EVENTS: u64 = 400_000;
/// No measurement takes longer.
const LONGEST: Duration = Duration::from_secs(60);
const SENDERS: usize = 8;
/// The least that is wanted.
const GOAL_EVENTS_PER_SECOND: u64 = 20_000;
/// How long batches are sent at half of that.
const PACED: Duration = Duration::from_secs(15);

/// Prints the figures.
pub fn measure() {
    let parts = Parts::start();
    publish_meters(&parts);
    let rules = topic(&parts, "gateway");
    open(&parts, &rules);
    let address = serve(&parts);
    for readings in [1, 20] {
        let requests: Vec<Vec<u8>> = (0..MADE).map(|number| request(number, readings)).collect();
        let bytes = requests[0].len() as u64 / OF_BATCH;
        println!(
            "\nbatches of {OF_BATCH} events of {readings} readings ({bytes} bytes), {SENDERS} connections, broker and sender beside"
        );
        // one that nobody waits for makes connections and opens files
        drive(address, &requests[..16], 16, None);
        let batches = EVENTS / OF_BATCH / if readings == 1 { 1 } else { 4 };
        let started = Moment::now();
        let sent = drive(address, &requests, batches, None).len() as u64;
        let per_second = (sent * OF_BATCH) as f64 / started.elapsed().as_secs_f64();
        row("events that Kafka has, as fast as they go", per_second, "events/s", None);
        let paced = GOAL_EVENTS_PER_SECOND / 2 / OF_BATCH;
        let mut times = drive(address, &requests, paced * PACED.as_secs(), Some(paced));
        times.sort_by(f64::total_cmp);
        for (name, at) in [("p50", 50), ("p99", 99)] {
            let name = format!("a batch, at {} events/s: {name}", GOAL_EVENTS_PER_SECOND / 2);
            row(&name, times[times.len() * at / 100], "ms", None);
        }
    }
}

fn serve(parts: &Parts) -> SocketAddr {
    let mut config = parts.config.clone();
    (config.gateway.events_per_second, config.gateway.bytes_per_second) = (10_000_000, 16 << 30);
    let control = ControlFollower::start(&config.kafka).unwrap();
    let intake = Intake::new(&config.kafka, &config.gateway, control).unwrap();
    let gateway = Gateway::new(&config, intake, Arc::new(Metrics::new().unwrap()));
    let bound = GatewayServer::bind(gateway, "127.0.0.1:0".parse().unwrap());
    let server = parts.runtime.block_on(bound).unwrap();
    let address = server.address().unwrap();
    let (end, shutdown) = tokio::sync::watch::channel(false);
    parts.runtime.spawn(async move {
        let _end = end;
        server.run(shutdown).await;
    });
    address
}

fn request(number: u64, readings: u64) -> Vec<u8> {
    let events = (0..OF_BATCH).map(|place| event(number * OF_BATCH + place, 400, readings).1);
    let body = events.collect::<Vec<_>>().join(&b',');
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/cloudevents-batch+json\r\nContent-Length: {}\r\n\r\n[",
        body.len() + 2
    );
    [head.as_bytes(), &body, b"]"].concat()
}

/// Sends so many batches, at a pace or as fast as they go: milliseconds of each until its answer. At a pace they count from the
/// moment at which it was due, so that a batch that waits for another one's answer is as slow as it is to its sender.
fn drive(address: SocketAddr, requests: &[Vec<u8>], batches: u64, per_second: Option<u64>) -> Vec<f64> {
    let next = AtomicUsize::new(0);
    let started = Moment::now();
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
                    stream.get_ref().set_nodelay(true).unwrap();
                    let mut times = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number as u64 >= batches || started.elapsed() > LONGEST {
                            return times;
                        }
                        let mut due = Moment::now();
                        if let Some(per_second) = per_second {
                            due = started + Duration::from_secs(number as u64) / per_second as u32;
                            std::thread::sleep(due.saturating_duration_since(Moment::now()));
                        }
                        send(&mut stream, &requests[number % requests.len()]);
                        times.push(due.elapsed().as_secs_f64() * 1e3);
                    }
                })
            })
            .collect();
        senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect()
    })
}

fn send(stream: &mut BufReader<TcpStream>, request: &[u8]) {
    stream.get_mut().write_all(request).unwrap();
    let (mut length, mut line) = (0, String::new());
    stream.read_line(&mut line).unwrap();
    assert!(line.contains(" 202 "), "{line}");
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
}
