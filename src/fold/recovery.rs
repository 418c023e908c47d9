//! Rebuilding a partition's state at a checkpoint, from the ledger below it alone (DESIGN §5).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::error::SeamError;
use super::partition::PartitionFold;
use super::seam::{EventQuery, LedgerBelow, LedgerEvent, LedgerRow, Store};
use crate::core::event::series_hash;
use crate::core::ledger::digest::SpanDigest;
use crate::core::ledger::identity_set::{IdentitySet, remembered_until};
use crate::core::ledger::judge::Judge;
use crate::core::ledger::rules::StreamRules;
use crate::core::metering::array::{MeterReading, SLACK_MS};
use crate::core::metering::definition::Meters;
use crate::core::metering::held::EventOrder;
use crate::core::metering::partition::PartitionMeter;
use crate::core::word::{HOUR_MS, Instant, Offset, Partition};
use crate::mutation::{Mutation, planted};

/// How far back the ledger is verified against its checkpoints when a partition is taken over, in milliseconds of log time.
pub const VERIFY_MS: i64 = HOUR_MS;

/// Most rows at or above the checkpoint that are compared with what the log says: a span is far smaller as a rule.
const MAX_AHEAD: usize = 250_000;

/// The state at `checkpoint`, or at the beginning of the log if there is none yet.
///
/// # Errors
/// Retryable while the store is away, or while it does not show rows that a checkpoint says are there (a replica that lags).
pub fn rebuild(
    store: &mut dyn Store,
    rules: &Arc<StreamRules>,
    partition: Partition,
    checkpoints: &[Checkpoint],
    meters: Meters,
    control: Offset,
) -> Result<PartitionFold, SeamError> {
    let next = checkpoints.first().map_or(Offset(0), |newest| newest.next);
    let ahead = rows_ahead(store, LedgerBelow { rules, partition, below: Offset(u64::MAX) }, next)?;
    let Some(newest) = checkpoints.first() else {
        let judge = Judge::new((**rules).clone(), partition, Instant(i64::MIN), IdentitySet::default());
        let meter = PartitionMeter::new(meters);
        let mut fold = PartitionFold::new(Arc::clone(rules), partition, next, control, judge, meter, None);
        fold.expect_again(ahead);
        return Ok(fold);
    };
    let below = LedgerBelow { rules, partition, below: newest.next };
    verify(store, below, checkpoints)?;
    let identities = load_identities(store, below, newest.log_time)?;
    let meter = load_readings(store, below, newest.log_time, meters)?;
    let judge = Judge::new((**rules).clone(), partition, newest.log_time, identities);
    let next = if planted(Mutation::StartAtCommit) { newest.from } else { newest.next };
    let mut fold = PartitionFold::new(Arc::clone(rules), partition, next, control, judge, meter, newest.last);
    fold.expect_again(ahead);
    Ok(fold)
}

/// Rows of an owner that flushed and made no checkpoint any more. They are no input, only something to hold the log against.
fn rows_ahead(store: &mut dyn Store, all: LedgerBelow<'_>, next: Offset) -> Result<VecDeque<LedgerRow>, SeamError> {
    let mut ahead = VecDeque::new();
    store.rows(all, next, &mut |row| keep(&mut ahead, row))?;
    Ok(ahead)
}

fn keep<T>(ahead: &mut VecDeque<T>, row: T) {
    if ahead.len() < MAX_AHEAD {
        ahead.push_back(row);
    }
}

/// Compares the ledger with the counts and digests of the checkpoints: a set that is not whole would accept a duplicate.
pub(super) fn verify(
    store: &mut dyn Store,
    below: LedgerBelow<'_>,
    checkpoints: &[Checkpoint],
) -> Result<(), SeamError> {
    for checkpoint in checkpoints.iter().filter(|_| !planted(Mutation::LaggingReplicaTrusted)) {
        let (mut digest, mut rows) = (SpanDigest::default(), 0u64);
        let span = LedgerBelow { below: checkpoint.next, ..below };
        store.rows(span, checkpoint.from, &mut |row| {
            digest.add(row.offset, row.disposition, row.identity, row.content, row.readings);
            rows += 1;
        })?;
        if rows != checkpoint.consumed
            || (digest.finish() != checkpoint.digest && !planted(Mutation::DigestNotVerified))
        {
            return Err(SeamError::retryable(format!(
                "{}: the ledger has {rows} rows in [{}, {}) where its checkpoint counted {}: waiting for the replica to catch up; if \
                 it does not, rows were lost: run an audit",
                below.rules.label(below.partition),
                checkpoint.from.0,
                checkpoint.next.0,
                checkpoint.consumed
            )));
        }
    }
    Ok(())
}

