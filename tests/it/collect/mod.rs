//! `plimsoll collect` against arrays that answer over real HTTP, a real broker, and a worker that folds what comes.

mod outage;
mod spool;
mod stub;
mod tls;

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use plimsoll::collect::spool::Kept;
use serde_json::Value;

use crate::worker::Worker;
use stub::{Fault, SESSION, Stub, TOKEN};

/// A collector's file, its spool and its log.
struct Collector {
    kind: &'static str,
    file: PathBuf,
    spool: PathBuf,
    log: PathBuf,
}

impl Collector {
    /// Of these arrays, sending to this broker. `keys` are keys of `[collect]` and whatever follows.
    fn new(
        directory: &Path,
        name: &str,
        kind: &'static str,
        broker: &str,
        arrays: &[(&str, String)],
        keys: &str,
    ) -> Self {
        let (file, spool) = (directory.join(format!("{name}.toml")), directory.join(format!("{name}.spool")));
        let token = directory.join("token");
        std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
        let arrays: String = arrays
            .iter()
            .map(|(id, url)| {
                format!(
                    "[[array]]\nname = \"{id}\"\nid = \"{id}\"\nurl = \"{url}\"\napi_version = \"2.26\"\napi_token_file = {token:?}\nsite = \"HAM1\"\ntier = \"//Block\"\n"
                )
            })
            .collect();
        let text = format!(
            "[kafka]\nbootstrap_servers = \"{broker}\"\n[metrics]\nlisten = \"\"\n[log]\nfilter = \"trace\"\n[collect]\nprovider = \"northwind\"\nspool_dir = {spool:?}\n{keys}\n{arrays}"
        );
        std::fs::write(&file, text).unwrap();
        Self { kind, file, spool, log: directory.join(format!("{name}.log")) }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(["collect", self.kind, "--config"]).arg(&self.file).stdin(Stdio::null());
        command
    }

    /// Starts it; what it logs is appended to its log.
    fn start(&self) -> Worker {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = self.command();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        Worker::of(command)
    }

    /// Has it show its metrics, and says where.
    fn listen(&self) -> String {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let text = std::fs::read_to_string(&self.file).unwrap();
        std::fs::write(&self.file, text.replace("listen = \"\"", &format!("listen = \"{address}\""))).unwrap();
        address
    }

    fn dry_run(&self) -> Output {
        self.command().arg("--dry-run").output().unwrap()
    }

    /// The one event of a dry run that has to succeed.
    fn event(&self) -> Value {
        let output = self.dry_run();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{log}");
        keeps_secrets(&log);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Bytes of events that are not sent.
    fn waiting(&self) -> u64 {
        let entries = std::fs::read_dir(&self.spool).into_iter().flatten().map(Result::unwrap);
        let events = entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "spool"));
        events.map(|entry| entry.metadata().map_or(0, |about| about.len())).sum()
    }
}

fn metric(address: &str, name: &str) -> Option<u64> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let line = text.lines().find(|line| line.starts_with(name) && !line.starts_with('#'))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// The instants of kept events, in seconds.
fn times(kept: &[Kept]) -> Vec<i64> {
    let time = |kept: &Kept| {
        let event: Value = serde_json::from_slice(&kept.event).unwrap();
        chrono::DateTime::parse_from_rfc3339(event["time"].as_str().unwrap()).unwrap().timestamp()
    };
    kept.iter().map(time).collect()
}

fn keeps_secrets(text: &str) {
    for secret in [TOKEN, SESSION] {
        assert!(!text.contains(secret), "a secret is logged: {secret}");
    }
}

fn until(what: &str, longest: Duration, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < longest, "not within {longest:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Kind, resource, meter, value and customer of each reading.
fn readings(event: &Value) -> Vec<String> {
    let of = |reading: &Value| {
        let text = |key: &str| reading[key].as_str().unwrap_or("-").to_owned();
        format!("{} {} {} {} {}", text("kind"), text("resource"), text("meter"), reading["value"], text("customer"))
    };
    event["data"]["readings"].as_array().unwrap().iter().map(of).collect()
}

const NOBODY: &str = "127.0.0.1:1";

#[test]
fn a_flashblade_is_asked_for_each_type_and_page() {
    let (directory, stub) = (tempfile::tempdir().unwrap(), Stub::start("fb", 0));
    let keys = "page_size = 2\nmeters = [\"installed\", \"effective_used\", \"file_used\", \"object_used\"]\n[customers]\nfrom = \"prefix\"";
    let url = format!("http://{}/", stub.address);
    let collector = Collector::new(directory.path(), "c", "flashblade", NOBODY, &[("fb", url)], keys);
    let event = collector.event();
    assert_eq!(
        readings(&event),
        [
            "array fb effective_used 700 -",
            "array fb file_used 400 -",
            "array fb installed 900000000000 -",
            "array fb object_used 300 -",
            "file_system fs0 effective_used 100 tenant",
            "file_system fs1 effective_used 101 tenant",
            "file_system fs2 effective_used 102 tenant",
            "file_system fs3 effective_used 103 tenant",
            "file_system fs4 effective_used 104 tenant",
            "object_bucket b0 effective_used 200 tenant",
            "object_bucket b1 effective_used 201 tenant",
        ]
    );
    assert_eq!((stub.pages(), stub.logins()), (2, 1));
    assert!(!collector.spool.exists(), "a dry run keeps nothing");
}

#[test]
fn an_exposition_is_read_by_the_rules_of_the_reference() {
    let array = "3f2a91c7-5d84-4e0b-9a6c-0b7d41e2c9f8";
    let (directory, stub) = (tempfile::tempdir().unwrap(), Stub::start(array, 0));
    let url = format!("http://{}/metrics/flasharray", stub.address);
    let collector = Collector::new(directory.path(), "c", "openmetrics", NOBODY, &[(array, url.clone())], "");
    let event = collector.event();
    let readings = readings(&event);
    assert_eq!(readings.len(), 5);
    assert!(readings.contains(&format!("array {array} effective_used 174548007780351 -")), "{readings:?}");
    let volume = "volume naa.624a93703F2A91C75D844E0B00011A2B effective_used 3364505580994 tenant-a";
    assert!(readings.contains(&volume.to_owned()), "{readings:?}");

    let other = Collector::new(directory.path(), "o", "openmetrics", NOBODY, &[("other", url)], "");
    let output = other.dry_run();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&format!("answers for array {array}")));
}

