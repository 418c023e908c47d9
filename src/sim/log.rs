//! The fold's Log, ControlLog and Clock over the simulated broker.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::broker::{Record, hash_text};
use super::fault::Fault;
use super::world::{Broken, Seam};
use crate::core::decision::Recorded;
use crate::core::decision::stream::{Generation, StreamRegister};
use crate::core::ledger::judge::LogRecord;
use crate::core::metering::definition::Meters;
use crate::core::word::{Offset, StreamId};
use crate::fold::error::{Permanent, SeamError};
use crate::fold::seam::{Clock, ControlLog, Flow, Log, LogEnds};

/// One partition for one process.
#[derive(Debug)]
pub(super) struct SimLog {
    seam: Seam,
    partition: u32,
    position: Option<u64>,
    /// How often the log had been cut when the position was taken.
    cuts: usize,
}

impl SimLog {
    pub(super) fn new(seam: Seam, partition: u32) -> Self {
        Self { seam, partition, position: None, cuts: 0 }
    }

    /// Records that are handed over at once, or trouble. A consumer whose leader lost records below its position hears of it
    /// from the broker.
    fn take(&mut self, position: u64) -> Result<Vec<Rc<Record>>, SeamError> {
        let broker = self.seam.world.broker.borrow();
        let log = &broker.partitions[self.partition as usize];
        if position < log.first || log.cuts[self.cuts..].iter().any(|at| *at < position) {
            return Err(Permanent::OffsetGone { label: self.partition.to_string() }.into());
        }
        self.cuts = log.cuts.len();
        let there = log.from(position);
        let most = self.seam.world.below(12) as usize + 1;
        Ok(there[..there.len().min(most)].to_vec())
    }
}

impl Log for SimLog {
    fn ends(&mut self) -> Result<LogEnds, SeamError> {
        self.seam.call(Fault::BrokerAway)?;
        let broker = self.seam.world.broker.borrow();
        let log = &broker.partitions[self.partition as usize];
        Ok(LogEnds { first: Offset(log.first), end: Offset(log.end) })
    }

    fn start_at(&mut self, from: Offset) -> Result<(), SeamError> {
        self.seam.call(Fault::BrokerAway)?;
        self.position = Some(from.0);
        self.cuts = self.seam.world.broker.borrow().partitions[self.partition as usize].cuts.len();
        Ok(())
    }

    fn fetch(
        &mut self,
        _: u64,
        sink: &mut dyn FnMut(&LogRecord<'_>) -> Result<Flow, SeamError>,
    ) -> Result<u64, SeamError> {
        self.seam.call(Fault::BrokerAway)?;
        let Some(position) = self.position else { return Ok(0) };
        let records = self.take(position)?;
        let mut fetched = 0;
        for record in records {
            self.position = Some(record.offset + 1);
            fetched += 1;
            {
                let mut broker = self.seam.world.broker.borrow_mut();
                let log = &mut broker.partitions[self.partition as usize];
                log.seen = log.seen.max(record.offset + 1);
            }
            if fetched % 2 == 0 {
                // it is taken from the queue, and does not reach the fold
                self.seam.call(Fault::BrokerAway)?;
            }
            if record.show(&mut *sink)? == Flow::Enough {
                break;
            }
        }
        Ok(fetched)
    }

    fn commit(&mut self, next: Offset) {
        let world = &self.seam.world;
        let newest = world.database.borrow().newest_checkpoint(self.partition);
        if newest.is_none_or(|newest| newest < next.0) {
            world.fail(
                Broken::Wrong,
                format!("I6: offset {} is committed, the newest checkpoint is {newest:?}", next.0),
            );
        }
        if !world.healed.get() && world.chance(100) {
            return world.note(Fault::CommitLost);
        }
        world.broker.borrow_mut().partitions[self.partition as usize].committed = next.0;
    }
}

/// The control log as one process follows it.
#[derive(Debug)]
pub(super) struct SimControl {
    seam: Seam,
    read: Cell<u64>,
    /// What the decisions that were read say of streams, and how many they are.
    streams: RefCell<(usize, StreamRegister)>,
}

impl SimControl {
    pub(super) fn new(seam: Seam) -> Self {
        Self { seam, read: Cell::new(0), streams: RefCell::default() }
    }

    fn follow(&self) -> u64 {
        let end = self.seam.world.broker.borrow().control.len() as u64;
        self.read.set(end);
        end
    }
}

impl ControlLog for SimControl {
    fn end(&mut self) -> Result<Offset, SeamError> {
        self.seam.call(Fault::BrokerAway)?;
        Ok(Offset(self.follow()))
    }

    /// The follower reads on by itself, now and then.
    fn known_end(&self) -> Offset {
        let world = &self.seam.world;
        Offset(if world.healed.get() || world.chance(300) { self.follow() } else { self.read.get() })
    }

    fn decision(&mut self, offset: Offset) -> Result<Option<Recorded>, SeamError> {
        if offset.0 >= self.read.get() {
            self.end()?;
        }
        let broker = self.seam.world.broker.borrow();
        let place = usize::try_from(offset.0).unwrap_or(usize::MAX);
        let recorded = broker.control.get(place);
        Ok(recorded.map(|record| Recorded { decision: record.decision.clone(), hash: hash_text(record.hash) }))
    }

    fn meters(&self, control: Offset) -> Meters {
        self.seam.world.broker.borrow().meters(control.0)
    }

    fn generation(&self, stream: &StreamId) -> Option<Arc<Generation>> {
        let broker = self.seam.world.broker.borrow();
        let (applied, register) = &mut *self.streams.borrow_mut();
        let read = usize::try_from(self.read.get()).unwrap_or(usize::MAX);
        broker.control[*applied..read.max(*applied)].iter().for_each(|record| register.apply(&record.decision));
        *applied = read.max(*applied);
        register.get(stream).cloned()
    }
}

/// A process's clock, which need not be right.
#[derive(Debug)]
pub(super) struct SimClock {
    seam: Seam,
    off_ms: i64,
}

impl SimClock {
    pub(super) fn new(seam: Seam, off_ms: i64) -> Self {
        Self { seam, off_ms }
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.seam.world.now.get() + self.off_ms).unwrap_or_default()
    }
}
