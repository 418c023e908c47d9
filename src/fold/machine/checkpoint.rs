//! What was folded becomes durable: ledger rows, then buckets, then the checkpoint that says so.

use std::sync::Arc;

use super::{Machine, Progress, Stage};
use crate::core::ledger::batch::LedgerBatch;
use crate::core::metering::partition::PutOut;
use crate::core::word::Offset;
use crate::fold::backmeter::meter_marks;
use crate::fold::checkpoint::Checkpoint;
use crate::fold::error::SeamError;
use crate::fold::generation::{Inherited, Vouched, verify_earlier};
use crate::fold::ledger::LedgerBelow;
use crate::fold::partition::PartitionFold;
use crate::fold::seam::{Clock, ControlLog, Log, Store};
use crate::fold::verification::verify;
use crate::mutation::{Mutation, planted};

impl<L: Log, K: ControlLog, S: Store, C: Clock> Machine<L, K, S, C> {
    /// A checkpoint is due when asked for, in time, or before a bound of memory is reached; and never when it would say nothing new.
    pub(super) fn checkpoint_is_due(&self) -> bool {
        let Some(fold) = &self.fold else { return false };
        let reflected = self.checkpointed.as_ref().map_or(Offset(0), |checkpoint| checkpoint.control);
        let stands = self.checkpointed.as_ref().map_or(Offset(0), |checkpoint| checkpoint.next);
        let news = fold.span().consumed > 0
            || self.control.known_end() > reflected
            || fold.meter().marked_hours() > 0
            || fold.next() != stands;
        let in_time = self.clock.now_ms().saturating_sub(self.checkpoint_ms) >= self.limits.checkpoint_interval_ms;
        let bound = fold.meter().marked_hours() >= self.limits.max_marked_hours
            || fold.meter().pending_buckets() >= self.limits.max_pending_buckets;
        !self.waits_behind_hole() && ((news && (self.checkpoint_wanted || in_time || bound)) || self.is_at_limit())
    }

    /// Everything folded so far goes under the checkpoint. A meter defined meanwhile is not reflected in it: the checkpoint keeps
    /// the older `control`, and the state is rebuilt under the new definitions after it.
    pub(super) fn begin_checkpoint(&mut self) -> Result<(Stage, Progress), SeamError> {
        let Some(fold) = &mut self.fold else { return Ok((Stage::Load, Progress::Stepped)) };
        if !fold.batch().is_empty() {
            return Ok((Stage::Flush { batch: Box::new(fold.take_batch()) }, Progress::Stepped));
        }
        fold.check_state(self.limits.max_state_bytes)?;
        let control = self.control.end()?;
        if self.is_overruled() {
            return Ok((Stage::Load, Progress::Stepped));
        }
        let Some(fold) = &mut self.fold else { return Ok((Stage::Load, Progress::Stepped)) };
        self.reload = !self.control.meters(control).new_since(fold.meter().meters()).is_empty();
        if !self.reload || planted(Mutation::ControlAdvancedEarly) {
            fold.advance_control(control);
        } else if fold.span().consumed == 0 && fold.next() == fold.span().from && fold.lost() == 0 {
            return Ok((Stage::Load, Progress::Stepped));
        }
        let (put_out, checkpoint) = fold.take_checkpoint()?;
        if planted(Mutation::CheckpointBeforeBuckets) {
            self.store.insert_checkpoint(&checkpoint)?;
        }
        Ok((Stage::Buckets { put_out, checkpoint }, Progress::Stepped))
    }

    pub(super) fn flush(&mut self, batch: Box<LedgerBatch>) -> Result<Progress, SeamError> {
        if let Err(error) = self.store.insert_ledger(&self.rules, self.partition, &batch) {
            self.stage = Stage::Flush { batch };
            return Err(error);
        }
        self.first_waiting_ms = None;
        self.stage = Stage::Fold;
        Ok(Progress::Stepped)
    }

