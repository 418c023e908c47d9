//! Audits of array days by metering again (I8), against workers that go on meanwhile.
//!
//! What is found is looked at again before it counts, at a newer vector: a replica that lags and a bucket that was written since are no
//! faults. Buckets that count more than the vector are *moving*; their day is looked at again too, and left alone after [`TRIES`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use clickhouse::Row;
use futures_util::stream::{self, StreamExt as _};
use serde::Deserialize;

use super::day::{ArrayDay, DAY_HOURS, Found, Meeting, Terms, judge};
use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use super::record::{AuditRow, write};
use super::vector::{Stand, Vector};
use crate::clickhouse::read::bucket::{self, BucketQuery};
use crate::clickhouse::read::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::decision::stream::StreamRegister;
use crate::core::metering::definition::Meters;
use crate::core::word::Hour;
use crate::remeter::{Chunk, Definitions, Metered, Remeter, Scope, at_once, hold_ms};

/// How often a day is looked at that seems wrong or moves.
pub const TRIES: usize = 5;
/// Between two looks at the same day.
const PAUSE: Duration = Duration::from_millis(700);
/// Arrays that are named in one query; beyond it all arrays of the provider are read.
const MAX_NAMED_ARRAYS: usize = 2_000;

/// What audits of many days came to.
#[derive(Debug, Default)]
pub struct Audited {
    /// What was found, day by day.
    pub found: Found,
    /// Days of which nothing can be said: their buckets count more than every checkpoint that was seen.
    pub moving: BTreeSet<ArrayDay>,
}

