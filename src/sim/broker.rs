//! The broker: the partitions of the usage topic, the control log, and the group's committed offsets.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use super::closing::{BookSpec, ClosingPlan, canonical};
use super::plan::Plan;
use super::sent::Sent;
use crate::core::decision::Decision;
use crate::core::decision::stream::Closes;
use crate::core::event::RawRecord;
use crate::core::ledger::judge::LogRecord;
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::definition::{Definition, MeterKind, Meters};
use crate::core::word::{HOUR_MS, Instant, Offset, Partition, StreamId};

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
    /// When that was, whatever the broker's clock said.
    pub(super) real_ms: i64,
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
    /// Where the newest checkpoint stood when `before_cut` was kept.
    pub(super) stood: u64,
    /// Whether a process has refused to go on since.
    pub(super) refused: bool,
    pub(super) committed: u64,
    /// What was folded below the last recorded hole, as it stood in the log then.
    pub(super) folded_below: Vec<Rc<Record>>,
    /// Recorded holes: [from, to).
    pub(super) lost: Vec<(u64, u64)>,
}

/// One generation of the stream.
#[derive(Clone, Debug)]
pub(super) struct SimStream {
    pub(super) rules: Arc<StreamRules>,
    /// The place of its partition 0 among the partitions of all generations.
    pub(super) first: u32,
    /// Where its partitions end, once it is closed.
    pub(super) ends: Option<Vec<u64>>,
}

impl PartitionLog {
    /// The records from `from` on that are still there.
    pub(super) fn from(&self, from: u64) -> &[Rc<Record>] {
        let place = self.records.partition_point(|record| record.offset < from.max(self.first));
        &self.records[place..]
    }

