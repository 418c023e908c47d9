//! A slow reference for metering, by other means: it walks the hour millisecond step by millisecond step (at the resolution of
//! the test's instants) over the whole set of readings, without order, memory, marks or rolling.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::array::{ArrayMeter, MeterReading};
use super::bucket::{BucketBatch, SeriesKey};
use super::definition::{Definition, MeterKind, Meters};
use super::held::EventOrder;
use super::partition::PartitionMeter;
use crate::core::word::{HOUR_MS, Hour, Instant, Kind};

const STEP_MS: i64 = 60_000;

#[derive(Clone, Debug)]
struct Reading {
    instant: i64,
    recorded: Option<i64>,
    offset: u64,
    customer: Option<&'static str>,
    value: u64,
}

type Key = (i64, u8, Option<String>);
type Amounts = BTreeMap<Key, (i128, u32, u64, u64, u64)>;

/// The reading in force at `at`: the greatest in (instant, recorded, offset) at or before it, if not older than the hold.
fn in_force(readings: &[Reading], at: i64, hold_ms: i64) -> Option<&Reading> {
    readings
        .iter()
        .filter(|r| r.instant <= at)
        .max_by_key(|r| (r.instant, r.recorded, r.offset))
        .filter(|r| at < r.instant + hold_ms)
}

fn reference(readings: &[Reading], definition: &Definition) -> Amounts {
    let mut cells = Amounts::new();
    let mut add = |at: i64, r: &Reading, amount: i128, observed: u32| {
        let (hour, index) = (at.div_euclid(HOUR_MS), at.rem_euclid(HOUR_MS) / definition.cell_ms);
        let cell = cells.entry((hour, index as u8, r.customer.map(str::to_owned))).or_insert((0, 0, u64::MAX, 0, 0));
        cell.0 += amount;
        cell.1 += observed;
        if observed > 0 {
            (cell.2, cell.3, cell.4) = (cell.2.min(r.value), cell.3.max(r.value), r.value);
        }
    };
    let instants: BTreeSet<i64> = readings.iter().map(|r| r.instant).collect();
    match definition.kind {
        MeterKind::Gauge => {
            let (Some(first), Some(last)) = (instants.first(), instants.last()) else { return cells };
            let mut at = *first;
            while at < last + definition.max_hold_ms {
                if let Some(r) = in_force(readings, at, definition.max_hold_ms) {
                    add(at, r, i128::from(r.value) * i128::from(STEP_MS), STEP_MS as u32);
                }
                at += STEP_MS;
            }
        }
        MeterKind::Delta => readings.iter().for_each(|r| add(r.instant, r, i128::from(r.value), 0)),
        MeterKind::Counter => {
            for &at in &instants {
                let now = in_force(readings, at, 1).expect("a reading lies at its own instant");
                let before = instants.range(..at).next_back().filter(|b| at - **b <= definition.max_hold_ms);
                let before = before.and_then(|b| in_force(readings, *b, 1));
                let increase = before.map_or(0, |b| if now.value < b.value { now.value } else { now.value - b.value });
                add(at, now, i128::from(increase), 0);
            }
        }
    }
    cells
}

fn flatten(batch: &BucketBatch, into: &mut BTreeMap<i64, Amounts>, meter: &str) {
    for (bucket, cells) in batch.iter().filter(|(bucket, _)| *bucket.series.meter == *meter) {
        let amounts = cells.iter().map(|c| {
            let gauge = bucket.definition.kind == MeterKind::Gauge;
            let value = (c.amount, c.observed_ms, if gauge { c.min } else { u64::MAX }, c.max, c.last);
            ((bucket.hour.0, c.index, c.tags.customer.as_deref().map(str::to_owned)), value)
        });
        into.insert(bucket.hour.0, amounts.collect());
    }
}

fn order(r: &Reading) -> EventOrder {
    EventOrder { instant: Instant(r.instant), recorded: r.recorded.map(Instant), generation: 1, offset: r.offset }
}

fn reading(r: &Reading) -> MeterReading<'_> {
    MeterReading {
        kind: Kind::Volume,
        resource: "v",
        meter: "m",
        customer: r.customer,
        tier: None,
        value: r.value,
        series_hash: 7,
    }
}

