//! A cut with what a reader of the ledger has to know of it: the generations of its streams.

use thiserror::Error;

use crate::core::billing::proof::CutPoint;
use crate::core::word::{Offset, Partition, StreamId};

/// A cut that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CutError {
    /// A stream's id is TOPIC-GENERATION.
    #[error(
        "`{0}` is no stream id (TOPIC-GENERATION, as in usage-1); take the cut from a document or from checkpoints"
    )]
    NoGeneration(StreamId),
    /// One partition twice.
    #[error("partition {1} of {0} stands twice in the cut; name it once")]
    Twice(StreamId, u32),
}

/// One partition of a cut.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The generation of its stream: a later one sorts behind.
    pub generation: u32,
    /// The stream.
    pub stream: StreamId,
    /// The partition.
    pub partition: Partition,
    /// Exclusive.
    pub below: Offset,
}

/// The partitions of a cut, by generation, stream and partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    sources: Vec<Source>,
}

impl Cut {
    /// The cut that these points make.
    ///
    /// # Errors
    /// An id that names no generation, a partition that stands there twice.
    pub fn new(points: &[CutPoint]) -> Result<Self, CutError> {
        let mut sources = points.iter().map(source).collect::<Result<Vec<Source>, CutError>>()?;
        sources.sort();
        let same = |pair: &&[Source]| (&pair[0].stream, pair[0].partition) == (&pair[1].stream, pair[1].partition);
        match sources.windows(2).find(same) {
            Some(pair) => Err(CutError::Twice(pair[0].stream.clone(), pair[0].partition.0)),
            None => Ok(Self { sources }),
        }
    }

    /// Its partitions, older generations first.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Up to where a partition is in it, exclusive; none if it is not in it at all.
    #[must_use]
    pub fn below(&self, stream: &StreamId, partition: Partition) -> Option<Offset> {
        let found = self.sources.iter().find(|source| source.stream == *stream && source.partition == partition);
        found.map(|source| source.below)
    }
}

fn source(point: &CutPoint) -> Result<Source, CutError> {
    let generation = point.stream.0.rsplit_once('-').and_then(|(_, generation)| generation.parse().ok());
    let generation = generation.ok_or_else(|| CutError::NoGeneration(point.stream.clone()))?;
    Ok(Source { generation, stream: point.stream.clone(), partition: point.partition, below: point.offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(stream: &str, partition: u32, offset: u64) -> CutPoint {
        CutPoint { stream: StreamId(stream.to_owned()), partition: Partition(partition), offset: Offset(offset) }
    }

    #[test]
    fn a_later_generation_sorts_behind_and_nothing_stands_twice() {
        let cut = Cut::new(&[point("a-b-10", 0, 7), point("a-b-9", 1, 5)]).unwrap();
        assert_eq!(cut.sources().iter().map(|source| source.generation).collect::<Vec<_>>(), [9, 10]);
        assert_eq!(cut.below(&StreamId("a-b-10".to_owned()), Partition(0)), Some(Offset(7)));
        assert_eq!(cut.below(&StreamId("a-b-10".to_owned()), Partition(1)), None);
        assert_eq!(Cut::new(&[point("a", 0, 7)]), Err(CutError::NoGeneration(StreamId("a".to_owned()))));
        assert_eq!(
            Cut::new(&[point("a-1", 0, 7), point("a-1", 0, 8)]),
            Err(CutError::Twice(StreamId("a-1".to_owned()), 0))
        );
    }
}
