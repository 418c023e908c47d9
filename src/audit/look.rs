//! One look at array days, at one vector: metered again, and held against what is stored.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use clickhouse::Row;
use serde::Deserialize;

use super::day::{ArrayDay, DAY_HOURS, Found, Meeting, Terms, judge};
use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use super::vector::{Stand, Vector};
use crate::clickhouse::read::bucket::{self, BucketQuery};
use crate::clickhouse::read::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::metering::definition::Meters;
use crate::core::word::{Hour, Partition};
use crate::remeter::{Chunk, Definitions, Metered, Remeter, Scope, hold_ms};

/// Arrays that are named in one query; beyond it all arrays of the provider are read.
pub(super) const MAX_NAMED_ARRAYS: usize = 2_000;

/// One look, at one vector.
#[derive(Clone)]
pub(super) struct Look {
    pub client: Client,
    pub remeter: Remeter,
    pub definitions: Arc<Definitions>,
    pub vector: Arc<Vector>,
    pub ends: Arc<HashMap<(String, u32), u64>>,
    pub wanted: Option<Arc<BTreeSet<ArrayDay>>>,
}

#[derive(Row, Deserialize)]
struct StoredDay {
    provider: String,
    array: String,
    day: i64,
}

#[derive(Row, Deserialize)]
struct EndRow {
    stream: String,
    partition: u32,
    end: u64,
}

impl Look {
    fn terms(&self, stand: Stand) -> Terms {
        let newest: Arc<Meters> = Arc::new(self.definitions.newest());
        let meters = Arc::new(self.definitions.below(stand.control));
        let place = (stand.point.stream.0.clone(), stand.point.partition.0);
        let end = self.ends.get(&place).copied().unwrap_or(0).max(stand.point.offset.0);
        Terms { stand, meters, newest, end }
    }

    fn wants(&self, provider: &str, array: &str, hour: Hour) -> bool {
        let day = hour.0.div_euclid(DAY_HOURS);
        self.wanted
            .as_ref()
            .is_none_or(|wanted| wanted.contains(&ArrayDay { provider: provider.into(), array: array.into(), day }))
    }

    /// Meters a chunk again and holds what is stored against it.
    pub async fn chunk(self, chunk: Chunk) -> Result<Found, AuditError> {
        let mut found = Found::default();
        let Some(stand) = self.vector.of(&chunk.owner).cloned() else { return Ok(found) };
        let terms = self.terms(stand);
        let loaded = self.remeter.load(&chunk, &terms.meters).await?;
        let named = chunk.arrays.len() <= MAX_NAMED_ARRAYS;
        let arrays = if named { chunk.arrays.iter().map(|(_, array)| &**array).collect() } else { Vec::new() };
        let (from, to) = (chunk.from, chunk.to);
        let one = chunk.arrays.first().map(|(provider, _)| &**provider);
        let provider = one.filter(|one| chunk.arrays.iter().all(|(provider, _)| **provider == **one));
        let mut rows = bucket::read(&self.client, &BucketQuery { provider, arrays, from, to })?;
        let mut row = rows.next().await?;
        // arrays of the chunk in their order; rows of arrays in between belong to other chunks
        for mut metered in loaded {
            self.forget_unwanted(&mut metered);
            found.readings += metered.readings;
            found.owners.insert((Arc::clone(&metered.provider), Arc::clone(&metered.array)), terms.stand.clone());
            let mut meeting = Meeting::new(&terms, &metered, &mut found);
            while let Some(stored) = &row {
                let order = (stored.provider, stored.array).cmp(&(&metered.provider, &metered.array));
                if order == std::cmp::Ordering::Greater {
                    break;
                }
                if order == std::cmp::Ordering::Equal && self.wants(stored.provider, stored.array, stored.hour()) {
                    meeting.meet(stored, &mut found);
                }
                row = rows.next().await?;
            }
            meeting.end(&mut found);
            note_altered(&metered, &terms.meters, &mut found);
        }
        Ok(found)
    }

    fn forget_unwanted(&self, metered: &mut Metered) {
        if self.wanted.is_some() {
            let all = std::mem::take(&mut metered.buckets);
            metered.buckets.append_if(&all, |row| self.wants(&metered.provider, &metered.array, row.hour));
        }
    }

