//! The state machine of one partition: load, fold, flush, checkpoint, and again. Each step does at most one thing to the
//! outside, so a crash between any two of them is a crash at a numbered place.

mod checkpoint;
mod load;
mod named;
mod ruling;

pub use named::named_decision;
pub use ruling::PAST_ENDS_MS;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::checkpoint::{Checkpoint, LastRecord};
use super::error::{Permanent, SeamError};
use super::generation::{Inherited, Seen};
use super::partition::PartitionFold;
use super::seam::{Clock, ControlLog, Flow, Log, Store};
use crate::core::decision::stream::Generation;
use crate::core::ledger::batch::LedgerBatch;
use crate::core::ledger::judge::LogRecord;
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::partition::PutOut;
use crate::core::word::{Instant, Partition};
use crate::mutation::{Mutation, planted};

/// Bounds and times of the fold (I13).
#[derive(Clone, Copy, Debug)]
pub struct MachineLimits {
    /// A flush comes at the latest this long after the first row that waits, in milliseconds.
    pub flush_interval_ms: u64,
    /// A flush comes at this many rows.
    pub flush_max_events: usize,
    /// A flush comes at about this many bytes.
    pub flush_max_bytes: usize,
    /// A checkpoint comes at the latest this long after the one before it, in milliseconds.
    pub checkpoint_interval_ms: u64,
    /// A checkpoint comes at this many marked series-hours.
    pub max_marked_hours: usize,
    /// A checkpoint comes at this many buckets that wait.
    pub max_pending_buckets: usize,
    /// A partition whose identities and series take more bytes is stopped.
    pub max_state_bytes: usize,
    /// How long one step waits for records, in milliseconds.
    pub fetch_wait_ms: u64,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Something was done; take the next step.
    Stepped,
    /// Nothing is there to do: the log is read to its end and everything is durable.
    Idle,
}

/// Where the machine stands.
#[derive(Debug)]
enum Stage {
    /// State has to be rebuilt at the newest checkpoint.
    Load,
    /// Meters defined since the checkpoint have their past to be metered.
    BackMeter { defined: BTreeSet<String>, vouchers: Vec<Checkpoint> },
    /// The log has to be found at the checkpoint.
    Start,
    /// After trouble with the log: the next record that is due has to be found again.
    Seek,
    /// Records are folded.
    Fold,
    /// Ledger rows have to become durable.
    Flush { batch: Box<LedgerBatch> },
    /// Buckets have to become durable.
    Buckets { put_out: PutOut, checkpoint: Checkpoint },
    /// Marked hours have to be metered again from the ledger; the buckets are durable and empty.
    Marks { put_out: PutOut, checkpoint: Checkpoint },
    /// The checkpoint has to become durable.
    Checkpoint { checkpoint: Checkpoint },
    /// The generation is closed, and this partition is folded to its end.
    Closed,
}

/// One partition of one worker.
#[derive(Debug)]
pub struct Machine<L, K, S, C> {
    log: L,
    control: K,
    store: S,
    clock: C,
    rules: Arc<StreamRules>,
    /// What is decided of the stream, as the work in progress takes it.
    generation: Arc<Generation>,
    partition: Partition,
    limits: MachineLimits,
    stage: Stage,
    fold: Option<PartitionFold>,
    /// What the generation before leaves, if there is one.
    inherited: Option<Inherited>,
    /// The void events whose hours are marked.
    seen: Seen,
    looked_ms: u64,
    looked_past_ends_ms: u64,
    /// The record that the log must show first, if it is the log that was folded.
    verify: Option<LastRecord>,
    /// Meters were defined: rebuild the state after the checkpoint that is being written.
    reload: bool,
    first_waiting_ms: Option<u64>,
    checkpoint_ms: u64,
    checkpoint_wanted: bool,
    checkpointed: Option<Checkpoint>,
    /// The newest checkpoint of a span with records: a replica that has those has all before them.
    vouching: Option<Checkpoint>,
}

