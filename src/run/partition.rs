//! The thread of one partition: steps its machine, waits out what is retryable, and stops when the partition is taken away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Moment};

use super::clock::SystemClock;
use super::status::Board;
use crate::clickhouse::store::ClickHouseStore;
use crate::clickhouse::wait::longer;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Instant, Offset, Partition};
use crate::fold::error::SeamError;
use crate::fold::machine::{Machine, MachineLimits};
use crate::fold::seam::{ControlLog, Log};
use crate::kafka::control::ControlFollower;
use crate::kafka::group::AssignedPartition;
use crate::kafka::usage_log::UsageLog;

/// The first pause after trouble; it doubles up to the configured limit.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Between two looks at where the log ends.
const LOOK_AT_END_EVERY: Duration = Duration::from_secs(1);

/// Between two reminders that a partition is halted.
const SAY_HALTED_EVERY: Duration = Duration::from_secs(60);

/// What all partition threads of a process share.
#[derive(Clone)]
pub struct PartitionContext {
    /// The database.
    pub store: ClickHouseStore,
    /// The decisions.
    pub control: ControlFollower,
    /// Bounds and times.
    pub limits: MachineLimits,
    /// How long a revoked partition is flushed.
    pub revoke_flush: Duration,
    /// The longest pause between two tries.
    pub retry_max: Duration,
    /// Make a checkpoint as soon as the log's end is reached: for a run that ends there.
    pub until_caught_up: bool,
    /// Where the thread says what it does.
    pub board: Board,
    /// Where a permanent error ends the process.
    pub fatal: Sender<String>,
}

/// A running partition.
pub struct PartitionThread {
    stopped: Arc<AtomicBool>,
    revoked: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl PartitionThread {
    /// Starts the thread of a partition that was just assigned.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        assigned: AssignedPartition,
        rules: Arc<StreamRules>,
        context: PartitionContext,
    ) -> std::io::Result<Self> {
        let (stopped, revoked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (topic, number) = (assigned.topic.clone(), assigned.partition);
        let partition = Partition(u32::try_from(number).unwrap_or_default());
        let label = rules.label(partition);
        let log = UsageLog::of(assigned, &rules, Arc::clone(&stopped)).map_err(std::io::Error::other)?;
        let run = Runner { topic, number, label: label.clone(), revoked: Arc::clone(&revoked), context };
        let thread = std::thread::Builder::new().name(label).spawn(move || run.run(log, rules, partition))?;
        Ok(Self { stopped, revoked, thread })
    }

    /// Asks the thread to make its work durable and end.
    pub fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
    }

    /// Waits for the end until `deadline`, then lets go: what the thread still writes are the same rows that the next owner
    /// writes, and from the log it gets nothing more.
    pub fn end(self, deadline: Moment) {
        while !self.thread.is_finished() && Moment::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.stopped.store(true, Ordering::Release);
        if self.thread.is_finished() {
            let _ = self.thread.join();
        }
    }
}

struct Runner {
    topic: String,
    number: i32,
    label: String,
    revoked: Arc<AtomicBool>,
    context: PartitionContext,
}

type PartitionMachine = Machine<UsageLog, ControlFollower, ClickHouseStore, SystemClock>;

impl Runner {
    fn run(self, log: UsageLog, rules: Arc<StreamRules>, partition: Partition) {
        let stream = rules.stream.to_string();
        let seams = (log, self.context.control.clone(), self.context.store.clone(), SystemClock::default());
        let mut machine = Machine::new(seams, rules, partition, self.context.limits);
        self.context.board.update(&self.topic, self.number, |status| {
            status.stream = stream;
            status.assigned_ms = chrono::Utc::now().timestamp_millis();
        });
        let mut pause = FIRST_PAUSE;
        let mut revoked_at: Option<Moment> = None;
        let mut looked: Option<Moment> = None;
        loop {
            if self.revoked.load(Ordering::Acquire) {
                let since = *revoked_at.get_or_insert_with(Moment::now);
                machine.want_checkpoint();
                if machine.may_leave(milliseconds(since.elapsed()), milliseconds(self.context.revoke_flush)) {
                    break;
                }
            }
            if looked.is_none_or(|at| at.elapsed() >= LOOK_AT_END_EVERY) && machine.stage_name() == "fold" {
                self.look_at_end(&mut machine);
                looked = Some(Moment::now());
            }
            match machine.step() {
                Ok(_) => {
                    pause = FIRST_PAUSE;
                    self.report(&mut machine);
                }
                Err(SeamError::Retryable(error)) => {
                    tracing::warn!(partition = %self.label, %error, again_in_ms = pause.as_millis(), "waiting");
                    self.context
                        .board
                        .update(&self.topic, self.number, |status| status.trouble = Some(error.to_string()));
                    self.rest(pause);
                    pause = longer(pause, self.context.retry_max);
                }
                Err(SeamError::Permanent(error)) if error.is_of_one_partition() => {
                    self.halt(error.to_string());
                    break;
                }
                Err(SeamError::Permanent(error)) => {
                    let _ = self.context.fatal.send(error.to_string());
                    break;
                }
            }
        }
        self.context.board.remove(&self.topic, self.number);
    }

    /// Keeps the partition without reading on, and says so again and again, until it is taken away: another process would stop at the
    /// same record.
    fn halt(&self, error: String) {
        self.context.board.update(&self.topic, self.number, |status| {
            status.stage = "halted";
            status.halted = Some(error.clone());
        });
        while !self.revoked.load(Ordering::Acquire) {
            tracing::error!(partition = %self.label, error, "halted: the other partitions go on");
            self.rest(SAY_HALTED_EVERY);
        }
    }

    /// Sleeps in short pieces, so that a revoke is not kept waiting.
    fn rest(&self, pause: Duration) {
        let until = Moment::now() + pause;
        while Moment::now() < until && !self.revoked.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(20).min(pause));
        }
    }

    fn look_at_end(&self, machine: &mut PartitionMachine) {
        if let Ok(ends) = machine.log_mut().ends() {
            let control = self.context.control.known_end();
            self.context.board.update(&self.topic, self.number, |status| {
                status.end = ends.end;
                status.target.get_or_insert(ends.end);
                status.control_target.get_or_insert(control);
            });
        }
    }

    fn report(&self, machine: &mut PartitionMachine) {
        let (stage, waits) = (machine.stage_name(), machine.waits_behind_hole());
        let checkpoint = machine.checkpointed().map(|checkpoint| checkpoint.next);
        let reflected = machine.checkpointed().map_or(Offset(0), |checkpoint| checkpoint.control);
        self.context.board.update(&self.topic, self.number, |status| {
            status.stage = stage;
            status.waits_for_record = waits;
            status.trouble = None;
            status.reflected = reflected;
            if status.checkpointed != checkpoint {
                status.checkpointed = checkpoint;
                status.checkpoint_made_ms = chrono::Utc::now().timestamp_millis();
            }
            if let Some(fold) = machine.fold() {
                status.is_loaded = true;
                status.next = fold.next();
                status.consumed = fold.consumed();
                status.lost = fold.lost();
                status.totals = *fold.totals();
                status.oldest_unflushed = fold.span().first_append_time;
                status.log_time = fold.judge().log_time().max(Instant(0));
                status.identities = fold.judge().identities().len();
                status.series = fold.meter().live_series();
                status.marked_hours = fold.meter().marked_hours();
            } else if stage == "closed" {
                status.oldest_unflushed = None;
            }
            let reached = status.target.is_some_and(|target| status.next >= target);
            if self.context.until_caught_up && reached && !status.is_caught_up() {
                machine.want_checkpoint();
            }
        });
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
