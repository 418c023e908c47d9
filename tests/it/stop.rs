//! A process that is asked to end while it waits for what is away has nothing to make durable, and ends.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest pause between two tries is 15 s.
const WAIT: Duration = Duration::from_secs(10);

fn start(role: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command
        .arg(role)
        .env("PLIMSOLL_CLICKHOUSE__URL", "http://127.0.0.1:9")
        .env("PLIMSOLL_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:9");
    command.env("PLIMSOLL_METRICS__LISTEN", "127.0.0.1:0").stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn what_waits_for_a_database_that_is_away_ends_when_it_is_asked_to() {
    for role in ["run", "bill"] {
        let mut child = start(role);
        // long enough for some tries: it waits some seconds between them then
        std::thread::sleep(Duration::from_secs(4));
        assert!(child.try_wait().unwrap().is_none(), "{role} waits");
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        let since = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if since.elapsed() > WAIT {
                child.kill().unwrap();
                panic!("{role} does not end");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(child.wait().unwrap().success(), "{role}");
    }
}
