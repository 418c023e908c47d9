//! A partition is taken over: its state is rebuilt at the newest checkpoint, and the log found there.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::checkpoint::recent;
use super::{Machine, Progress, Stage};
use crate::fold::backmeter::meter_history;
use crate::fold::checkpoint::Checkpoint;
use crate::fold::error::SeamError;
use crate::fold::generation::{inherit, mark_past_ends, mark_voided, verify_earlier};
use crate::fold::ledger::LedgerBelow;
use crate::fold::recovery::{Foundation, rebuild};
use crate::fold::seam::{Clock, ControlLog, Log, Store};
use crate::fold::verification::{VERIFY_MS, verify};
use crate::mutation::{Mutation, planted};

impl<L: Log, K: ControlLog, S: Store, C: Clock> Machine<L, K, S, C> {
    pub(super) fn load(&mut self) -> Result<Progress, SeamError> {
        self.fold = None;
        let control = self.control.end()?;
        self.generation = self.control.generation(&self.rules.stream).unwrap_or_else(|| Arc::clone(&self.generation));
        let checkpoints = self.store.checkpoints(&self.rules, self.partition, VERIFY_MS)?;
        self.checkpointed = checkpoints.first().cloned();
        self.vouching = checkpoints.iter().find(|checkpoint| checkpoint.consumed > 0).cloned();
        let (end, next) = (self.generation.end(self.partition), checkpoints.first().map(|newest| newest.next));
        let (reached, _) = self.generation.past_holes(self.partition, next.unwrap_or_default());
        if end.is_some_and(|end| reached >= end) && !planted(Mutation::FoldsPastEnd) {
            self.stage = Stage::Closed;
            return Ok(Progress::Stepped);
        }
        let label = self.rules.label(self.partition);
        self.inherited = inherit(&mut self.store, &self.generation, &label)?;
        let inherited = self.inherited.as_ref();
        let reflected = checkpoints.first().map(|newest| newest.control).or(inherited.map(|before| before.control));
        let (generation, partition) = (Arc::clone(&self.generation), self.partition);
        let is_behind_hole = generation.past_holes(partition, next.unwrap_or_default()).0 != next.unwrap_or_default();
        // what is defined meanwhile is metered after a checkpoint behind the hole, for the same reason for which that waits
        let control = if is_behind_hole { reflected.unwrap_or(control) } else { control };
        let meters = self.control.meters(control);
        let foundation = Foundation { generation: &generation, partition, checkpoints: &checkpoints, inherited };
        let mut fold = rebuild(&mut self.store, foundation, meters.clone(), control)?;
        self.seen.clear();
        let below = LedgerBelow { generation: &generation, partition, below: fold.next() };
        mark_voided(&mut self.store, below, &mut fold, &mut self.seen)?;
        mark_past_ends(&mut self.store, below, &mut fold)?;
        self.fold = Some(fold);
        let now_ms = self.clock.now_ms();
        (self.checkpoint_ms, self.looked_ms, self.looked_past_ends_ms) = (now_ms, now_ms, now_ms);
        let defined = reflected.map(|control| meters.new_since(&self.control.meters(control)));
        self.stage = match defined {
            Some(defined) if !defined.is_empty() => {
                Stage::BackMeter { defined: defined.into_iter().collect(), vouchers: checkpoints }
            }
            _ => Stage::Start,
        };
        Ok(Progress::Stepped)
    }

    /// Meters the past of the meters that are `defined`; `vouchers` are the checkpoints that the state was rebuilt from.
    pub(super) fn back_meter(
        &mut self,
        defined: &BTreeSet<String>,
        vouchers: &[Checkpoint],
    ) -> Result<(Stage, Progress), SeamError> {
        if let Some(fold) = &self.fold {
            let as_of = fold.next();
            let below = LedgerBelow { generation: &self.generation, partition: self.partition, below: as_of };
            let (rules, partition) = (Arc::clone(&self.rules), self.partition);
            // the replica that answers now need not be the one that was loaded from
            verify(&mut self.store, &rules, partition, vouchers)?;
            verify_earlier(&mut self.store, recent(self.inherited.as_ref(), fold))?;
            meter_history(&mut self.store, below, fold.meter().meters(), defined, &mut |store, batch| {
                store.insert_buckets(&rules, partition, as_of, batch)
            })?;
            self.checkpoint_wanted = true;
        }
        Ok((Stage::Start, Progress::Stepped))
    }

    /// Finds the log at the checkpoint: at its last record, if that is still there, so that it can be compared.
    pub(super) fn start(&mut self) -> Result<(Stage, Progress), SeamError> {
        let first = self.compare_ends()?.first;
        let Some(fold) = &self.fold else { return Ok((Stage::Load, Progress::Stepped)) };
        let next = fold.next();
        let last = fold.last().filter(|last| last.offset >= first);
        let last = last.filter(|_| !planted(Mutation::TailCutUnnoticed) && !planted(Mutation::StartAtCommit));
        self.verify = last;
        self.log.start_at(last.map_or(next, |last| last.offset))?;
        Ok((Stage::Fold, Progress::Stepped))
    }

    pub(super) fn seek(&mut self) -> Result<(Stage, Progress), SeamError> {
        self.compare_ends()?;
        let Some(fold) = &self.fold else { return Ok((Stage::Load, Progress::Stepped)) };
        self.log.start_at(self.verify.map_or(fold.next(), |last| last.offset))?;
        Ok((Stage::Fold, Progress::Stepped))
    }
}