    fn append(&mut self, (append_ms, real_ms): (i64, i64), key: Vec<u8>, header: Header, sent: Rc<Sent>) -> u64 {
        let offset = self.end;
        let header_text = match header {
            Header::None => Vec::new(),
            Header::Names(decision, hash) => format!("{decision}:{}", hash_text(hash)).into_bytes(),
            Header::NamesOffset(decision) => decision.to_string().into_bytes(),
            Header::NotANumber => b"soon".to_vec(),
        };
        self.records.push(Rc::new(Record { offset, append_ms, real_ms, key, header, header_text, sent }));
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

    /// Everything that was ever folded or is to be folded, in log order: what no recorded hole took.
    pub(super) fn told(&self) -> Vec<Rc<Record>> {
        if let Some(before) = &self.before_cut {
            return self.with_folded(before);
        }
        self.with_folded(&self.records)
    }

    fn with_folded(&self, records: &[Rc<Record>]) -> Vec<Rc<Record>> {
        let from = self.lost.last().map_or(0, |(_, to)| *to);
        let above = records.iter().filter(|record| record.offset >= from);
        self.folded_below.iter().chain(above).cloned().collect()
    }

    /// Records that [from, to) is lost: what was folded below stays told.
    pub(super) fn record_lost(&mut self, from: u64, to: u64) {
        self.folded_below = self.told().into_iter().filter(|record| record.offset < from).collect();
        self.lost.push((from, to));
        (self.before_cut, self.refused) = (None, false);
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
    /// When the broker appended it, by its clock.
    pub(super) append_ms: i64,
    /// ... and by the world's.
    pub(super) real_ms: i64,
    /// Its hash, which nobody knows before it is there.
    pub(super) hash: u64,
    pub(super) resent: Option<Rc<Sent>>,
}

/// The broker.
#[derive(Debug)]
pub(super) struct Broker {
    /// The partitions of all generations, one generation after the other.
    pub(super) partitions: Vec<PartitionLog>,
    pub(super) streams: Vec<SimStream>,
    pub(super) control: Vec<ControlRecord>,
    /// Decisions on their way that nobody waits for any more.
    pub(super) late_decisions: Vec<Decision>,
    /// The books that were published, where periods are closed.
    pub(super) books: Vec<BookSpec>,
    closing: Option<ClosingPlan>,
    now: Rc<Cell<i64>>,
    /// Definitions in force from the record after each offset on.
    meters: Vec<(u64, Meters)>,
    /// How far the broker's clock is off.
    pub(super) skew_ms: i64,
}

impl Broker {
    pub(super) fn new(plan: &Plan, now: Rc<Cell<i64>>) -> Self {
        let partitions = (0..plan.rules.partitions).map(|_| PartitionLog::default()).collect();
        let decision = Decision::StreamOpened { rules: (*plan.rules).clone(), closes: None, actor: "a".to_owned() };
        let streams = vec![SimStream { rules: Arc::clone(&plan.rules), first: 0, ends: None }];
        let (late_decisions, books, closing) = (Vec::new(), Vec::new(), plan.closing);
        let (control, meters) = (Vec::new(), Vec::new());
        let mut broker = Self { partitions, streams, control, late_decisions, books, closing, now, meters, skew_ms: 0 };
        broker.decide(decision, None);
        broker
    }

    /// The generation that is open.
    pub(super) fn open(&self) -> &SimStream {
        &self.streams[self.streams.len() - 1]
    }

    /// The generation of a place, and which of its partitions it is.
    pub(super) fn of_place(&self, place: u32) -> (&SimStream, Partition) {
        let stream = self.streams.iter().rev().find(|stream| stream.first <= place).unwrap_or(&self.streams[0]);
        (stream, Partition(place - stream.first))
    }

    /// Where a place ends, if its generation is closed.
    pub(super) fn end_of(&self, place: u32) -> Option<u64> {
        let (stream, partition) = self.of_place(place);
        stream.ends.as_ref().map(|ends| ends[partition.0 as usize])
    }

    /// The place of a partition of a generation.
    pub(super) fn place(&self, generation: u32, partition: Partition) -> u32 {
        self.streams[generation as usize - 1].first + partition.0
    }

    /// Opens the stream again.
    pub(super) fn reopen(&mut self, ends: Vec<u64>, partitions: u32, acceptance_window_ms: i64) {
        let (old, first) = (self.streams.len() - 1, self.partitions.len() as u32);
        self.streams[old].ends = Some(ends.clone());
        let (stream, generation) = (self.streams[old].rules.stream.clone(), old as u32 + 2);
        let mut rules = (*self.streams[old].rules).clone();
        (rules.generation, rules.partitions, rules.acceptance_window_ms) =
            (generation, partitions, acceptance_window_ms);
        rules.topic = format!("usage-{generation}");
        rules.stream = StreamId(rules.topic.clone());
        let ends = ends.into_iter().map(Offset).collect();
        let closes = Some(Closes { stream, ends, reason: "r".to_owned() });
        self.decide(Decision::StreamOpened { rules: rules.clone(), closes, actor: "a".to_owned() }, None);
        self.streams.push(SimStream { rules: Arc::new(rules), first, ends: None });
        self.partitions.extend((0..partitions).map(|_| PartitionLog::default()));
    }

    /// Appends a record and returns its offset.
    pub(super) fn append(
        &mut self,
        (partition, now_ms): (u32, i64),
        key: Vec<u8>,
        header: Header,
        sent: Rc<Sent>,
    ) -> u64 {
        let times = (now_ms + self.skew_ms, now_ms);
        self.partitions[partition as usize].append(times, key, header, sent)
    }

    /// Appends a decision and returns its offset.
    pub(super) fn decide(&mut self, decision: Decision, resent: Option<Rc<Sent>>) -> u64 {
        let hash = self.control.len() as u64 + 1;
        let real_ms = self.now.get();
        let append_ms = real_ms + self.skew_ms;
        self.control.push(ControlRecord { decision, append_ms, real_ms, hash, resent });
        self.control.len() as u64 - 1
    }

    /// Publishes a book that defines the meters with these places in [`METERS`].
    pub(super) fn define(&mut self, places: &[usize]) {
        let mut meters = self.meters(u64::MAX);
        for (name, definition) in places.iter().map(|place| METERS[*place]) {
            meters.define(name, definition);
        }
        let (hash, book) = match &self.closing {
            None => (String::new(), serde_json::Value::Null),
            Some(closing) => {
                let version = self.books.len() as i64;
                let priced = (0..METERS.len()).filter(|place| meters.get(METERS[*place].0).is_some()).collect();
                let spec = BookSpec { hash: format!("book-{version}"), version, meters: priced };
                self.books.push(spec.clone());
                (spec.hash.clone(), canonical(closing, &spec))
            }
        };
        let book = Decision::PriceBookPublished { hash, book, actor: "a".to_owned() };
        let offset = self.decide(book, None);
        self.meters.push((offset, meters));
    }

    /// Some of the decisions that were on their way arrive, or all of them.
    pub(super) fn land_decisions(&mut self, random: &mut super::random::Random, per_mille: u64) {
        for decision in std::mem::take(&mut self.late_decisions) {
            match random.chance(per_mille) {
                true => {
                    self.decide(decision, None);
                }
                false => self.late_decisions.push(decision),
            }
        }
    }

    /// The meters defined below `control`.
    pub(super) fn meters(&self, control: u64) -> Meters {
        let below = self.meters.iter().rev().find(|(offset, _)| *offset < control);
        below.map(|(_, meters)| meters.clone()).unwrap_or_default()
    }
}
