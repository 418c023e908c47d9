//! The broker: the partitions of the usage topic, the control log, and the group's committed offsets.

use std::rc::Rc;

use super::plan::Plan;
use super::sent::Sent;
use crate::core::decision::Decision;
use crate::core::event::RawRecord;
use crate::core::ledger::judge::LogRecord;
use crate::core::metering::definition::{Definition, MeterKind, Meters};
use crate::core::word::{HOUR_MS, Instant, Offset};

/// The meters that books define; readings of another one stay unmetered.
pub(super) const METERS: [(&str, Definition); 4] = [
    ("used", Definition { kind: MeterKind::Gauge, max_hold_ms: 2 * HOUR_MS, cell_ms: 900_000 }),
    ("fine", Definition { kind: MeterKind::Gauge, max_hold_ms: HOUR_MS, cell_ms: 300_000 }),
    ("read", Definition { kind: MeterKind::Counter, max_hold_ms: 3 * HOUR_MS, cell_ms: 900_000 }),
    ("written", Definition { kind: MeterKind::Delta, max_hold_ms: 2 * HOUR_MS, cell_ms: 900_000 }),
];

/// The decision that a record's header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    None,
    /// A decision by its offset and hash.
    Names(u64, u64),
    /// By its offset alone, as headers once did.
    NamesOffset(u64),
    NotANumber,
}

/// A hash that no decision has.
pub(super) const NO_HASH: u64 = 0;

/// A decision's hash as headers write it.
pub(super) fn hash_text(hash: u64) -> String {
    format!("{hash:064x}")
}

/// One record.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) offset: u64,
    pub(super) append_ms: i64,
    pub(super) key: Vec<u8>,
    pub(super) header: Header,
    header_text: Vec<u8>,
    pub(super) sent: Rc<Sent>,
}

impl Record {
    /// Hands the record over as the log gives it.
    pub(super) fn show<T>(&self, to: impl FnOnce(&LogRecord<'_>) -> T) -> T {
        let header = [("plimsoll-decision", self.header_text.as_slice())];
        let headers = if self.header == Header::None { &header[..0] } else { &header[..] };
        let raw = RawRecord { key: Some(&self.key), headers, value: &self.sent.value };
        to(&LogRecord { offset: Offset(self.offset), append_time: Instant(self.append_ms), raw })
    }
}

/// One partition of the topic.
#[derive(Debug, Default)]
pub(super) struct PartitionLog {
    pub(super) records: Vec<Rc<Record>>,
    /// The first offset that is still there.
    pub(super) first: u64,
    pub(super) end: u64,
    /// Nobody was given a record at or above this offset.
    pub(super) seen: u64,
    /// Where the log was cut, each time.
    pub(super) cuts: Vec<u64>,
    /// What stood in the log when it was cut below a checkpoint: nothing of it may be folded again.
    pub(super) before_cut: Option<Vec<Rc<Record>>>,
    /// Whether a process has refused to go on since.
    pub(super) refused: bool,
    pub(super) committed: u64,
}

impl PartitionLog {
    /// The records from `from` on that are still there.
    pub(super) fn from(&self, from: u64) -> &[Rc<Record>] {
        let place = self.records.partition_point(|record| record.offset < from.max(self.first));
        &self.records[place..]
    }

    fn append(&mut self, append_ms: i64, key: Vec<u8>, header: Header, sent: Rc<Sent>) -> u64 {
        let offset = self.end;
        let header_text = match header {
            Header::None => Vec::new(),
            Header::Names(decision, hash) => format!("{decision}:{}", hash_text(hash)).into_bytes(),
            Header::NamesOffset(decision) => decision.to_string().into_bytes(),
            Header::NotANumber => b"soon".to_vec(),
        };
        self.records.push(Rc::new(Record { offset, append_ms, key, header, header_text, sent }));
        self.end += 1;
        offset
    }

    /// Cuts the log at `at`: what stood there is gone.
    pub(super) fn cut(&mut self, at: u64, below_checkpoint: bool) {
        if below_checkpoint && self.before_cut.is_none() {
            self.before_cut = Some(self.records.clone());
        }
        self.records.retain(|record| record.offset < at);
        // no hole is left at the end
        let at = self.records.last().map_or(self.first, |record| record.offset + 1);
        self.end = at;
        self.seen = self.seen.min(at);
        self.cuts.push(at);
    }

    /// Deletes the records below `first`, of which some were not folded.
    pub(super) fn lose(&mut self, first: u64) {
        self.before_cut = Some(self.records.clone());
        self.first = first;
    }
}

/// One decision, and which event it sends again.
#[derive(Debug)]
pub(super) struct ControlRecord {
    pub(super) decision: Decision,
    /// Its hash, which nobody knows before it is there.
    pub(super) hash: u64,
    pub(super) resent: Option<Rc<Sent>>,
}

/// The broker.
#[derive(Debug)]
pub(super) struct Broker {
    pub(super) partitions: Vec<PartitionLog>,
    pub(super) control: Vec<ControlRecord>,
    /// Definitions in force from the record after each offset on.
    meters: Vec<(u64, Meters)>,
    /// How far the broker's clock is off.
    pub(super) skew_ms: i64,
}

impl Broker {
    pub(super) fn new(plan: &Plan) -> Self {
        let partitions = (0..plan.rules.partitions).map(|_| PartitionLog::default()).collect();
        let decision = Decision::StreamOpened { rules: (*plan.rules).clone(), actor: "a".to_owned() };
        let control = vec![ControlRecord { decision, hash: 1, resent: None }];
        Self { partitions, control, meters: Vec::new(), skew_ms: 0 }
    }

    /// Appends a record and returns its offset.
    pub(super) fn append(
        &mut self,
        (partition, now_ms): (u32, i64),
        key: Vec<u8>,
        header: Header,
        sent: Rc<Sent>,
    ) -> u64 {
        let append_ms = now_ms + self.skew_ms;
        self.partitions[partition as usize].append(append_ms, key, header, sent)
    }

    /// Appends a decision and returns its offset.
    pub(super) fn decide(&mut self, decision: Decision, resent: Option<Rc<Sent>>) -> u64 {
        let hash = self.control.len() as u64 + 1;
        self.control.push(ControlRecord { decision, hash, resent });
        self.control.len() as u64 - 1
    }

    /// Publishes a book that defines the meters with these places in [`METERS`].
    pub(super) fn define(&mut self, places: &[usize]) {
        let mut meters = self.meters(u64::MAX);
        for (name, definition) in places.iter().map(|place| METERS[*place]) {
            meters.define(name, definition);
        }
        let book =
            Decision::PriceBookPublished { hash: String::new(), book: serde_json::Value::Null, actor: "a".to_owned() };
        let offset = self.decide(book, None);
        self.meters.push((offset, meters));
    }

    /// The meters defined below `control`.
    pub(super) fn meters(&self, control: u64) -> Meters {
        let below = self.meters.iter().rev().find(|(offset, _)| *offset < control);
        below.map(|(_, meters)| meters.clone()).unwrap_or_default()
    }
}
