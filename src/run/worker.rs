//! One worker: joins the group, gives each assigned partition a thread, and ends when asked, when caught up or when going on
//! would break a promise.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Moment};

use rdkafka::consumer::{BaseConsumer, Consumer};

use super::error::RunError;
use super::folding::Folding;
use super::partition::{PartitionContext, PartitionThread};
use super::status::{Board, PartitionStatus};
use crate::clickhouse::store::ClickHouseStore;
use crate::config::Config;
use crate::core::ledger::rules::{FOLD_VERSION, StreamRules};
use crate::fold::machine::MachineLimits;
use crate::kafka::control::ControlFollower;
use crate::kafka::group::{AssignedPartition, Assignments, GroupContext, consumer};

/// How long the group's consumer is polled at a time.
const POLL: Duration = Duration::from_millis(50);
/// A run until caught up ends when nothing was to be done for so long: a rebalance may still bring partitions.
const QUIET: Duration = Duration::from_millis(500);
/// Between two lines about a broker that is away: librdkafka repeats itself many times a second.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// Buckets that may wait for a checkpoint: about 50 MB.
const MAX_PENDING_BUCKETS: usize = 200_000;
/// How long a step waits for records.
const FETCH_WAIT_MS: u64 = 100;

/// When a run ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// When asked to.
    Asked,
    /// When everything that was in the log at the start is durable and under a checkpoint.
    CaughtUp,
}

/// The shared parts of a worker.
pub struct Worker {
    config: Config,
    store: ClickHouseStore,
    control: ControlFollower,
    board: Board,
    end: RunEnd,
}

impl Worker {
    /// A worker that has not joined its group yet.
    #[must_use]
    pub fn new(config: Config, store: ClickHouseStore, control: ControlFollower, board: Board, end: RunEnd) -> Self {
        Self { config, store, control, board, end }
    }

    /// Folds until `stop` is set, or until caught up if that is the end asked for. Blocks.
    ///
    /// # Errors
    /// What waiting does not mend, with what to do.
    pub fn run(&self, stop: &AtomicBool) -> Result<(), RunError> {
        let (fatal, failures) = channel();
        let run = &self.config.run;
        let limits = MachineLimits {
            flush_interval_ms: u64::try_from(run.flush_interval.as_millis()).unwrap_or(u64::MAX),
            flush_max_events: run.flush_max_events,
            flush_max_bytes: run.flush_max_bytes,
            checkpoint_interval_ms: u64::try_from(run.checkpoint_interval.as_millis()).unwrap_or(u64::MAX),
            max_marked_hours: run.marked_hours_max,
            max_pending_buckets: MAX_PENDING_BUCKETS,
            max_state_bytes: run.state_max_bytes,
            fetch_wait_ms: FETCH_WAIT_MS,
        };
        let context = PartitionContext {
            store: self.store.clone(),
            control: self.control.clone(),
            limits,
            revoke_flush: run.revoke_flush,
            retry_max: run.retry_max,
            until_caught_up: self.end == RunEnd::CaughtUp,
            board: self.board.clone(),
            fatal,
        };
        let crew = Arc::new(Crew { context, rules: Mutex::default(), threads: Mutex::default() });
        let consumer = consumer(&self.config.kafka, Arc::clone(&crew) as Arc<dyn Assignments>)?;
        let ended = self.poll(&consumer, &crew, stop, &failures);
        let halted: Vec<String> = self.board.partitions().into_values().filter_map(|status| status.halted).collect();
        crew.end_all();
        ended?;
        if self.end == RunEnd::CaughtUp && !halted.is_empty() {
            return Err(RunError::Permanent(format!("all others are caught up, but {}", halted.join("; "))));
        }
        Ok(())
    }

