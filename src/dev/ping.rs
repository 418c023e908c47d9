//! The engine's health, asked for without a client library.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for a connection and for the answer.
const ANSWER_WAIT: Duration = Duration::from_secs(2);
/// An answer is shorter than this.
const ANSWER_LIMIT: u64 = 4096;

/// Whether an engine answers on this port.
#[must_use]
pub fn answers(port: u16) -> bool {
    ask(port).is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"Ok.\n"))
}

fn ask(port: u16) -> std::io::Result<Vec<u8>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WAIT)?;
    stream.set_read_timeout(Some(ANSWER_WAIT))?;
    stream.write_all(b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(ANSWER_LIMIT).read_to_end(&mut answer)?;
    Ok(answer)
}
