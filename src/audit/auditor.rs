//! Audits of array days by metering again (I8), against workers that go on meanwhile.
//!
//! What is found is looked at again before it counts, at a newer vector: a replica that lags and a bucket that was written since are no
//! faults. Buckets that count more than the vector are *moving*; their day is looked at again too, and left alone after [`TRIES`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};

use super::day::{ArrayDay, DAY_HOURS, Found};
use super::error::AuditError;
use super::finding::Place;
use super::look::{Look, MAX_NAMED_ARRAYS, covered, ends};
use super::record::{AuditRow, write};
use super::vector::Vector;
use crate::clickhouse::Client;
use crate::clickhouse::read::void;
use crate::core::decision::stream::StreamRegister;
use crate::core::word::Hour;
use crate::remeter::{Definitions, Remeter, Scope, at_once};

/// How often a day is looked at that seems wrong or moves.
pub const TRIES: usize = 5;
/// Between two looks at the same day.
const PAUSE: Duration = Duration::from_millis(700);

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
    is_dry: bool,
}

impl Auditor {
    /// An auditor that believes these definitions of meters.
    #[must_use]
    pub fn new(client: Client, definitions: Definitions) -> Self {
        Self { client, definitions, register: None, is_dry: false }
    }

    /// Believes this register of streams, and not the mirrored decisions.
    #[must_use]
    pub fn with_register(self, register: Arc<StreamRegister>) -> Self {
        Self { register: Some(register), ..self }
    }

    /// Writes nothing down, whatever it finds.
    #[must_use]
    pub fn dry(self) -> Self {
        Self { is_dry: true, ..self }
    }

    /// Where all partitions stand that were opened by a decision.
    ///
    /// # Errors
    /// The server's.
    pub async fn vector(&self) -> Result<Vector, AuditError> {
        let vector = Vector::newest(&self.client).await?;
        Ok(match &self.register {
            Some(register) => vector.of_opened(register),
            None => vector.of_opened(&void::register(&self.client).await?),
        })
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

    /// Audits all days of a scope, at the newest vector, and writes down what was found of each in the table `audit`, unless it is [dry](Self::dry).
    ///
    /// # Errors
    /// The server's.
    pub async fn scope(&self, scope: &Scope, tell: Tell<'_>) -> Result<Audited, AuditError> {
        let vector = self.vector().await?;
        let first = self.look(vector, scope, None, tell).await?;
        self.settle(first, tell).await
    }

    /// The same of some days.
    ///
    /// # Errors
    /// The server's.
    pub async fn days(&self, days: &BTreeSet<ArrayDay>, tell: Tell<'_>) -> Result<Audited, AuditError> {
        let vector = self.vector().await?;
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
            found = self.look_at(self.vector().await?, &again, tell).await?;
        }
        audited.found.findings.sort();
        audited.found.findings.dedup();
        Ok(audited)
    }

    async fn write_down(&self, found: &Found) -> Result<(), AuditError> {
        if self.is_dry {
            return Ok(());
        }
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