    /// Buckets of days in which an array has no accepted event at all: none of them may be there.
    pub async fn without_events(&self, scope: &Scope, covered: &HashSet<ArrayDay>) -> Result<Found, AuditError> {
        let mut found = Found::default();
        let Some(last) = self.vector.stands().last().cloned() else { return Ok(found) };
        let mut days = stored_days(&self.client, scope)?;
        let mut bare: BTreeMap<(String, String), BTreeSet<i64>> = BTreeMap::new();
        while let Some(StoredDay { provider, array, day }) = days.next().await? {
            let one = ArrayDay { provider: provider.as_str().into(), array: array.as_str().into(), day };
            let wanted = scope.arrays.is_empty() || scope.arrays.contains(&array);
            if wanted && !covered.contains(&one) && self.wants(&provider, &array, one.from()) {
                bare.entry((provider, array)).or_default().insert(day);
            }
        }
        let terms = self.terms(last);
        for ((provider, array), days) in bare {
            for day in days {
                let (from, to) = (Hour(day * DAY_HOURS).max(scope.from), Hour((day + 1) * DAY_HOURS).min(scope.to));
                let query = BucketQuery { provider: Some(&provider), arrays: vec![&array], from, to };
                let mut rows = bucket::read(&self.client, &query)?;
                while let Some(row) = rows.next().await? {
                    let stand = self.vector.stand(row.stream, Partition(row.partition));
                    let own = stand.map(|stand| self.terms(stand.clone()));
                    let own = own.as_ref().unwrap_or(&terms);
                    found.owners.insert((row.provider.into(), row.array.into()), own.stand.clone());
                    judge(own, &row, None, &mut found);
                }
            }
        }
        Ok(found)
    }
}

/// An accepted event whose row was changed: its days cannot be green, whatever their buckets say.
fn note_altered(metered: &Metered, meters: &Meters, found: &mut Found) {
    for ((stream, partition, offset), time) in &metered.altered {
        let last = time.plus_ms(hold_ms(meters)).hour().0.div_euclid(DAY_HOURS);
        for day in time.hour().0.div_euclid(DAY_HOURS)..=last {
            let (provider, array) = (Arc::clone(&metered.provider), Arc::clone(&metered.array));
            if let Some(day) = found.days.get_mut(&ArrayDay { provider, array, day }) {
                day.findings += 1;
            }
        }
        let place = Place::Record(stream.clone(), *partition, *offset);
        let detail = "its readings are not those whose hash stands beside them".to_owned();
        found.findings.push(Finding { invariant: "I2", table: "usage_event", fault: Fault::Differs, place, detail });
    }
}

pub(super) fn covered(chunks: &[Chunk]) -> HashSet<ArrayDay> {
    let days = chunks.iter().flat_map(|chunk| {
        let days = chunk.from.0.div_euclid(DAY_HOURS)..=(chunk.to.0 - 1).div_euclid(DAY_HOURS);
        days.flat_map(|day| {
            let day = move |(provider, array): &(Arc<str>, Arc<str>)| ArrayDay {
                provider: Arc::clone(provider),
                array: Arc::clone(array),
                day,
            };
            chunk.arrays.iter().map(day)
        })
    });
    days.collect()
}

fn stored_days(client: &Client, scope: &Scope) -> Result<Rows<StoredDay>, Error> {
    let provider = if scope.provider.is_some() { " AND provider = {provider:String}" } else { "" };
    let sql = format!(
        "SELECT toString(provider) AS provider, toString(array) AS array, intDiv(toInt64(toUnixTimestamp(hour)), 86400) AS day \
         FROM usage_bucket WHERE hour >= toDateTime({{from:Int64}}, 'UTC') AND hour < toDateTime({{to:Int64}}, 'UTC'){provider} \
         GROUP BY provider, array, day"
    );
    let select = client.select(&sql).param("from", scope.from.0 * 3600).param("to", scope.to.0 * 3600);
    Rows::of(client, select.param("provider", scope.provider.as_deref().unwrap_or_default()))
}

/// Up to where each partition's ledger reaches, at the vector or past it.
pub(super) async fn ends(client: &Client, vector: &Vector) -> Result<HashMap<(String, u32), u64>, Error> {
    let own = |stand: &Stand| ((stand.point.stream.0.clone(), stand.point.partition.0), stand.point.offset.0);
    let mut ends: HashMap<(String, u32), u64> = vector.stands().iter().map(own).collect();
    for stand in vector.stands() {
        let sql = "SELECT toString(stream) AS stream, partition, max(offset) + 1 AS end FROM usage_event \
                   WHERE stream = {stream:String} AND partition = {partition:UInt32} AND offset >= {next:UInt64} GROUP BY stream, partition";
        let point = &stand.point;
        let select = client.select(sql).param("stream", &point.stream.0).param("partition", point.partition.0);
        let rows: Vec<EndRow> = client.fetch_all(select.param("next", point.offset.0)).await?;
        ends.extend(rows.into_iter().map(|row| ((row.stream, row.partition), row.end)));
    }
    Ok(ends)
}
