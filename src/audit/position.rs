//! I2 and I3 by SQL: one row a position, and one acceptance an identity while it is remembered.

use clickhouse::Row;
use serde::Deserialize;

use super::conservation::Ledger;
use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use crate::clickhouse::read::ledger::{ASIDE_COLUMNS, EVENT_COLUMNS, IN_OFFSETS, Offsets};
use crate::core::ledger::identity_set::remembered_until;
use crate::core::word::{Instant, Offset};

/// Findings of one kind and partition that are named.
const MAX_NAMED: u64 = 10_000;
/// Accepted identities that one query groups: it bounds the server's memory.
const IDENTITIES_AT_ONCE: u64 = 10_000_000;

#[derive(Row, Deserialize)]
struct OffsetRow {
    offset: u64,
}

#[derive(Row, Deserialize)]
struct CountRow {
    count: u64,
}

#[derive(Row, Deserialize)]
struct TwiceRow {
    identity: u128,
    offsets: Vec<u64>,
    appended: Vec<i64>,
    measured: Vec<i64>,
}

impl Ledger<'_> {
    /// I2: positions with rows that are not equal, merged or not.
    ///
    /// # Errors
    /// The server's.
    pub async fn positions(&self, from: Offset, to: Offset) -> Result<Vec<Finding>, AuditError> {
        let mut findings = Vec::new();
        for (table, columns) in [("usage_event", EVENT_COLUMNS), ("quarantine", ASIDE_COLUMNS)] {
            // most positions that are there twice are so because they were flushed twice: equal rows that wait to be merged
            let sql = format!(
                "SELECT offset FROM {table} WHERE {IN_OFFSETS} AND offset IN \
                 (SELECT offset FROM {table} WHERE {IN_OFFSETS} GROUP BY offset HAVING count() > 1) \
                 GROUP BY offset HAVING uniqExact(sipHash128(tuple({columns}))) > 1 ORDER BY offset LIMIT {MAX_NAMED}"
            );
            let offsets = Offsets { stream: self.stream, partition: self.partition, from: from.0, to: to.0 };
            let rows: Vec<OffsetRow> = self.client.fetch_all(offsets.select(self.client, &sql)).await?;
            findings.extend(rows.into_iter().map(|row| Finding {
                invariant: "I2",
                table,
                fault: Fault::Differs,
                place: Place::Record(self.stream.clone(), self.partition, Offset(row.offset)),
                detail: "the position has several rows that are not equal".to_owned(),
            }));
        }
        Ok(findings)
    }

    /// I3: identities accepted again while they were remembered.
    ///
    /// # Errors
    /// The server's.
    pub async fn identities(&self, from: Offset, to: Offset, window_ms: i64) -> Result<Vec<Finding>, AuditError> {
        let offsets = Offsets { stream: self.stream, partition: self.partition, from: from.0, to: to.0 };
        let sql = format!("SELECT count() AS count FROM usage_event WHERE {IN_OFFSETS} AND disposition = 'accepted'");
        let rows: Vec<CountRow> = self.client.fetch_all(offsets.select(self.client, &sql)).await?;
        let parts = rows.first().map_or(0, |row| row.count).div_ceil(IDENTITIES_AT_ONCE);
        let mut findings = Vec::new();
        for part in 0..parts {
            let sql = format!(
                "SELECT identity, groupArray(offset) AS offsets, groupArray(toUnixTimestamp64Milli(append_time)) AS appended, \
                 groupArray(toUnixTimestamp64Milli(assumeNotNull(time))) AS measured \
                 FROM (SELECT identity, offset, append_time, time FROM usage_event FINAL WHERE {IN_OFFSETS} AND disposition = 'accepted' \
                 AND identity % {{parts:UInt64}} = {{part:UInt64}} ORDER BY offset) \
                 GROUP BY identity HAVING count() > 1 LIMIT {MAX_NAMED}"
            );
            let select = offsets.select(self.client, &sql).param("parts", parts).param("part", part);
            let rows: Vec<TwiceRow> = self.client.fetch_all(select).await?;
            findings.extend(rows.iter().flat_map(|row| self.twice(row, window_ms)));
        }
        Ok(findings)
    }

    /// An identity that was forgotten may be accepted again. Log time at an acceptance is its append time or later, so this names only
    /// what is certain.
    fn twice(&self, row: &TwiceRow, window_ms: i64) -> Vec<Finding> {
        let mut all: Vec<(u64, i64, i64)> =
            row.offsets.iter().zip(&row.appended).zip(&row.measured).map(|((a, b), c)| (*a, *b, *c)).collect();
        all.sort_unstable();
        let mut log_time = Instant(i64::MIN);
        let mut findings = Vec::new();
        for pair in all.windows(2) {
            let [(first, appended, measured), (second, again, _)] = pair else { continue };
            log_time = log_time.max(Instant(*again));
            if log_time <= remembered_until(Instant(*appended), Instant(*measured), window_ms) {
                findings.push(Finding {
                    invariant: "I3",
                    table: "usage_event",
                    fault: Fault::Differs,
                    place: Place::Record(self.stream.clone(), self.partition, Offset(*second)),
                    detail: format!("accepted though offset {first} had the same identity {:032x}", row.identity),
                });
            }
        }
        findings
    }
}
