//! The arrays that one partition owns, cut into chunks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::CHUNK_HOURS;
use super::chunk::{ArrayName, Chunk, DAY_MS, Scope, WeightRow};
use super::cut::Source;
use crate::clickhouse::void::Void;
use crate::core::word::Hour;

/// Hours below which a chunk is not cut in time: each chunk reads the hold before it again.
const LEAST_HOURS: i64 = 4;

/// Arrays that one partition owns.
#[derive(Default)]
pub(super) struct Group {
    /// Readings by array and UTC day.
    weights: BTreeMap<ArrayName, BTreeMap<i64, u64>>,
    /// Where the events of a day lie: by day and source, the offsets.
    places: BTreeMap<(i64, usize), Range<u64>>,
}

impl Group {
    pub fn add(&mut self, name: ArrayName, rows: &[(usize, WeightRow)]) {
        let days = self.weights.entry(name).or_default();
        for (number, row) in rows {
            *days.entry(row.day).or_default() += row.weight;
            let place = self.places.entry((row.day, *number)).or_insert(row.first..row.last + 1);
            *place = place.start.min(row.first)..place.end.max(row.last + 1);
        }
    }

    fn weight(&self, day: i64) -> u64 {
        self.weights.values().filter_map(|days| days.get(&day)).sum()
    }

    /// Cuts the group's arrays and hours into chunks. A busy day is cut into hours first, since each array's readings lie together with
    /// those of all others; into arrays only when hours are not enough.
    pub fn cut(
        &self,
        (sources, owner, void): (&[Source], usize, &Void),
        scope: &Scope,
        (hold_ms, readings): (i64, u64),
        chunks: &mut Vec<Chunk>,
    ) {
        let mut from = scope.from;
        while from < scope.to {
            let hours = self.hours_from(from, scope.to, readings);
            let to = Hour(from.0 + hours);
            let read_from = from.start().plus_ms(-hold_ms);
            let days = read_from.0.div_euclid(DAY_MS)..=(to.start().0 - 1).div_euclid(DAY_MS);
            let places = self.places_in(sources, days.clone());
            let parts = self.parts(days, hours, hold_ms, readings);
            let is_whole = parts.len() == 1 && scope.arrays.is_empty();
            chunks.extend(parts.into_iter().map(|arrays| Chunk {
                owner: sources[owner].clone(),
                arrays,
                from,
                to,
                read_from,
                places: places.clone(),
                provider: scope.provider.clone(),
                names_arrays: !is_whole,
                void: void.clone(),
            }));
            from = to;
        }
    }

    /// How many hours from `from` on fit into a chunk: whole days, up to a week, or a part of a day.
    fn hours_from(&self, from: Hour, end: Hour, readings: u64) -> i64 {
        let (mut to, mut sum) = (from, 0);
        while to < end && to.0 - from.0 < CHUNK_HOURS {
            let day = to.0.div_euclid(24);
            let day_end = Hour((day + 1) * 24).min(end);
            let weight = self.weight(day);
            if sum + weight > readings {
                if to > from {
                    break;
                }
                let pieces = i64::try_from(weight.div_ceil(readings)).unwrap_or(24).min(24);
                return (24 / pieces).max(LEAST_HOURS).min(day_end.0 - from.0);
            }
            (to, sum) = (day_end, sum + weight);
        }
        to.0 - from.0
    }

    fn places_in(&self, sources: &[Source], days: std::ops::RangeInclusive<i64>) -> Vec<(Source, Range<u64>)> {
        let mut places: BTreeMap<usize, Range<u64>> = BTreeMap::new();
        for ((_, number), range) in self.places.range((*days.start(), 0)..=(*days.end(), usize::MAX)) {
            let place = places.entry(*number).or_insert(range.clone());
            *place = place.start.min(range.start)..place.end.max(range.end);
        }
        places.into_iter().map(|(number, range)| (sources[number].clone(), range)).collect()
    }

    /// The arrays that have readings in these days, in parts that fit into memory. Readings are taken to lie evenly over a day.
    fn parts(
        &self,
        days: std::ops::RangeInclusive<i64>,
        hours: i64,
        hold_ms: i64,
        readings: u64,
    ) -> Vec<Arc<[ArrayName]>> {
        let share_hours = u64::try_from(hours + hold_ms / 3_600_000 + 1).unwrap_or(u64::MAX);
        let in_days: BTreeSet<i64> = days.clone().collect();
        let day_hours = u64::try_from(in_days.len()).unwrap_or(1).max(1) * 24;
        let (mut parts, mut part, mut sum) = (Vec::new(), Vec::new(), 0u64);
        for (name, weights) in &self.weights {
            let mut inside = weights.range(days.clone()).map(|(_, weight)| *weight).peekable();
            if inside.peek().is_none() {
                continue;
            }
            let weight = inside.sum::<u64>().saturating_mul(share_hours.min(day_hours)) / day_hours;
            if !part.is_empty() && sum + weight > readings.saturating_mul(2) {
                parts.push(std::mem::take(&mut part).into());
                sum = 0;
            }
            part.push(name.clone());
            sum += weight;
        }
        if !part.is_empty() {
            parts.push(part.into());
        }
        parts
    }
}
