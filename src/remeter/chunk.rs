//! Plans what is read together: arrays of one partition, and hours, as many as memory may hold.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use clickhouse::Row;
use serde::Deserialize;

use super::cut::{Cut, Source};
use super::group::Group;
use crate::clickhouse::read::rows::Rows;
use crate::clickhouse::void::{Void, counted};
use crate::clickhouse::{Client, Error};
use crate::core::decision::stream::StreamRegister;
use crate::core::event::partition_of;
use crate::core::word::{Hour, Instant};

/// A day in milliseconds.
pub(super) const DAY_MS: i64 = 86_400_000;
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
pub(super) struct WeightRow {
    pub provider: String,
    pub array: String,
    pub day: i64,
    pub weight: u64,
    pub first: u64,
    pub last: u64,
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
