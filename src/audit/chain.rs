//! The checkpoints of one partition as a chain: each begins where another ended, back to the first offset of the log.
//!
//! Two owners of a partition may have made checkpoints over the same records (one of them a zombie): then spans overlap, and each has
//! to be right. The chain is any way back from the newest.

use crate::core::word::Offset;
use crate::fold::checkpoint::Checkpoint;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::word::{Instant, Partition, StreamId};
    use crate::fold::checkpoint::Counts;

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
