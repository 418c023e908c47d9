//! One partition as `GET /v1/pipeline` tells it: how far it has come, and whether I1 holds in it.

use serde::Serialize;
use utoipa::ToSchema;

use super::log_place::LogPlace;
use crate::clickhouse::read::pipeline::{LedgerRow, NewestRow, OpenedRow};
use crate::core::word::Instant;

/// One partition. Offsets are exclusive: everything below is meant.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartitionState {
    /// The stream's id.
    stream: String,
    /// The partition.
    partition: u32,
    /// Whether a later generation has closed the stream.
    closed: bool,
    /// Where its log ends; null where Kafka does not say so.
    log_end: Option<u64>,
    /// What the workers' group has committed; null if nothing, or where Kafka does not say so.
    committed: Option<u64>,
    /// Up to where the ledger has rows.
    ledger: u64,
    /// Up to where everything is under a checkpoint.
    checkpoint: u64,
    /// The decision up to which it reflects all.
    control: u64,
    /// Events in the log that are under no checkpoint; null where Kafka does not say where it ends.
    lag_events: Option<u64>,
    /// How old the oldest event is that waits for a checkpoint; of one that is not in the ledger either, an age that it does not exceed.
    /// 0 if none wait.
    oldest_unflushed_seconds: u64,
    /// The greatest append time under the checkpoint; null before the first.
    log_time: Option<String>,
    /// When the newest row of the ledger was appended; null before the first.
    ledger_time: Option<String>,
    /// Records of the last five minutes.
    lately: Dispositions,
    /// I1: whether in each of the last 10,000 checkpoints dispositions add up to what was consumed, and the ledger has just these rows in the newest one's span.
    conserved: bool,
    /// What does not add up; null if all does.
    violation: Option<String>,
}

/// Records by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Dispositions {
    accepted: u64,
    duplicate: u64,
    late: u64,
    quarantined: u64,
}

/// What stands for the newest checkpoint where there is none.
pub(super) fn before_the_first(opened: &OpenedRow, partition: u32) -> NewestRow {
    NewestRow { stream: opened.stream.clone(), partition, ..NewestRow::default() }
}

/// What is told of a partition.
pub(super) fn state(
    opened: &OpenedRow,
    newest: &NewestRow,
    ledger: &LedgerRow,
    log: Option<LogPlace>,
    at: Instant,
) -> PartitionState {
    let is_closed = opened.closed == 1;
    let lag_events = log.map(|log| log.end.saturating_sub(newest.next));
    let waits = lag_events.unwrap_or_else(|| ledger.next.saturating_sub(newest.next)) > 0 && !is_closed;
    // an event that is not in the ledger either came after all that is under the checkpoint
    let since = if ledger.waiting > 0 { ledger.waiting } else { newest.log_time };
    let age = u64::try_from(at.0 - since).unwrap_or_default() / 1000;
    let violation = violation(newest, ledger);
    PartitionState {
        stream: opened.stream.clone(),
        partition: newest.partition,
        closed: is_closed,
        log_end: log.map(|log| log.end),
        committed: log.and_then(|log| log.committed),
        ledger: ledger.next.max(newest.next),
        checkpoint: newest.next,
        control: newest.control,
        lag_events,
        oldest_unflushed_seconds: if waits && since > 0 { age } else { 0 },
        log_time: told(newest.log_time),
        ledger_time: told(ledger.newest),
        lately: Dispositions {
            accepted: ledger.lately_accepted,
            duplicate: ledger.lately_duplicate,
            late: ledger.lately_late,
            quarantined: ledger.lately_quarantined,
        },
        conserved: violation.is_none(),
        violation,
    }
}

/// What of I1 does not hold.
fn violation(newest: &NewestRow, ledger: &LedgerRow) -> Option<String> {
    if newest.unequal > 0 {
        return Some(format!("dispositions of {} checkpoints do not add up to what they consumed", newest.unequal));
    }
    let counted = [newest.accepted, newest.duplicate, newest.late, newest.quarantined];
    let held = [ledger.accepted, ledger.duplicate, ledger.late, ledger.quarantined];
    let words = |of: [u64; 4]| of.map(|count| count.to_string()).join(" + ");
    (counted != held).then(|| {
        format!(
            "the newest checkpoint counts {} accepted, duplicate, late and quarantined, the ledger has {}: run plimsoll audit",
            words(counted),
            words(held)
        )
    })
}

/// An instant, where there is one.
pub(super) fn told(ms: i64) -> Option<String> {
    (ms > 0).then(|| Instant(ms).rfc3339())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> OpenedRow {
        OpenedRow { stream: "usage-1".to_owned(), topic: "usage".to_owned(), partitions: 1, closed: 0 }
    }

    fn newest() -> NewestRow {
        NewestRow { next: 10, log_time: 60_000, consumed: 3, accepted: 2, late: 1, ..before_the_first(&opened(), 0) }
    }

    fn ledger() -> LedgerRow {
        LedgerRow { next: 12, newest: 70_000, accepted: 2, late: 1, ..LedgerRow::default() }
    }

    #[test]
    fn a_row_that_is_missing_turns_the_partition_red() {
        let at = Instant(90_000);
        let log = Some(LogPlace { end: 15, committed: Some(10) });
        let good = state(&opened(), &newest(), &ledger(), log, at);
        assert_eq!((good.conserved, good.lag_events, good.oldest_unflushed_seconds), (true, Some(5), 30));
        let flushed = state(&opened(), &newest(), &LedgerRow { waiting: 80_000, ..ledger() }, log, at);
        assert_eq!(flushed.oldest_unflushed_seconds, 10);
        let caught_up = state(&opened(), &newest(), &ledger(), Some(LogPlace { end: 10, committed: None }), at);
        assert_eq!((caught_up.lag_events, caught_up.oldest_unflushed_seconds), (Some(0), 0));
        let unknown = state(&opened(), &newest(), &ledger(), None, at);
        assert_eq!((unknown.lag_events, unknown.log_end, unknown.oldest_unflushed_seconds), (None, None, 30));
        let lost = state(&opened(), &newest(), &LedgerRow { accepted: 1, ..ledger() }, log, at);
        assert!(!lost.conserved && lost.violation.unwrap().contains("ledger has 1 + 0 + 1 + 0"));
        let unequal = state(&opened(), &NewestRow { unequal: 1, ..newest() }, &ledger(), log, at);
        assert!(!unequal.conserved);
    }
}
