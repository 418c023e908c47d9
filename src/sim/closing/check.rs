//! The judgement of closing, from what was sent, what the log has, and nothing that the product remembers.

use std::collections::BTreeSet;

use super::super::broker::Broker;
use super::super::oracle::{Told, judge};
use super::super::world::{Broken, World};
use super::document;
use super::oracle::Oracle;
use super::register::{Counted, Log};
use crate::core::closing::record;
use crate::core::closing::register::{Register, Subject};
use crate::core::decision::Decision;
use crate::core::word::{Instant, Offset};
use crate::statement::Place;

/// How much was closed.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::sim) struct Tally {
    /// Closes that count.
    pub(in crate::sim) closes: u64,
    /// Those of them that correct.
    pub(in crate::sim) corrections: u64,
    /// Records of closes that do not count.
    pub(in crate::sim) void: u64,
    /// Closes that rest on decisions alone, since nothing was ever sent.
    pub(in crate::sim) on_decisions: u64,
    /// Numbers that were given.
    pub(in crate::sim) numbers: u64,
}

impl Tally {
    /// Adds what was closed in another schedule.
    pub(in crate::sim) fn add(&mut self, other: Self) {
        self.closes += other.closes;
        self.corrections += other.corrections;
        self.void += other.void;
        self.on_decisions += other.on_decisions;
        self.numbers += other.numbers;
    }
}

/// Compares everything that was closed with what is due.
pub(in crate::sim) fn check(world: &World) -> Tally {
    let Some(plan) = world.plan.closing else { return Tally::default() };
    let broker = world.broker.borrow();
    let log = Log::of(&plan, &broker);
    counted(world, &broker, &log);
    if world.has_failed() {
        return Tally::default();
    }
    let told: Vec<Told> = (0..broker.partitions.len() as u32).map(|place| judge(&broker, place)).collect();
    let mut oracle = Oracle { world, broker: &broker, log: &log, told: &told, plan, due: Vec::new() };
    for closed in &log.closes {
        stored(world, closed);
        oracle.legal(closed);
        oracle.documents(closed);
    }
    oracle.all_is_adjusted();
    document::documents(world, &log);
    tally(&broker, &log)
}

fn tally(broker: &Broker, log: &Log<'_>) -> Tally {
    let is_close = |decision: &Decision| matches!(decision, Decision::PeriodClosed { .. });
    let records = broker.control.iter().filter(|record| is_close(&record.decision)).count();
    let corrections = log.closes.iter().filter(|closed| closed.close.revision > 0).count();
    Tally {
        closes: log.closes.len() as u64,
        corrections: corrections as u64,
        void: (records - log.closes.len()) as u64,
        on_decisions: log.closes.iter().filter(|closed| closed.close.cut.is_empty()).count() as u64,
        numbers: log.numbers.len() as u64,
    }
}

/// The product's register says the same as the log, by another algorithm.
fn counted(world: &World, broker: &Broker, log: &Log<'_>) {
    let mut register = Register::default();
    for (offset, record) in (0..).map(Offset).zip(&broker.control) {
        register.take(offset, Instant(record.append_ms), &record.decision);
    }
    let counted: Vec<u64> = register.closes().iter().map(|closed| closed.offset.0).collect();
    let due: Vec<u64> = log.closes.iter().map(|closed| closed.offset).collect();
    if counted != due {
        world.fail(Broken::Wrong, format!("I14: closes {counted:?} count; due are {due:?}"));
    }
    let numbers: Vec<&str> = register.issued().iter().map(|issued| &*issued.numbered.number).collect();
    let due: Vec<&str> = log.numbers.iter().map(|number| &*number.text).collect();
    if numbers != due {
        world.fail(Broken::Wrong, format!("I17: {numbers:?} are issued; due are {due:?}"));
    }
    let drafts = register.issued().iter().filter_map(|issued| match &issued.subject {
        Subject::Draft(draft) => Some(draft),
        Subject::Note(_) => None,
    });
    let (mut seen, mut twice) = (BTreeSet::new(), drafts.collect::<Vec<_>>());
    twice.retain(|draft| !seen.insert(*draft));
    if let Some(draft) = twice.first() {
        world.fail(Broken::Doubled, format!("{draft:?} has two numbers"));
    }
}

/// I9: rows and headers of a close that counts are all there, and hash to what its decision names.
fn stored(world: &World, closed: &Counted<'_>) {
    let database = world.database.borrow();
    let id = &closed.close.rating_id;
    let of = |key: &&(String, Place)| key.0 == *id;
    let lines: Vec<&(String, Place)> = database.bill.lines.keys().filter(of).collect();
    let headers: Vec<&(String, Place)> = database.bill.headers.keys().filter(of).collect();
    if lines != headers || !database.bill.allocated.contains(id) {
        world.fail(Broken::Lost, format!("I9: {id} counts with rows {lines:?} and headers {headers:?}"));
    }
    let drafts = database.bill.headers.iter().filter(|(key, _)| of(key));
    let ratings = drafts.map(|((_, place), stored)| {
        let digest = record::digest_of(&stored.row.draft.document).unwrap_or_default();
        (place.contract.clone(), place.customer.clone(), digest)
    });
    if record::digest(ratings.collect()).unwrap_or_default() != closed.close.digest {
        world.fail(Broken::Wrong, format!("I9: the drafts of {id} are not those that it closed"));
    }
}
