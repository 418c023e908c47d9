//! The tables. What an engine does by itself (merge, show one of equal versions) must not matter: so equal keys and versions are held
//! to be equal rows as they arrive, and a reader may be shown any state in which an insert was.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::closing::{BillPart, BillTables};
use super::random::Random;
use super::row::{BucketKey, BucketRow, EventRow, QuarantineRow};
use crate::fold::checkpoint::Checkpoint;

/// What reaches the tables at once: the rows of one table that lie in one of its partitions.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Quarantine(u32, Vec<(u64, QuarantineRow)>),
    Events(u32, Vec<Rc<EventRow>>),
    Buckets(u64, Vec<(BucketKey, Rc<BucketRow>)>),
    Checkpoint(u32, Box<Checkpoint>),
    Bill(Box<BillPart>),
}

/// A ledger row with the insert that first brought it.
#[derive(Debug)]
pub(super) struct Stored<T> {
    pub(super) row: T,
    pub(super) insert: u64,
}

/// What one process is shown: a replica may lack the newest inserts of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// Ledger rows of inserts below this one.
    pub(super) events: u64,
    /// Checkpoints of inserts below this one.
    pub(super) checkpoints: u64,
    /// Drafts and documents of inserts below this one.
    pub(super) bill: u64,
    /// A row that is shown wrongly while one state is loaded.
    pub(super) damaged: Option<(u32, u64)>,
}

impl View {
    pub(super) const WHOLE: View = View { events: u64::MAX, checkpoints: u64::MAX, bill: u64::MAX, damaged: None };
}

/// All tables.
#[derive(Debug, Default)]
pub(super) struct Database {
    pub(super) events: BTreeMap<(u32, u64), Stored<Rc<EventRow>>>,
    pub(super) quarantine: BTreeMap<(u32, u64), QuarantineRow>,
    /// All versions of each bucket.
    pub(super) buckets: BTreeMap<BucketKey, BTreeMap<u64, Rc<BucketRow>>>,
    /// By (partition, next, from, control).
    pub(super) checkpoints: BTreeMap<(u32, u64, u64, u64), Stored<Checkpoint>>,
    /// Ratings and documents.
    pub(super) bill: BillTables,
    pub(super) views: BTreeMap<usize, View>,
    pub(super) inserts: u64,
    in_flight: Vec<Part>,
}

impl Database {
    /// Brings a part in. An error says which rows should be equal and are not.
    pub(super) fn land(&mut self, part: Part) -> Result<(), String> {
        self.inserts += 1;
        let insert = self.inserts;
        match part {
            Part::Quarantine(partition, rows) => {
                for (offset, row) in rows {
                    same(self.quarantine.entry((partition, offset)).or_insert_with(|| row.clone()), &row)?;
                }
            }
            Part::Events(partition, rows) => {
                for row in rows {
                    let place = (partition, row.offset);
                    let stored = self.events.entry(place).or_insert_with(|| Stored { row: Rc::clone(&row), insert });
                    same(&stored.row, &row)?;
                }
            }
            Part::Buckets(version, rows) => {
                for (key, row) in rows {
                    let versions = self.buckets.entry(key).or_default();
                    same(versions.entry(version).or_insert_with(|| Rc::clone(&row)), &row)?;
                }
            }
            Part::Checkpoint(place, checkpoint) => {
                let place = (place, checkpoint.next.0, checkpoint.from.0, checkpoint.control.0);
                let stored =
                    self.checkpoints.entry(place).or_insert_with(|| Stored { row: (*checkpoint).clone(), insert });
                same(&stored.row, &checkpoint)?;
            }
            Part::Bill(part) => self.bill.land(*part, insert)?,
        }
        Ok(())
    }

    /// Holds a part back; it lands some time later.
    pub(super) fn hold_back(&mut self, part: Part) {
        self.in_flight.push(part);
    }

    /// The greatest offset of a partition that has a row.
    pub(super) fn greatest_row(&self, partition: u32) -> Option<u64> {
        self.events.range((partition, 0)..(partition + 1, 0)).next_back().map(|((_, offset), _)| *offset)
    }

    /// Forgets what was held back.
    pub(super) fn lose_in_flight(&mut self) {
        self.in_flight.clear();
    }

    /// Some of what was held back, or all of it.
    pub(super) fn arriving(&mut self, random: &mut Random, per_mille: u64) -> Vec<Part> {
        let (mut arriving, mut kept) = (Vec::new(), Vec::new());
        for part in self.in_flight.drain(..) {
            if random.chance(per_mille) { arriving.push(part) } else { kept.push(part) }
        }
        self.in_flight = kept;
        arriving
    }

    /// Ledger rows of a partition in [from, below) that a view shows.
    pub(super) fn ledger(
        &self,
        partition: u32,
        from: u64,
        below: u64,
        view: View,
    ) -> impl Iterator<Item = &Rc<EventRow>> {
        let span = (partition, from)..(partition, below.max(from));
        self.events.range(span).map(|(_, stored)| stored).filter(move |s| s.insert < view.events).map(|s| &s.row)
    }

    /// Checkpoints of a partition that a view shows, the newest first; of one (next, from) the greatest `control` counts.
    pub(super) fn manifest(&self, partition: u32, view: View) -> Vec<&Checkpoint> {
        let all = self.checkpoints.range((partition, 0, 0, 0)..(partition + 1, 0, 0, 0)).rev();
        let mut found: Vec<&Checkpoint> = Vec::new();
        for (_, stored) in all.filter(|(_, stored)| stored.insert < view.checkpoints) {
            let key = |checkpoint: &Checkpoint| (checkpoint.next, checkpoint.from);
            if !found.iter().any(|other| key(other) == key(&stored.row)) {
                found.push(&stored.row);
            }
        }
        found.sort_by_key(|checkpoint| std::cmp::Reverse((checkpoint.next, checkpoint.control)));
        found
    }

    /// The newest checkpoint of a partition that a view shows.
    pub(super) fn newest(&self, partition: u32, view: View) -> Option<&Checkpoint> {
        let all = self.checkpoints.range((partition, 0, 0, 0)..(partition + 1, 0, 0, 0)).rev();
        let shown = all.map(|(_, stored)| stored).filter(|stored| stored.insert < view.checkpoints);
        shown.map(|stored| &stored.row).max_by_key(|checkpoint| (checkpoint.next, checkpoint.control))
    }

    /// The newest checkpoint's next offset.
    pub(super) fn newest_checkpoint(&self, partition: u32) -> Option<u64> {
        self.checkpoints.range((partition, 0, 0, 0)..(partition + 1, 0, 0, 0)).next_back().map(|(place, _)| place.1)
    }

    /// What a process is shown.
    pub(super) fn view(&self, pid: usize) -> View {
        self.views.get(&pid).copied().unwrap_or(View::WHOLE)
    }
}

/// Says so if a row that is there and one that is written differ.
pub(super) fn same<T: PartialEq + std::fmt::Debug>(stored: &T, written: &T) -> Result<(), String> {
    match stored == written {
        true => Ok(()),
        false => Err(format!("two rows of one key and version differ: {stored:?} and {written:?}")),
    }
}