impl<L: Log, K: ControlLog, S: Store, C: Clock> Machine<L, K, S, C> {
    /// The machine of a partition that has just been assigned.
    pub fn new(seams: (L, K, S, C), rules: Arc<StreamRules>, partition: Partition, limits: MachineLimits) -> Self {
        let (log, control, store, clock) = seams;
        let checkpoint_ms = clock.now_ms();
        Self {
            log,
            control,
            store,
            clock,
            generation: Arc::new(Generation::first(Arc::clone(&rules))),
            rules,
            partition,
            limits,
            stage: Stage::Load,
            fold: None,
            inherited: None,
            seen: Seen::new(),
            looked_ms: checkpoint_ms,
            looked_past_ends_ms: checkpoint_ms,
            verify: None,
            reload: false,
            first_waiting_ms: None,
            checkpoint_ms,
            checkpoint_wanted: false,
            checkpointed: None,
            vouching: None,
        }
    }

    /// The partition's state, once it is loaded.
    pub fn fold(&self) -> Option<&PartitionFold> {
        self.fold.as_ref()
    }

    /// The newest checkpoint that this machine has found or made.
    pub fn checkpointed(&self) -> Option<&Checkpoint> {
        self.checkpointed.as_ref()
    }

    /// The log, for figures.
    pub fn log_mut(&mut self) -> &mut L {
        &mut self.log
    }

    /// Whether records are folded that no checkpoint covers.
    pub fn has_unflushed(&self) -> bool {
        !matches!(self.stage, Stage::Fold | Stage::Load | Stage::Start | Stage::Closed)
            || self.fold.as_ref().is_some_and(|fold| fold.span().consumed > 0)
    }

    /// Whether the partition, being taken away for `waited_ms`, is given up now: once everything is durable, and after `limit_ms` in
    /// any case. What is dropped then is folded again by the next owner.
    pub fn may_leave(&self, waited_ms: u64, limit_ms: u64) -> bool {
        !self.has_unflushed() || (waited_ms >= limit_ms && !planted(Mutation::RevokeBlocks))
    }

    /// Asks for a checkpoint at the next step that can begin one: before the end of a run and before a revoke.
    pub fn want_checkpoint(&mut self) {
        self.checkpoint_wanted = true;
    }

