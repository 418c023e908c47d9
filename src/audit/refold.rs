//! The log folded once more, without a write: what the ledger, the quarantine and the checkpoints must say as far as the log is retained.
//!
//! It is the worker's own fold ([`PartitionFold`]), from a state rebuilt at a checkpoint as a worker rebuilds it, or from nothing where the log
//! still begins at its first record.

use std::ops::Range;

use super::chain::Chain;
use super::error::AuditError;
use super::lane::Lane;
use crate::clickhouse::store::ClickHouseStore;
use crate::core::ledger::batch::LedgerBatch;
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::definition::Meters;
use crate::core::word::{Instant, Offset, Partition};
use crate::fold::checkpoint::Checkpoint;
use crate::fold::error::SeamError;
use crate::fold::generation::inherit;
use crate::fold::machine::named_decision;
use crate::fold::partition::PartitionFold;
use crate::fold::recovery::{Foundation, rebuild};
use crate::fold::verification::VERIFY_MS;
use crate::kafka::control::ControlFollower;
use crate::kafka::reader::{Reader, Stamp};

/// Rows in memory at once.
const BATCH_ROWS: usize = 5_000;
/// Bytes of rows in memory at once, about.
const BATCH_BYTES: usize = 16 << 20;
/// Series-hours and buckets that the fold may hold: they are dropped at each checkpoint, and some checkpoints lie far apart.
const MAX_PENDING: usize = 200_000;

/// What a fold gave.
#[derive(Debug)]
pub enum Folded {
    /// The rows of all records in a range of offsets.
    Rows(Box<LedgerBatch>, Range<u64>),
    /// What the checkpoint at the next asked offset must say; its `control` is nothing that the usage log decides.
    Checkpoint(Box<Checkpoint>),
}

/// Takes what a fold gives.
pub type Sink<'a> = &'a mut dyn FnMut(Folded) -> Result<(), AuditError>;

/// Folds logs again. Its calls block: they belong on a thread that may.
pub struct Refold {
    store: ClickHouseStore,
    log: Reader,
    control: ControlFollower,
}

/// Where a fold begins: nowhere, or at the first of these checkpoints, newest first.
type Start = Vec<Checkpoint>;

impl Refold {
    /// Over these.
    #[must_use]
    pub fn new(store: ClickHouseStore, log: Reader, control: ControlFollower) -> Self {
        Self { store, log, control }
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &Reader {
        &self.log
    }

    /// The store.
    pub fn store(&mut self) -> &mut ClickHouseStore {
        &mut self.store
    }

    /// Folds a partition's log up to `end`, from as far back as it is retained, or from the newest checkpoint a day before `since`. At each of
    /// the `stops` (ascending) a checkpoint is given. Returns where it began.
    ///
    /// # Errors
    /// If no state can be rebuilt to begin with, or the broker or the store is away; and what `sink` says.
    pub fn fold(
        &mut self,
        lane: &Lane,
        chain: &Chain,
        since: Option<Instant>,
        (stops, end): (&[Offset], Offset),
        sink: Sink<'_>,
    ) -> Result<Offset, AuditError> {
        let Lane { generation, rules, partition } = lane;
        let first = self.log.ends(&rules.topic, *partition)?.first;
        // somebody recorded that the log below a hole is not what was folded any more
        let first = lane.holes().iter().map(|hole| hole.to).fold(first, Offset::max);
        let inherited = inherit(&mut self.store, generation, &rules.label(*partition))?;
        let mut trouble = None;
        for start in starts(lane, chain, first, since) {
            let inherited = inherited.as_ref();
            let foundation = Foundation { generation, partition: *partition, checkpoints: &start, inherited };
            match rebuild(&mut self.store, foundation, Meters::default(), Offset(0)) {
                Ok(mut fold) => {
                    // rows past the state are what is examined, not what is believed
                    fold.expect_again(std::collections::VecDeque::new());
                    let from = fold.next();
                    self.run(fold, rules, *partition, (stops, end), sink)?;
                    return Ok(from);
                }
                // its ledger is not whole: perhaps an older state can be rebuilt
                Err(error) => trouble = Some(error),
            }
        }
        let none = || SeamError::refused(format!("{}: nothing of the log is retained", rules.label(*partition)));
        Err(trouble.unwrap_or_else(none).into())
    }

    fn run(
        &mut self,
        fold: PartitionFold,
        rules: &StreamRules,
        partition: Partition,
        (stops, end): (&[Offset], Offset),
        sink: Sink<'_>,
    ) -> Result<(), AuditError> {
        let from = fold.next();
        let stops = stops.iter().copied().filter(|stop| *stop > from && *stop <= end).collect::<Vec<_>>().into_iter();
        let mut walk = Walk { fold, stops: stops.peekable(), given: from.0, sink, failure: None };
        let Self { log, control, .. } = self;
        let read = log.read((&rules.topic, partition), (from, end), Stamp::Broker(rules), &mut |record| {
            let named = named_decision(control, record)?;
            walk.stop_before(record.offset)?;
            walk.fold.fold(record, named)?;
            walk.give_if_full()
        });
        let ended = read.and_then(|()| walk.stop_before(Offset(u64::MAX))).and_then(|()| walk.give(end.0));
        match walk.failure {
            Some(failure) => Err(failure),
            None => Ok(ended?),
        }
    }
}

/// A fold under way.
struct Walk<'s> {
    fold: PartitionFold,
    stops: std::iter::Peekable<std::vec::IntoIter<Offset>>,
    given: u64,
    sink: Sink<'s>,
    failure: Option<AuditError>,
}

