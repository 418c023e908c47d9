//! I1: of every partition, records consumed = rows in the ledger = the sum of the dispositions, span by span, and nothing in between; and every
//! record that was put aside has its bytes.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::Deserialize;

use super::chain::{Chain, Hole};
use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use crate::clickhouse::Client;
use crate::clickhouse::read::ledger::{IN_OFFSETS, Offsets, StoredAside, asides};
use crate::clickhouse::read::rows::Rows;
use crate::core::ledger::digest::{Said, SpanDigest, record_hash};
use crate::core::word::{Instant, Offset, Partition, StreamId};
use crate::fold::checkpoint::{Checkpoint, Counts, LastRecord};

/// Offsets read in one query.
const PAGE: u64 = 500_000;
/// Missing rows that are named one by one, of one span.
const MAX_NAMED: usize = 1_000;
const ACCEPTED: i8 = 1;
const DUPLICATE: i8 = 2;
const LATE: i8 = 3;

/// One partition's log, as its ledger shows it.
#[derive(Clone, Copy, Debug)]
pub struct Ledger<'a> {
    /// The database.
    pub client: &'a Client,
    /// The stream.
    pub stream: &'a StreamId,
    /// The partition.
    pub partition: Partition,
}

#[derive(Row, Deserialize)]
struct EventRow {
    offset: u64,
    append_time: i64,
    disposition: i8,
    reason: String,
    identity: u128,
    content: u64,
    readings: u32,
}

/// What a checkpoint's row must say, by the ledger.
#[derive(Clone, Debug, Default)]
pub struct SpanFigures {
    rows: u64,
    counts: Counts,
    digest: SpanDigest,
    greatest: Option<Instant>,
    first: Option<Instant>,
    last: Option<LastRecord>,
    /// The offsets that have a row, as long as something may be missing.
    seen: Vec<u64>,
}

impl Ledger<'_> {
    /// Holds a chain's checkpoints against the ledger.
    ///
    /// # Errors
    /// The server's.
    pub async fn check(
        &self,
        chain: &Chain,
        holes: &[Hole],
        tell: &mut (dyn FnMut(&'static str, u64, u64) + Send),
    ) -> Result<Vec<Finding>, AuditError> {
        let mut findings: Vec<Finding> = chain.gaps.iter().map(|gap| self.gap(gap.from, gap.to)).collect();
        let is_whole = chain.gaps.is_empty()
            && chain.path.first().is_none_or(|first| first.from == Offset(0) && first.generation == 1);
        let mut log_time: Option<Instant> = None;
        let (mut rest, of) = (chain.path.as_slice(), chain.path.len() as u64);
        while !rest.is_empty() {
            tell("checkpoints", of - rest.len() as u64, of);
            let (now, later) = rest.split_at(together(rest));
            rest = later;
            let figures = self.spans(now, &mut findings).await?;
            for (checkpoint, figures) in now.iter().zip(&figures) {
                log_time = log_time.max(figures.greatest);
                self.compare(checkpoint, figures, log_time.filter(|_| is_whole), holes, &mut findings);
            }
        }
        for checkpoint in chain.aside.iter().filter(|checkpoint| checkpoint.next <= chain.end()) {
            if checkpoint.from < checkpoint.next {
                let figures = self.spans(std::slice::from_ref(checkpoint), &mut Vec::new()).await?;
                figures.iter().for_each(|figures| self.compare(checkpoint, figures, None, holes, &mut findings));
            } else if checkpoint.consumed != 0 || checkpoint.counts != Counts::default() {
                findings.push(self.differs(checkpoint, "it counts records in an empty span".to_owned()));
            }
        }
        findings.sort();
        findings.dedup();
        Ok(findings)
    }

    fn gap(&self, from: Offset, to: Offset) -> Finding {
        let detail = "no checkpoint counts these offsets, though a later one begins behind them".to_owned();
        let place = Place::Checkpoint(self.stream.clone(), self.partition, from, to);
        Finding { invariant: "I1", table: "checkpoint", fault: Fault::Missing, place, detail }
    }

    fn differs(&self, checkpoint: &Checkpoint, detail: String) -> Finding {
        let place = Place::Checkpoint(self.stream.clone(), self.partition, checkpoint.from, checkpoint.next);
        Finding { invariant: "I1", table: "checkpoint", fault: Fault::Differs, place, detail }
    }

    fn record(&self, table: &'static str, fault: Fault, offset: u64, detail: &str) -> Finding {
        let place = Place::Record(self.stream.clone(), self.partition, Offset(offset));
        Finding { invariant: "I1", table, fault, place, detail: detail.to_owned() }
    }

    /// Adds up the rows of neighbouring spans, page by page; rows that were put aside are held against their bytes.
    async fn spans(&self, spans: &[Checkpoint], findings: &mut Vec<Finding>) -> Result<Vec<SpanFigures>, AuditError> {
        let sql = format!(
            "SELECT offset, append_time, disposition, reason, identity, content, readings FROM usage_event FINAL WHERE {IN_OFFSETS} \
             ORDER BY offset, append_time"
        );
        let mut figures = vec![SpanFigures::default(); spans.len()];
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return Ok(figures) };
        let (mut page, mut place) = (first.from.0, 0);
        while page < last.next.0 {
            let to = page.saturating_add(PAGE).min(last.next.0);
            let offsets = Offsets { stream: self.stream, partition: self.partition, from: page, to };
            let mut aside = self.asides(&offsets).await?;
            let mut rows = Rows::<EventRow>::of(self.client, offsets.select(self.client, &sql))?;
            while let Some(row) = rows.next().await? {
                while spans[place].next.0 <= row.offset {
                    place += 1;
                }
                if row.offset >= spans[place].from.0 {
                    figures[place].add(&row, aside.get(&row.offset));
                }
                self.meet(&row, aside.remove(&row.offset), findings);
            }
            let surplus = "no ledger row says that this record was put aside";
            findings.extend(aside.keys().map(|offset| self.record("quarantine", Fault::Surplus, *offset, surplus)));
            page = to;
        }
        Ok(figures)
    }

    async fn asides(&self, offsets: &Offsets<'_>) -> Result<BTreeMap<u64, StoredAside>, AuditError> {
        let mut rows = asides(self.client, offsets)?;
        let mut aside = BTreeMap::new();
        while let Some(row) = rows.next().await? {
            aside.insert(row.offset, row);
        }
        Ok(aside)
    }

    fn meet(&self, row: &EventRow, aside: Option<StoredAside>, findings: &mut Vec<Finding>) {
        let (fault, detail) = match (aside, row.disposition) {
            (None, ACCEPTED | DUPLICATE) => return,
            (None, _) => {
                (Fault::Missing, "the ledger says that this record was put aside, and its bytes are not there")
            }
            (Some(_), ACCEPTED | DUPLICATE) => (Fault::Surplus, "the ledger says that this record was not put aside"),
            (Some(aside), disposition) => {
                let same = aside.disposition == disposition
                    && aside.reason == row.reason
                    && aside.append_time == row.append_time;
                match (same, aside.is_whole()) {
                    (true, true) => return,
                    (false, _) => (Fault::Differs, "disposition, reason or append time are not those of the ledger"),
                    (true, false) => (Fault::Differs, "its bytes are not those whose hash stands beside them"),
                }
            }
        };
        findings.push(self.record("quarantine", fault, row.offset, detail));
    }

    fn compare(
        &self,
        checkpoint: &Checkpoint,
        figures: &SpanFigures,
        log_time: Option<Instant>,
        holes: &[Hole],
        findings: &mut Vec<Finding>,
    ) {
        if figures.rows != checkpoint.consumed {
            let missing = figures.missing(checkpoint, holes);
            let named = missing.len() as u64 + figures.rows == checkpoint.consumed;
            if named {
                let detail = "a checkpoint counts this record, and the ledger has no row of it";
                let rows = missing.iter().take(MAX_NAMED);
                findings.extend(rows.map(|offset| self.record("usage_event", Fault::Missing, *offset, detail)));
                return;
            }
            let detail = format!("it counts {} records, the ledger has {} rows", checkpoint.consumed, figures.rows);
            return findings.push(self.differs(checkpoint, detail));
        }
        let last = figures.last.is_none_or(|last| checkpoint.last == Some(last));
        let checks = [
            ("the counts by disposition", figures.counts == checkpoint.counts),
            ("the digest of the ledger rows", figures.digest.finish() == checkpoint.digest),
            ("the last record", last),
            ("the log time", log_time.is_none_or(|log_time| checkpoint.log_time == log_time)),
            ("the first append time", figures.first.is_none_or(|first| checkpoint.first_append_time == first)),
            ("the generation", self.stream.0.ends_with(&format!("-{}", checkpoint.generation))),
        ];
        let wrong: Vec<&str> = checks.iter().filter(|(_, same)| !same).map(|(what, _)| *what).collect();
        if !wrong.is_empty() {
            let detail = format!("checkpoint and ledger differ in {}: one of them was changed", wrong.join(", "));
            findings.push(self.differs(checkpoint, detail));
        }
    }
}

