//! This machine: what the process may open, and who may reach it.

use super::finding::{Finding, Level};
use crate::config::Config;

/// Files and connections beside those of the API: Kafka's clients, ClickHouse's connections, the metrics listener, logs.
const FILES_BESIDE: u64 = 512;
/// Connections for each request that may run at once, as the API's listener takes them.
const CONNECTIONS_A_REQUEST: u64 = 4;

/// The limits of this process, and whether whoever reaches the API reads everything.
pub fn examine(config: &Config) -> Vec<Finding> {
    let gateway = config.gateway.listen.map_or(0, |_| config.gateway.connections as u64);
    let needed = config.http.concurrent_requests as u64 * CONNECTIONS_A_REQUEST + gateway + FILES_BESIDE;
    vec![Finding::ok("configuration", config.source.to_string()), files(open_files(), needed), access(config)]
}

/// How many files the process may open.
fn open_files() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a value of our own that lives throughout the call.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    (answer == 0).then_some(limit.rlim_cur)
}

fn files(limit: Option<u64>, needed: u64) -> Finding {
    let about = "open files";
    match limit {
        None => Finding::at(Level::Unknown, about, "the system does not say its limit", ""),
        Some(limit) if limit < needed => Finding::at(
            Level::Wrong,
            about,
            format!("limit {limit}, and up to {needed} may be needed"),
            format!(
                "raise it: `ulimit -n {needed}`, or LimitNOFILE= in the unit; or lower http.concurrent_requests or gateway.connections_max"
            ),
        ),
        Some(limit) => Finding::ok(about, format!("limit {limit}; up to {needed} may be needed")),
    }
}

fn access(config: &Config) -> Finding {
    let about = "access to the API";
    if config.is_open() {
        let found = format!("no [[credential]]: whoever reaches {} reads everything", config.http.listen);
        return Finding::at(Level::Warning, about, found, "add a [[credential]]; config/plimsoll.toml has the form");
    }
    Finding::ok(about, format!("{} credentials", config.credentials.len() + config.producers.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_low_is_named_with_its_mend() {
        assert_eq!(files(Some(640), 640).level, Level::Ok);
        let low = files(Some(639), 640);
        assert_eq!(low.level, Level::Wrong);
        assert!(low.mend.contains("ulimit -n 640"), "{low:?}");
        assert_eq!(files(None, 640).level, Level::Unknown);
        assert!(open_files().is_some_and(|limit| limit > 0));
    }
}
