//! The table `decision` held against the control log, which is kept for ever: every row, and the running hash.

use std::collections::BTreeMap;

use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use crate::clickhouse::Client;
use crate::clickhouse::read::rows::Rows;
use crate::core::word::{Instant, Offset};
use crate::kafka::control::ControlRecord;
use crate::run::mirror::DecisionRow;

/// How long a decision may be unmirrored before it counts as missing, in milliseconds.
const MIRRORED_WITHIN_MS: i64 = 60_000;

/// Rows that are not what the control log says. `log` is the log from its beginning; its newest records may not be mirrored yet.
///
/// # Errors
/// The server's.
pub async fn check(client: &Client, log: &[ControlRecord], now: Instant) -> Result<Vec<Finding>, AuditError> {
    let right: BTreeMap<u64, DecisionRow> =
        log.iter().map(|record| (record.offset.0, DecisionRow::from(record))).collect();
    let sql = "SELECT offset, append_time, kind, provider, actor, body, hash FROM decision FINAL ORDER BY offset";
    let mut rows = Rows::<DecisionRow>::of(client, client.select(sql))?;
    let (mut findings, mut left) = (Vec::new(), right.clone());
    let mut newest = None;
    while let Some(row) = rows.next().await? {
        newest = newest.max(Some(row.offset));
        match left.remove(&row.offset) {
            None => findings.push(finding(Fault::Surplus, row.offset, "the control log has no such record")),
            Some(right) if right != row => {
                findings.push(finding(Fault::Differs, row.offset, "it does not say what the control log says"));
            }
            Some(_) => {}
        }
    }
    let overdue = |row: &&DecisionRow| newest > Some(row.offset) || row.append_time < now.0 - MIRRORED_WITHIN_MS;
    let missing = left.values().filter(overdue);
    findings.extend(
        missing.map(|row| finding(Fault::Missing, row.offset, "the control log has it, and it is not mirrored")),
    );
    findings.extend(several(client).await?);
    Ok(findings)
}

/// Rows of one offset that are not equal, merged or not.
async fn several(client: &Client) -> Result<Vec<Finding>, AuditError> {
    let sql = "SELECT offset FROM decision GROUP BY offset \
               HAVING uniqExact(append_time, kind, provider, actor, body, hash) > 1 ORDER BY offset";
    let offsets: Vec<u64> = client.fetch_all(client.select(sql)).await?;
    Ok(offsets
        .into_iter()
        .map(|offset| finding(Fault::Differs, offset, "it has several rows that are not equal"))
        .collect())
}

fn finding(fault: Fault, offset: u64, detail: &str) -> Finding {
    let place = Place::Decision(Offset(offset));
    Finding { invariant: "mirror", table: "decision", fault, place, detail: detail.to_owned() }
}