    pub(super) fn write_buckets(&mut self, mut put_out: PutOut, checkpoint: Checkpoint) -> Result<Progress, SeamError> {
        let off = u64::from(planted(Mutation::AsOfInclusive));
        let as_of = Offset(checkpoint.next.0.saturating_sub(off));
        let written = match put_out.buckets.is_empty() {
            true => Ok(()),
            false => self.store.insert_buckets(&self.rules, self.partition, as_of, &put_out.buckets),
        };
        if let Err(error) = written {
            self.stage = Stage::Buckets { put_out, checkpoint };
            return Err(error);
        }
        if let Some(fold) = &mut self.fold {
            fold.recycle(std::mem::take(&mut put_out.buckets));
        }
        if planted(Mutation::MarksDroppedAtCrash) && !put_out.marks.is_empty() {
            self.store.insert_checkpoint(&checkpoint)?;
        }
        self.stage = match put_out.marks.is_empty() {
            true => Stage::Checkpoint { checkpoint },
            false => Stage::Marks { put_out, checkpoint },
        };
        Ok(Progress::Stepped)
    }

    pub(super) fn write_marks(&mut self, put_out: PutOut, checkpoint: Checkpoint) -> Result<Progress, SeamError> {
        let meters = self.fold.as_ref().map(|fold| fold.meter().meters().clone()).unwrap_or_default();
        let as_of = checkpoint.next;
        let below = LedgerBelow { generation: &self.generation, partition: self.partition, below: as_of };
        let (rules, partition) = (Arc::clone(&self.rules), self.partition);
        // a replica that lacks the rows of this span lacks what marked the hours; what is void marks hours too, and then the span may be empty
        let newest = if checkpoint.consumed > 0 { Some(&checkpoint) } else { self.vouching.as_ref() };
        let vouched =
            newest.filter(|_| !planted(Mutation::MarksFromLaggingReplica)).map_or(&[][..], std::slice::from_ref);
        let earlier = self.fold.as_ref().map_or(&[][..], |fold| recent(self.inherited.as_ref(), fold));
        let verified =
            verify(&mut self.store, &rules, partition, vouched).and_then(|()| verify_earlier(&mut self.store, earlier));
        let metered = verified.and_then(|()| {
            let marked = (&put_out.marks, &put_out.voided);
            meter_marks(&mut self.store, below, &meters, marked, &mut |store, batch| {
                store.insert_buckets(&rules, partition, as_of, batch)
            })
        });
        if let Err(error) = metered {
            self.stage = Stage::Marks { put_out, checkpoint };
            return Err(error);
        }
        self.stage = Stage::Checkpoint { checkpoint };
        Ok(Progress::Stepped)
    }

    pub(super) fn write_checkpoint(&mut self, checkpoint: Checkpoint) -> Result<Progress, SeamError> {
        if planted(Mutation::CommitBeforeCheckpoint) {
            self.log.commit(checkpoint.next);
        }
        if let Err(error) = self.store.insert_checkpoint(&checkpoint) {
            self.stage = Stage::Checkpoint { checkpoint };
            return Err(error);
        }
        self.log.commit(checkpoint.next);
        if checkpoint.consumed > 0 {
            self.vouching = Some(checkpoint.clone());
        }
        self.checkpointed = Some(checkpoint);
        self.checkpoint_ms = self.clock.now_ms();
        self.checkpoint_wanted = false;
        let reload = std::mem::take(&mut self.reload) || self.is_at_limit();
        self.stage = if reload { Stage::Load } else { Stage::Fold };
        Ok(Progress::Stepped)
    }
}

/// What vouches for the rows of the generation before, as long as a replica may lack them.
pub(super) fn recent<'a>(inherited: Option<&'a Inherited>, fold: &PartitionFold) -> &'a [Vouched] {
    let recent = inherited.filter(|inherited| inherited.is_recent(fold.judge().log_time()));
    recent.map_or(&[], |inherited| &inherited.vouched)
}
