//! Mends what an audit finds: decisions and ledger from the log, buckets from the ledger; nothing from guesses.
//!
//! An audit before it says what is wrong, an audit after it what is left: so a repair names the same rows in the same words as an audit. Every step
//! finds out anew what is wrong and mends just that, so a repair that was killed is gone on with by starting it again.

use std::collections::BTreeSet;

use super::auditor::Tell;
use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use super::inspection::Inspection;
use super::lane::Lane;
use super::log::Compared;
use super::look::ends;
use super::mend::delete;
use super::mend_bucket::BucketMender;
use super::mend_lane::{LaneMender, MendedLane, delete_checkpoint, positions};
use super::report::{Extent, Report};
use super::stray;
use crate::clickhouse::store::ClickHouseStore;
use crate::core::word::Offset;
use crate::kafka::control::ControlRecord;
use crate::run::mirror::{self, DecisionRow};

/// What a repair came to.
#[derive(Debug, Default)]
pub struct Repaired {
    /// What an audit before it named, as far as it is right now.
    pub mended: Vec<Finding>,
    /// Rows that were mended and that no audit could name before: they showed when others had been mended.
    pub besides: Vec<Finding>,
    /// The audit after it: what is left cannot be mended from anything that is stored.
    pub report: Report,
}

/// Repairs an extent.
///
/// # Errors
/// The server's and the broker's.
pub async fn repair(
    inspection: &mut Inspection,
    store: &ClickHouseStore,
    extent: &Extent,
    tell: Tell<'_>,
) -> Result<Repaired, AuditError> {
    let before = inspection.run(extent, tell).await?;
    if before.findings.is_empty() {
        return Ok(Repaired { report: before, ..Repaired::default() });
    }
    let mut done = decisions(inspection).await?;
    for stray in inspection.strays(extent).await? {
        stray::remove(inspection.client(), &stray, extent).await?;
        done.push(stray);
    }
    let mut doubtful = BTreeSet::new();
    for lane in inspection.lanes(extent) {
        done.extend(self::lane(inspection, store, &lane, extent, tell).await?);
        if !inspection.is_believed(&lane, extent, tell).await? {
            doubtful.insert((lane.rules.stream.0.clone(), lane.partition.0));
        }
    }
    done.extend(buckets(inspection, store, extent, &doubtful, tell).await?);
    let report = inspection.run(extent, tell).await?;
    let mut named = places(&report.findings);
    let mended: Vec<Finding> = before.findings.into_iter().filter(|one| !named.contains(&place(one))).collect();
    named.extend(mended.iter().map(place));
    done.sort();
    done.retain(|one| named.insert(place(one)));
    Ok(Repaired { mended, besides: done, report })
}

/// What a finding is about, whatever it says of it.
fn place(finding: &Finding) -> (&'static str, Place) {
    (finding.table, finding.place.clone())
}

fn places(findings: &[Finding]) -> BTreeSet<(&'static str, Place)> {
    findings.iter().map(place).collect()
}

/// Mends buckets, as many at a time as an audit names, as long as they become fewer.
async fn buckets(
    inspection: &Inspection,
    store: &ClickHouseStore,
    extent: &Extent,
    doubtful: &BTreeSet<(String, u32)>,
    tell: Tell<'_>,
) -> Result<Vec<Finding>, AuditError> {
    let (mut mended, mut before) = (Vec::new(), u64::MAX);
    let lanes = inspection.lanes(&Extent::default());
    while let Some(scope) = inspection.scope(extent).await? {
        let audited = inspection.auditor().scope(&scope, tell).await?;
        let left: u64 = audited.found.days.values().map(|day| day.findings).sum();
        let is_bucket = |finding: &Finding| finding.table == "usage_bucket";
        let wrong: Vec<Finding> = audited.found.findings.into_iter().filter(is_bucket).collect();
        if wrong.is_empty() || left >= before {
            break;
        }
        before = left;
        let vector = inspection.auditor().vector().await?;
        let mut mender = BucketMender {
            auditor: inspection.auditor(),
            store: store.clone(),
            lanes: &lanes,
            ends: ends(inspection.client(), &vector).await?,
            doubtful: doubtful.clone(),
        };
        mended.extend(mender.mend(&wrong, tell).await?);
    }
    Ok(mended)
}