/// How many of these spans are read together.
fn together(spans: &[Checkpoint]) -> usize {
    let from = spans.first().map_or(0, |first| first.from.0);
    spans.iter().take_while(|span| span.next.0 - from <= PAGE).count().max(1)
}

impl SpanFigures {
    fn add(&mut self, row: &EventRow, aside: Option<&StoredAside>) {
        self.rows += 1;
        self.seen.push(row.offset);
        match row.disposition {
            ACCEPTED => self.counts.accepted += 1,
            DUPLICATE => self.counts.duplicate += 1,
            LATE => self.counts.late += 1,
            _ => self.counts.quarantined += 1,
        }
        self.digest.add(row.offset, row.disposition as u8, row.identity, row.content, row.readings);
        let append_time = Instant(row.append_time);
        self.greatest = self.greatest.max(Some(append_time));
        self.first.get_or_insert(append_time);
        // what could not be decoded has no identity and is known by its bytes
        let hash = match (row.identity, aside) {
            (0, None) => None,
            (0, Some(aside)) => Some(record_hash(append_time, Said::Bytes, aside.raw())),
            (identity, _) => Some(record_hash(append_time, Said::Event { identity, content: row.content }, &[])),
        };
        self.last = hash.map(|hash| LastRecord { offset: Offset(row.offset), hash });
    }

    /// The offsets of the span that have no row, apart from recorded holes.
    fn missing(&self, checkpoint: &Checkpoint, holes: &[Hole]) -> Vec<u64> {
        let is_lost = |offset: &u64| holes.iter().any(|hole| (hole.from.0..hole.to.0).contains(offset));
        let mut seen = self.seen.iter().copied().peekable();
        let mut missing = Vec::new();
        for offset in checkpoint.from.0..checkpoint.next.0 {
            while seen.next_if(|other| *other < offset).is_some() {}
            if seen.next_if_eq(&offset).is_none() && !is_lost(&offset) {
                missing.push(offset);
            }
        }
        missing
    }
}
