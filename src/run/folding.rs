//! Which generations have to be folded: those that are open, and closed ones until a checkpoint stands at each of their ends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use crate::clickhouse::store::ClickHouseStore;
use crate::core::decision::stream::{Generation, StreamRegister};
use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Partition, StreamId};
use crate::fold::seam::Store;

/// Between two looks at the checkpoints of a generation that is closing.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Knows the closed generations that are done with.
pub struct Folding {
    store: ClickHouseStore,
    done: BTreeSet<StreamId>,
    looked: Option<Moment>,
}

impl Folding {
    /// Nothing is known to be done with yet.
    #[must_use]
    pub fn new(store: ClickHouseStore) -> Self {
        Self { store, done: BTreeSet::new(), looked: None }
    }

    /// The rules of all generations that have to be folded. While the store is away, a closed one counts as not done.
    pub fn streams(&mut self, register: &StreamRegister) -> Vec<Arc<StreamRules>> {
        let may_look = self.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        let closing: Vec<_> =
            register.all().filter(|one| one.ends.is_some() && !self.done.contains(&one.rules.stream)).collect();
        if may_look && !closing.is_empty() {
            for generation in closing {
                if is_folded(&mut self.store, generation) {
                    self.done.insert(generation.rules.stream.clone());
                }
            }
            self.looked = Some(Moment::now());
        }
        let due = register.all().filter(|one| one.ends.is_none() || !self.done.contains(&one.rules.stream));
        due.map(|generation| Arc::clone(&generation.rules)).collect()
    }
}

fn is_folded(store: &mut dyn Store, generation: &Generation) -> bool {
    (0..generation.rules.partitions).map(Partition).all(|partition| {
        let end = generation.end(partition).unwrap_or_default();
        let checkpoints = store.checkpoints(&generation.rules, partition, 0);
        let next = checkpoints.map(|found| found.first().map(|newest| newest.next).unwrap_or_default());
        next.is_ok_and(|next| generation.past_holes(partition, next).0 >= end)
    })
}
