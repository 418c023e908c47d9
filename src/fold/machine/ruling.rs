//! What decisions and the log itself say against going on: a log that is not what was folded, a generation that ends, a hole.

use std::sync::Arc;

use super::{Machine, Progress, Stage};
use crate::core::decision::stream::Hole;
use crate::core::word::Offset;
use crate::fold::error::{Permanent, SeamError};
use crate::fold::generation::{mark_past_ends, mark_voided, may_have_void};
use crate::fold::ledger::LedgerBelow;
use crate::fold::partition::PartitionFold;
use crate::fold::seam::{Clock, ControlLog, Log, LogEnds, Store};
use crate::mutation::{Mutation, planted};

/// How often buckets past the ends of earlier generations are looked for, in milliseconds: it reads columns of all buckets.
pub const PAST_ENDS_MS: u64 = 600_000;

impl<L: Log, K: ControlLog, S: Store, C: Clock> Machine<L, K, S, C> {
    /// Refuses the log, unless somebody has recorded meanwhile what became of it.
    pub(super) fn refuse(&mut self, error: Permanent) -> Result<Progress, SeamError> {
        self.stage = Stage::Load;
        self.control.end()?;
        if self.is_overruled() { Ok(Progress::Stepped) } else { Err(error.into()) }
    }

    /// Refuses a log that does not reach from what is due to what is known of it.
    pub(super) fn compare_ends(&mut self) -> Result<LogEnds, SeamError> {
        let ends = self.log.ends()?;
        let Some(fold) = &self.fold else { return Ok(ends) };
        let (LogEnds { first, end }, next, known) = (ends, fold.next(), fold.known_end());
        let (label, stream) = (self.rules.label(self.partition), self.rules.stream.clone());
        if next > end || (known > end && !planted(Mutation::FlushedRowsIgnored)) {
            return Err(Permanent::LogCut { label, stream, next: next.max(known).0, end: end.0 }.into());
        }
        // before its first checkpoint a partition has lost nothing that was promised to it but what retention took
        if next < first {
            let (partition, lost) = (self.partition.0, first.0 - next.0);
            return Err(Permanent::OffsetsLost { label, stream, partition, next: next.0, first: first.0, lost }.into());
        }
        Ok(ends)
    }

    /// Where folding has to stop: the end of a closed generation, or a recorded hole that lies ahead.
    pub(super) fn limit(&self) -> Option<Offset> {
        let next = self.fold.as_ref()?.next();
        let end = self.generation.end(self.partition).filter(|_| !planted(Mutation::FoldsPastEnd));
        let ahead = self.generation.holes(self.partition).filter(|hole| hole.from >= next && hole.from < hole.to);
        ahead.map(|hole| hole.from).chain(end).min()
    }

    pub(super) fn is_at_limit(&self) -> bool {
        self.fold.as_ref().is_some_and(|fold| self.limit().is_some_and(|limit| fold.next() >= limit))
    }

    /// Whether a decision that was read meanwhile takes from under the work in progress what it stands on: then nothing of it counts.
    pub(super) fn is_overruled(&mut self) -> bool {
        let Some(decided) = self.control.generation(&self.rules.stream) else { return false };
        if Arc::ptr_eq(&decided, &self.generation) || planted(Mutation::FoldsPastEnd) {
            return false;
        }
        let next = self.fold.as_ref().map_or(Offset(0), PartitionFold::next);
        let is_past = decided.end(self.partition).is_some_and(|end| next >= end);
        let has_new_hole = !decided.holes(self.partition).eq(self.generation.holes(self.partition));
        self.generation = decided;
        is_past || has_new_hole
    }

    pub(super) fn below(&self, below: Offset) -> LedgerBelow<'_> {
        LedgerBelow { generation: &self.generation, partition: self.partition, below }
    }

    /// A worker that has not heard of an end or a hole may write void rows at any time: they are looked for as often as checkpoints are
    /// made.
    pub(super) fn look_is_due(&self) -> bool {
        may_have_void(self.below(Offset(0)))
            && self.clock.now_ms().saturating_sub(self.looked_ms) >= self.limits.checkpoint_interval_ms
    }

    pub(super) fn look_for_void(&mut self) -> Result<(Stage, Progress), SeamError> {
        let now_ms = self.clock.now_ms();
        let Self { store, generation, partition, fold, seen, looked_past_ends_ms, .. } = self;
        if let Some(fold) = fold {
            let below = LedgerBelow { generation, partition: *partition, below: fold.next() };
            mark_voided(store, below, fold, seen)?;
            if now_ms.saturating_sub(*looked_past_ends_ms) >= PAST_ENDS_MS {
                mark_past_ends(store, below, fold)?;
                *looked_past_ends_ms = now_ms;
            }
        }
        self.looked_ms = now_ms;
        Ok((Stage::Fold, Progress::Stepped))
    }

    /// Whether no checkpoint may be made yet behind a recorded hole. Somebody may have written buckets that count the void records up to
    /// the very offset at which folding goes on, and of two buckets of one `as_of` nobody can say which is the later one (I7): so the
    /// hours are metered again with the next record.
    #[must_use]
    pub fn waits_behind_hole(&self) -> bool {
        let Some(fold) = &self.fold else { return false };
        let is_behind = |hole: &Hole| hole.from < hole.to && hole.to == fold.next();
        fold.span().consumed == 0
            && fold.meter().marked_hours() > 0
            && self.generation.holes(self.partition).any(is_behind)
    }
}