/// Told after each chunk: what is worked on, how much of it is done and how much there is.
pub type Tell<'a> = &'a mut (dyn FnMut(&'static str, u64, u64) + Send);

/// Audits of array days.
#[derive(Clone, Debug)]
pub struct Auditor {
    client: Client,
    definitions: Definitions,
    register: Option<Arc<StreamRegister>>,
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

/// One look, at one vector.
#[derive(Clone)]
struct Look {
    client: Client,
    remeter: Remeter,
    definitions: Arc<Definitions>,
    vector: Arc<Vector>,
    ends: Arc<HashMap<(String, u32), u64>>,
    wanted: Option<Arc<BTreeSet<ArrayDay>>>,
}

impl Auditor {
    /// An auditor that believes these definitions of meters.
    #[must_use]
    pub fn new(client: Client, definitions: Definitions) -> Self {
        Self { client, definitions, register: None }
    }

    /// Believes this register of streams, and not the mirrored decisions.
    #[must_use]
    pub fn with_register(self, register: Arc<StreamRegister>) -> Self {
        Self { register: Some(register), ..self }
    }

    /// The ledger below a vector.
    ///
    /// # Errors
    /// A stream whose id names no generation.
    pub fn remeter(&self, vector: &Vector) -> Result<Remeter, AuditError> {
        let remeter = Remeter::new(self.client.clone(), vector.cut()?);
        Ok(match &self.register {
            Some(register) => remeter.with_register(Arc::clone(register)),
            None => remeter,
        })
    }

    /// The database.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The definitions.
    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// Audits all days of a scope, at the newest vector, and writes down what was found of each in the table `audit`.
    ///
    /// # Errors
    /// The server's.
    pub async fn scope(&self, scope: &Scope, tell: Tell<'_>) -> Result<Audited, AuditError> {
        let vector = Vector::newest(&self.client).await?;
        let first = self.look(vector, scope, None, tell).await?;
        self.settle(first, tell).await
    }

    /// The same of some days.
    ///
    /// # Errors
    /// The server's.
    pub async fn days(&self, days: &BTreeSet<ArrayDay>, tell: Tell<'_>) -> Result<Audited, AuditError> {
        let vector = Vector::newest(&self.client).await?;
        let first = self.look_at(vector, days, tell).await?;
        self.settle(first, tell).await
    }

    /// Looks again at what seems wrong or moves; writes down the rest.
    async fn settle(&self, first: Found, tell: Tell<'_>) -> Result<Audited, AuditError> {
        let mut audited = Audited::default();
        let mut found = first;
        for attempt in 1..=TRIES {
            // a fault counts when it was seen twice
            let again: BTreeSet<ArrayDay> = found
                .days
                .iter()
                .filter(|(_, day)| day.is_moving || (attempt == 1 && day.findings > 0))
                .map(|(day, _)| day.clone())
                .collect();
            let settled = without(std::mem::take(&mut found), &again, attempt > 1);
            self.write_down(&settled).await?;
            audited.found.merge(settled);
            if again.is_empty() || attempt == TRIES {
                audited.moving = again;
                break;
            }
            tokio::time::sleep(PAUSE).await;
            found = self.look_at(Vector::newest(&self.client).await?, &again, tell).await?;
        }
        audited.found.findings.sort();
        audited.found.findings.dedup();
        Ok(audited)
    }

    async fn write_down(&self, found: &Found) -> Result<(), AuditError> {
        let now_ms = chrono::Utc::now().timestamp_millis();
        let owner = |day: &ArrayDay| found.owners.get(&(Arc::clone(&day.provider), Arc::clone(&day.array)));
        let rows: Vec<AuditRow> =
            found.days.iter().filter_map(|(day, found)| Some(AuditRow::new(day, found, owner(day)?, now_ms))).collect();
        Ok(write(&self.client, &rows).await?)
    }

    /// Looks at days, neighbours together.
    async fn look_at(&self, vector: Vector, days: &BTreeSet<ArrayDay>, tell: Tell<'_>) -> Result<Found, AuditError> {
        let mut found = Found::default();
        for (provider, run) in runs(days) {
            let from = run.iter().map(ArrayDay::from).min().unwrap_or(Hour(0));
            let to = Hour(run.iter().map(ArrayDay::from).max().unwrap_or(Hour(0)).0 + DAY_HOURS);
            let scope = Scope { provider: Some(provider), arrays: names(run.iter()), from, to };
            found.merge(self.look(vector.clone(), &scope, Some(Arc::new(run)), tell).await?);
        }
        Ok(found)
    }

    async fn look(
        &self,
        vector: Vector,
        scope: &Scope,
        wanted: Option<Arc<BTreeSet<ArrayDay>>>,
        tell: Tell<'_>,
    ) -> Result<Found, AuditError> {
        let remeter = self.remeter(&vector)?;
        let chunks = remeter.chunks(scope, &self.definitions.newest()).await?;
        let ends = Arc::new(ends(&self.client, &vector).await?);
        let (client, definitions) = (self.client.clone(), Arc::new(self.definitions.clone()));
        let look = Look { client, remeter, definitions, vector: Arc::new(vector), ends, wanted };
        let of = chunks.len() as u64;
        let covered = covered(&chunks);
        let tasks = stream::iter(chunks).map(|chunk| tokio::spawn(look.clone().chunk(chunk)));
        let mut tasks = tasks.buffer_unordered(at_once());
        let (mut found, mut done) = (Found::default(), 0);
        tell("buckets", 0, of);
        while let Some(one) = tasks.next().await {
            found.merge(one??);
            done += 1;
            tell("buckets", done, of);
        }
        found.merge(look.without_events(scope, &covered).await?);
        Ok(found)
    }
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
    async fn chunk(self, chunk: Chunk) -> Result<Found, AuditError> {
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
    async fn without_events(&self, scope: &Scope, covered: &HashSet<ArrayDay>) -> Result<Found, AuditError> {
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
                    let stand = self.vector.stand(row.stream, crate::core::word::Partition(row.partition));
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

/// What was found apart from some days. Findings about records are those of a day too, and are found again with it.
fn without(mut found: Found, days: &BTreeSet<ArrayDay>, is_confirmed: bool) -> Found {
    found.days.retain(|day, _| !days.contains(day));
    found.findings.retain(|finding| match &finding.place {
        Place::Bucket(series, hour) => {
            let (provider, array) = (Arc::clone(&series.provider), Arc::clone(&series.array));
            !days.contains(&ArrayDay { provider, array, day: hour.0.div_euclid(DAY_HOURS) })
        }
        _ => is_confirmed,
    });
    found
}

fn covered(chunks: &[Chunk]) -> HashSet<ArrayDay> {
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

/// The arrays' names, without repetition; none if they are too many to be named.
fn names<'a>(days: impl Iterator<Item = &'a ArrayDay>) -> Vec<String> {
    let names: BTreeSet<&str> = days.map(|day| &*day.array).collect();
    if names.len() > MAX_NAMED_ARRAYS { Vec::new() } else { names.into_iter().map(str::to_owned).collect() }
}

/// Days by provider, in runs without a gap.
fn runs(days: &BTreeSet<ArrayDay>) -> Vec<(String, BTreeSet<ArrayDay>)> {
    let mut by_day: BTreeMap<(&str, i64), BTreeSet<ArrayDay>> = BTreeMap::new();
    for day in days {
        by_day.entry((&day.provider, day.day)).or_default().insert(day.clone());
    }
    let mut runs: Vec<(String, i64, BTreeSet<ArrayDay>)> = Vec::new();
    for ((provider, day), days) in by_day {
        match runs.last_mut() {
            Some((own, last, run)) if own == provider && *last + 1 >= day => {
                *last = day;
                run.extend(days);
            }
            _ => runs.push((provider.to_owned(), day, days)),
        }
    }
    runs.into_iter().map(|(provider, _, run)| (provider, run)).collect()
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