/// Writes the rows of `decision` that the control log gives, and deletes those that it does not.
async fn decisions(inspection: &Inspection) -> Result<Vec<Finding>, AuditError> {
    let (log, client) = (inspection.decisions(), inspection.client());
    let now = crate::core::word::Instant(chrono::Utc::now().timestamp_millis());
    let found = super::decision::check(client, &log, now).await?;
    let wrong: BTreeSet<Offset> = found
        .iter()
        .filter_map(|finding| match finding.place {
            Place::Decision(offset) => Some(offset),
            _ => None,
        })
        .collect();
    let right: Vec<ControlRecord> = log.into_iter().filter(|record| wrong.contains(&record.offset)).collect();
    if !right.is_empty() {
        mirror::insert(client, &right).await?;
    }
    for offset in wrong {
        let own = right.iter().find(|record| record.offset == offset).map(DecisionRow::from);
        let kept = " AND NOT (append_time = fromUnixTimestamp64Milli({append_time:Int64}, 'UTC') AND kind = {kind:String} \
                    AND provider = {provider:String} AND actor = {actor:String} AND body = {body:String} AND hash = {hash:String})";
        let sql =
            format!("DELETE FROM decision WHERE offset = {{offset:UInt64}}{}", if own.is_some() { kept } else { "" });
        let query = client.raw().query_raw(&sql).param("offset", offset.0);
        let query = match &own {
            Some(own) => query
                .param("append_time", own.append_time)
                .param("kind", &own.kind)
                .param("provider", &own.provider)
                .param("actor", &own.actor)
                .param("body", &own.body)
                .param("hash", &own.hash),
            None => query,
        };
        delete(client, query).await?;
    }
    Ok(found)
}

/// Mends a partition from its log. Where nothing of the log is retained, nothing is done: the audit afterwards names what is wrong.
async fn lane(
    inspection: &mut Inspection,
    store: &ClickHouseStore,
    lane: &Lane,
    extent: &Extent,
    tell: Tell<'_>,
) -> Result<Vec<Finding>, AuditError> {
    let chain = inspection.chain(lane, extent).await?;
    let end = chain.end().max(chain.gaps.last().map_or(Offset(0), |gap| gap.to));
    let start = chain.path.first().map_or(Offset(0), |first| first.from);
    let before = inspection.itself(lane, &chain, (start, end), tell).await?;
    let several = positions(&before.iter().filter(|one| one.invariant == "I2").cloned().collect::<Vec<_>>());
    let (client, control_end) = (inspection.client().clone(), inspection.control_end());
    let runtime = tokio::runtime::Handle::current();
    let compared = tokio::task::block_in_place(|| {
        lane.compare((inspection.refold(), &runtime), &client, (&chain, end), extent.from, tell)
    });
    match compared {
        Ok(Compared { agree, disagree, .. }) if disagree > agree || (disagree > 0 && agree == 0) => {
            tracing::warn!(partition = %lane.rules.label(lane.partition), "the log is not the one that was folded: nothing is mended from it");
            return Ok(Vec::new());
        }
        Ok(Compared { findings, .. }) if findings.is_empty() && before.is_empty() => return Ok(Vec::new()),
        Err(AuditError::Seam(error)) => {
            tracing::warn!(%error, "nothing is mended from the log");
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    let mended = tokio::task::block_in_place(|| {
        let refold = inspection.refold();
        let (client, store) = (&client, store.clone());
        LaneMender { refold, client, store, runtime, lane, chain: &chain, several, control_end }.mend(
            end,
            extent.from,
            tell,
        )
    });
    let MendedLane { proven_from, mut mended } = match mended {
        Ok(mended) => mended,
        Err(AuditError::Seam(error)) => {
            tracing::warn!(%error, "nothing is mended from the log");
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    mended.extend(before.into_iter().filter(|one| one.invariant == "I2"));
    // the ledger is what the log gives from here on: a checkpoint that contradicts it is of nobody
    let chain = inspection.chain(lane, extent).await?;
    for finding in inspection.itself(lane, &chain, (start, end), tell).await? {
        let is_proven = match &finding.place {
            Place::Checkpoint(_, _, from, _) => *from >= proven_from,
            _ => false,
        };
        if is_proven && finding.fault != Fault::Missing && finding.table == "checkpoint" {
            delete_checkpoint(&client, &finding.place).await?;
            mended.push(finding);
        }
    }
    Ok(mended)
}
