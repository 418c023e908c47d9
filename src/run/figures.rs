//! Figures for Prometheus, from what the partition threads say of themselves.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::retention::Retention;
use super::status::{Board, PartitionStatus};
use crate::metrics::{Metrics, PartitionFigures};

/// Has the partitions of `board` shown at each scrape. A partition that another process has taken over is forgotten.
pub fn show(metrics: &Metrics, board: Board, retention: Retention) {
    let shown: Mutex<BTreeSet<(String, u32)>> = Mutex::default();
    metrics.at_scrape(move |metrics| {
        let now_ms = chrono::Utc::now().timestamp_millis();
        let mut current = BTreeSet::new();
        for ((topic, number), status) in board.partitions() {
            let number = u32::try_from(number).unwrap_or_default();
            metrics.partition(&status.stream, number).set(&figures(&status, retention.of(&topic), now_ms));
            current.insert((status.stream, number));
        }
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.difference(&current).for_each(|(stream, number)| metrics.forget(stream, *number));
        *shown = current;
    });
}

fn figures(status: &PartitionStatus, retention_ms: Option<i64>, now_ms: i64) -> PartitionFigures {
    let counts = status.totals.counts;
    let age_ms = oldest_ms(status).map_or(0, |oldest_ms| (now_ms - oldest_ms).max(0));
    PartitionFigures {
        consumed: status.consumed,
        holes: status.lost,
        accepted: counts.accepted,
        duplicate: counts.duplicate,
        late: counts.late,
        quarantined: status.totals.by_reason,
        halted: status.halted.is_some(),
        lag_events: if status.is_closed() { 0 } else { status.end.0.saturating_sub(status.next.0) },
        oldest_unflushed_seconds: age_ms as f64 / 1000.0,
        checkpoint_timestamp_seconds: status.checkpoint_made_ms / 1000,
        checkpoint_offset: status.checkpointed.map_or(0, |next| next.0),
        marked_hours: status.marked_hours as u64,
        identities: status.identities as u64,
        series: status.series as u64,
        time_to_loss_seconds: retention_ms.map(|retention| (retention - age_ms) as f64 / 1000.0),
    }
}

/// When the oldest record without a checkpoint was appended, or an earlier instant where that is not known: records that nobody has
/// read yet are younger than the last one that was folded. A partition whose state cannot be loaded is as old as the waiting for it,
/// at least. None where every record is under a checkpoint.
fn oldest_ms(status: &PartitionStatus) -> Option<i64> {
    if status.is_closed() {
        return None;
    }
    let is_behind = status.end > status.next || status.halted.is_some();
    let waits = is_behind || !status.is_loaded;
    let folded = Some(status.log_time.0).filter(|ms| is_behind && *ms > 0);
    let folded = folded.or(Some(status.assigned_ms).filter(|_| waits));
    status.oldest_unflushed.map(|oldest| oldest.0).or(folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::word::{Instant, Offset};

    const NOW: i64 = 1_800_000_000_000;
    const RETENTION: i64 = 30 * 86_400_000;

    fn time_to_loss(change: impl FnOnce(&mut PartitionStatus)) -> f64 {
        let mut status = PartitionStatus {
            stage: "fold",
            is_loaded: true,
            assigned_ms: NOW - 60_000,
            log_time: Instant(NOW - 7_200_000),
            next: Offset(10),
            end: Offset(10),
            ..PartitionStatus::default()
        };
        change(&mut status);
        let seconds = figures(&status, Some(RETENTION), NOW).time_to_loss_seconds.unwrap();
        RETENTION as f64 / 1000.0 - seconds
    }

    #[test]
    fn time_to_loss_runs_from_the_oldest_record_that_could_be_lost() {
        assert_eq!(time_to_loss(|_| {}), 0.0, "an idle partition loses nothing however old its last record is");
        assert_eq!(time_to_loss(|status| status.oldest_unflushed = Some(Instant(NOW - 5_000))), 5.0);
        let unread = |status: &mut PartitionStatus| status.end = Offset(11);
        assert_eq!(time_to_loss(unread), 7200.0, "what nobody has read may be as old as what was read last");
        let unloaded = |status: &mut PartitionStatus| (status.is_loaded, status.log_time) = (false, Instant(0));
        assert_eq!(time_to_loss(unloaded), 60.0, "nothing is known while the database is away but how long that lasts");
        assert_eq!(time_to_loss(|status| status.halted = Some("h".to_owned())), 7200.0);
        let closed = |status: &mut PartitionStatus| (status.stage, status.end) = ("closed", Offset(99));
        assert_eq!(time_to_loss(closed), 0.0, "what lies past the end of a closed generation is void");
        assert_eq!(figures(&PartitionStatus::default(), None, NOW).time_to_loss_seconds, None, "kept for ever");
    }
}
