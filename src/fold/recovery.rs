//! Rebuilding a partition's state at a checkpoint, from the ledger below it alone (DESIGN §5).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::error::SeamError;
use super::generation::{Inherited, verify_earlier};
use super::ledger::{EventQuery, LedgerBelow, LedgerEvent, LedgerRow, LedgerSpan};
use super::partition::PartitionFold;
use super::seam::Store;
use super::verification::verify;
use crate::core::decision::stream::Generation;
use crate::core::event::series_hash;
use crate::core::ledger::identity_set::{IdentitySet, remembered_until};
use crate::core::ledger::judge::Judge;
use crate::core::metering::array::{MeterReading, SLACK_MS};
use crate::core::metering::definition::Meters;
use crate::core::metering::held::EventOrder;
use crate::core::metering::partition::PartitionMeter;
use crate::core::word::{HOUR_MS, Instant, Offset, Partition};
use crate::mutation::{Mutation, planted};

/// Most rows at or above the checkpoint that are compared with what the log says: a span is far smaller as a rule.
const MAX_AHEAD: usize = 250_000;

/// What a state is rebuilt from.
#[derive(Clone, Copy, Debug)]
pub struct Foundation<'a> {
    /// The stream's generation.
    pub generation: &'a Generation,
    /// The partition.
    pub partition: Partition,
    /// The newest checkpoints, the newest first.
    pub checkpoints: &'a [Checkpoint],
    /// What the generation before leaves, if there is one.
    pub inherited: Option<&'a Inherited>,
}

/// The state at the newest checkpoint, or at the beginning of the log if there is none yet; behind what is recorded as lost.
///
/// # Errors
/// Retryable while the store is away, or while it does not show rows that a checkpoint says are there (a replica that lags).
pub fn rebuild(
    store: &mut dyn Store,
    foundation: Foundation<'_>,
    meters: Meters,
    control: Offset,
) -> Result<PartitionFold, SeamError> {
    let Foundation { generation, partition, checkpoints, inherited } = foundation;
    let (rules, newest) = (&generation.rules, checkpoints.first());
    let next = newest.map_or(Offset(0), |newest| newest.next);
    let log_time = newest.map(|newest| newest.log_time).or(inherited.map(|inherited| inherited.log_time));
    let (identities, meter) = match log_time {
        None => (IdentitySet::default(), PartitionMeter::new(meters)),
        Some(log_time) => {
            let below = LedgerBelow { generation, partition, below: next };
            verify(store, rules, partition, checkpoints)?;
            if let Some(inherited) = inherited.filter(|inherited| inherited.is_recent(log_time)) {
                verify_earlier(store, &inherited.vouched)?;
            }
            (load_identities(store, below, log_time)?, load_readings(store, below, log_time, meters)?)
        }
    };
    let judge = Judge::new((**rules).clone(), partition, log_time.unwrap_or(Instant(i64::MIN)), identities);
    let place = newest.filter(|_| planted(Mutation::StartAtCommit)).map_or(next, |newest| newest.from);
    let last = newest.and_then(|newest| newest.last);
    let mut fold = PartitionFold::new(Arc::clone(rules), partition, place, control, judge, meter, last);
    let (to, recorded) = generation.past_holes(partition, next);
    if recorded && !planted(Mutation::HoleForgotten) {
        fold.pass_over(to);
    }
    let below = generation.end(partition).unwrap_or(Offset(u64::MAX));
    fold.expect_again(rows_ahead(store, LedgerSpan { rules, partition, from: fold.next(), below })?);
    Ok(fold)
}

/// Rows of an owner that flushed and made no checkpoint any more. They are no input, only something to hold the log against.
fn rows_ahead(store: &mut dyn Store, span: LedgerSpan<'_>) -> Result<VecDeque<LedgerRow>, SeamError> {
    let mut ahead = VecDeque::new();
    store.rows(span, &mut |row| keep(&mut ahead, row))?;
    Ok(ahead)
}

fn keep<T>(ahead: &mut VecDeque<T>, row: T) {
    if ahead.len() < MAX_AHEAD {
        ahead.push_back(row);
    }
}

/// Identities that can still be remembered: an event lies at most `future_limit` past its append time.
fn load_identities(store: &mut dyn Store, below: LedgerBelow<'_>, log_time: Instant) -> Result<IdentitySet, SeamError> {
    let window_ms = below.generation.rules.acceptance_window_ms;
    let mut identities = IdentitySet::default();
    let below =
        if planted(Mutation::RowsAboveCheckpoint) { LedgerBelow { below: Offset(u64::MAX), ..below } } else { below };
    let alone = Generation::first(Arc::clone(&below.generation.rules));
    let below =
        if planted(Mutation::IdentitiesLeftBehind) { LedgerBelow { generation: &alone, ..below } } else { below };
    let appended_from = log_time.plus_ms(-window_ms - below.generation.rules.future_limit_ms);
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
    let appended_from = log_time
        .plus_ms(-below.generation.rules.acceptance_window_ms - horizon_ms - below.generation.rules.future_limit_ms);
    let arrays = store.arrays(below, appended_from)?;
    let newest: HashMap<(&str, &str), Instant> =
        arrays.iter().map(|span| ((&*span.provider, &*span.array), span.newest)).collect();
    let mut meter = PartitionMeter::new(meters);
    meter.complete_from(log_time.plus_ms(-below.generation.rules.acceptance_window_ms));
    store.events(below, &EventQuery::Newest { horizon_ms, appended_from }, None, &mut |event| {
        let newest = newest.get(&(&*event.provider, &*event.array)).copied().unwrap_or(event.time);
        meter.restore(&event.provider, &event.array, site(&event), order(&event), newest, readings(&event));
    })?;
    Ok(meter)
}

/// An event's place in the order of the meter function.
pub(crate) fn order(event: &LedgerEvent) -> EventOrder {
    EventOrder { instant: event.time, recorded: event.recorded, generation: event.generation, offset: event.offset }
}

/// An event's site.
pub(crate) fn site(event: &LedgerEvent) -> Option<&str> {
    some(&event.site)
}

/// An event's readings as the meter takes them.
pub(crate) fn readings(event: &LedgerEvent) -> impl Iterator<Item = MeterReading<'_>> {
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
