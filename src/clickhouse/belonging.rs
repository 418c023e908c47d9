//! Which ledger rows make up the state of a partition: as conditions of statements.

use super::bucket_block::bucket_version;
use super::void::counted;
use crate::core::decision::stream::Generation;
use crate::core::word::{Offset, Partition};

/// The rows of a partition below an offset.
pub(super) const OWN: &str = "stream = {stream:String} AND partition = {partition:UInt32} AND offset < {below:UInt64}";

/// Whether an array belongs to the partition: (murmur2 & 0x7fffffff) mod N.
const BELONGS: &str = "kafkaMurmurHash(toString(array)) % {partitions:UInt32} = {partition:UInt32}";

/// Whether a partition's state is made of more than its own rows.
pub(super) fn has_history(generation: &Generation) -> bool {
    !generation.earlier.is_empty() || !generation.holes.is_empty()
}

/// The rows that a partition's state is made of: its own below an offset, and those of earlier generations whose arrays belong to it, as
/// Kafka's default partitioner says. Void ones are none of them.
pub(super) fn belonging(generation: &Generation) -> String {
    match has_history(generation) {
        false => OWN.to_owned(),
        true => format!("(({OWN}) OR (stream IN {{earlier:Array(String)}} AND {BELONGS})) AND {}", counted("")),
    }
}

/// The void events of a partition's arrays. Offsets stand in the text, so that the primary key is of use.
pub(super) fn void_of(generation: &Generation, partition: Partition) -> String {
    let place =
        |(p, (from, to)): (u32, (u64, u64))| format!("(partition = {p} AND offset >= {from} AND offset < {to})");
    let mut spans: Vec<String> = Vec::new();
    for (number, earlier) in generation.earlier.iter().enumerate() {
        let past_ends = earlier.ends.iter().flatten().map(|end| (end.0, u64::MAX));
        let holes = earlier.holes.iter().map(|hole| (hole.partition.0, (hole.from.0, hole.to.0)));
        let places: Vec<String> = (0..).zip(past_ends).chain(holes).map(place).collect();
        spans.push(format!(
            "(stream = {{earlier:Array(String)}}[{}] AND {BELONGS} AND ({}))",
            number + 1,
            places.join(" OR ")
        ));
    }
    for hole in generation.holes(partition) {
        spans.push(format!("(stream = {{stream:String}} AND {})", place((partition.0, (hole.from.0, hole.to.0)))));
    }
    if spans.is_empty() { "0".to_owned() } else { format!("({})", spans.join(" OR ")) }
}

/// Whether workers of earlier generations have gone on past their ends: only then there can be buckets past them.
pub(super) fn went_on(generation: &Generation) -> String {
    let of = |(number, partition, end)| {
        format!("(stream = {{earlier:Array(String)}}[{number}] AND partition = {partition} AND offset >= {end})")
    };
    any(ends(generation).map(|(number, partition, end, _)| of((number, partition, end))))
}

/// Buckets of a partition's arrays that earlier generations wrote past their ends.
pub(super) fn past_ends(generation: &Generation) -> String {
    let of = |(number, partition, end, generation): (usize, u32, u64, u32)| {
        let most = bucket_version(generation, Offset(end));
        format!("(stream = {{earlier:Array(String)}}[{number}] AND partition = {partition} AND version > {most})")
    };
    format!("{BELONGS} AND {}", any(ends(generation).map(of)))
}

/// The ends of earlier generations: which of them it is, from 1, its partition and end, and its generation.
fn ends(generation: &Generation) -> impl Iterator<Item = (usize, u32, u64, u32)> {
    generation.earlier.iter().enumerate().flat_map(|(place, earlier)| {
        let ends = (0..).zip(earlier.ends.iter().flatten());
        ends.map(move |(partition, end)| (place + 1, partition, end.0, earlier.rules.generation))
    })
}

fn any(conditions: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = conditions.collect();
    if all.is_empty() { "0".to_owned() } else { format!("({})", all.join(" OR ")) }
}

/// Events newer than their array's newest by less than the horizon. The array columns are by far the widest: they are read for the
/// positions that matter and for no others.
pub(super) fn newest_filter(generation: &Generation) -> String {
    let position = if has_history(generation) { "(stream, partition, offset)" } else { "offset" };
    let belonging = belonging(generation);
    format!(
        "{position} IN (SELECT {position} FROM usage_event AS event INNER JOIN (SELECT provider, array, max(time) AS newest \
         FROM usage_event WHERE {belonging} AND disposition = 'accepted' \
         AND append_time >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') GROUP BY provider, array) AS newest \
         USING (provider, array) WHERE {belonging} AND disposition = 'accepted' \
         AND append_time >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') \
         AND toUnixTimestamp64Milli(assumeNotNull(event.time)) > toUnixTimestamp64Milli(assumeNotNull(newest.newest)) - {{horizon:Int64}})"
    )
}

/// The events that fit a condition, with their readings; with those of some `meters` only.
pub(super) fn events_sql(filter: &str, belonging: &str, meters: Option<&[String]>) -> String {
    let column = |name: &str| match meters {
        Some(_) => {
            format!("arrayFilter((value, meter) -> has({{meters:Array(String)}}, meter), {name}, reading_meter)")
        }
        None => name.to_owned(),
    };
    format!(
        "SELECT toString(stream) AS of, partition, offset, toUnixTimestamp64Milli(assumeNotNull(time)) AS time_ms, \
         if(isNull(recorded_time), NULL, toUnixTimestamp64Milli(assumeNotNull(recorded_time))) AS recorded_ms, provider, array, site, \
         {} AS kinds, {} AS resources, {} AS customers, {} AS tiers, {} AS meters, {} AS values \
         FROM usage_event FINAL WHERE {belonging} AND disposition = 'accepted' AND {filter}",
        column("reading_kind"),
        column("reading_resource"),
        column("reading_customer"),
        column("reading_tier"),
        column("reading_meter"),
        column("reading_value"),
    )
}
