//! Hashes over the log and the ledger, by which recovery notices rows that are missing and a log that was cut and refilled.

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::core::word::Instant;

/// The running digest of the ledger rows of a checkpoint's span, in the order of their offsets.
#[derive(Clone, Default)]
pub struct SpanDigest {
    state: Xxh3,
}

impl std::fmt::Debug for SpanDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SpanDigest({:032x})", self.finish())
    }
}

impl SpanDigest {
    /// Adds the next row.
    pub fn add(&mut self, offset: u64, disposition: u8, identity: u128, content: u64, readings: u32) {
        let mut row = [0u8; 37];
        row[..8].copy_from_slice(&offset.to_le_bytes());
        row[8] = disposition;
        row[9..25].copy_from_slice(&identity.to_le_bytes());
        row[25..33].copy_from_slice(&content.to_le_bytes());
        row[33..].copy_from_slice(&readings.to_le_bytes());
        self.state.update(&row);
    }

    /// The digest of the rows so far.
    #[must_use]
    pub fn finish(&self) -> u128 {
        self.state.digest128()
    }
}

/// What the log must show again at a record's offset if it is the log that was folded: when it was appended, and what it says
/// (identity and content of an event, the bytes of anything else).
#[must_use]
pub fn record_hash(append_time: Instant, decoded: Said, value: &[u8]) -> u128 {
    let mut bytes = [0u8; 48];
    bytes[..8].copy_from_slice(&append_time.0.to_le_bytes());
    let (said, content) = match decoded {
        Said::Event { identity, content } => (identity, content),
        Said::Bytes => (xxh3_128(value), u64::MAX),
    };
    bytes[8..24].copy_from_slice(&said.to_le_bytes());
    bytes[24..32].copy_from_slice(&content.to_le_bytes());
    xxh3_128(&bytes)
}

/// What a record says, for [`record_hash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// An event.
    Event {
        /// Its identity.
        identity: u128,
        /// The hash of what is billed of it.
        content: u64,
    },
    /// Nothing that could be decoded.
    Bytes,
}

/// Whether a header says something of the event.
fn is_said(name: &str) -> bool {
    name.starts_with("ce_") || name == "content-type"
}

/// The hash of what a record says, wherever it is sent: its value and its CloudEvents headers. Decisions name records by it.
#[must_use]
pub fn raw_hash(headers: &[(&str, &[u8])], value: &[u8]) -> u128 {
    let mut state = Xxh3::new();
    let mut said: Vec<_> = headers
        .iter()
        .map(|(name, text)| (name.to_ascii_lowercase(), *text))
        .filter(|(name, _)| is_said(name))
        .collect();
    said.sort_unstable();
    for (name, text) in said {
        state.update(&(name.len() as u64).to_le_bytes());
        state.update(name.as_bytes());
        state.update(&(text.len() as u64).to_le_bytes());
        state.update(text);
    }
    state.update(&xxh3_128(value).to_le_bytes());
    state.digest128()
}
