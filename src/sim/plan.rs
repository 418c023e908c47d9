//! What a schedule is made of, drawn from its seed before it begins: how many of everything, and how often what goes wrong.

use std::sync::Arc;

use super::closing::ClosingPlan;
use super::random::Random;
use crate::core::event::partition_of;
use crate::core::ledger::rules::{FOLD_VERSION, StreamRules};
use crate::core::word::{HOUR_MS, StreamId};
use crate::fold::machine::MachineLimits;

/// 2026-10-31T00:00:00Z: schedules begin near the end of a month, so that many cross it.
const NEAR_MONTH_END_MS: i64 = 1_793_404_800_000;
/// Most readings of an event.
pub(super) const MAX_READINGS: u32 = 6;

/// The numbers of a schedule. Chances are per mille of the calls concerned.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) rules: Arc<StreamRules>,
    pub(super) limits: MachineLimits,
    pub(super) start_ms: i64,
    pub(super) arrays: Vec<String>,
    pub(super) processes: usize,
    pub(super) actions: u64,
    /// Most milliseconds between two polls.
    pub(super) gap_ms: i64,
    pub(super) crash: u64,
    pub(super) away: u64,
    pub(super) torn: u64,
    pub(super) insert: u64,
    /// Chance of the odd event: late, twice, in conflict, misrouted.
    pub(super) odd: u64,
    /// Chance of an action on the world instead of work.
    pub(super) trouble: u64,
    /// How periods are closed, if they are.
    pub(super) closing: Option<ClosingPlan>,
}

impl Plan {
    pub(super) fn draw(random: &mut Random, closing: Option<ClosingPlan>) -> Self {
        let partitions = random.pick(&[1, 1, 2, 2, 3]);
        let shared = random.chance(300);
        let rules = StreamRules {
            stream: StreamId("usage-1".to_owned()),
            topic: "usage".to_owned(),
            generation: 1,
            partitions,
            provider: (!shared).then(|| "p".to_owned()),
            acceptance_window_ms: random.pick(&[2, 6, 30, 40 * 24]) * HOUR_MS,
            future_limit_ms: 15 * 60_000,
            max_event_bytes: 4096,
            max_event_readings: MAX_READINGS,
            max_id_bytes: 64,
            fold_version: FOLD_VERSION,
        };
        let noise = random.pick(&[0, 1, 3, 8]);
        let mut start_ms = NEAR_MONTH_END_MS + random.between(-40, 30) * HOUR_MS + random.between(0, 11) * 300_000;
        let mut gap_ms = random.pick(&[5 * 60_000, 20 * 60_000, HOUR_MS, 5 * HOUR_MS]);
        if closing.is_some() {
            // soon a month ends, and there is time to correct it
            start_ms = NEAR_MONTH_END_MS + random.between(4, 23) * HOUR_MS + random.between(0, 11) * 300_000;
            gap_ms = random.pick(&[20 * 60_000, HOUR_MS, 3 * HOUR_MS]);
        }
        Self {
            limits: limits(random),
            start_ms,
            arrays: arrays(random, partitions),
            processes: random.between(2, 4) as usize,
            actions: random.below(120) + 40,
            gap_ms,
            crash: noise,
            away: noise * 3,
            torn: random.pick(&[0, 20, 80]),
            insert: noise * 20,
            odd: random.pick(&[50, 250, 600]),
            trouble: random.pick(&[30, 100, 200]),
            rules: Arc::new(rules),
            closing,
        }
    }
}

fn limits(random: &mut Random) -> MachineLimits {
    MachineLimits {
        flush_interval_ms: 1000,
        flush_max_events: random.pick(&[1, 3, 10, 1000]),
        flush_max_bytes: random.pick(&[500, 1 << 20]),
        checkpoint_interval_ms: random.pick(&[1_000, 10_000, 60_000]),
        max_marked_hours: random.pick(&[2, 20, 50_000]),
        max_pending_buckets: random.pick(&[5, 40, 200_000]),
        max_state_bytes: usize::MAX,
        fetch_wait_ms: 100,
    }
}

/// One to four arrays; a partition may have none and stay idle.
fn arrays(random: &mut Random, partitions: u32) -> Vec<String> {
    let first = random.below(50);
    let mut arrays: Vec<String> = (0..random.below(4) + 1).map(|number| format!("array-{}", first + number)).collect();
    arrays.sort_by_key(|array| partition_of(array.as_bytes(), partitions).0);
    arrays
}