    fn poll(
        &self,
        consumer: &Arc<BaseConsumer<GroupContext>>,
        crew: &Crew,
        stop: &AtomicBool,
        failures: &Receiver<String>,
    ) -> Result<(), RunError> {
        let mut quiet_since = Moment::now();
        let mut said: Option<Moment> = None;
        let mut subscribed: Vec<String> = Vec::new();
        let mut folding = Folding::new(self.store.clone());
        while !stop.load(Ordering::Acquire) {
            self.subscribe(consumer, crew, &mut subscribed, &mut folding)?;
            if let Some(Err(error)) = consumer.poll(POLL)
                && said.is_none_or(|at| at.elapsed() >= SAY_EVERY)
            {
                tracing::warn!(%error, "kafka");
                said = Some(Moment::now());
            }
            if let Some(failure) = consumer.context().take_failure() {
                return Err(RunError::Permanent(format!(
                    "partitions could not be taken over: {failure}; restart the worker"
                )));
            }
            if let Ok(failure) = failures.try_recv() {
                return Err(RunError::Permanent(failure));
            }
            let done = self.is_caught_up(consumer, &subscribed);
            if !done {
                quiet_since = Moment::now();
            } else if quiet_since.elapsed() >= QUIET {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Subscribes to the topics of all generations that are to be folded; one that is opened later joins in. A stream whose rules this
    /// build does not implement is refused.
    fn subscribe(
        &self,
        consumer: &Arc<BaseConsumer<GroupContext>>,
        crew: &Crew,
        subscribed: &mut Vec<String>,
        folding: &mut Folding,
    ) -> Result<(), RunError> {
        let streams = folding.streams(&self.control.register());
        let mut topics: Vec<String> = streams.iter().map(|rules| rules.topic.clone()).collect();
        topics.sort_unstable();
        if topics == *subscribed {
            return Ok(());
        }
        if let Some(other) = streams.iter().find(|rules| rules.fold_version != FOLD_VERSION) {
            return Err(RunError::Permanent(format!(
                "stream {0} is folded by version {1}, this build folds by version {FOLD_VERSION}: run the build that fits, or open a new \
                 generation with this one: plimsoll stream reopen {0} --reason WHY",
                other.stream, other.fold_version
            )));
        }
        crew.rules().extend(streams.into_iter().map(|rules| (rules.topic.clone(), rules)));
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        if names.is_empty() {
            consumer.unsubscribe();
        } else {
            consumer.subscribe(&names)?;
        }
        tracing::info!(?topics, "subscribed");
        *subscribed = topics;
        Ok(())
    }

    fn is_caught_up(&self, consumer: &Arc<BaseConsumer<GroupContext>>, subscribed: &[String]) -> bool {
        if self.end == RunEnd::Asked {
            return false;
        }
        if subscribed.is_empty() {
            tracing::warn!("no stream is open, so there is nothing to fold: plimsoll stream open");
            return true;
        }
        let partitions = self.board.partitions();
        let assigned = consumer.assignment().map_or(0, |assignment| assignment.count());
        let joined = consumer.group_metadata().is_some_and(|_| assigned > 0);
        let is_done = |status: &PartitionStatus| status.halted.is_some() || status.is_caught_up();
        joined && partitions.len() == assigned && partitions.values().all(is_done)
    }
}

/// The partition threads, by topic and number.
struct Crew {
    context: PartitionContext,
    rules: Mutex<BTreeMap<String, Arc<StreamRules>>>,
    threads: Mutex<HashMap<(String, i32), PartitionThread>>,
}

impl Crew {
    fn rules(&self) -> MutexGuard<'_, BTreeMap<String, Arc<StreamRules>>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn threads(&self) -> MutexGuard<'_, HashMap<(String, i32), PartitionThread>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_all(&self) {
        let all: Vec<(String, i32)> = self.threads().keys().cloned().collect();
        self.revoked(&all);
    }
}

impl Assignments for Crew {
    fn assigned(&self, partition: AssignedPartition) {
        let place = (partition.topic.clone(), partition.partition);
        let Some(rules) = self.rules().get(&partition.topic).cloned() else { return };
        if u32::try_from(partition.partition).is_ok_and(|number| number >= rules.partitions) {
            let _ = self.context.fatal.send(format!(
                "topic {} has more partitions than the {} of {}: a stream's partition count never changes; open a new generation: plimsoll \
                 stream reopen {} --partitions N --at-checkpoints --reason WHY",
                rules.topic, rules.partitions, rules.stream, rules.stream
            ));
            return;
        }
        tracing::info!(partition = %rules.stream, number = partition.partition, "assigned");
        match PartitionThread::start(partition, rules, self.context.clone()) {
            Ok(thread) => {
                self.threads().insert(place, thread);
            }
            Err(error) => {
                let _ = self.context.fatal.send(format!("a partition's thread could not be started: {error}"));
            }
        }
    }

    fn revoked(&self, partitions: &[(String, i32)]) {
        let ending: Vec<PartitionThread> = partitions.iter().filter_map(|place| self.threads().remove(place)).collect();
        ending.iter().for_each(PartitionThread::revoke);
        // a little longer than a thread takes by itself: it must have stopped reading before somebody else begins
        let deadline = Moment::now() + self.context.revoke_flush + Duration::from_millis(250);
        ending.into_iter().for_each(|thread| thread.end(deadline));
    }
}
