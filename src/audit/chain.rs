//! The checkpoints of one partition as a chain: each begins where another ended, back to the first offset of the log.
//!
//! Two owners of a partition may have made checkpoints over the same records (one of them a zombie): then spans overlap, and each has
//! to be right. The chain is any way back from the newest.

use clickhouse::Row;
use serde::Deserialize;

use crate::clickhouse::read::rows::Rows;
use crate::clickhouse::{Client, Error};
use crate::core::word::{Instant, Offset, Partition, StreamId};
use crate::fold::checkpoint::{Checkpoint, Counts, LastRecord};

/// Where a partition has no last record yet.
const NO_OFFSET: u64 = u64::MAX;

/// Offsets that are recorded as lost: records that are in no ledger and must be in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hole {
    /// The first lost offset.
    pub from: Offset,
    /// The first that is not lost.
    pub to: Offset,
}

/// A stretch of the log that no checkpoint counts, though a later one begins behind it: a checkpoint is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where the checkpoint before it ends.
    pub from: Offset,
    /// Where the one after it begins.
    pub to: Offset,
}

/// The checkpoints of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// Those on the way from the first to the newest, in order; none of them empty.
    pub path: Vec<Checkpoint>,
    /// All others: made by a zombie, or for decisions alone.
    pub aside: Vec<Checkpoint>,
    /// Where a checkpoint is missing.
    pub gaps: Vec<Gap>,
}

impl Chain {
    /// Makes a chain of checkpoints, up to the one that ends at `end`. `start` is where it may begin: 0, or where the part begins that is
    /// looked at. Holes are stretches that need no checkpoint.
    #[must_use]
    pub fn new(checkpoints: Vec<Checkpoint>, start: Offset, end: Offset, holes: &[Hole]) -> Self {
        let (spans, mut aside): (Vec<Checkpoint>, Vec<Checkpoint>) =
            checkpoints.into_iter().partition(|checkpoint| checkpoint.from < checkpoint.next && checkpoint.next <= end);
        let (mut path, mut gaps): (Vec<usize>, Vec<Gap>) = (Vec::new(), Vec::new());
        let mut due = end;
        while due > start {
            if let Some(hole) = holes.iter().find(|hole| hole.to == due && hole.from < due) {
                due = hole.from;
                continue;
            }
            if let Some(place) = spans.iter().position(|span| span.next == due) {
                path.push(place);
                due = spans[place].from;
                continue;
            }
            let from = spans.iter().map(|span| span.next).filter(|next| *next < due).max();
            let hole = holes.iter().map(|hole| hole.to).filter(|to| *to < due).max();
            let from = from.max(hole).unwrap_or(start).max(start);
            gaps.push(Gap { from, to: due });
            due = from;
        }
        path.reverse();
        gaps.reverse();
        let on_path = path.iter().map(|place| spans[*place].clone()).collect();
        aside.extend(spans.into_iter().enumerate().filter(|(place, _)| !path.contains(place)).map(|(_, span)| span));
        Self { path: on_path, aside, gaps }
    }

    /// Where it ends.
    #[must_use]
    pub fn end(&self) -> Offset {
        self.path.last().map_or(Offset(0), |newest| newest.next)
    }
}

#[derive(Row, Deserialize)]
struct CheckpointRow {
    generation: u32,
    from_offset: u64,
    next_offset: u64,
    control: u64,
    log_time: i64,
    consumed: u64,
    accepted: u64,
    duplicate: u64,
    late: u64,
    quarantined: u64,
    digest: u128,
    last_offset: u64,
    last_hash: u128,
    first_append_time: i64,
}

/// All checkpoints of a partition whose log time is `since` or later, by where they end.
///
/// # Errors
/// The server's.
pub async fn read(
    client: &Client,
    stream: &StreamId,
    partition: Partition,
    since: Instant,
) -> Result<Vec<Checkpoint>, Error> {
    let sql = "SELECT generation, from_offset, next_offset, control, log_time, consumed, accepted, duplicate, late, quarantined, digest, \
               last_offset, last_hash, first_append_time FROM checkpoint FINAL \
               WHERE stream = {stream:String} AND partition = {partition:UInt32} \
               AND log_time >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') ORDER BY next_offset, from_offset";
    let select = client.select(sql).param("stream", &stream.0).param("partition", partition.0);
    let mut rows = Rows::<CheckpointRow>::of(client, select.param("since", since.0.max(0)))?;
    let mut checkpoints = Vec::new();
    while let Some(row) = rows.next().await? {
        let last = LastRecord { offset: Offset(row.last_offset), hash: row.last_hash };
        checkpoints.push(Checkpoint {
            stream: stream.clone(),
            generation: row.generation,
            partition,
            from: Offset(row.from_offset),
            next: Offset(row.next_offset),
            control: Offset(row.control),
            log_time: Instant(row.log_time),
            consumed: row.consumed,
            counts: Counts {
                accepted: row.accepted,
                duplicate: row.duplicate,
                late: row.late,
                quarantined: row.quarantined,
            },
            digest: row.digest,
            last: (row.last_offset != NO_OFFSET).then_some(last),
            first_append_time: Instant(row.first_append_time),
        });
    }
    Ok(checkpoints)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: u64, next: u64) -> Checkpoint {
        Checkpoint {
            stream: StreamId("u-1".to_owned()),
            generation: 1,
            partition: Partition(0),
            from: Offset(from),
            next: Offset(next),
            control: Offset(0),
            log_time: Instant(0),
            consumed: next - from,
            counts: Counts::default(),
            digest: 0,
            last: None,
            first_append_time: Instant(0),
        }
    }

    fn spans(checkpoints: &[Checkpoint]) -> Vec<(u64, u64)> {
        checkpoints.iter().map(|checkpoint| (checkpoint.from.0, checkpoint.next.0)).collect()
    }

    #[test]
    fn a_zombie_and_empty_checkpoints_stand_aside() {
        let all = vec![span(0, 5), span(5, 5), span(5, 8), span(5, 9), span(9, 12)];
        let chain = Chain::new(all, Offset(0), Offset(12), &[]);
        assert_eq!(spans(&chain.path), [(0, 5), (5, 9), (9, 12)]);
        assert_eq!(spans(&chain.aside), [(5, 5), (5, 8)]);
        assert_eq!(chain.gaps, []);
        assert_eq!(chain.end(), Offset(12));
    }

    #[test]
    fn a_missing_checkpoint_is_a_gap_unless_the_offsets_are_recorded_as_lost() {
        let all = vec![span(0, 5), span(9, 12), span(20, 25)];
        let gap = |from, to| Gap { from: Offset(from), to: Offset(to) };
        let hole = |from, to| Hole { from: Offset(from), to: Offset(to) };
        assert_eq!(Chain::new(all.clone(), Offset(0), Offset(25), &[]).gaps, [gap(5, 9), gap(12, 20)]);
        assert_eq!(Chain::new(all.clone(), Offset(0), Offset(25), &[hole(12, 20)]).gaps, [gap(5, 9)]);
        assert_eq!(Chain::new(all, Offset(0), Offset(25), &[hole(14, 20)]).gaps, [gap(5, 9), gap(12, 14)]);
        assert_eq!(Chain::new(vec![span(3, 5)], Offset(0), Offset(5), &[]).gaps, [gap(0, 3)]);
        assert_eq!(Chain::new(vec![span(3, 5)], Offset(3), Offset(5), &[]).gaps, []);
    }
}
