//! Mends a partition's ledger, quarantine and checkpoints from the log, as far as it is retained.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use tokio::runtime::Handle;

use super::auditor::Tell;
use super::chain::Chain;
use super::error::AuditError;
use super::finding::{Finding, Place};
use super::lane::Lane;
use super::mend::{Positioned, delete};
use super::refold::{Folded, Refold};
use crate::clickhouse::Client;
use crate::clickhouse::read::checkpoint::NO_OFFSET;
use crate::clickhouse::read::ledger::{ASIDE_COLUMNS, EVENT_COLUMNS, Offsets};
use crate::clickhouse::store::ClickHouseStore;
use crate::core::ledger::batch::LedgerBatch;
use crate::core::word::{Instant, Offset};
use crate::fold::checkpoint::Checkpoint;
use crate::fold::seam::Store;

const EVENTS: Positioned = Positioned { table: "usage_event", columns: EVENT_COLUMNS };
const ASIDES: Positioned = Positioned { table: "quarantine", columns: ASIDE_COLUMNS };
/// The parts that mending a partition takes.
pub struct LaneMender<'a> {
    /// Its log.
    pub refold: &'a mut Refold,
    /// The database.
    pub client: &'a Client,
    /// The same, for rows.
    pub store: ClickHouseStore,
    /// Runs what the database is asked.
    pub runtime: Handle,
    /// The partition.
    pub lane: &'a Lane,
    /// Its checkpoints.
    pub chain: &'a Chain,
    /// Positions with rows that are not equal.
    pub several: BTreeSet<u64>,
    /// The end of the control log: no checkpoint reflects decisions past it.
    pub control_end: Offset,
}

/// What was mended of a partition.
#[derive(Debug)]
pub struct MendedLane {
    /// From which offset on everything that is stored is now what the log gives.
    pub proven_from: Offset,
    /// The rows that were mended.
    pub mended: Vec<Finding>,
}

impl LaneMender<'_> {
    /// Mends what the log gives, up to `end`. Blocks.
    ///
    /// # Errors
    /// Those of [`Refold::fold`]; the server's.
    pub fn mend(self, end: Offset, since: Option<Instant>, tell: Tell<'_>) -> Result<MendedLane, AuditError> {
        let mut mended = Vec::new();
        let stops = Lane::stops(self.chain);
        let Self { refold, client, mut store, runtime, lane, chain, several, control_end } = self;
        let mut control = Offset(0);
        let proven_from = refold.fold(lane, chain, since, (&stops, end), &mut |folded| {
            match folded {
                Folded::Rows(batch, range) => {
                    tell("records", range.end, end.0);
                    let rows = Rows { client, runtime: &runtime, store: &mut store, lane };
                    mended.extend(rows.mend(&batch, &range, &several)?);
                }
                Folded::Checkpoint(mut right) => {
                    let known = chain.path.iter().find(|one| (one.from, one.next) == (right.from, right.next));
                    let is_gap = chain.gaps.iter().any(|gap| (gap.from, gap.to) == (right.from, right.next));
                    let later = chain.path.iter().find(|one| one.from >= right.next).map(|one| one.control);
                    let most = later.filter(|later| *later <= control_end).unwrap_or(control_end);
                    let is_possible = |one: &&Checkpoint| (control..=most).contains(&one.control);
                    // which decisions it reflected only its own row knows; those of its predecessor it reflected for certain
                    right.control = known.filter(is_possible).map_or(control, |known| known.control);
                    control = right.control;
                    let wrong = known.filter(|known| **known != *right);
                    if is_gap || wrong.is_some() {
                        let finding = lane.checkpoint_difference(chain, &right);
                        mended.push(finding.unwrap_or_else(|| altered(lane, &right)));
                        // of two rows the one with the greater `control` stays: a wrong one of that kind would take the right one with it
                        let outranks = wrong.is_some_and(|wrong| wrong.control > right.control);
                        if outranks {
                            runtime.block_on(keep_checkpoint(client, lane, &right))?;
                        }
                        store.insert_checkpoint(&right)?;
                        if wrong.is_some() && !outranks {
                            runtime.block_on(keep_checkpoint(client, lane, &right))?;
                        }
                    }
                }
            }
            Ok(())
        })?;
        Ok(MendedLane { proven_from, mended })
    }
}

/// A checkpoint whose `control` alone was impossible.
fn altered(lane: &Lane, right: &Checkpoint) -> Finding {
    let place = Place::Checkpoint(lane.rules.stream.clone(), lane.partition, right.from, right.next);
    let detail = "it reflects decisions that its neighbours contradict".to_owned();
    Finding { invariant: "I1", table: "checkpoint", fault: super::finding::Fault::Differs, place, detail }
}

struct Rows<'a> {
    client: &'a Client,
    runtime: &'a Handle,
    store: &'a mut ClickHouseStore,
    lane: &'a Lane,
}

