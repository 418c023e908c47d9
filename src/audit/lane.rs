//! One partition of a stream, and what is decided of it.

use std::sync::Arc;

use super::chain::Hole;
use crate::core::decision::stream::Generation;
use crate::core::ledger::rules::StreamRules;
use crate::core::word::Partition;
use crate::fold::checkpoint::Checkpoint;

/// One partition of a stream.
#[derive(Clone, Debug)]
pub struct Lane {
    /// What is decided of the stream.
    pub generation: Arc<Generation>,
    /// The stream's rules.
    pub rules: Arc<StreamRules>,
    /// The partition.
    pub partition: Partition,
}

impl Lane {
    /// A partition of a stream.
    #[must_use]
    pub fn new(generation: &Arc<Generation>, partition: Partition) -> Self {
        Self { generation: Arc::clone(generation), rules: Arc::clone(&generation.rules), partition }
    }

    /// The offsets that are recorded as lost.
    #[must_use]
    pub fn holes(&self) -> Vec<Hole> {
        self.generation.holes(self.partition).map(|hole| Hole { from: hole.from, to: hole.to }).collect()
    }

    /// Whether a checkpoint counts records past the end of the stream, or recorded as lost: nobody goes on from it.
    #[must_use]
    pub fn is_void(&self, checkpoint: &Checkpoint) -> bool {
        let past_end = self.generation.end(self.partition).is_some_and(|end| checkpoint.next > end);
        past_end || self.holes().iter().any(|hole| checkpoint.from < hole.to && hole.from < checkpoint.next)
    }
}
