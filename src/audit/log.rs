//! The ledger, the quarantine and the checkpoints of a partition, held against the log as far as it is retained.

use std::collections::BTreeMap;
use std::ops::Range;

use super::chain::Chain;
use super::error::AuditError;
use super::finding::{Fault, Finding, Place};
use super::lane::Lane;
use super::refold::{Folded, Refold};
use crate::clickhouse::Client;
use crate::clickhouse::read::ledger::{Offsets, StoredAside, asides, events};
use crate::core::ledger::batch::LedgerBatch;
use crate::core::word::{Instant, Offset};
use crate::fold::checkpoint::Checkpoint;

/// What a comparison with the log found.
#[derive(Debug, Default)]
pub struct Compared {
    /// The rows that are not what the log gives.
    pub findings: Vec<Finding>,
    /// Checkpoints whose last record is the one that the log has there: they vouch that it is the log that was folded.
    pub agree: u64,
    /// Checkpoints whose last record is another one.
    pub disagree: u64,
}

impl Lane {
    fn finding(&self, table: &'static str, fault: Fault, offset: u64, detail: String) -> Finding {
        let place = Place::Record(self.rules.stream.clone(), self.partition, Offset(offset));
        Finding { invariant: "I4", table, fault, place, detail }
    }

    /// The rows in a range that are not what the records of the log became.
    ///
    /// # Errors
    /// The server's.
    pub async fn differences(
        &self,
        client: &Client,
        batch: &LedgerBatch,
        range: &Range<u64>,
    ) -> Result<Vec<Finding>, AuditError> {
        let offsets =
            Offsets { stream: &self.rules.stream, partition: self.partition, from: range.start, to: range.end };
        let mut findings = Vec::new();
        let places: BTreeMap<u64, usize> = (0..).zip(&batch.offsets).map(|(row, offset)| (*offset, row)).collect();
        let mut left = places.clone();
        let mut rows = events(client, &offsets)?;
        while let Some(row) = rows.next().await? {
            let offset = row.offset;
            // a row under another append time stands beside the right one
            match places.get(&offset).map(|place| (*place, row.differs(batch, *place))) {
                None => findings.push(self.finding("usage_event", Fault::Surplus, offset, NO_RECORD.to_owned())),
                Some((_, Some("append_time"))) => {
                    let detail = "its append time is not that of the record".to_owned();
                    findings.push(self.finding("usage_event", Fault::Surplus, offset, detail));
                }
                Some((_, Some(column))) => {
                    left.remove(&offset);
                    findings.push(self.finding("usage_event", Fault::Differs, offset, differs_in(column)));
                }
                Some((_, None)) => {
                    left.remove(&offset);
                }
            }
        }
        let missing = left.keys().map(|offset| {
            let detail = "the log has this record, and the ledger has no row of it".to_owned();
            self.finding("usage_event", Fault::Missing, *offset, detail)
        });
        findings.extend(missing);
        self.aside_differences(client, batch, &offsets, &mut findings).await?;
        Ok(findings)
    }

    async fn aside_differences(
        &self,
        client: &Client,
        batch: &LedgerBatch,
        offsets: &Offsets<'_>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), AuditError> {
        let aside: BTreeMap<u64, _> = batch.quarantine.iter().map(|row| (batch.offsets[row.row], row)).collect();
        let mut left = aside.clone();
        let mut rows = asides(client, offsets)?;
        let own = self.rules.provider.as_deref();
        while let Some(row) = rows.next().await? {
            let row: StoredAside = row;
            match aside.get(&row.offset).map(|aside| row.differs(batch, aside, own)) {
                None => {
                    let detail = "no record here was put aside".to_owned();
                    findings.push(self.finding("quarantine", Fault::Surplus, row.offset, detail));
                }
                Some(Some("append_time")) => {
                    let detail = "its append time is not that of the record".to_owned();
                    findings.push(self.finding("quarantine", Fault::Surplus, row.offset, detail));
                }
                Some(Some(column)) => {
                    left.remove(&row.offset);
                    findings.push(self.finding("quarantine", Fault::Differs, row.offset, differs_in(column)));
                }
                Some(None) => {
                    left.remove(&row.offset);
                }
            }
        }
        let missing = left.keys().map(|offset| {
            self.finding("quarantine", Fault::Missing, *offset, "its record was put aside, and is not here".to_owned())
        });
        findings.extend(missing);
        Ok(())
    }

    /// What is wrong with the stored checkpoint that ends where this one ends, which the log gives; none if nothing is.
    #[must_use]
    pub fn checkpoint_difference(&self, chain: &Chain, right: &Checkpoint) -> Option<Finding> {
        let place = Place::Checkpoint(self.rules.stream.clone(), self.partition, right.from, right.next);
        let stored = chain.path.iter().find(|stored| (stored.from, stored.next) == (right.from, right.next));
        let (fault, detail) = match stored {
            None => (Fault::Missing, "no checkpoint counts these offsets".to_owned()),
            Some(stored) if Checkpoint { control: right.control, ..stored.clone() } != *right => {
                (Fault::Differs, "it does not say what the log gives".to_owned())
            }
            Some(_) => return None,
        };
        Some(Finding { invariant: "I4", table: "checkpoint", fault, place, detail })
    }

    /// Where checkpoints have to end: those of the chain, and both ends of each gap in it.
    #[must_use]
    pub fn stops(chain: &Chain) -> Vec<Offset> {
        let mut stops: Vec<Offset> = chain.path.iter().flat_map(|one| [one.from, one.next]).collect();
        stops.extend(chain.gaps.iter().flat_map(|gap| [gap.from, gap.to]));
        stops.sort_unstable();
        stops.dedup();
        stops
    }

    /// All differences between what is stored of a partition and what the retained log gives, up to `end`. Blocks.
    ///
    /// # Errors
    /// Those of [`Refold::fold`]; the server's.
    pub fn compare(
        &self,
        (refold, runtime): (&mut Refold, &tokio::runtime::Handle),
        client: &Client,
        (chain, end): (&Chain, Offset),
        since: Option<Instant>,
        tell: &mut (dyn FnMut(&'static str, u64, u64) + Send),
    ) -> Result<Compared, AuditError> {
        let mut compared = Compared::default();
        let stops = Self::stops(chain);
        let mut first = true;
        refold.fold(self, chain, since, (&stops, end), &mut |folded| {
            match folded {
                Folded::Rows(batch, range) => {
                    tell("records", range.end, end.0);
                    compared.findings.extend(runtime.block_on(self.differences(client, &batch, &range))?);
                }
                // the first span may have begun before the fold did
                Folded::Checkpoint(right) => {
                    let known = chain.path.iter().find(|one| one.next == right.next);
                    match known.map(|known| known.last == right.last) {
                        Some(true) => compared.agree += 1,
                        Some(false) => compared.disagree += 1,
                        None => {}
                    }
                    let is_known = chain.path.iter().any(|one| one.from == right.from);
                    let in_gap = chain.gaps.iter().any(|gap| gap.from == right.from && gap.to == right.next);
                    if !first || is_known || in_gap {
                        compared.findings.extend(self.checkpoint_difference(chain, &right));
                    }
                    first = false;
                }
            }
            Ok(())
        })?;
        Ok(compared)
    }
}

const NO_RECORD: &str = "the log has no record here";

fn differs_in(column: &str) -> String {
    format!("its {column} is not that of the record")
}