/// Folds the readings in the order of their offsets, with a checkpoint after each offset in `checkpoints`; marks are metered
/// again from all readings so far, as the worker does from the ledger.
fn fold(readings: &[Reading], definition: Definition, checkpoints: &BTreeSet<u64>) -> BTreeMap<i64, Amounts> {
    let mut meters = Meters::default();
    meters.define("m", definition);
    let mut state = PartitionMeter::new(meters.clone());
    let mut stored = BTreeMap::new();
    for (seen, r) in readings.iter().enumerate() {
        state.accept("p", "a", None, order(r), std::iter::once(reading(r)));
        if checkpoints.contains(&r.offset) || seen + 1 == readings.len() {
            let put_out = state.put_out();
            flatten(&put_out.buckets, &mut stored, "m");
            let mut again = ArrayMeter::keeping_all("p", "a");
            for old in &readings[..=seen] {
                again.restore(order(old), None, std::iter::once(reading(old)), &meters, Instant(i64::MIN));
            }
            let mut batch = BucketBatch::default();
            again.put_out_hours(
                |key: &SeriesKey| put_out.marks.get(key).cloned().unwrap_or_default().into_iter(),
                &mut batch,
            );
            flatten(&batch, &mut stored, "m");
        }
    }
    stored
}

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    let one = (
        0i64..900,
        prop::option::of(0i64..3),
        prop::sample::select(vec![None, Some("acme"), Some("globex")]),
        0u64..50,
    );
    prop::collection::vec(one, 1..40).prop_map(|all| {
        let to_reading = |(offset, (minute, recorded, customer, value)): (usize, (i64, Option<i64>, _, u64))| Reading {
            instant: minute * STEP_MS,
            recorded,
            offset: offset as u64,
            customer,
            value,
        };
        all.into_iter().enumerate().map(to_reading).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// Any order of arrival, any checkpoints: the stored cells are those of the reference.
    #[test]
    fn any_order_gives_the_reference(
        readings in readings(),
        checkpoints in prop::collection::btree_set(0u64..40, 0..6),
        kind in prop::sample::select(vec![MeterKind::Gauge, MeterKind::Delta, MeterKind::Counter]),
        hold_hours in 1i64..4,
        cell_ms in prop::sample::select(vec![300_000i64, 900_000]),
        sorted in any::<bool>(),
    ) {
        let definition = Definition { kind, max_hold_ms: hold_hours * HOUR_MS, cell_ms };
        let mut readings = readings;
        if sorted {
            // nearly in order, as pollers deliver: the path that stays in memory
            readings.sort_by_key(|r| r.instant / (20 * STEP_MS));
            readings.iter_mut().enumerate().for_each(|(offset, r)| r.offset = offset as u64);
        }
        let expected = reference(&readings, &definition);
        let mut stored = Amounts::new();
        fold(&readings, definition, &checkpoints).into_values().for_each(|hour| stored.extend(hour));
        prop_assert_eq!(stored, expected);
    }

    /// Recovery at any offset, then the rest, equals a fold that never stopped.
    #[test]
    fn recovery_changes_nothing(readings in readings(), cut in 0usize..40, hold_hours in 1i64..4) {
        let definition = Definition { kind: MeterKind::Gauge, max_hold_ms: hold_hours * HOUR_MS, cell_ms: 900_000 };
        let mut meters = Meters::default();
        meters.define("m", definition);
        let cut = cut.min(readings.len());
        let mut whole = PartitionMeter::new(meters.clone());
        readings[..cut].iter().for_each(|r| whole.accept("p", "a", None, order(r), std::iter::once(reading(r))));
        whole.put_out();
        let mut recovered = PartitionMeter::new(meters);
        let newest = readings[..cut].iter().map(|r| r.instant).max().unwrap_or(0);
        for r in &readings[..cut] {
            recovered.restore("p", "a", None, order(r), Instant(newest), std::iter::once(reading(r)));
        }
        let mut results = Vec::new();
        for mut state in [whole, recovered] {
            readings[cut..].iter().for_each(|r| state.accept("p", "a", None, order(r), std::iter::once(reading(r))));
            let put_out = state.put_out();
            let mut stored = BTreeMap::new();
            flatten(&put_out.buckets, &mut stored, "m");
            let marks: Vec<(Arc<SeriesKey>, Vec<Hour>)> =
                put_out.marks.into_iter().map(|(key, hours)| (key, hours.into_iter().collect())).collect();
            results.push((stored, marks));
        }
        prop_assert_eq!(&results[0], &results[1]);
    }
}
