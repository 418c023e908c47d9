//! Mends buckets from the ledger: of each array the right rows are written, then the wrong ones deleted that these do not replace.
//!
//! A right row has the version of the checkpoint at which the ledger was read. A worker that writes the bucket meanwhile counts more, so its
//! row has a greater version and stays.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use clickhouse::Row;
use serde::Deserialize;

use super::day::{ArrayDay, DAY_HOURS};
use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use super::log::Lane;
use super::mend::delete;
use super::vector::{Stand, Vector};
use crate::clickhouse::Client;
use crate::clickhouse::native::bucket_version;
use crate::clickhouse::store::ClickHouseStore;
use crate::core::metering::bucket::{BucketBatch, SeriesKey};
use crate::core::word::{Hour, Kind, Offset};
use crate::fold::seam::Store;
use crate::remeter::{Definitions, Metered, Remeter, Scope};

const COLUMNS: &str = "provider, array, kind, resource, meter, hour, version, stream, partition, as_of, meter_kind, cell_minutes, cell_index, \
    cell_customer, cell_tier, cell_site, cell_amount, cell_observed_ms, cell_count, cell_min, cell_max, cell_last";
/// Hashes in one statement.
const HASHES: usize = 2_000;

#[derive(Row, Deserialize)]
struct VersionRow {
    kind: i8,
    resource: String,
    meter: String,
    hour: u32,
    version: u64,
    stream: String,
    partition: u32,
    as_of: u64,
    hash: String,
}

/// The parts that mending buckets takes.
pub struct BucketMender<'a> {
    /// The database.
    pub client: &'a Client,
    /// The same, for rows.
    pub store: ClickHouseStore,
    /// The meters.
    pub definitions: &'a Definitions,
    /// All partitions.
    pub lanes: &'a [Lane],
    /// Up to where each partition's ledger reaches, by stream and partition: no bucket can count more.
    pub ends: HashMap<(String, u32), u64>,
}

/// Buckets of one array that are wrong.
type Wrong = BTreeMap<SeriesKey, BTreeMap<Hour, Fault>>;

