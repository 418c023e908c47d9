//! The examples of docs/PRODUCERS.md send to the real broker, and each event is where its array's partition is.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::deploy::tool;
use crate::worker::Parts;

const ARRAYS: usize = 16;
const EVENTS: usize = 5;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/producers").join(name)
}

/// The lines that the examples read: every array, `EVENTS` times.
fn lines(source: &str) -> String {
    let now = chrono::Utc::now();
    let line = |n: usize| {
        let (array, poll) = (n % ARRAYS, n / ARRAYS);
        let time = (now - chrono::TimeDelta::minutes(5 * poll as i64)).format("%Y-%m-%dT%H:%M:%SZ");
        format!(
            "array-{array}\t{{\"specversion\":\"1.0\",\"id\":\"{n}\",\"source\":\"{source}\",\"type\":\"dev.plimsoll.usage.v1\",\"time\":\"{time}\",\"data\":{{\"provider\":\"p\",\"array\":{{\"id\":\"array-{array}\"}},\"readings\":[{{\"resource\":\"v\",\"kind\":\"volume\",\"meter\":\"used\",\"value\":7}}]}}}}\n"
        )
    };
    (0..ARRAYS * EVENTS).map(line).collect()
}

fn send(mut command: Command, parts: &Parts, source: &str) {
    command.args([&parts.kafka, "usage"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines(source).as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{source}: {}", String::from_utf8_lossy(&ended.stderr));
}

/// Events by disposition and reason.
fn became(parts: &Parts) -> BTreeMap<String, usize> {
    parts.ok(&["run", "--until-caught-up"]);
    let mut found = BTreeMap::new();
    for event in parts.lines(&["events", "--stream", "usage"]) {
        let word = event["reason"].as_str().or(event["disposition"].as_str()).unwrap();
        *found.entry(word.to_owned()).or_default() += 1;
    }
    found
}

#[test]
fn each_example_sends_every_array_to_its_partition() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "7"]);
    let mut accepted = 0;

    let jars = plimsoll::dev::Parts::fetch().unwrap().kafka_libraries();
    let mut java = Command::new("java");
    java.arg("-cp").arg(jars.join("*")).arg(example("Producer.java"));
    send(java, &parts, "java");
    accepted += ARRAYS * EVENTS;

    if let Some(tools) = tool("python") {
        let mut python = Command::new(tools.join("python"));
        python.arg(example("producer.py"));
        send(python, &parts, "python");
        accepted += ARRAYS * EVENTS;
    }
    let kcat = tool("kcat");
    if let Some(tools) = &kcat {
        let mut command = Command::new(example("kcat.sh"));
        command.env("PATH", format!("{}:{}", tools.display(), std::env::var("PATH").unwrap()));
        send(command, &parts, "kcat");
        accepted += ARRAYS * EVENTS;
    }
    assert_eq!(became(&parts), BTreeMap::from([("accepted".to_owned(), accepted)]));

    // without the partitioner they are told apart, so the comparison above is one
    if let Some(tools) = &kcat {
        let mut command = Command::new("bash");
        let wrong = "exec kcat -P -K '\\t' -b \"$0\" -t \"$1\"";
        command.args(["-c", wrong]).env("PATH", format!("{}:{}", tools.display(), std::env::var("PATH").unwrap()));
        send(command, &parts, "wrong");
        let found = became(&parts);
        assert!(found.get("misrouted").is_some_and(|count| *count > ARRAYS), "{found:?}");
    }
}

/// Whoever has no kcat is told what to install, by the example and by the script that tests fetch it with.
#[test]
fn what_to_install_is_said_where_kcat_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = std::env::var_os("PATH").unwrap();
    // a machine that has these programs, and neither kcat nor apt
    for program in ["awk", "cat", "cut", "dirname", "flock", "mkdir", "rm", "sha256sum"] {
        let found = std::env::split_paths(&path).map(|place| place.join(program)).find(|file| file.exists());
        std::os::unix::fs::symlink(found.unwrap(), folder.path().join(program)).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/fetch-tools.sh");
    for (script, arguments, code) in [(example("kcat.sh"), &["127.0.0.1:1", "usage"][..], 127), (script, &["kcat"], 3)]
    {
        let mut command = Command::new("/bin/bash");
        command
            .arg(&script)
            .args(arguments)
            .env("PATH", folder.path())
            .env("PLIMSOLL_CACHE", folder.path().join("cache"));
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{}: {said}", script.display());
        assert!(said.lines().last().unwrap().contains("apt-get install kcat"), "{}: {said}", script.display());
    }
}
