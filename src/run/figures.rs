//! Figures for Prometheus, from what the partition threads say of themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::status::{Board, PartitionStatus};
use crate::metrics::{Metrics, PartitionFigures};

/// Retention by topic in milliseconds; absent where it has no end.
pub type Retention = BTreeMap<String, i64>;

/// Has the partitions of `board` shown at each scrape. A partition that another process has taken over is forgotten.
pub fn show(metrics: &Metrics, board: Board, retention: Retention) {
    let shown: Mutex<BTreeSet<(String, u32)>> = Mutex::default();
    metrics.at_scrape(move |metrics| {
        let now_ms = chrono::Utc::now().timestamp_millis();
        let mut current = BTreeSet::new();
        for ((topic, number), status) in board.partitions() {
            let number = u32::try_from(number).unwrap_or_default();
            metrics.partition(&status.stream, number).set(&figures(&status, retention.get(&topic).copied(), now_ms));
            current.insert((status.stream, number));
        }
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.difference(&current).for_each(|(stream, number)| metrics.forget(stream, *number));
        *shown = current;
    });
}

fn figures(status: &PartitionStatus, retention_ms: Option<i64>, now_ms: i64) -> PartitionFigures {
    let counts = status.totals.counts;
    let age_ms = status.oldest_unflushed.map_or(0, |oldest| (now_ms - oldest.0).max(0));
    PartitionFigures {
        consumed: status.consumed,
        holes: 0,
        accepted: counts.accepted,
        duplicate: counts.duplicate,
        late: counts.late,
        quarantined: status.totals.by_reason,
        halted: status.halted.is_some(),
        lag_events: status.end.0.saturating_sub(status.next.0),
        oldest_unflushed_seconds: age_ms as f64 / 1000.0,
        checkpoint_timestamp_seconds: status.checkpoint_made_ms / 1000,
        checkpoint_offset: status.checkpointed.map_or(0, |next| next.0),
        marked_hours: status.marked_hours as u64,
        identities: status.identities as u64,
        series: status.series as u64,
        time_to_loss_seconds: retention_ms.map(|retention| (retention - age_ms) as f64 / 1000.0),
    }
}