impl Walk<'_> {
    /// Gives the checkpoints that are due before a record.
    fn stop_before(&mut self, offset: Offset) -> Result<(), SeamError> {
        while let Some(stop) = self.stops.next_if(|stop| *stop <= offset) {
            self.give(stop.0)?;
            // no record lies between the last one and here: the log may have ended with what is none when the checkpoint was made
            self.fold.reach(stop);
            let (_, checkpoint) = self.fold.take_checkpoint()?;
            self.hand(Folded::Checkpoint(Box::new(checkpoint)))?;
        }
        Ok(())
    }

    fn give_if_full(&mut self) -> Result<(), SeamError> {
        let batch = self.fold.batch();
        if batch.len() >= BATCH_ROWS || batch.bytes() >= BATCH_BYTES || batch.spans_months() {
            self.give(self.fold.next().0)?;
        }
        if self.fold.meter().pending_buckets().max(self.fold.meter().marked_hours()) >= MAX_PENDING {
            self.fold.forget_buckets();
        }
        Ok(())
    }

    /// Gives the rows that wait; they are all that there is up to `to`.
    fn give(&mut self, to: u64) -> Result<(), SeamError> {
        if to > self.given {
            let range = self.given..to;
            self.given = to;
            let batch = Box::new(self.fold.take_batch());
            self.hand(Folded::Rows(batch, range))?;
        }
        Ok(())
    }

    fn hand(&mut self, folded: Folded) -> Result<(), SeamError> {
        (self.sink)(folded).map_err(|failure| {
            let text = failure.to_string();
            self.failure = Some(failure);
            SeamError::refused(text)
        })
    }
}

/// Where a fold may begin, the best first.
fn starts(lane: &Lane, chain: &Chain, first: Offset, since: Option<Instant>) -> Vec<Start> {
    let back = |place: usize| -> Start {
        let newest = &chain.path[place];
        let recent = |one: &&Checkpoint| one.log_time.0 >= newest.log_time.0 - VERIFY_MS;
        chain.path[..=place].iter().rev().take_while(recent).cloned().collect()
    };
    let is_there = |place: &usize| lane.generation.past_holes(lane.partition, chain.path[*place].next).0 >= first;
    let places: Vec<usize> = (0..chain.path.len()).filter(is_there).collect();
    let day_before = since.map(|since| since.plus_ms(-86_400_000));
    let recent = day_before.and_then(|since| places.iter().rev().find(|place| chain.path[**place].log_time < since));
    let mut starts: Vec<Start> = recent.map(|place| back(*place)).into_iter().collect();
    match first {
        Offset(0) => starts.push(Vec::new()),
        _ => starts.extend(places.first().map(|place| back(*place))),
    }
    starts
}
