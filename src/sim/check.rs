//! The judgement: rows and cells that are there against those that are due.

use std::collections::{BTreeMap, BTreeSet};

use super::broker::{Broker, Record};
use super::database::View;
use super::integral::{self, Cells, Figures};
use super::oracle::{Told, judge, rank};
use super::row::{BucketKey, BucketRow};
use super::world::{Broken, World};
use crate::core::event::partition_of;
use crate::core::metering::definition::Meters;
use crate::core::word::Hour;

/// Versions of buckets that are looked at, of all that were ever written.
const VERSIONS: usize = 24;

/// Compares everything with what is due.
pub(super) fn check(world: &World) {
    let broker = world.broker.borrow();
    let meters = broker.meters(u64::MAX);
    for place in 0..broker.partitions.len() as u32 {
        let told = judge(&broker, place);
        let log = &broker.partitions[place as usize];
        let end = broker.end_of(place);
        if log.before_cut.is_some() && end.is_none() {
            // a log that gives no record from the last folded one on gives nothing to fold either
            let next = world.database.borrow().newest_checkpoint(place).unwrap_or(0);
            let is_silent = log.end >= next && log.from(next.saturating_sub(1)).is_empty();
            if !log.refused && !is_silent {
                world.fail(Broken::Wrong, format!("partition {place}: nobody noticed that the log was cut"));
            }
            rows(world, place, &told, u64::MAX, false);
            continue;
        }
        rows(world, place, &told, end.unwrap_or(u64::MAX), true);
        if end.is_none() {
            // the newest versions of all buckets are what all accepted events make
            compare(world, &broker, place, &told, (log.end, true), &meters);
        }
        if log.before_cut.is_none() {
            versions(world, &broker, place, &told, &meters);
        }
        manifest(world, &broker, place, &told);
    }
}

/// One row a record, one record a row, each with the disposition that is due.
fn rows(world: &World, partition: u32, told: &Told, end: u64, all: bool) {
    let (lost, is_cut) = {
        let broker = world.broker.borrow();
        let log = &broker.partitions[partition as usize];
        (log.lost.clone(), log.before_cut.is_some())
    };
    let database = world.database.borrow();
    let mut stored: BTreeMap<u64, _> =
        database.ledger(partition, 0, u64::MAX, View::WHOLE).map(|row| (row.offset, row)).collect();
    for one in told.own() {
        let offset = one.record.offset;
        let Some(row) = stored.remove(&offset) else {
            if all && offset < end {
                world.fail(Broken::Lost, format!("{partition}/{offset} has no row; {:?} is due", one.due));
            }
            continue;
        };
        let (number, reason) = one.due.row();
        let decision = one.decision.map_or(-1, |offset| offset as i64);
        let found = (row.disposition, &*row.reason, row.append_ms, row.decision);
        if found != (number, reason, one.record.append_ms, decision) {
            let event = &one.record.sent.id;
            let broken = if row.disposition == 1 && number == 2 { Broken::Doubled } else { Broken::Wrong };
            world.fail(broken, format!("{partition}/{offset} ({event}): {found:?}, due is {:?} {decision}", one.due));
        }
        if number > 2 {
            bytes(world, partition, &one.record);
        }
    }
    // whoever met the log that took its place may have folded of it what lies past the end
    stored.retain(|offset, _| !(is_cut && *offset >= end));
    stored.retain(|offset, _| !lost.iter().any(|(from, to)| (*from..*to).contains(offset)));
    if let Some((offset, row)) = stored.pop_first().filter(|_| all) {
        world.fail(Broken::Doubled, format!("{partition}/{offset} has a row and is no record: {row:?}"));
    }
}

/// What was not accepted is kept byte for byte.
fn bytes(world: &World, partition: u32, record: &Record) {
    let database = world.database.borrow();
    let kept = database.quarantine.get(&(partition, record.offset));
    if kept.is_none_or(|row| row.raw != record.sent.value) {
        world.fail(Broken::Lost, format!("{partition}/{}: its bytes are not kept", record.offset));
    }
}

/// A manifest tells the truth: below its offset and its decisions, each bucket is there as it was then.
fn manifest(world: &World, broker: &Broker, place: u32, told: &Told) {
    let chosen = {
        let database = world.database.borrow();
        let all = database.manifest(place, View::WHOLE);
        if all.is_empty() {
            return;
        }
        let checkpoint = all[world.below(all.len() as u64) as usize];
        let span = checkpoint.from.0..checkpoint.next.0;
        let consumed = told.own().iter().filter(|one| span.contains(&one.record.offset)).count() as u64;
        if consumed != checkpoint.consumed || consumed != checkpoint.counts.total() {
            world.fail(Broken::Wrong, format!("I1: {consumed} records in the span of {checkpoint:?}"));
        }
        (checkpoint.next.0, checkpoint.control.0)
    };
    tiles(world, broker, place);
    // what lies past the end of a closed generation is no cut that anybody takes
    if broker.end_of(place).is_none_or(|end| chosen.0 <= end) {
        compare(world, broker, place, told, (chosen.0, false), &broker.meters(chosen.1));
    }
}

