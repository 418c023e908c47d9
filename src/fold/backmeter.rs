//! Metering from the ledger: hours that memory has let go of, and the whole past of a meter that has just been defined.
//!
//! It is the same meter function over rows below the checkpoint's offset, so the result is what a fold with endless memory
//! would have put out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::SeamError;
use super::ledger::{ArraySpan, EventQuery, LedgerBelow};
use super::recovery::{order, readings, site};
use super::seam::Store;
use crate::core::metering::array::ArrayMeter;
use crate::core::metering::bucket::{BucketBatch, SeriesKey};
use crate::core::metering::definition::Meters;
use crate::core::metering::partition::Marks;
use crate::core::word::{Hour, Instant};

/// At most this many hours of an array are read from the ledger at a time, which bounds the memory that it takes.
const CHUNK_HOURS: i64 = 7 * 24;

/// Buckets metered from the ledger are written in batches of about this many.
const WRITE_BUCKETS: usize = 50_000;

/// A series with the hours that are marked.
type MarkedSeries<'a> = (&'a Arc<SeriesKey>, &'a BTreeSet<Hour>);

/// Where metered buckets go.
type Sink<'a> = &'a mut dyn FnMut(&mut dyn Store, &BucketBatch) -> Result<(), SeamError>;

/// Meters the marked hours again. Of those that are `voided` a bucket is written even if no reading is left of them.
///
/// # Errors
/// Retryable while the store is away.
pub fn meter_marks(
    store: &mut dyn Store,
    below: LedgerBelow<'_>,
    meters: &Meters,
    (marks, voided): (&Marks, &Marks),
    sink: Sink<'_>,
) -> Result<(), SeamError> {
    let mut by_array: BTreeMap<(Arc<str>, Arc<str>), Vec<MarkedSeries<'_>>> = BTreeMap::new();
    for (series, hours) in marks {
        by_array.entry((Arc::clone(&series.provider), Arc::clone(&series.array))).or_default().push((series, hours));
    }
    let mut batch = BucketBatch::default();
    for ((provider, array), series) in &by_array {
        let names: BTreeSet<String> = series.iter().map(|(key, _)| key.meter.to_string()).collect();
        let hours: BTreeSet<Hour> = series.iter().flat_map(|(_, hours)| hours.iter().copied()).collect();
        for (first, last) in runs(&hours) {
            let span = HourSpan { provider, array, first, last };
            let loaded = load(store, below, meters, &names, &span)?;
            let wanted = |key: &SeriesKey| {
                let hours = marks.get(key).into_iter().flat_map(|hours| hours.range(first..=last)).copied();
                hours.collect::<Vec<_>>().into_iter()
            };
            let before = batch.len();
            put_out(loaded, wanted, &mut batch);
            let void = series.iter().filter_map(|(key, _)| voided.get_key_value(&**key));
            empty_what_is_void(void, (first, last), meters, &mut batch, before);
            flush(store, &mut batch, WRITE_BUCKETS, sink)?;
        }
    }
    flush(store, &mut batch, 1, sink)
}

/// Adds an empty bucket for every void hour between two hours of which the buckets from `before` on have none.
fn empty_what_is_void<'a>(
    void: impl Iterator<Item = MarkedSeries<'a>>,
    (first, last): (Hour, Hour),
    meters: &Meters,
    batch: &mut BucketBatch,
    before: usize,
) {
    let written: BTreeSet<(Arc<SeriesKey>, Hour)> =
        batch.iter().skip(before).map(|(row, _)| (Arc::clone(&row.series), row.hour)).collect();
    for (key, hours) in void {
        let Some(definition) = meters.get(&key.meter) else { continue };
        for &hour in hours.range(first..=last) {
            if !written.contains(&(Arc::clone(key), hour)) {
                batch.push_empty(key, definition, hour);
            }
        }
    }
}

