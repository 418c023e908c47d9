//! A whole audit: decisions, then each partition's ledger against itself and against the log, then buckets, by metering again and by SQL.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::auditor::{Auditor, Tell};
use super::chain::Chain;
use super::conservation::Ledger;
use super::day::DAY_HOURS;
use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use super::lane::Lane;
use super::log::Compared;
use super::refold::Refold;
use super::report::{Extent, Report};
use super::{decision, stray, sums};
use crate::clickhouse::Client;
use crate::clickhouse::read::checkpoint;
use crate::core::book::Book;
use crate::core::decision::Decision;
use crate::core::decision::stream::Generation;
use crate::core::word::{HOUR_MS, Hour, Instant, Offset, Partition};
use crate::fold::checkpoint::Checkpoint;
use crate::fold::seam::ControlLog as _;
use crate::kafka::control::{ControlFollower, ControlRecord};
use crate::remeter::{Definitions, Scope, hold_ms};

/// Between two looks at a partition in which something was found: a replica that lags is no fault.
const PAUSE: Duration = Duration::from_millis(700);

/// An audit and what it needs. On a runtime of several threads: parts of it block.
pub struct Inspection {
    auditor: Auditor,
    control: ControlFollower,
    refold: Refold,
}

impl Inspection {
    /// An audit that believes the control log, which has been read to its end.
    ///
    /// # Errors
    /// A price book that this build does not understand.
    pub fn new(client: Client, control: ControlFollower, refold: Refold) -> Result<Self, AuditError> {
        let definitions = definitions(&control.records(Offset(0)))?;
        let auditor = Auditor::new(client, definitions).with_register(Arc::new(control.register()));
        Ok(Self { auditor, control, refold })
    }

    /// An audit that writes nothing: the table `audit` does not hear of it.
    #[must_use]
    pub fn dry(self) -> Self {
        Self { auditor: self.auditor.dry(), ..self }
    }

    /// Rows of partitions that no decision opened.
    ///
    /// # Errors
    /// The server's and the broker's.
    pub async fn strays(&self, extent: &Extent) -> Result<Vec<Finding>, AuditError> {
        stray::find(self.client(), &self.control, extent).await
    }

    /// The end of the control log: no checkpoint reflects decisions past it.
    #[must_use]
    pub fn control_end(&self) -> Offset {
        self.control.known_end()
    }

    /// The audits of array days.
    #[must_use]
    pub fn auditor(&self) -> &Auditor {
        &self.auditor
    }

    /// The database.
    #[must_use]
    pub fn client(&self) -> &Client {
        self.auditor.client()
    }

    /// The fold and its log.
    pub fn refold(&mut self) -> &mut Refold {
        &mut self.refold
    }

    /// The decisions.
    #[must_use]
    pub fn decisions(&self) -> Vec<ControlRecord> {
        self.control.records(Offset(0))
    }

    /// All partitions of the streams that may hold records of the provider, older generations too.
    #[must_use]
    pub fn lanes(&self, extent: &Extent) -> Vec<Lane> {
        let concerns = |generation: &&Arc<Generation>| match (&extent.provider, &generation.rules.provider) {
            (Some(asked), Some(own)) => asked == own,
            _ => true,
        };
        let lanes = |generation: &Arc<Generation>| {
            let generation = Arc::clone(generation);
            (0..generation.rules.partitions).map(move |number| Lane::new(&generation, Partition(number)))
        };
        self.control.register().all().filter(concerns).flat_map(lanes).collect()
    }

