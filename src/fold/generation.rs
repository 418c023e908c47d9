//! What a generation takes over from the ones before it (DESIGN §3): their decisions' reach, their log time, and the hours that records
//! past their ends may have touched.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::error::SeamError;
use super::ledger::{LedgerBelow, LedgerSpan};
use super::partition::PartitionFold;
use super::seam::Store;
use super::verification::{VERIFY_MS, verify};
use crate::core::decision::stream::Generation;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Instant, Offset, Partition};
use crate::mutation::{Mutation, planted};

/// After so much log time past the end of the generation before, replicas are taken to have its rows.
const REPLICATED_MS: i64 = 24 * 3_600_000;

/// Checkpoints that vouch for the rows of a partition of an earlier generation.
#[derive(Clone, Debug)]
pub struct Vouched {
    rules: Arc<StreamRules>,
    partition: Partition,
    checkpoints: Vec<Checkpoint>,
}

/// What a partition begins with where it has no checkpoint of its own.
#[derive(Clone, Debug)]
pub struct Inherited {
    /// The greatest append time below the ends of the generation before.
    pub log_time: Instant,
    /// Every decision below this offset is reflected in its buckets.
    pub control: Offset,
    /// What vouches for its rows.
    pub vouched: Vec<Vouched>,
}

impl Inherited {
    /// Whether the generation before must still be vouched for when a partition's log time is `log_time`.
    #[must_use]
    pub fn is_recent(&self, log_time: Instant) -> bool {
        log_time <= self.log_time.plus_ms(REPLICATED_MS)
    }
}

/// What the generation before leaves, once every partition of it is folded to its end; none if there is none.
///
/// # Errors
/// Retryable until it is, and while the store is away or shows less than checkpoints vouch for.
pub fn inherit(store: &mut dyn Store, generation: &Generation, label: &str) -> Result<Option<Inherited>, SeamError> {
    let mut inherited: Option<Inherited> = None;
    for earlier in generation.earlier.iter().rev() {
        let mut all_began = true;
        for partition in (0..earlier.rules.partitions).map(Partition) {
            let end = earlier.end(partition).unwrap_or_default();
            let checkpoints = store.checkpoints(&earlier.rules, partition, VERIFY_MS)?;
            let newest = checkpoints.first().map(|newest| (newest.next, newest.control));
            let (next, control) = newest.unwrap_or_default();
            // what is recorded as lost is waited for in vain
            if earlier.past_holes(partition, next).0 < end && !planted(Mutation::SuccessorHastens) {
                return Err(SeamError::retryable(format!(
                    "{label}: waits until {} is folded to its end {}, it is folded to {}: keep a worker running",
                    earlier.rules.label(partition),
                    end.0,
                    next.0
                )));
            }
            all_began &= newest.is_some();
            let log_time = log_time_below(store, earlier, partition, &checkpoints)?;
            let vouched = Vouched { rules: Arc::clone(&earlier.rules), partition, checkpoints };
            let all = inherited.get_or_insert(Inherited { log_time, control, vouched: Vec::new() });
            all.log_time = all.log_time.max(log_time);
            all.control = all.control.min(control);
            all.vouched.push(vouched);
        }
        if all_began {
            break;
        }
    }
    Ok(inherited)
}

/// The greatest append time of a partition below its end. A worker that had not heard of the end may have gone on behind it.
fn log_time_below(
    store: &mut dyn Store,
    earlier: &Generation,
    partition: Partition,
    checkpoints: &[Checkpoint],
) -> Result<Instant, SeamError> {
    let end = earlier.end(partition).unwrap_or_default();
    let inside = checkpoints.iter().find(|checkpoint| checkpoint.next <= end);
    let (from, mut log_time) =
        inside.map_or((Offset(0), Instant(i64::MIN)), |checkpoint| (checkpoint.next, checkpoint.log_time));
    if from < end {
        let span = LedgerSpan { rules: &earlier.rules, partition, from, below: end };
        store.rows(span, &mut |row| {
            if !earlier.is_void(partition, Offset(row.offset)) {
                log_time = log_time.max(row.append_time);
            }
        })?;
    }
    Ok(log_time)
}

/// Compares the ledger of earlier generations with the counts and digests of their last checkpoints.
///
/// # Errors
/// Retryable while the store shows less than they vouch for.
pub fn verify_earlier(store: &mut dyn Store, vouched: &[Vouched]) -> Result<(), SeamError> {
    vouched
        .iter()
        .try_for_each(|Vouched { rules, partition, checkpoints }| verify(store, rules, *partition, checkpoints))
}

/// A void event that was seen: generation, partition and offset.
pub type Seen = BTreeSet<(u32, Partition, u64)>;

/// Marks the hours that void events touch which were not `seen` before: a worker that had not heard of an end, or of a hole, may have
/// metered them, and its buckets are replaced by those of this partition. Ledger rows come before buckets, so whoever wrote such a
/// bucket is seen here, now or at the next look.
///
/// # Errors
/// Retryable while the store is away.
pub fn mark_voided(
    store: &mut dyn Store,
    below: LedgerBelow<'_>,
    fold: &mut PartitionFold,
    seen: &mut Seen,
) -> Result<(), SeamError> {
    if !may_have_void(below) || planted(Mutation::VoidHoursStay) {
        return Ok(());
    }
    store.voided(below, &mut |partition, event| {
        if seen.insert((event.generation, partition, event.offset)) {
            fold.mark_void(&event);
        }
    })
}

/// Marks the hours of buckets that a worker of an earlier generation wrote past its end before it heard of it. They count up to an offset that
/// is above every cut, also where no void event touches them and their figures are right: no period with such a bucket could be closed.
/// Which hours these are no event tells, since whoever wrote them may have begun at any checkpoint.
///
/// # Errors
/// Retryable while the store is away.
pub fn mark_past_ends(
    store: &mut dyn Store,
    below: LedgerBelow<'_>,
    fold: &mut PartitionFold,
) -> Result<(), SeamError> {
    if below.generation.earlier.is_empty() || planted(Mutation::BucketsPastEndStay) {
        return Ok(());
    }
    store.past_ends(below, &mut |bucket| fold.mark_past_end(&bucket))
}

/// Whether there can be void events of a partition's arrays at all.
#[must_use]
pub fn may_have_void(below: LedgerBelow<'_>) -> bool {
    !below.generation.earlier.is_empty() || below.generation.holes(below.partition).any(|hole| hole.from < hole.to)
}