impl BucketMender<'_> {
    /// Mends the buckets that are named, array by array. Arrays in whose ledger a row was changed are left alone: their readings are not
    /// what was accepted. Returns the findings that were mended.
    ///
    /// # Errors
    /// The server's.
    pub async fn mend(
        &mut self,
        findings: &[Finding],
        tell: super::auditor::Tell<'_>,
    ) -> Result<Vec<Finding>, AuditError> {
        let mut arrays: BTreeMap<(Arc<str>, Arc<str>), Wrong> = BTreeMap::new();
        for finding in findings {
            let Place::Bucket(series, hour) = &finding.place else { continue };
            let array = (Arc::clone(&series.provider), Arc::clone(&series.array));
            arrays.entry(array).or_default().entry((**series).clone()).or_default().insert(*hour, finding.fault);
        }
        let (of, mut mended) = (arrays.len() as u64, BTreeSet::new());
        for (done, ((provider, array), wrong)) in (0..).zip(arrays) {
            tell("arrays", done, of);
            if self.array(&provider, &array, &wrong).await? {
                mended.insert((provider, array));
            }
        }
        let is_mended = |finding: &&Finding| match &finding.place {
            Place::Bucket(series, _) => mended.contains(&(Arc::clone(&series.provider), Arc::clone(&series.array))),
            _ => false,
        };
        Ok(findings.iter().filter(is_mended).cloned().collect())
    }

    /// Mends one array, day by day; false if its ledger is not to be believed.
    async fn array(&mut self, provider: &Arc<str>, array: &Arc<str>, wrong: &Wrong) -> Result<bool, AuditError> {
        let days: BTreeSet<ArrayDay> = wrong
            .values()
            .flat_map(BTreeMap::keys)
            .map(|hour| ArrayDay {
                provider: Arc::clone(provider),
                array: Arc::clone(array),
                day: hour.0.div_euclid(DAY_HOURS),
            })
            .collect();
        let vector = Vector::newest(self.client).await?;
        let remeter = Remeter::new(self.client.clone(), vector.cut()?);
        for day in days {
            let (from, to) = (day.from(), Hour(day.from().0 + DAY_HOURS));
            let scope = Scope { provider: Some(provider.to_string()), arrays: vec![array.to_string()], from, to };
            let chunks = remeter.chunks(&scope, &self.definitions.newest()).await?;
            let stand = chunks.first().and_then(|chunk| vector.of(&chunk.owner)).or(vector.stands().last());
            let Some(stand) = stand.cloned() else { return Ok(false) };
            let meters = self.definitions.below(stand.control);
            let mut right = BucketBatch::default();
            for chunk in &chunks {
                for Metered { buckets, altered, .. } in remeter.load(chunk, &meters).await? {
                    if !altered.is_empty() {
                        return Ok(false);
                    }
                    right.append_if(&buckets, |row| {
                        wrong.get(&*row.series).is_some_and(|hours| hours.contains_key(&row.hour))
                    });
                }
            }
            self.day((&scope, &stand), &right, wrong).await?;
        }
        Ok(true)
    }

    /// Writes the right rows of a day, then deletes the wrong ones that would stay in force.
    async fn day(
        &mut self,
        (scope, stand): (&Scope, &Stand),
        right: &BucketBatch,
        wrong: &Wrong,
    ) -> Result<(), AuditError> {
        // what was there before: nothing that a worker writes from now on is wrong
        let before = self.versions(scope, wrong).await?;
        let Some(lane) = self.lane(stand) else { return Ok(()) };
        if !right.is_empty() {
            let (rules, partition, as_of) = (Arc::clone(&lane.rules), lane.partition, stand.point.offset);
            let (mut store, right) = (self.store.clone(), right.clone());
            let written = move || store.insert_buckets(&rules, partition, as_of, &right);
            tokio::task::block_in_place(written)?;
        }
        let in_force = self.in_force(scope, wrong).await?;
        let given: BTreeSet<(SeriesKey, Hour)> =
            right.iter().map(|(bucket, _)| ((*bucket.series).clone(), bucket.hour)).collect();
        let hashes: BTreeSet<String> = before
            .into_iter()
            .filter(|row| {
                let key = (series(scope, row), hour(row));
                let is_right = given.contains(&key) && in_force.get(&key).is_some_and(|hash| *hash == row.hash);
                // a smaller version is not in force as soon as the right row is there
                !is_right && (!given.contains(&key) || row.version >= stand.version()) && self.is_wrong(row, stand)
            })
            .map(|row| row.hash)
            .collect();
        let hashes: Vec<String> = hashes.into_iter().collect();
        for hashes in hashes.chunks(HASHES) {
            let sql = format!(
                "DELETE FROM usage_bucket WHERE {IN_DAY} AND has({{hashes:Array(String)}}, hex(sipHash128(tuple({COLUMNS}))))"
            );
            let query = self.client.raw().query_raw(&sql).param("hashes", hashes);
            delete(self.client, in_day(query, scope)).await?;
        }
        Ok(())
    }

    /// All rows, merged or not, of the buckets of a day that are wrong.
    async fn versions(&self, scope: &Scope, wrong: &Wrong) -> Result<Vec<VersionRow>, AuditError> {
        self.rows("", scope, wrong).await
    }

    /// The hash of the row that is in force of each of these buckets.
    async fn in_force(&self, scope: &Scope, wrong: &Wrong) -> Result<HashMap<(SeriesKey, Hour), String>, AuditError> {
        let rows = self.rows("FINAL", scope, wrong).await?;
        Ok(rows.into_iter().map(|row| ((series(scope, &row), hour(&row)), row.hash)).collect())
    }

    async fn rows(&self, is_final: &str, scope: &Scope, wrong: &Wrong) -> Result<Vec<VersionRow>, AuditError> {
        let sql = format!(
            "SELECT kind, resource, meter, hour, version, stream, partition, as_of, hex(sipHash128(tuple({COLUMNS}))) AS hash \
             FROM usage_bucket {is_final} WHERE {IN_DAY}"
        );
        let rows: Vec<VersionRow> = self.client.fetch_all(in_day(self.client.select(&sql), scope)).await?;
        let is_named =
            |row: &VersionRow| wrong.get(&series(scope, row)).is_some_and(|hours| hours.contains_key(&hour(row)));
        Ok(rows.into_iter().filter(is_named).collect())
    }

    fn lane(&self, stand: &Stand) -> Option<&Lane> {
        let is_own = |lane: &&Lane| lane.rules.stream == stand.point.stream && lane.partition == stand.point.partition;
        self.lanes.iter().find(is_own)
    }

    /// Whether a row that is not the right one may be deleted: not if it counts more than the ledger was read for, as a worker's does, unless
    /// no worker can have written it.
    fn is_wrong(&self, row: &VersionRow, stand: &Stand) -> bool {
        let generation = row.stream.rsplit_once('-').and_then(|(_, generation)| generation.parse().ok());
        let genuine = generation.map(|generation| bucket_version(generation, Offset(row.as_of)));
        row.version <= stand.version() || genuine != Some(row.version) || self.is_beyond(row)
    }

    fn is_beyond(&self, row: &VersionRow) -> bool {
        self.ends.get(&(row.stream.clone(), row.partition)).is_none_or(|end| row.as_of > *end)
    }
}

const IN_DAY: &str = "provider = {provider:String} AND array = {array:String} AND hour >= toDateTime({from:Int64}, 'UTC') \
    AND hour < toDateTime({to:Int64}, 'UTC')";

fn in_day(query: clickhouse::query::Query, scope: &Scope) -> clickhouse::query::Query {
    let query = query.param("provider", scope.provider.as_deref().unwrap_or_default());
    let query = query.param("array", scope.arrays.first().map(String::as_str).unwrap_or_default());
    query.param("from", scope.from.0 * 3600).param("to", scope.to.0 * 3600)
}

fn hour(row: &VersionRow) -> Hour {
    Hour(i64::from(row.hour) / 3600)
}

fn series(scope: &Scope, row: &VersionRow) -> SeriesKey {
    SeriesKey {
        provider: scope.provider.as_deref().unwrap_or_default().into(),
        array: scope.arrays.first().map(String::as_str).unwrap_or_default().into(),
        // the column's type has no other numbers
        kind: Kind::from_number(row.kind as u8).unwrap_or(Kind::Array),
        resource: row.resource.as_str().into(),
        meter: row.meter.as_str().into(),
    }
}
