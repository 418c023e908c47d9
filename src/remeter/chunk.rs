//! Plans what is read together: arrays of one partition, and hours, as many as memory may hold.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use clickhouse::Row;
use serde::Deserialize;

use super::CHUNK_HOURS;
use super::cut::{Cut, Source};
use crate::clickhouse::read::rows::Rows;
use crate::clickhouse::void::{Void, counted};
use crate::clickhouse::{Client, Error};
use crate::core::decision::stream::StreamRegister;
use crate::core::event::partition_of;
use crate::core::word::{Hour, Instant};

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// Hours below which a chunk is not cut in time: each chunk reads the hold before it again.
const LEAST_HOURS: i64 = 4;
/// How far past its append time an event may be measured, with room to spare; it spares old table partitions.
const FUTURE_MS: i64 = DAY_MS;

/// What is to be metered again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Of this provider; else of all.
    pub provider: Option<String>,
    /// These arrays only; all if none is named. At most some thousands: they travel with each query.
    pub arrays: Vec<String>,
    /// The first hour.
    pub from: Hour,
    /// The hour after the last.
    pub to: Hour,
}

/// An array by provider and id.
pub type ArrayName = (Arc<str>, Arc<str>);

/// A piece of a scope.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The partition that owns its arrays: that of the newest generation of their stream that the cut knows.
    pub owner: Source,
    /// Its arrays, by provider and id.
    pub arrays: Arc<[ArrayName]>,
    /// The first hour.
    pub from: Hour,
    /// The hour after the last.
    pub to: Hour,
    /// The first instant of which readings matter.
    pub(super) read_from: Instant,
    /// Where the events lie: partitions with offsets.
    pub(super) places: Vec<(Source, Range<u64>)>,
    /// Whose events are asked for; else everybody's.
    pub(super) provider: Option<String>,
    /// Whether the query has to name the arrays, since the partition has others.
    pub(super) names_arrays: bool,
    /// What does not count.
    pub(super) void: Void,
}

impl Chunk {
    /// The first instant of which readings matter: the hold before the first hour.
    #[must_use]
    pub fn read_from(&self) -> Instant {
        self.read_from
    }

    /// What of that does not count.
    #[must_use]
    pub fn void(&self) -> &Void {
        &self.void
    }

    /// Where its events lie: partitions with offsets, between which there are others too.
    #[must_use]
    pub fn places(&self) -> &[(Source, Range<u64>)] {
        &self.places
    }
}

#[derive(Row, Deserialize)]
struct WeightRow {
    provider: String,
    array: String,
    day: i64,
    weight: u64,
    first: u64,
    last: u64,
}

/// Arrays that one partition owns.
#[derive(Default)]
struct Group {
    /// Readings by array and UTC day.
    weights: BTreeMap<ArrayName, BTreeMap<i64, u64>>,
    /// Where the events of a day lie: by day and source, the offsets.
    places: BTreeMap<(i64, usize), Range<u64>>,
}

/// The conditions of a scope, apart from time and position.
pub(super) fn conditions(provider: bool, arrays: bool) -> String {
    let provider = if provider { " AND provider = {provider:String}" } else { "" };
    let arrays = if arrays { " AND has({arrays:Array(String)}, array)" } else { "" };
    format!("{provider}{arrays}")
}

/// The chunks of a scope.
pub(super) async fn plan(
    client: &Client,
    (cut, register): (&Cut, &StreamRegister),
    scope: &Scope,
    (hold_ms, readings): (i64, u64),
) -> Result<Vec<Chunk>, Error> {
    let void = void(register);
    let mut found: BTreeMap<ArrayName, Vec<(usize, WeightRow)>> = BTreeMap::new();
    for (number, source) in cut.sources().iter().enumerate() {
        let mut rows = weights(client, (source, &void), scope, hold_ms)?;
        while let Some(row) = rows.next().await? {
            let name = (row.provider.as_str().into(), row.array.as_str().into());
            found.entry(name).or_default().push((number, row));
        }
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (name, rows) in found {
        // sources are in the order of their generations
        let Some(owner) = rows.iter().map(|(number, _)| *number).max() else { continue };
        let owner = successor(cut, register, owner, &name.1);
        groups.entry(owner).or_default().add(name, &rows);
    }
    let mut chunks = Vec::new();
    for (owner, group) in groups {
        group.cut((cut.sources(), owner, &void), scope, (hold_ms, readings), &mut chunks);
    }
    Ok(chunks)
}

/// What is void of all streams.
pub(super) fn void(register: &StreamRegister) -> Void {
    Void::of(register.all().map(|generation| &**generation))
}

/// The place in a cut of the partition to which an array belongs now, if the stream of `owner` was opened again and the cut knows it.
fn successor(cut: &Cut, register: &StreamRegister, owner: usize, array: &str) -> usize {
    let Some(now) = register.now(&cut.sources()[owner].stream) else { return owner };
    let partition = partition_of(array.as_bytes(), now.rules.partitions);
    let is_now = |source: &Source| source.stream == now.rules.stream && source.partition == partition;
    cut.sources().iter().position(is_now).unwrap_or(owner)
}

fn weights(
    client: &Client,
    (source, void): (&Source, &Void),
    scope: &Scope,
    hold_ms: i64,
) -> Result<Rows<WeightRow>, Error> {
    let from = scope.from.start().plus_ms(-hold_ms);
    let sql = format!(
        "SELECT toString(provider) AS provider, toString(array) AS array, \
         intDiv(toUnixTimestamp64Milli(assumeNotNull(time)), {DAY_MS}) AS day, toUInt64(sum(readings) + count()) AS weight, \
         min(offset) AS first, max(offset) AS last FROM usage_event \
         WHERE stream = {{stream:String}} AND partition = {{partition:UInt32}} AND offset < {{below:UInt64}} \
         AND disposition = 'accepted' AND append_time >= fromUnixTimestamp64Milli({{appended:Int64}}, 'UTC') \
         AND time >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC') AND time < fromUnixTimestamp64Milli({{to:Int64}}, 'UTC'){} AND {} \
         GROUP BY provider, array, day",
        conditions(scope.provider.is_some(), !scope.arrays.is_empty()),
        counted("usage_event.")
    );
    let query = void.bind(client.select(&sql)).param("stream", &source.stream.0).param("partition", source.partition.0);
    let query = query.param("below", source.below.0).param("from", from.0.max(0)).param("to", scope.to.start().0);
    let query = query.param("appended", from.plus_ms(-FUTURE_MS).0.max(0));
    let query = query.param("provider", scope.provider.as_deref().unwrap_or_default()).param("arrays", &scope.arrays);
    Rows::of(client, query)
}

impl Group {
    fn add(&mut self, name: ArrayName, rows: &[(usize, WeightRow)]) {
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
    fn cut(
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
