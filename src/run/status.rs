//! What each partition's thread tells the rest of the process: for progress, metrics and the end of a run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::core::word::{Instant, Offset};
use crate::fold::checkpoint::Totals;

/// A partition at work.
#[derive(Clone, Debug, Default)]
pub struct PartitionStatus {
    /// The stream's id.
    pub stream: String,
    /// What the machine does next.
    pub stage: &'static str,
    /// When this process took the partition over, in milliseconds since 1970.
    pub assigned_ms: i64,
    /// Whether its state was loaded since.
    pub is_loaded: bool,
    /// Whether the next checkpoint waits for a record, behind a recorded hole.
    pub waits_for_record: bool,
    /// The next offset that is due.
    pub next: Offset,
    /// Where the log ended when it was last looked at.
    pub end: Offset,
    /// Where the log ended when this process took the partition over: what `--until-caught-up` folds.
    pub target: Option<Offset>,
    /// Everything below is durable and under a checkpoint; none before the first.
    pub checkpointed: Option<Offset>,
    /// Every decision below this offset is reflected under that checkpoint.
    pub reflected: Offset,
    /// Where the control log ended when this process took the partition over: a meter that is defined below it has its whole past
    /// metered before `--until-caught-up` ends.
    pub control_target: Option<Offset>,
    /// When the newest checkpoint was made or found, in milliseconds since 1970.
    pub checkpoint_made_ms: i64,
    /// Records read since the state was rebuilt, counted where they are read.
    pub consumed: u64,
    /// Offsets that recorded holes passed over when the state was rebuilt.
    pub lost: u64,
    /// What became of the records folded since the state was rebuilt.
    pub totals: Totals,
    /// The append time of the oldest record without a checkpoint.
    pub oldest_unflushed: Option<Instant>,
    /// Greatest append time so far.
    pub log_time: Instant,
    /// Identities remembered.
    pub identities: usize,
    /// Live series.
    pub series: usize,
    /// Marked series-hours that wait.
    pub marked_hours: usize,
    /// Why the partition was stopped until somebody mends it; the others go on.
    pub halted: Option<String>,
    /// The trouble that the partition waits out, if any.
    pub trouble: Option<String>,
}

impl PartitionStatus {
    /// Whether the generation is closed and the partition folded to its end.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.stage == "closed"
    }

    /// Whether everything that was there at the start, records and decisions, is durable and under a checkpoint.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        let waits = self.waits_for_record && self.target.is_some_and(|target| self.next >= target);
        if self.is_closed() || waits {
            return true;
        }
        let records = matches!((self.target, self.checkpointed), (Some(target), Some(next)) if next >= target);
        records && self.control_target.is_some_and(|target| self.reflected >= target)
    }
}

/// All partitions of this process, by topic and number.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<BTreeMap<(String, i32), PartitionStatus>>>);

impl Board {
    /// The partitions now.
    #[must_use]
    pub fn partitions(&self) -> BTreeMap<(String, i32), PartitionStatus> {
        self.lock().clone()
    }

    /// Changes what is said of a partition.
    pub fn update(&self, topic: &str, partition: i32, change: impl FnOnce(&mut PartitionStatus)) {
        change(self.lock().entry((topic.to_owned(), partition)).or_default());
    }

    /// Takes a partition off.
    pub fn remove(&self, topic: &str, partition: i32) {
        self.lock().remove(&(topic.to_owned(), partition));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, i32), PartitionStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