/// Meters the whole ledger of meters that were defined after their readings came.
///
/// # Errors
/// Retryable while the store is away.
pub fn meter_history(
    store: &mut dyn Store,
    below: LedgerBelow<'_>,
    meters: &Meters,
    defined: &BTreeSet<String>,
    sink: Sink<'_>,
) -> Result<(), SeamError> {
    let greatest_hold_ms = hold_ms(meters, defined);
    let mut batch = BucketBatch::default();
    for ArraySpan { provider, array, oldest, newest } in store.arrays(below, Instant(i64::MIN / 2))? {
        let (mut first, end) = (oldest.hour(), newest.plus_ms(greatest_hold_ms).hour());
        while first <= end {
            let last = Hour((first.0 + CHUNK_HOURS - 1).min(end.0));
            let span = HourSpan { provider: &provider, array: &array, first, last };
            let loaded = load(store, below, meters, defined, &span)?;
            put_out(
                loaded,
                |key| {
                    let wanted = defined.contains(&*key.meter).then_some(first.0..=last.0);
                    wanted.into_iter().flatten().map(Hour)
                },
                &mut batch,
            );
            flush(store, &mut batch, WRITE_BUCKETS, sink)?;
            first = Hour(last.0 + 1);
        }
    }
    flush(store, &mut batch, 1, sink)
}

struct HourSpan<'a> {
    provider: &'a str,
    array: &'a str,
    first: Hour,
    last: Hour,
}

/// The readings that the hours of a span depend on: from the greatest hold before them to their end.
fn load(
    store: &mut dyn Store,
    below: LedgerBelow<'_>,
    meters: &Meters,
    names: &BTreeSet<String>,
    span: &HourSpan<'_>,
) -> Result<ArrayMeter, SeamError> {
    let query = EventQuery::OfArray {
        provider: span.provider.to_owned(),
        array: span.array.to_owned(),
        from: span.first.start().plus_ms(-hold_ms(meters, names)),
        to: span.last.end(),
    };
    let names: Vec<String> = names.iter().cloned().collect();
    let mut loaded = ArrayMeter::keeping_all(span.provider, span.array);
    store.events(below, &query, Some(&names), &mut |event| {
        loaded.restore(order(&event), site(&event), readings(&event), meters, Instant(i64::MIN));
    })?;
    Ok(loaded)
}

fn put_out<I: Iterator<Item = Hour>>(loaded: ArrayMeter, wanted: impl Fn(&SeriesKey) -> I, batch: &mut BucketBatch) {
    loaded.put_out_hours(wanted, batch);
}

fn flush(store: &mut dyn Store, batch: &mut BucketBatch, least: usize, sink: Sink<'_>) -> Result<(), SeamError> {
    if is_due(batch.len(), least) {
        sink(store, batch)?;
        *batch = BucketBatch::default();
    }
    Ok(())
}

fn is_due(held: usize, least: usize) -> bool {
    held >= least
}

fn hold_ms(meters: &Meters, names: &BTreeSet<String>) -> i64 {
    names.iter().filter_map(|name| meters.get(name)).map(|definition| definition.max_hold_ms).max().unwrap_or(0)
}

/// Hours as runs of at most [`CHUNK_HOURS`], so that one query reads neighbours together and no query reads a year.
fn runs(hours: &BTreeSet<Hour>) -> Vec<(Hour, Hour)> {
    let mut runs: Vec<(Hour, Hour)> = Vec::new();
    for &hour in hours {
        match runs.last_mut() {
            Some((first, last)) if hour.0 - last.0 <= 6 && hour.0 - first.0 < CHUNK_HOURS => *last = hour,
            _ => runs.push((hour, hour)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_hours_are_read_in_runs_of_bounded_length() {
        for (hours, lengths) in
            [(1, vec![1]), (CHUNK_HOURS, vec![CHUNK_HOURS]), (CHUNK_HOURS + 1, vec![CHUNK_HOURS, 1])]
        {
            let hours: BTreeSet<Hour> = (0..hours).map(Hour).collect();
            let found: Vec<i64> = runs(&hours).into_iter().map(|(first, last)| last.0 - first.0 + 1).collect();
            assert_eq!(found, lengths);
        }
    }

    #[test]
    fn a_batch_of_buckets_is_written_at_its_limit() {
        assert_eq!(
            [0, WRITE_BUCKETS - 1, WRITE_BUCKETS, WRITE_BUCKETS + 1].map(|held| is_due(held, WRITE_BUCKETS)),
            [false, false, true, true]
        );
    }
}