/// I1: the spans of checkpoints follow one another, and what lies between two of them is a recorded hole.
fn tiles(world: &World, broker: &Broker, place: u32) {
    let lost = &broker.partitions[place as usize].lost;
    let database = world.database.borrow();
    let all = database.manifest(place, View::WHOLE);
    for checkpoint in &all {
        let begins = checkpoint.from.0 == 0 || all.iter().any(|before| before.next == checkpoint.from);
        if !begins && !lost.iter().any(|(_, to)| *to == checkpoint.from.0) {
            world.fail(Broken::Lost, format!("I1: nothing leads to the span of {checkpoint:?}"));
        }
    }
}

/// Compares, for the buckets of a place's arrays, the newest version up to `below` with what the events below it make. A bucket that
/// counts records past the end of its generation is above every cut; in the end there must be none.
fn compare(world: &World, broker: &Broker, place: u32, told: &Told, (below, last): (u64, bool), meters: &Meters) {
    let database = world.database.borrow();
    let (stream, partition) = broker.of_place(place);
    let version = rank(stream.rules.generation, below);
    let mut stored: BTreeMap<(integral::Name<'_>, i64), &BucketRow> = BTreeMap::new();
    let mut above: BTreeSet<(integral::Name<'_>, i64)> = BTreeSet::new();
    for (key, versions) in &database.buckets {
        let newest = versions.range(..=version).next_back();
        let belongs = partition_of(key.series.array.as_bytes(), stream.rules.partitions) == partition;
        if let Some((_, row)) = newest.filter(|_| belongs) {
            let is_above = broker.end_of(row.partition).is_some_and(|end| row.as_of > end);
            if is_above && !last {
                above.insert((name(key), key.hour.0));
            } else {
                stored.insert((name(key), key.hour.0), row);
            }
        }
    }
    for (name, samples) in integral::series(&told.all, version) {
        let Some(definition) = integral::definition(meters, name.4) else { continue };
        for (hour, due) in integral::cells(&samples, &definition) {
            if !above.contains(&(name, hour)) {
                let row = stored.remove(&(name, hour));
                differ(world, (name, hour, below), row, &due);
            }
        }
    }
    stored.retain(|(name, _), row| meters.get(name.4).is_some() && !row.cells.is_empty());
    if let Some((place, row)) = stored.pop_first() {
        world.fail(Broken::Doubled, format!("{place:?} below {below} has a bucket and should have none: {row:?}"));
    }
}

/// Some of the versions that were ever written are what the events below their offset make.
fn versions(world: &World, broker: &Broker, place: u32, told: &Told, meters: &Meters) {
    let database = world.database.borrow();
    let generation = broker.of_place(place).0.rules.generation;
    let lost = &broker.partitions[place as usize].lost;
    // a version that counts what was lost afterwards is replaced, not right
    let counts_lost = |row: &BucketRow| lost.iter().any(|(from, to)| *from < row.as_of && row.as_of <= *to);
    let of_place = |(key, versions): (&'_ BucketKey, &'_ BTreeMap<u64, std::rc::Rc<BucketRow>>)| {
        let rows = versions.values().filter(|row| row.partition == place && !counts_lost(row));
        (key.clone(), rows.cloned().collect::<Vec<_>>())
    };
    let all: Vec<_> = database
        .buckets
        .iter()
        .map(of_place)
        .flat_map(|(key, rows)| rows.into_iter().map(move |row| (key.clone(), row)))
        .collect();
    for _ in 0..VERSIONS.min(all.len()) {
        let (key, row) = &all[world.below(all.len() as u64) as usize];
        let name = name(key);
        let series = integral::series(&told.all, rank(generation, row.as_of));
        let due = match (series.get(&name), integral::definition(meters, name.4)) {
            (Some(samples), Some(definition)) => integral::cells(samples, &definition).remove(&key.hour.0),
            _ => None,
        };
        differ(world, (name, key.hour.0, row.as_of), Some(row), &due.unwrap_or_default());
    }
}

fn name(key: &BucketKey) -> integral::Name<'_> {
    let series = &*key.series;
    (&series.provider, &series.array, series.kind, &series.resource, &series.meter)
}

/// Fails unless a bucket has exactly the cells that are due.
fn differ(
    world: &World,
    (name, hour, below): (integral::Name<'_>, i64, u64),
    row: Option<&BucketRow>,
    due: &Cells<'_>,
) {
    let place = || format!("{name:?} {} below {below}", Hour(hour).start());
    let Some(row) = row else {
        return world.fail(Broken::Lost, format!("{}: no bucket; due is {due:?}", place()));
    };
    let found: Vec<_> = row
        .cells
        .iter()
        .map(|cell| {
            let tags = (cell.tags.customer.as_deref(), cell.tags.tier.as_deref(), cell.tags.site.as_deref());
            let figures = Figures {
                amount: cell.amount,
                observed_ms: i64::from(cell.observed_ms),
                count: cell.count,
                min: cell.min,
                max: cell.max,
                last: cell.last,
            };
            ((cell.index, tags), figures)
        })
        .collect();
    if !found.iter().map(|(place, figures)| (place, figures)).eq(due) {
        world.fail(Broken::Wrong, format!("{} as of {}: {found:?}; due is {due:?}", place(), row.as_of));
    }
}
