//! Free ports on loopback.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use super::Error;

/// Below the range from which systems take the ports of outgoing connections: a part that is down for a moment must find
/// its port free again.
const RANGE: std::ops::Range<u16> = 20_000..30_000;
/// Ports that are tried before giving up.
const TRIES: u16 = 1_000;
/// Looks at a port that is to be kept.
const KEEP_TRIES: u32 = 4;
/// Between two of them.
const KEEP_PAUSE: Duration = Duration::from_millis(50);

/// The port if nobody listens on it, else a free one.
///
/// # Errors
/// When none is found.
pub fn keep_or_choose(port: Option<u16>) -> Result<u16, Error> {
    match port {
        Some(port) if becomes_free(port) => Ok(port),
        _ => choose(),
    }
}

/// A process that is being started beside this one holds its parent's sockets for a moment, this port's perhaps too.
fn becomes_free(port: u16) -> bool {
    (0..KEEP_TRIES).any(|_| {
        let free = is_free(port);
        if !free {
            std::thread::sleep(KEEP_PAUSE);
        }
        free
    })
}

fn choose() -> Result<u16, Error> {
    let size = RANGE.end - RANGE.start;
    // Starts anywhere, so that two that choose at the same time do not choose the same.
    let start = u16::try_from(RandomState::new().build_hasher().finish() % u64::from(size)).unwrap_or_default();
    (0..TRIES).map(|step| RANGE.start + (start + step) % size).find(|port| is_free(*port)).ok_or(Error::NoPort)
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_kept_while_nobody_else_has_it() {
        let port = keep_or_choose(None).unwrap();
        assert!(RANGE.contains(&port));
        assert_eq!(keep_or_choose(Some(port)).unwrap(), port);
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert_ne!(keep_or_choose(Some(port)).unwrap(), port);
    }
}