    /// The name of the step that comes next, for traces.
    pub fn stage_name(&self) -> &'static str {
        match self.stage {
            Stage::Load => "load",
            Stage::BackMeter { .. } => "back-meter",
            Stage::Start => "start",
            Stage::Seek => "seek",
            Stage::Fold => "fold",
            Stage::Flush { .. } => "flush",
            Stage::Buckets { .. } => "buckets",
            Stage::Marks { .. } => "marks",
            Stage::Checkpoint { .. } => "checkpoint",
            Stage::Closed => "closed",
        }
    }

    /// Takes the next step. After a retryable error the same step is due again.
    ///
    /// # Errors
    /// Retryable: wait and call again. Permanent: stop, and say what to do.
    pub fn step(&mut self) -> Result<Progress, SeamError> {
        let taken = self.take_step();
        match taken {
            Err(SeamError::Permanent(error @ Permanent::OffsetGone { .. })) => {
                // a log that has changed once may look right again in a moment: only from the checkpoint on is it compared
                self.stage = Stage::Load;
                Err(SeamError::retryable(error.to_string()))
            }
            Err(SeamError::Permanent(error)) if error.is_about_the_log() => self.refuse(error),
            taken => taken,
        }
    }

    fn take_step(&mut self) -> Result<Progress, SeamError> {
        match std::mem::replace(&mut self.stage, Stage::Load) {
            Stage::Load => self.load(),
            Stage::BackMeter { defined, vouchers } => {
                let again = Stage::BackMeter { defined: defined.clone(), vouchers: vouchers.clone() };
                self.or_again(again, |m| m.back_meter(&defined, &vouchers))
            }
            Stage::Start => self.or_again(Stage::Start, Self::start),
            Stage::Seek => self.or_again(Stage::Seek, Self::seek),
            Stage::Fold => self.fold_or_seek(),
            Stage::Flush { batch } => self.flush(batch),
            Stage::Buckets { put_out, checkpoint } => self.write_buckets(put_out, checkpoint),
            Stage::Marks { put_out, checkpoint } => self.write_marks(put_out, checkpoint),
            Stage::Checkpoint { checkpoint } => self.write_checkpoint(checkpoint),
            Stage::Closed => {
                self.stage = Stage::Closed;
                Ok(Progress::Idle)
            }
        }
    }

    fn or_again(
        &mut self,
        again: Stage,
        step: impl FnOnce(&mut Self) -> Result<(Stage, Progress), SeamError>,
    ) -> Result<Progress, SeamError> {
        match step(self) {
            Ok((stage, progress)) => {
                self.stage = stage;
                Ok(progress)
            }
            Err(error) => {
                self.stage = again;
                Err(error)
            }
        }
    }

    fn fold_or_seek(&mut self) -> Result<Progress, SeamError> {
        if self.is_overruled() {
            return self.load();
        }
        if self.look_is_due() {
            self.or_again(Stage::Fold, Self::look_for_void)?;
        }
        if self.checkpoint_is_due() {
            return self.or_again(Stage::Fold, Self::begin_checkpoint);
        }
        // records may have been taken from the log and not folded: they are asked for again
        let again = if planted(Mutation::NoSeekAfterTrouble) { Stage::Fold } else { Stage::Seek };
        self.or_again(again, Self::fold_some)
    }

    fn fold_some(&mut self) -> Result<(Stage, Progress), SeamError> {
        let fetched = if self.is_at_limit() { 0 } else { self.fetch()? };
        if fetched == 0 {
            self.pass_what_is_no_record();
        }
        let now_ms = self.clock.now_ms();
        let Some(fold) = &mut self.fold else { return Ok((Stage::Load, Progress::Stepped)) };
        if fold.batch().is_empty() {
            let idle = fetched == 0 && fold.span().consumed == 0;
            return Ok((Stage::Fold, if idle { Progress::Idle } else { Progress::Stepped }));
        }
        let waiting_since = *self.first_waiting_ms.get_or_insert(now_ms);
        if is_full(fold, &self.limits) || now_ms.saturating_sub(waiting_since) >= self.limits.flush_interval_ms {
            return Ok((Stage::Flush { batch: Box::new(fold.take_batch()) }, Progress::Stepped));
        }
        Ok((Stage::Fold, Progress::Stepped))
    }

    /// A log may end with offsets that no record has: then the fold stands behind them, where the next record will be.
    fn pass_what_is_no_record(&mut self) {
        let (nothing_below, limit) = (self.log.nothing_below(), self.limit());
        let Some(fold) = self.fold.as_mut().filter(|fold| self.verify.is_none() && fold.known_end() <= fold.next())
        else {
            return;
        };
        if let Some(end) = nothing_below {
            fold.reach(limit.map_or(end, |limit| end.min(limit)));
        }
    }

    /// Folds records until a flush is due by size, the month of the append time changes, or none is there.
    fn fetch(&mut self) -> Result<u64, SeamError> {
        let limit = self.limit();
        let Self { log, control, fold, limits, verify, clock, .. } = self;
        let Some(fold) = fold else { return Ok(0) };
        log.fetch(limits.fetch_wait_ms, &mut |record| {
            if let Some(last) = verify.take()
                && (record.offset <= last.offset || !planted(Mutation::MissingRecordUnnoticed))
            {
                // it was there when the log was found, so one that begins behind it is another log
                return match (record.offset, fold.hash_again(record)) == (last.offset, last.hash) {
                    true => Ok(Flow::More),
                    false => Err(fold.log_changed(last.offset).into()),
                };
            }
            if let Some(limit) = limit.filter(|limit| record.offset >= *limit) {
                fold.reach(limit);
                return Ok(Flow::Enough);
            }
            let stamped = LogRecord { append_time: Instant(clock.now_ms() as i64), ..*record };
            let record = if planted(Mutation::WallClockWindow) { &stamped } else { record };
            let named = named_decision(control, record)?;
            fold.fold(record, named)?;
            Ok(if is_full(fold, limits) { Flow::Enough } else { Flow::More })
        })
    }
}

/// Whether the fold has taken in as much as one flush or one checkpoint may hold.
pub(super) fn is_full(fold: &PartitionFold, limits: &MachineLimits) -> bool {
    fold.batch().len() >= limits.flush_max_events
        || fold.batch().bytes() >= limits.flush_max_bytes
        || fold.batch().spans_months()
        || fold.meter().marked_hours() >= limits.max_marked_hours
        || fold.meter().pending_buckets() >= limits.max_pending_buckets
}
