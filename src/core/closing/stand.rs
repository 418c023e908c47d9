//! Whether the checkpoints of a provider's partitions reach past the end of a period (DESIGN §7).

use std::collections::BTreeMap;

use super::hole::Hole;
use crate::core::cut::{CutPoint, Stand};
use crate::core::decision::stream::{Generation, StreamRegister};
use crate::core::word::{Instant, Offset, Partition, StreamId};

/// Where the logs of open partitions end, as Kafka said after the period's grace.
pub type Ends = BTreeMap<(StreamId, Partition), Offset>;

/// The checkpoints that a close of one provider rests on: those of its own streams and of streams that are nobody's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footing {
    /// The cut that they make, by stream and partition.
    pub cut: Vec<CutPoint>,
    /// Up to which decision, exclusive, all of them reflect the control log: a close's `after`. None if no partition is open.
    pub after: Option<Offset>,
    /// What keeps them from it.
    pub holes: Vec<Hole>,
}

/// Whether records of a provider can lie in a stream.
#[must_use]
pub fn may_hold(generation: &Generation, provider: &str) -> bool {
    generation.rules.provider.as_deref().is_none_or(|own| own == provider)
}

/// What the newest checkpoints say of a provider: each partition's log time has to be at `needs`, or its checkpoint at the end of its log.
#[must_use]
pub fn footing(streams: &StreamRegister, provider: &str, stands: &[Stand], ends: &Ends, needs: Instant) -> Footing {
    let mut footing = Footing::default();
    for generation in streams.all().filter(|generation| may_hold(generation, provider)) {
        for number in 0..generation.rules.partitions {
            let partition = Partition(number);
            let is_own =
                |stand: &&Stand| stand.point.stream == generation.rules.stream && stand.point.partition == partition;
            footing.add(generation, partition, stands.iter().find(is_own), ends, needs);
        }
    }
    footing.cut.sort();
    footing
}

impl Footing {
    fn add(
        &mut self,
        generation: &Generation,
        partition: Partition,
        stand: Option<&Stand>,
        ends: &Ends,
        needs: Instant,
    ) {
        let stream = generation.rules.stream.clone();
        let behind = |at, needs| Hole::Behind { stream: stream.clone(), partition, at, needs };
        if let Some(end) = generation.end(partition) {
            // what lies past the end is void, and the successor has metered its arrays again
            let next = stand.map_or(Offset(0), |stand| stand.point.offset);
            if next < end {
                self.holes.push(Hole::Unfinished { stream, partition, at: next, end });
            } else if end.0 > 0 {
                self.cut.push(CutPoint { stream, partition, offset: end });
            }
            return;
        }
        let end = ends.get(&(stream.clone(), partition));
        let Some(stand) = stand else {
            // nothing was ever in it: idle partitions do not block
            if end != Some(&Offset(0)) {
                self.holes.push(behind(None, needs));
            }
            return;
        };
        if stand.log_time < needs && end != Some(&stand.point.offset) {
            self.holes.push(behind(Some(stand.log_time), needs));
        }
        self.after = Some(self.after.map_or(stand.control, |after| after.min(stand.control)));
        self.cut.push(stand.point.clone());
    }
}
