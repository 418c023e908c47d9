//! What must have become of every record, from what producers sent and where the broker put it: another algorithm than the
//! product's, over the producers' own knowledge. No byte is decoded, nothing is hashed, nothing is remembered step by step.

use std::rc::Rc;

use super::broker::{Broker, Header, Record};
use crate::core::event::partition_of;
use crate::core::ledger::rules::StreamRules;

/// What must have become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Accepted,
    Duplicate,
    Late,
    Quarantined(&'static str),
}

impl Due {
    /// The number and the reason that its row must show.
    pub(super) fn row(self) -> (u8, &'static str) {
        match self {
            Due::Accepted => (1, ""),
            Due::Duplicate => (2, ""),
            Due::Late => (3, ""),
            Due::Quarantined(reason) => (4, reason),
        }
    }
}

/// A record with what is due to it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) generation: u32,
    pub(super) record: Rc<Record>,
    pub(super) due: Due,
    /// The decision that its header names, if that is about it.
    pub(super) decision: Option<u64>,
}

impl Judged {
    /// Where it stands among the records of all generations.
    pub(super) fn rank(&self) -> u64 {
        rank(self.generation, self.record.offset)
    }
}

/// A position of a generation among those of all.
pub(super) fn rank(generation: u32, offset: u64) -> u64 {
    u64::from(generation) << 48 | offset
}

/// What must have become of all records that concern a place: of those that were ever folded there, in log order, and before them of
/// those that earlier generations accepted below their ends, of the arrays that belong to the place now.
pub(super) struct Told {
    pub(super) all: Vec<Judged>,
    own: usize,
}

impl Told {
    /// The records of the place itself.
    pub(super) fn own(&self) -> &[Judged] {
        &self.all[self.own..]
    }
}

/// Judges the records of a place.
pub(super) fn judge(broker: &Broker, place: u32) -> Told {
    let (stream, partition) = broker.of_place(place);
    let (rules, generation) = (&*stream.rules, stream.rules.generation);
    let mut judged: Vec<Judged> = Vec::new();
    let mut log_time = i64::MIN;
    for earlier in 0..stream.first {
        let told = judge(broker, earlier);
        let end = broker.end_of(earlier).unwrap_or_default();
        for one in told.own().iter().filter(|one| one.record.offset < end) {
            log_time = log_time.max(one.record.append_ms);
            let belongs = partition_of(one.record.sent.array.as_bytes(), rules.partitions) == partition;
            if one.due == Due::Accepted && belongs {
                judged.push(one.clone());
            }
        }
    }
    let own = judged.len();
    for record in broker.partitions[place as usize].told() {
        log_time = log_time.max(record.append_ms);
        let named = named(broker, &record);
        let due = due(&record, named, (rules, partition.0, log_time), &judged);
        judged.push(Judged { generation, record, due, decision: named.unwrap_or_default() });
    }
    Told { all: judged, own }
}

/// The decision that a header names; an error if that is not about this record.
fn named(broker: &Broker, record: &Record) -> Result<Option<u64>, ()> {
    match record.header {
        Header::None => Ok(None),
        Header::NotANumber | Header::NamesOffset(_) => Err(()),
        Header::Names(offset, hash) => {
            let decision = usize::try_from(offset).ok().and_then(|place| broker.control.get(place)).ok_or(())?;
            if decision.hash != hash {
                return Err(());
            }
            // what it is about are the bytes: an event may have been sent twice under two numbers
            let is_about_it = decision.resent.as_ref().is_some_and(|resent| resent.value == record.sent.value);
            if is_about_it { Ok(Some(offset)) } else { Err(()) }
        }
    }
}

fn due(
    record: &Record,
    named: Result<Option<u64>, ()>,
    (rules, partition, log_time): (&StreamRules, u32, i64),
    before: &[Judged],
) -> Due {
    let sent = &record.sent;
    if let Some(flaw) = sent.flaw {
        return Due::Quarantined(flaw.reason());
    }
    let key = sent.array.as_bytes();
    if record.key != key || partition_of(key, rules.partitions).0 != partition {
        return Due::Quarantined("misrouted");
    }
    if rules.provider.as_deref().is_some_and(|own| own != sent.provider) {
        return Due::Quarantined("foreign_provider");
    }
    if named.is_err() {
        return Due::Quarantined("unmatched_retry");
    }
    let window = rules.acceptance_window_ms;
    let remembered = |other: &Judged| log_time <= other.record.append_ms.max(other.record.sent.time) + window;
    let same = before.iter().rev().find(|other| other.due == Due::Accepted && other.record.sent.same_identity(sent));
    match same.filter(|other| remembered(other)) {
        Some(other) if other.record.sent.same_content(sent) => return Due::Duplicate,
        Some(_) => return Due::Quarantined("conflict"),
        None => {}
    }
    if sent.time > record.append_ms + rules.future_limit_ms {
        return Due::Quarantined("future");
    }
    if sent.time < log_time - window && named == Ok(None) {
        return Due::Late;
    }
    Due::Accepted
}
