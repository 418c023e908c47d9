//! What was read of the control log: its records, each chained to the one before, and what they define.

use sha2::{Digest, Sha256};

use crate::core::book::Book;
use crate::core::decision::Decision;
use crate::core::decision::stream::StreamRegister;
use crate::core::metering::definition::Meters;
use crate::core::word::{Instant, Offset};

/// One record of the control log.
#[derive(Clone, Debug)]
pub struct ControlRecord {
    /// Its offset.
    pub offset: Offset,
    /// When the broker appended it.
    pub append_time: Instant,
    /// Its JSON, as it lies in the log.
    pub body: String,
    /// What it says.
    pub decision: Decision,
    /// SHA-256 over the hash of the record before it and this record's bytes, in hex.
    pub hash: String,
}

/// The control log as far as it was read, and what follows from it.
#[derive(Default)]
pub(super) struct ReadLog {
    pub(super) records: Vec<ControlRecord>,
    /// Bytes of the decisions' JSON; what is held of them in memory is a few times as much.
    bytes: u64,
    most_bytes: u64,
    pub(super) meters: Vec<(Offset, Meters)>,
    pub(super) streams: StreamRegister,
    pub(super) end: u64,
    pub(super) refusal: Option<String>,
}

impl ReadLog {
    /// Nothing yet, of so many bytes at most.
    pub(super) fn at_most(bytes: u64) -> Self {
        Self { most_bytes: bytes, ..Self::default() }
    }

    /// Takes in the next record; why not, if it cannot be.
    pub(super) fn take(&mut self, offset: Offset, append_time: Option<Instant>, body: String) -> Result<(), String> {
        self.end = offset.0 + 1;
        let append_time = append_time.ok_or_else(|| {
            format!(
                "the record at offset {} is stamped by its producer: set message.timestamp.type=LogAppendTime on the topic",
                offset.0
            )
        })?;
        self.bytes += body.len() as u64;
        if self.bytes > self.most_bytes {
            return Err(format!(
                "decisions up to offset {} have {} bytes and at most {} are held in memory: raise kafka.control_max_mbytes",
                offset.0, self.bytes, self.most_bytes
            ));
        }
        let decision: Decision = serde_json::from_str(&body).map_err(|error| {
            format!(
                "the decision at offset {} is not understood ({error}): a newer version wrote it; upgrade this process",
                offset.0
            )
        })?;
        let before = self.records.last().map_or("", |record| &record.hash);
        let hash = format!("{:x}", Sha256::new().chain_update(before).chain_update(&body).finalize());
        if let Decision::PriceBookPublished { book, .. } = &decision {
            self.define_meters(offset, book);
        }
        self.streams.apply(&decision);
        self.records.push(ControlRecord { offset, append_time, body, decision, hash });
        Ok(())
    }

    /// Definitions add up: a later book may define more meters, never change one.
    fn define_meters(&mut self, offset: Offset, book: &serde_json::Value) {
        let mut meters = self.meters.last().map(|(_, meters)| meters.clone()).unwrap_or_default();
        match Book::from_canonical(book) {
            Ok(book) => book.meters().for_each(|(name, definition)| meters.define(name, definition)),
            Err(error) => {
                let text = format!(
                    "the price book at offset {} of the control log is not understood ({error}): upgrade this process",
                    offset.0
                );
                self.refusal.get_or_insert(text);
            }
        }
        self.meters.push((offset, meters));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discarded(offset: u64) -> String {
        let (stream, partition) = (crate::core::word::StreamId("s-1".to_owned()), crate::core::word::Partition(0));
        let (offset, raw_hash, reason) = (Offset(offset), "0".repeat(32), "r".to_owned());
        let decision = Decision::RecordDiscarded { stream, partition, offset, raw_hash, reason, actor: "a".to_owned() };
        serde_json::to_string(&decision).unwrap()
    }

    #[test]
    fn decisions_are_held_up_to_the_bytes_that_are_configured() {
        let body = discarded(7);
        let most_bytes = 3 * body.len() as u64;
        let mut read = ReadLog::at_most(most_bytes);
        for offset in 0..3 {
            read.take(Offset(offset), Some(Instant(1)), body.clone()).unwrap();
        }
        let refusal = read.take(Offset(3), Some(Instant(1)), body.clone()).unwrap_err();
        assert!(refusal.contains("raise kafka.control_max_mbytes"), "{refusal}");
        assert_eq!((read.records.len(), read.end), (3, 4));
    }

    #[test]
    fn a_stamp_of_the_producer_and_an_unknown_decision_are_refused() {
        let mut read = ReadLog::at_most(u64::MAX);
        assert!(read.take(Offset(0), None, discarded(1)).unwrap_err().contains("LogAppendTime"));
        assert!(read.take(Offset(1), Some(Instant(1)), "{}".to_owned()).unwrap_err().contains("upgrade"));
        assert!(read.records.is_empty());
    }
}
