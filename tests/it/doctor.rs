//! `plimsoll doctor` with the real parts: all is well, then one thing is broken at a time, and it is named.

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use serde_json::Value;

use plimsoll::clickhouse::migrate::MIGRATIONS;

use crate::worker::Parts;

/// The exit code, and the findings that are no `ok`, as (about, level, found and mend).
fn examine(parts: &Parts, arguments: &[&str]) -> (i32, Vec<(String, String, String)>) {
    let output = parts.run(&[&["doctor", "--format", "json"], arguments].concat());
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let code = output.status.code().unwrap();
    assert_eq!(said["well"], code == 0);
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = said["findings"].as_array().unwrap().iter();
    let findings = findings.map(|one| {
        let words = text(one, "found") + " -> " + &text(one, "mend");
        (text(one, "about"), text(one, "level"), words)
    });
    (code, findings.filter(|(_, level, _)| level != "ok").collect())
}

fn wrong(parts: &Parts) -> Vec<(String, String)> {
    let (code, findings) = examine(parts, &[]);
    assert_eq!(code, 1);
    findings.into_iter().filter(|(_, level, _)| level == "wrong").map(|(about, _, words)| (about, words)).collect()
}

fn set(parts: &Parts, topic: &str, settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &parts.kafka).create().unwrap();
    let resource = ResourceSpecifier::Topic(topic);
    let change = settings.iter().fold(AlterConfig::new(resource), |change, (name, value)| change.set(name, value));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let changed = runtime.block_on(admin.alter_configs([&change], &AdminOptions::new())).unwrap();
    changed[0].as_ref().unwrap();
}

#[test]
fn what_is_broken_is_named_with_its_mend() {
    let parts = Parts::start();
    // before anything is opened: known, and no fault
    let (code, findings) = examine(&parts, &[]);
    assert_eq!(code, 0, "{findings:?}");
    assert!(findings.iter().any(|(about, _, words)| about == "topic billing-control" && words.contains("stream open")));

    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "2"]);
    let (code, findings) = examine(&parts, &["--broker-clock"]);
    assert_eq!(code, 0, "{findings:?}");
    let text = parts.ok(&["doctor", "--broker-clock"]);
    let migrations = format!("all {} migrations, every column as it must be", MIGRATIONS.len());
    for fine in
        ["ok       topic usage: 2 partitions", "ok       clock of the broker: as this", &migrations, "4.0 or later"]
    {
        assert!(text.contains(fine), "{fine}: {text}");
    }
    // the topic that was made for the clock is gone
    let admin: rdkafka::consumer::BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", &parts.kafka).create().unwrap();
    let metadata =
        rdkafka::consumer::Consumer::fetch_metadata(&admin, None, std::time::Duration::from_secs(10)).unwrap();
    assert!(metadata.topics().iter().all(|topic| !topic.name().starts_with("plimsoll-doctor")));

    set(&parts, "usage", &[("message.timestamp.type", "CreateTime"), ("cleanup.policy", "compact")]);
    let found = wrong(&parts);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|(about, _)| about == "topic usage"), "{found:?}");
    let mend = "kafka-configs.sh --alter --entity-type topics --entity-name usage --add-config message.timestamp.type=LogAppendTime";
    assert!(found[0].1.contains("\"CreateTime\"") && found[0].1.ends_with(mend), "{found:?}");
    set(&parts, "usage", &[("message.timestamp.type", "LogAppendTime"), ("retention.ms", "3600000")]);
    let (code, findings) = examine(&parts, &[]);
    assert_eq!(code, 0, "short retention is a warning: {findings:?}");
    assert!(findings.iter().any(|(_, level, words)| level == "warning" && words.contains("1.0 h")), "{findings:?}");

    parts.execute("ALTER TABLE audit DROP COLUMN digest").unwrap();
    let found = wrong(&parts);
    assert!(found[0].0 == "tables of ClickHouse" && found[0].1.contains("audit.digest is missing"), "{found:?}");
    assert!(found[0].1.contains("plimsoll migrate"), "{found:?}");

    parts.dev.kill(plimsoll::dev::Part::Engine).unwrap();
    let found = wrong(&parts);
    assert!(found.len() == 1 && found[0].0 == "clickhouse" && found[0].1.contains("is it up?"), "{found:?}");
    parts.dev.kill(plimsoll::dev::Part::Kafka).unwrap();
    let found = wrong(&parts);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].0 == "kafka" && found[0].1.contains("check kafka.bootstrap_servers"), "{found:?}");
}

#[test]
fn pages_and_completions_are_written_for_every_command() {
    let folder = tempfile::TempDir::new().unwrap();
    let run = |arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(arguments).output().unwrap()
    };
    let pages = folder.path().join("deep/man1");
    assert!(run(&["man", pages.to_str().unwrap()]).status.success());
    let help = String::from_utf8(run(&["help"]).stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.len() > 20 && commands.contains(&"doctor"), "{commands:?}");
    for command in &commands {
        let page = std::fs::read_to_string(pages.join(format!("plimsoll-{command}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{command}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = String::from_utf8(run(&["completions", shell]).stdout).unwrap();
        for command in &commands {
            assert!(script.contains(command), "{shell} does not know {command}");
        }
    }
    let bash = folder.path().join("plimsoll.bash");
    std::fs::write(&bash, run(&["completions", "bash"]).stdout).unwrap();
    // what a person gets who types `plimsoll doc` and TAB
    let typed = "source \"$0\"; COMP_WORDS=(plimsoll doc); COMP_CWORD=1; _plimsoll plimsoll doc plimsoll; echo \"${COMPREPLY[@]}\"";
    let completed = std::process::Command::new("bash").args(["-c", typed]).arg(&bash).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&completed.stdout).trim(), "doctor", "{completed:?}");
    assert_eq!(run(&["completions", "tcl"]).status.code(), Some(2));
    assert_eq!(run(&["man", "/proc/none"]).status.code(), Some(1));
}