impl Rows<'_> {
    /// Mends the rows of a range; returns what was wrong.
    fn mend(
        self,
        batch: &LedgerBatch,
        range: &Range<u64>,
        several: &BTreeSet<u64>,
    ) -> Result<Vec<Finding>, AuditError> {
        let Self { client, runtime, store, lane } = self;
        let found = runtime.block_on(lane.differences(client, batch, range))?;
        let of = |table: &'static str| {
            found.iter().filter(move |one| one.table == table).filter_map(|one| match &one.place {
                Place::Record(_, _, offset) => Some(offset.0),
                _ => None,
            })
        };
        let several: Vec<u64> = several.range(range.clone()).copied().collect();
        if found.is_empty() && several.is_empty() {
            return Ok(found);
        }
        if !batch.is_empty() {
            store.insert_ledger(&lane.rules, lane.partition, batch)?;
        }
        let offsets =
            Offsets { stream: &lane.rules.stream, partition: lane.partition, from: range.start, to: range.end };
        let rows: BTreeMap<u64, usize> = (0..).zip(&batch.offsets).map(|(row, offset)| (*offset, row)).collect();
        let aside: BTreeSet<u64> = batch.quarantine.iter().map(|row| batch.offsets[row.row]).collect();
        let appended = |offset: u64| rows.get(&offset).map(|row| batch.append_times[*row]);
        let aside_appended = |offset: u64| appended(offset).filter(|_| aside.contains(&offset));
        let suspects: Vec<u64> = of("usage_event").chain(several.iter().copied()).collect();
        runtime.block_on(EVENTS.keep_only(client, &offsets, &suspects, appended))?;
        let suspects: Vec<u64> = of("quarantine").chain(several).collect();
        runtime.block_on(ASIDES.keep_only(client, &offsets, &suspects, aside_appended))?;
        Ok(found)
    }
}

/// Deletes all rows under the key of a checkpoint but the right one, if that is in the table.
async fn keep_checkpoint(client: &Client, lane: &Lane, right: &Checkpoint) -> Result<(), AuditError> {
    let sql = "DELETE FROM checkpoint WHERE stream = {stream:String} AND partition = {partition:UInt32} \
               AND next_offset = {next:UInt64} AND from_offset = {from:UInt64} AND NOT (generation = {generation:UInt32} \
               AND control = {control:UInt64} AND log_time = fromUnixTimestamp64Milli({log_time:Int64}, 'UTC') \
               AND consumed = {consumed:UInt64} AND accepted = {accepted:UInt64} AND duplicate = {duplicate:UInt64} AND late = {late:UInt64} \
               AND quarantined = {quarantined:UInt64} AND digest = {digest:UInt128} AND last_offset = {last_offset:UInt64} \
               AND last_hash = {last_hash:UInt128} AND first_append_time = fromUnixTimestamp64Milli({first:Int64}, 'UTC'))";
    let counts = right.counts;
    let (last_offset, last_hash) = right.last.map_or((NO_OFFSET, 0), |last| (last.offset.0, last.hash));
    let query = client.raw().query_raw(sql).param("stream", &lane.rules.stream.0).param("partition", lane.partition.0);
    let query = query.param("next", right.next.0).param("from", right.from.0).param("generation", right.generation);
    let query = query.param("control", right.control.0).param("log_time", right.log_time.0.max(0));
    let query = query.param("consumed", right.consumed).param("accepted", counts.accepted);
    let query = query.param("duplicate", counts.duplicate).param("late", counts.late);
    let query = query.param("quarantined", counts.quarantined).param("digest", right.digest.to_string());
    let query = query.param("last_offset", last_offset).param("last_hash", last_hash.to_string());
    Ok(delete(client, query.param("first", right.first_append_time.0.max(0))).await?)
}

/// Deletes the row of a checkpoint that contradicts a ledger that is proven by the log.
///
/// # Errors
/// The server's.
pub async fn delete_checkpoint(client: &Client, place: &Place) -> Result<(), AuditError> {
    let Place::Checkpoint(stream, partition, from, next) = place else { return Ok(()) };
    let sql = "DELETE FROM checkpoint WHERE stream = {stream:String} AND partition = {partition:UInt32} \
               AND next_offset = {next:UInt64} AND from_offset = {from:UInt64}";
    let query = client.raw().query_raw(sql).param("stream", &stream.0).param("partition", partition.0);
    Ok(delete(client, query.param("next", next.0).param("from", from.0)).await?)
}

/// Positions of some findings.
#[must_use]
pub fn positions(findings: &[Finding]) -> BTreeSet<u64> {
    let offset = |finding: &Finding| match &finding.place {
        Place::Record(_, _, offset) => Some(offset.0),
        _ => None,
    };
    findings.iter().filter_map(offset).collect()
}