/// Identities that can still be remembered: an event lies at most `future_limit` past its append time.
fn load_identities(store: &mut dyn Store, below: LedgerBelow<'_>, log_time: Instant) -> Result<IdentitySet, SeamError> {
    let window_ms = below.rules.acceptance_window_ms;
    let mut identities = IdentitySet::default();
    let below =
        if planted(Mutation::RowsAboveCheckpoint) { LedgerBelow { below: Offset(u64::MAX), ..below } } else { below };
    let appended_from = log_time.plus_ms(-window_ms - below.rules.future_limit_ms);
    store.identities(below, appended_from, &mut |row| {
        identities.remember(row.identity, row.content, remembered_until(row.append_time, row.time, window_ms));
    })?;
    Ok(identities)
}

/// Readings newer than each array's metering horizon. Arrays whose newest time lies before the acceptance window need none:
/// nothing that can still be accepted touches their hours.
fn load_readings(
    store: &mut dyn Store,
    below: LedgerBelow<'_>,
    log_time: Instant,
    meters: Meters,
) -> Result<PartitionMeter, SeamError> {
    let greatest_hold_ms = meters.iter().map(|(_, definition)| definition.max_hold_ms).max().unwrap_or(0);
    let horizon_ms = greatest_hold_ms + HOUR_MS + SLACK_MS;
    let appended_from = log_time.plus_ms(-below.rules.acceptance_window_ms - horizon_ms - below.rules.future_limit_ms);
    let arrays = store.arrays(below, appended_from)?;
    let newest: HashMap<(&str, &str), Instant> =
        arrays.iter().map(|span| ((&*span.provider, &*span.array), span.newest)).collect();
    let mut meter = PartitionMeter::new(meters);
    meter.complete_from(log_time.plus_ms(-below.rules.acceptance_window_ms));
    store.events(below, &EventQuery::Newest { horizon_ms, appended_from }, None, &mut |event| {
        let newest = newest.get(&(&*event.provider, &*event.array)).copied().unwrap_or(event.time);
        meter.restore(&event.provider, &event.array, site(&event), order(&event), newest, readings(&event));
    })?;
    Ok(meter)
}

/// An event's place in the order of the meter function.
pub(super) fn order(event: &LedgerEvent) -> EventOrder {
    EventOrder { instant: event.time, recorded: event.recorded, generation: event.generation, offset: event.offset }
}

/// An event's site.
pub(super) fn site(event: &LedgerEvent) -> Option<&str> {
    some(&event.site)
}

/// An event's readings as the meter takes them.
pub(super) fn readings(event: &LedgerEvent) -> impl Iterator<Item = MeterReading<'_>> {
    event.readings.iter().map(|reading| MeterReading {
        kind: reading.kind,
        resource: &reading.resource,
        meter: &reading.meter,
        customer: some(&reading.customer),
        tier: some(&reading.tier),
        value: reading.value,
        series_hash: series_hash(reading.kind, &reading.resource, &reading.meter),
    })
}

/// Tables keep an absent tag as the empty text, which no event can carry.
fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_above_a_checkpoint_are_held_up_to_their_limit_the_first_of_them() {
        let mut ahead = VecDeque::new();
        for row in 0..=MAX_AHEAD {
            keep(&mut ahead, row);
            assert_eq!(ahead.len(), (row + 1).min(MAX_AHEAD));
        }
        assert_eq!(ahead.back(), Some(&(MAX_AHEAD - 1)));
    }
}
