//! The fold at its bounds: one below, at, and one above.

use std::sync::Arc;

use super::error::Permanent;
use super::machine::{MachineLimits, is_full};
use super::partition::PartitionFold;
use crate::core::event::RawRecord;
use crate::core::ledger::identity_set::IdentitySet;
use crate::core::ledger::judge::{Judge, LogRecord, NamedDecision};
use crate::core::ledger::rules::{DEFAULT_ACCEPTANCE_WINDOW_MS, FUTURE_LIMIT_MS, StreamRules};
use crate::core::ledger::sample::rules;
use crate::core::metering::definition::{Definition, MeterKind, Meters};
use crate::core::metering::partition::PartitionMeter;
use crate::core::word::{HOUR_MS, Instant, Offset, Partition};

const START_MS: i64 = 1_790_812_800_000;

const NONE: MachineLimits = MachineLimits {
    flush_interval_ms: u64::MAX,
    flush_max_events: usize::MAX,
    flush_max_bytes: usize::MAX,
    checkpoint_interval_ms: u64::MAX,
    max_marked_hours: usize::MAX,
    max_pending_buckets: usize::MAX,
    max_state_bytes: usize::MAX,
    fetch_wait_ms: 0,
};

fn empty() -> PartitionFold {
    let rules = Arc::new(StreamRules {
        acceptance_window_ms: DEFAULT_ACCEPTANCE_WINDOW_MS,
        future_limit_ms: FUTURE_LIMIT_MS,
        max_event_bytes: 1 << 20,
        max_event_readings: 100,
        max_id_bytes: 256,
        ..rules("usage")
    });
    let mut meters = Meters::default();
    meters.define("used", Definition { kind: MeterKind::Gauge, max_hold_ms: HOUR_MS, cell_ms: 900_000 });
    let judge = Judge::new((*rules).clone(), Partition(0), Instant(i64::MIN), IdentitySet::default());
    PartitionFold::new(rules, Partition(0), Offset(0), Offset(0), judge, PartitionMeter::new(meters), None)
}

/// Folds the event of an hour.
fn fold(fold: &mut PartitionFold, hour: i64) {
    let number = fold.next().0;
    let time = Instant(START_MS + hour * HOUR_MS);
    let value = format!(
        r#"{{"specversion":"1.0","id":"{number}","source":"s","type":"dev.plimsoll.usage.v1","time":"{time}","data":{{"provider":"p","array":{{"id":"a"}},"readings":[{{"resource":"v","kind":"volume","meter":"used","value":7}}]}}}}"#
    );
    let raw = RawRecord { key: Some(b"a"), headers: &[], value: value.as_bytes() };
    let append_time = Instant(START_MS + 100 * HOUR_MS);
    fold.fold(&LogRecord { offset: Offset(number), append_time, raw }, NamedDecision::None).unwrap();
}

/// Whether a fold is full when its limit is one more than, just, or one less than what it holds.
fn at(fold: &PartitionFold, holds: usize, limit: impl Fn(usize) -> MachineLimits) {
    assert!(holds > 1, "{holds}");
    let full = [holds + 1, holds, holds - 1].map(|most| is_full(fold, &limit(most)));
    assert_eq!(full, [false, true, true], "{holds}");
}

#[test]
fn a_flush_comes_at_its_rows_and_at_its_bytes() {
    let mut folded = empty();
    (0..5).for_each(|hour| fold(&mut folded, hour));
    at(&folded, 5, |most| MachineLimits { flush_max_events: most, ..NONE });
    at(&folded, folded.batch().bytes(), |most| MachineLimits { flush_max_bytes: most, ..NONE });
    let _ = folded.take_batch();
    assert!(!is_full(&folded, &MachineLimits { flush_max_events: 1, flush_max_bytes: 1, ..NONE }));
}

#[test]
fn a_checkpoint_comes_at_its_marks_and_at_its_buckets() {
    let mut folded = empty();
    // hours that were put out wait as buckets, and what comes for them later marks them
    [0, 1, 2, 3, 4, 90, 91, 7, 8, 9].into_iter().for_each(|hour| fold(&mut folded, hour));
    let (marks, buckets) = (folded.meter().marked_hours(), folded.meter().pending_buckets());
    at(&folded, marks, |most| MachineLimits { max_marked_hours: most, ..NONE });
    at(&folded, buckets, |most| MachineLimits { max_pending_buckets: most, ..NONE });
    let _ = (folded.take_batch(), folded.take_checkpoint().unwrap());
    assert_eq!((folded.meter().marked_hours(), folded.meter().pending_buckets()), (0, 0));
}

#[test]
fn a_state_is_held_up_to_its_bytes_and_stops_its_partition_alone() {
    let mut folded = empty();
    fold(&mut folded, 0);
    let bytes = folded.judge().identities().bytes() + folded.meter().bytes();
    assert!(folded.check_state(bytes + 1).is_ok() && folded.check_state(bytes).is_ok());
    let refusal = folded.check_state(bytes - 1).unwrap_err();
    assert!(matches!(refusal, Permanent::StateTooLarge { .. }) && refusal.is_of_one_partition());
    assert!(refusal.to_string().contains("run.state_max_mbytes"), "{refusal}");
}
