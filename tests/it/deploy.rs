//! What lies in deploy/ is held against the binary that it starts.

use std::process::{Command, Output};

use crate::worker::{Parts, Worker};

fn root(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The directory of a tool that the project's script fetches; none where it cannot be had, which is said.
pub fn tool(name: &str) -> Option<std::path::PathBuf> {
    let output = Command::new(root("scripts/fetch-tools.sh")).arg(name).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => Some(String::from_utf8(output.stdout).unwrap().trim().into()),
        Some(3) => {
            eprintln!("passed over without {name}: {}", said.lines().last().unwrap_or_default());
            None
        }
        _ => panic!("{said}"),
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn manifests_start_what_there_is() {
    if tool("lint").is_none() {
        return;
    }
    let checked = Command::new(root("scripts/check-deploy.sh")).arg(env!("CARGO_BIN_EXE_plimsoll")).output().unwrap();
    assert!(checked.status.success(), "{}", text(&checked));
}

/// The probe of the compose file and the units, against the listener that it asks.
#[test]
fn the_probe_tells_a_process_that_lives_from_one_that_is_ready() {
    let parts = Parts::start();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let probe = |path: &str, patience: &str| {
        Command::new(root("deploy/probe.sh")).args([path, &address, patience]).output().unwrap()
    };
    let refused = probe("livez", "0");
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));

    let mut command = parts.command(&["run"]);
    command.env("PLIMSOLL_METRICS__LISTEN", &address);
    let _worker = Worker::of(command);
    for path in ["livez", "readyz"] {
        let answer = probe(path, "30");
        assert!(answer.status.success(), "{}", text(&answer));
    }
    parts.dev.kill(plimsoll::dev::Part::Engine).unwrap();
    let answer = probe("readyz", "0");
    assert_eq!(answer.status.code(), Some(1));
    assert!(text(&answer).contains("503"), "{}", text(&answer));
    assert!(probe("livez", "0").status.success());
}
