//! Mends buckets from the ledger: of each array the right rows are written, then the wrong ones deleted that these do not replace.
//!
//! A right row has the version of the checkpoint at which the ledger was read. A worker that writes the bucket meanwhile counts more, so its
//! row has a greater version and stays.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::auditor::Auditor;
use super::day::{ArrayDay, DAY_HOURS, series};
use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use super::lane::Lane;
use super::mend::delete;
use super::vector::Stand;
use crate::clickhouse::bucket_block::bucket_version;
use crate::clickhouse::read::bucket::{self, BucketQuery, StoredBucket};
use crate::clickhouse::store::ClickHouseStore;
use crate::core::metering::bucket::{BucketBatch, SeriesKey};
use crate::core::word::{Hour, Offset};
use crate::fold::seam::Store;
use crate::remeter::{Metered, Scope};

/// Hashes in one statement.
const HASHES: usize = 2_000;

/// The parts that mending buckets takes.
pub struct BucketMender<'a> {
    /// The database, for rows.
    pub store: ClickHouseStore,
    /// The audits whose findings are mended.
    pub auditor: &'a Auditor,
    /// All partitions.
    pub lanes: &'a [Lane],
    /// Up to where each partition's ledger reaches, by stream and partition: no bucket can count more.
    pub ends: HashMap<(String, u32), u64>,
    /// Partitions whose ledger lacks rows or holds wrong ones that the log could not mend: a bucket metered from it would be a guess.
    pub doubtful: BTreeSet<(String, u32)>,
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
        let vector = self.auditor.vector().await?;
        let remeter = self.auditor.remeter(&vector)?;
        for day in days {
            let (from, to) = (day.from(), Hour(day.from().0 + DAY_HOURS));
            let scope = Scope { provider: Some(provider.to_string()), arrays: vec![array.to_string()], from, to };
            let chunks = remeter.chunks(&scope, &self.auditor.definitions().newest()).await?;
            let stand = chunks.first().and_then(|chunk| vector.of(&chunk.owner)).or(vector.stands().last());
            let Some(stand) = stand.cloned() else { return Ok(false) };
            let sources = chunks.iter().flat_map(|chunk| chunk.places()).map(|(source, _)| source);
            let points = sources.map(|source| (source.stream.0.clone(), source.partition.0));
            let own = (stand.point.stream.0.clone(), stand.point.partition.0);
            if points.chain([own]).any(|point| self.doubtful.contains(&point)) {
                return Ok(false);
            }
            let meters = self.auditor.definitions().below(stand.control);
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
        // found before anything is written: nothing that a worker writes from now on is wrong
        let hashes = self.wrong_rows((scope, stand), right, wrong).await?;
        let Some(lane) = self.lane(stand) else { return Ok(()) };
        if !right.is_empty() {
            let (rules, partition, as_of) = (Arc::clone(&lane.rules), lane.partition, stand.point.offset);
            let mut store = self.store.clone();
            tokio::task::block_in_place(|| store.insert_buckets(&rules, partition, as_of, right))?;
        }
        for hashes in hashes.chunks(HASHES) {
            let hash = bucket::hash_sql();
            let sql = format!("DELETE FROM usage_bucket WHERE {IN_DAY} AND has({{hashes:Array(String)}}, {hash})");
            let query = self.auditor.client().raw().query_raw(&sql).param("hashes", hashes);
            delete(self.auditor.client(), in_day(query, scope)).await?;
        }
        Ok(())
    }

    /// The hashes of rows that must go: those of no bucket, and those that the right row does not replace by its greater version.
    async fn wrong_rows(
        &self,
        (scope, stand): (&Scope, &Stand),
        right: &BucketBatch,
        wrong: &Wrong,
    ) -> Result<Vec<String>, AuditError> {
        let given: HashMap<(&SeriesKey, Hour), _> =
            right.iter().map(|(bucket, cells)| ((&*bucket.series, bucket.hour), (bucket, cells))).collect();
        let arrays = scope.arrays.iter().map(String::as_str).collect();
        let query = BucketQuery { provider: scope.provider.as_deref(), arrays, from: scope.from, to: scope.to };
        let mut rows = bucket::read_all(self.auditor.client(), &query)?;
        let mut hashes = Vec::new();
        while let Some(row) = rows.next().await? {
            let (series, hour) = (series(&row), row.hour());
            if !wrong.get(&series).is_some_and(|hours| hours.contains_key(&hour)) {
                continue;
            }
            let astray = row.stream == stand.point.stream.0 && row.partition != stand.point.partition.0;
            let genuine = !astray && self.is_genuine(&row);
            let must_go = match given.get(&(&series, hour)) {
                None => (row.version <= stand.version() && !row.is_empty()) || !genuine,
                Some(_) if row.version < stand.version() => false,
                Some((bucket, cells)) if row.version == stand.version() => !genuine || !row.says(bucket, cells),
                Some(_) => !genuine,
            };
            if must_go {
                hashes.push(row.hash.to_owned());
            }
        }
        hashes.sort_unstable();
        hashes.dedup();
        Ok(hashes)
    }

    fn lane(&self, stand: &Stand) -> Option<&Lane> {
        let is_own = |lane: &&Lane| lane.rules.stream == stand.point.stream && lane.partition == stand.point.partition;
        self.lanes.iter().find(is_own)
    }

    /// Whether a worker can have written a row: its version is that of its `as_of`, and the ledger reaches so far.
    fn is_genuine(&self, row: &StoredBucket<'_>) -> bool {
        let generation = row.stream.rsplit_once('-').and_then(|(_, generation)| generation.parse().ok());
        let version = generation.map(|generation| bucket_version(generation, Offset(row.as_of)));
        let end = self.ends.get(&(row.stream.to_owned(), row.partition));
        version == Some(row.version) && end.is_some_and(|end| row.as_of <= *end)
    }
}

const IN_DAY: &str = "provider = {provider:String} AND array = {array:String} AND hour >= toDateTime({from:Int64}, 'UTC') \
    AND hour < toDateTime({to:Int64}, 'UTC')";

fn in_day(query: clickhouse::query::Query, scope: &Scope) -> clickhouse::query::Query {
    let query = query.param("provider", scope.provider.as_deref().unwrap_or_default());
    let query = query.param("array", scope.arrays.first().map(String::as_str).unwrap_or_default());
    query.param("from", scope.from.0 * 3600).param("to", scope.to.0 * 3600)
}