    /// Audits everything in an extent.
    ///
    /// # Errors
    /// The server's and the broker's.
    pub async fn run(&mut self, extent: &Extent, tell: Tell<'_>) -> Result<Report, AuditError> {
        let mut report = Report::default();
        let now = Instant(chrono::Utc::now().timestamp_millis());
        report.findings.extend(decision::check(self.client(), &self.decisions(), now).await?);
        report.findings.extend(self.strays(extent).await?);
        for lane in self.lanes(extent) {
            let mut found = self.lane(&lane, extent, &mut Vec::new(), tell).await?;
            if !found.is_empty() {
                tokio::time::sleep(PAUSE).await;
                found = self.lane(&lane, extent, &mut report.notes, tell).await?;
            }
            report.findings.extend(found);
        }
        let Some(scope) = self.scope(extent).await? else { return Ok(report) };
        let audited = self.auditor.scope(&scope, tell).await?;
        report.days = audited.found.days.len();
        report.readings = audited.found.readings;
        report.moving = audited.moving;
        report.findings.extend(audited.found.findings);
        let by_sums = sums::check(&self.auditor, &scope, tell).await?;
        // what was named already need not be named a second time
        let named: BTreeSet<(&'static str, Place)> =
            report.findings.iter().map(|finding| (finding.table, finding.place.clone())).collect();
        report.findings.extend(by_sums.into_iter().filter(|one| !named.contains(&(one.table, one.place.clone()))));
        report.findings.sort();
        report.findings.dedup();
        Ok(report)
    }

    /// The chain of a partition's checkpoints, up to the newest or to what the workers have committed, whichever is greater: a commit
    /// never runs ahead of the newest checkpoint (I6).
    ///
    /// # Errors
    /// The server's and the broker's.
    pub async fn chain(&self, lane: &Lane, extent: &Extent) -> Result<Chain, AuditError> {
        let Lane { generation, rules, partition } = lane;
        // the commit first: it only grows
        let committed = tokio::task::block_in_place(|| self.refold.log().committed(&rules.topic, *partition))?;
        let since = extent.from.map_or(Instant(i64::MIN), |from| from.plus_ms(-DAY_HOURS * HOUR_MS));
        let checkpoints = checkpoint::since(self.client(), &rules.stream, *partition, since).await?;
        // what an owner wrote that had not heard of an end or a hole is void
        let checkpoints: Vec<Checkpoint> = checkpoints.into_iter().filter(|one| !lane.is_void(one)).collect();
        let newest = checkpoints.iter().map(|checkpoint| checkpoint.next).max().unwrap_or(Offset(0));
        let closed = generation.end(*partition).unwrap_or(Offset(u64::MAX));
        let end = newest.max(committed.unwrap_or(Offset(0)).min(closed));
        let start = match extent.from {
            None => Offset(0),
            Some(_) => checkpoints.iter().map(|checkpoint| checkpoint.from).min().unwrap_or(newest),
        };
        Ok(Chain::new(checkpoints, start, end, &lane.holes()))
    }

    async fn lane(
        &mut self,
        lane: &Lane,
        extent: &Extent,
        notes: &mut Vec<String>,
        tell: Tell<'_>,
    ) -> Result<Vec<Finding>, AuditError> {
        let chain = self.chain(lane, extent).await?;
        let end = chain.end().max(chain.gaps.last().map_or(Offset(0), |gap| gap.to));
        let start = chain.path.first().map_or(Offset(0), |first| first.from);
        let mut findings = self.itself(lane, &chain, (start, end), tell).await?;
        let client = self.client().clone();
        let runtime = tokio::runtime::Handle::current();
        let compared = tokio::task::block_in_place(|| {
            lane.compare((&mut self.refold, &runtime), &client, (&chain, end), extent.from, tell)
        });
        match compared {
            Ok(Compared { agree, disagree, .. }) if disagree > agree || (disagree > 0 && agree == 0) => notes.push(format!(
                "{} is not compared with Kafka: the log is not the one that was folded ({disagree} checkpoints against {agree})",
                lane.rules.label(lane.partition)
            )),
            Ok(Compared { findings: more, .. }) => {
                // what the log says of a row is more than what the ledger says of itself
                findings.retain(|own| !more.iter().any(|one| one.table == own.table && one.place == own.place));
                findings.extend(more);
            }
            Err(AuditError::Seam(error)) => {
                notes.push(format!("{} is not compared with Kafka: {error}", lane.rules.label(lane.partition)));
            }
            Err(error) => return Err(error),
        }
        Ok(findings)
    }

    /// A partition's ledger held against itself.
    ///
    /// # Errors
    /// The server's.
    pub async fn itself(
        &self,
        lane: &Lane,
        chain: &Chain,
        (start, end): (Offset, Offset),
        tell: Tell<'_>,
    ) -> Result<Vec<Finding>, AuditError> {
        let ledger = Ledger { client: self.client(), stream: &lane.rules.stream, partition: lane.partition };
        let mut findings = ledger.check(chain, &lane.holes(), tell).await?;
        findings.extend(ledger.positions(start, end).await?);
        findings.extend(ledger.identities(start, end, lane.rules.acceptance_window_ms).await?);
        findings.extend(self.controls(lane, chain));
        Ok(findings)
    }

    /// Whether a partition's ledger is what its checkpoints counted: then buckets may be metered from it.
    ///
    /// # Errors
    /// The server's and the broker's.
    pub async fn is_believed(&self, lane: &Lane, extent: &Extent, tell: Tell<'_>) -> Result<bool, AuditError> {
        let chain = self.chain(lane, extent).await?;
        let start = chain.path.first().map_or(Offset(0), |first| first.from);
        let found = self.itself(lane, &chain, (start, chain.end()), tell).await?;
        // a missing checkpoint leaves its rows without a witness; a missing quarantine row is no reading
        Ok(found.iter().all(|finding| finding.table == "quarantine"))
    }

    /// `control` never falls along the chain, and never lies past the control log's end, beside the chain neither.
    fn controls(&self, lane: &Lane, chain: &Chain) -> Vec<Finding> {
        let end = self.control_end();
        let mut before = Offset(0);
        let mut findings = Vec::new();
        let wrong = |checkpoint: &Checkpoint, why: &str| {
            let place = Place::Checkpoint(lane.rules.stream.clone(), lane.partition, checkpoint.from, checkpoint.next);
            let detail = format!("it reflects decisions below {}, {why}", checkpoint.control.0);
            Finding { invariant: "I1", table: "checkpoint", fault: Fault::Differs, place, detail }
        };
        for checkpoint in &chain.path {
            if checkpoint.control < before || checkpoint.control > end {
                findings.push(wrong(checkpoint, "which is not between those of its neighbours"));
            } else {
                before = checkpoint.control;
            }
        }
        let aside = chain.aside.iter().filter(|checkpoint| checkpoint.control > end);
        findings.extend(aside.map(|checkpoint| wrong(checkpoint, "and there are not so many")));
        findings
    }

    /// The hours of an extent, in whole days; none if there is no accepted event in it.
    ///
    /// # Errors
    /// The server's.
    pub async fn scope(&self, extent: &Extent) -> Result<Option<Scope>, AuditError> {
        let vector = self.auditor.vector().await?;
        let remeter = self.auditor.remeter(&vector)?;
        let spans = remeter.arrays(extent.provider.as_deref()).await?;
        let stored = crate::clickhouse::read::stored::spans(self.client()).await?;
        let own = |provider: &str| extent.provider.as_deref().is_none_or(|asked| asked == provider);
        let stored: Vec<_> = stored.iter().filter(|span| own(&span.provider)).collect();
        let hold = hold_ms(&self.auditor.definitions().newest());
        let first = spans.iter().map(|span| span.oldest).chain(stored.iter().map(|span| span.from())).min();
        let last =
            spans.iter().map(|span| span.newest.plus_ms(hold)).chain(stored.iter().map(|span| span.until())).max();
        let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
        let day = |instant: Instant| instant.hour().0.div_euclid(DAY_HOURS);
        let from = Hour(day(extent.from.map_or(first, |from| from.max(first))) * DAY_HOURS);
        let to = Hour((day(extent.to.map_or(last, |to| Instant(to.0 - 1).min(last))) + 1) * DAY_HOURS);
        Ok((from < to).then(|| Scope { provider: extent.provider.clone(), arrays: Vec::new(), from, to }))
    }
}

/// The meters that the decisions define.
///
/// # Errors
/// A price book that this build does not understand.
pub fn definitions(decisions: &[ControlRecord]) -> Result<Definitions, AuditError> {
    let mut definitions = Definitions::default();
    for record in decisions {
        if let Decision::PriceBookPublished { book, .. } = &record.decision {
            let book = Book::from_canonical(book).map_err(|error| {
                let text = format!("the price book of decision {} is not understood ({error})", record.offset.0);
                crate::clickhouse::Error::refusal(text, "upgrade this process")
            })?;
            definitions.add(record.offset, &book);
        }
    }
    Ok(definitions)
}
