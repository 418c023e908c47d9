//! What the cells must be, by brute force: between any two instants at which anything can change, the reading in force is looked
//! for among all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::oracle::{Due, Judged};
use super::sent::SentReading;
use crate::core::metering::definition::{Definition, MeterKind, Meters, OBSERVED};
use crate::core::word::{HOUR_MS, Kind};

/// A series as text: (provider, array, kind, resource, meter).
pub(super) type Name<'a> = (&'a str, &'a str, Kind, &'a str, &'a str);
/// Customer, tier and site.
type Tags<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);
/// (cell, tags) within an hour.
type Place<'a> = (u8, Tags<'a>);

/// The figures of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) amount: i128,
    pub(super) observed_ms: i64,
    pub(super) count: u32,
    pub(super) min: u64,
    pub(super) max: u64,
    pub(super) last: u64,
}

/// The cells of an hour.
pub(super) type Cells<'a> = BTreeMap<Place<'a>, Figures>;

/// One reading of a series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample<'a> {
    instant: i64,
    recorded: Option<i64>,
    offset: u64,
    tags: Tags<'a>,
    value: u64,
}

/// The readings of all accepted events below a rank, by series.
pub(super) fn series<'a>(judged: &'a [Judged], below: u64) -> BTreeMap<Name<'a>, Vec<Sample<'a>>> {
    let mut series: BTreeMap<Name<'a>, Vec<Sample<'a>>> = BTreeMap::new();
    for one in judged.iter().filter(|one| one.due == Due::Accepted && one.rank() < below) {
        let sent = &*one.record.sent;
        let (instant, recorded, offset) = (sent.time, sent.recorded, one.rank());
        let sample = |tags, value| Sample { instant, recorded, offset, tags, value };
        let array = (sent.provider, &*sent.array);
        let observed = series.entry((array.0, array.1, Kind::Array, array.1, OBSERVED)).or_default();
        observed.push(sample((None, None, sent.site), 1));
        for reading in &sent.readings {
            let name = (array.0, array.1, SentReading::KIND, reading.resource, reading.meter);
            let tags = (reading.customer, reading.tier, sent.site);
            series.entry(name).or_default().push(sample(tags, reading.value));
        }
    }
    series
}

/// The cells of a series by hour.
pub(super) fn cells<'a>(samples: &[Sample<'a>], definition: &Definition) -> BTreeMap<i64, Cells<'a>> {
    let mut hours = BTreeMap::new();
    match definition.kind {
        MeterKind::Gauge => gauge(samples, definition, &mut hours),
        MeterKind::Delta => samples.iter().for_each(|sample| {
            let figures = cell(&mut hours, definition, sample.instant, sample.tags);
            figures.amount += i128::from(sample.value);
            figures.count += 1;
        }),
        MeterKind::Counter => counter(samples, definition, &mut hours),
    }
    hours
}

/// The definition of a meter, if it has one.
pub(super) fn definition(meters: &Meters, meter: &str) -> Option<Definition> {
    meters.get(meter).copied()
}

/// The greatest reading at or before `at`.
fn in_force<'s, 'a>(samples: &'s [Sample<'a>], at: i64) -> Option<&'s Sample<'a>> {
    let earlier = samples.iter().filter(|sample| sample.instant <= at);
    earlier.max_by_key(|sample| (sample.instant, sample.recorded, sample.offset))
}

fn gauge<'a>(samples: &[Sample<'a>], definition: &Definition, hours: &mut BTreeMap<i64, Cells<'a>>) {
    let hold = definition.max_hold_ms;
    let mut edges = BTreeSet::new();
    for sample in samples {
        edges.extend([sample.instant, sample.instant + hold]);
        let first = sample.instant.div_euclid(definition.cell_ms) + 1;
        let inside = (first..).map(|number| number * definition.cell_ms);
        edges.extend(inside.take_while(|edge| *edge < sample.instant + hold));
    }
    let edges: Vec<i64> = edges.into_iter().collect();
    for pair in edges.windows(2) {
        let Some(sample) = in_force(samples, pair[0]).filter(|sample| pair[0] < sample.instant + hold) else {
            continue;
        };
        let figures = cell(hours, definition, pair[0], sample.tags);
        let is_new = figures.observed_ms == 0;
        figures.amount += i128::from(sample.value) * i128::from(pair[1] - pair[0]);
        figures.observed_ms += pair[1] - pair[0];
        figures.min = if is_new { sample.value } else { figures.min.min(sample.value) };
        figures.max = figures.max.max(sample.value);
        figures.last = sample.value;
        figures.count += u32::from(sample.instant == pair[0]);
    }
}

fn counter<'a>(samples: &[Sample<'a>], definition: &Definition, hours: &mut BTreeMap<i64, Cells<'a>>) {
    let instants: BTreeSet<i64> = samples.iter().map(|sample| sample.instant).collect();
    for at in instants {
        let Some(now) = in_force(samples, at) else { continue };
        let before = in_force(samples, at - 1).filter(|before| at - before.instant <= definition.max_hold_ms);
        let increase = match before {
            None => 0,
            Some(before) if now.value >= before.value => now.value - before.value,
            Some(_) => now.value,
        };
        let figures = cell(hours, definition, at, now.tags);
        figures.amount += i128::from(increase);
        figures.count += 1;
    }
}

fn cell<'m, 'a>(
    hours: &'m mut BTreeMap<i64, Cells<'a>>,
    definition: &Definition,
    at: i64,
    tags: Tags<'a>,
) -> &'m mut Figures {
    let index = at.rem_euclid(HOUR_MS) / definition.cell_ms;
    hours.entry(at.div_euclid(HOUR_MS)).or_default().entry((index as u8, tags)).or_default()
}