/// What one poll says of each way to fail. No answer is waited for longer or read further than it may be.
#[test]
fn each_fault_of_an_array_has_its_words() {
    let (directory, stub) = (tempfile::tempdir().unwrap(), Stub::start("fa", 3));
    let keys = "request_timeout_seconds = 1\nresponse_max_mbytes = 1";
    let url = format!("http://{}", stub.address);
    let collector = Collector::new(directory.path(), "c", "flasharray", NOBODY, &[("fa", url.clone())], keys);
    let words = [
        (Fault::Status(500), "/arrays/space is answered with status 500"),
        (Fault::Status(429), "/arrays/space is answered with status 429"),
        (Fault::Status(301), "/arrays/space is answered with status 301"),
        (Fault::Slow(Duration::from_secs(3)), "no whole answer within 1 s"),
        (Fault::Malformed, "/arrays/space is not understood"),
        (Fault::Huge((1 << 20) + 1), "an answer of more than 1048576 bytes"),
        (Fault::CutOff, "not reached: "),
    ];
    for (fault, words) in words {
        stub.next_is(fault.clone());
        let output = collector.dry_run();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && log.contains(words), "{fault:?}: {log}");
        keeps_secrets(&log);
    }
    // a session that was good for one answer; one that never was is a refusal of the token
    stub.next_is(Fault::Slow(Duration::ZERO));
    stub.next_is(Fault::Expired);
    let before = stub.logins();
    assert_eq!(readings(&collector.event()).len(), 5, "it logs in again");
    assert!(stub.logins() > before + 1, "{} after {before}", stub.logins());

    std::fs::write(directory.path().join("token"), "another").unwrap();
    let output = collector.dry_run();
    assert!(String::from_utf8_lossy(&output.stderr).contains("the array refuses the token (status 401)"));
    let nobody = [("fa", "http://127.0.0.1:1".to_owned())];
    let output = Collector::new(directory.path(), "n", "flasharray", NOBODY, &nobody, "").dry_run();
    assert!(String::from_utf8_lossy(&output.stderr).contains("not reached: "), "{output:?}");
}

#[test]
fn what_is_in_force_is_printed_and_a_file_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let arrays = [("fa", "https://127.0.0.1:1".to_owned())];
    let collector = Collector::new(directory.path(), "c", "flasharray", NOBODY, &arrays, "arrays_at_once = 3");
    let output = collector.command().arg("--print").env("PLIMSOLL_KAFKA__SASL_PASSWORD", "hush").output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("arrays_at_once = 3") && shown.contains("interval_seconds = 300"), "{shown}");
    assert!(shown.contains("sasl_password = \"***\"") && !shown.contains("hush"), "{shown}");
    keeps_secrets(&shown);
    let mut without = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let output = without.args(["collect", "flasharray"]).env_remove("PLIMSOLL_CONFIG").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("name it with --config"));
    let mut absent = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let output = absent.args(["collect", "flasharray", "--config", "/nowhere/collect.toml"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(told.matches("No such file").count(), 1, "{told}");
}

#[test]
fn a_list_is_read_up_to_its_pages_and_elements() {
    let (directory, stub) = (tempfile::tempdir().unwrap(), Stub::start("fa", 0));
    let poll = |volumes: usize, page_size: usize| {
        stub.has_volumes(volumes);
        let keys = format!("page_size = {page_size}");
        let arrays = [("fa", format!("http://{}", stub.address))];
        let output = Collector::new(directory.path(), "c", "flasharray", NOBODY, &arrays, &keys).dry_run();
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
    };
    assert!(poll(1_000, 1).contains("\"resource\":\"v999\""));
    assert!(poll(1_001, 1).contains("/volumes/space has more than 1000 elements or pages"));
    // so many are no event either
    assert!(poll(200_000, 10_000).contains("its readings would be quarantined as over_limit"));
    assert!(poll(200_001, 10_000).contains("/volumes/space has more than 200000 elements or pages"));
}

/// A list whose token never ends costs two pages, and not as many as a list may have.
#[test]
fn a_list_that_leads_around_is_left_at_once() {
    let (directory, stub) = (tempfile::tempdir().unwrap(), Stub::start("fb", 0));
    let arrays = [("fb", format!("http://{}", stub.address))];
    let collector = Collector::new(directory.path(), "c", "flashblade", NOBODY, &arrays, "");
    let space = r#"{"id": "fb", "name": "fb", "capacity": 9, "time": 0, "space": {"total_used": 7}}"#;
    for faults in [vec![Fault::Around(space); 2], vec![Fault::Nothing]] {
        faults.into_iter().for_each(|fault| stub.next_is(fault));
        let before = stub.answered();
        let output = collector.dry_run();
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && log.contains("/arrays/space does not end"), "{log}");
        assert!(stub.is_done() && stub.answered() == before, "nothing more is asked for");
    }
}
