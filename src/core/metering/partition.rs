//! All arrays of one partition, and the buckets and marks that wait for the next checkpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashTable;

use super::array::{ArrayMeter, Marked, MeterReading, name_hash};
use super::bucket::{BucketBatch, SeriesKey};
use super::definition::{Meters, OBSERVED};
use super::held::EventOrder;
use super::series::Workspace;
use crate::core::word::{Hour, Instant, Kind};
use crate::mutation::{Mutation, planted};

/// Most memory for buckets that a partition keeps while it has none: a busy partition's usual checkpoint.
const MAX_RECYCLED_BYTES: usize = 32 << 20;

/// Hours that must be metered again from the ledger, by series.
pub type Marks = BTreeMap<Arc<SeriesKey>, BTreeSet<Hour>>;

/// What a checkpoint has to write.
#[derive(Debug, Default)]
pub struct PutOut {
    /// Buckets metered from memory.
    pub buckets: BucketBatch,
    /// Hours to be metered again from ledger rows below the checkpoint's offset.
    pub marks: Marks,
    /// Those of them that void events touch: a bucket is written even if nothing is left of it.
    pub voided: Marks,
}

/// The metering state of one partition.
#[derive(Debug, Default)]
pub struct PartitionMeter {
    meters: Meters,
    /// Of an array that is heard of for the first time, the ledger may hold readings measured before this; see [`Self::complete_from`].
    complete_from: Option<Instant>,
    arrays: Vec<ArrayMeter>,
    by_name: HashTable<(u64, u32)>,
    touched: Vec<u32>,
    pending: BucketBatch,
    marks: Marks,
    voided: Marks,
    marked_hours: usize,
    scratch: Marked,
    workspace: Workspace,
}

impl PartitionMeter {
    /// A partition without arrays.
    #[must_use]
    pub fn new(meters: Meters) -> Self {
        Self { meters, ..Self::default() }
    }

    /// The definitions in force.
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    /// States that an array without state here has no accepted reading at or after `instant`. It may have older ones, since old arrays
    /// are forgotten and not loaded: an event older than that, which a decision let through, marks its hours.
    pub fn complete_from(&mut self, instant: Instant) {
        self.complete_from = Some(instant).filter(|_| !planted(Mutation::LateAcceptFromMemory));
    }

    /// Takes in an accepted event.
    pub fn accept<'a>(
        &mut self,
        provider: &str,
        array: &str,
        site: Option<&str>,
        order: EventOrder,
        readings: impl Iterator<Item = MeterReading<'a>>,
    ) {
        let number = self.array_of(provider, array);
        let state = &mut self.arrays[number as usize];
        if state.is_first_since_put_out() {
            self.touched.push(number);
        }
        let out = (&mut self.pending, &mut self.scratch);
        state.accept(order, site, readings, &self.meters, out, &mut self.workspace);
        for (series, hour) in self.scratch.drain(..) {
            if self.marks.entry(series).or_default().insert(hour) {
                self.marked_hours += 1;
            }
        }
    }

    /// Marks the hours that a void event of an array touches, which somebody may have metered with it. `readings` name its series.
    pub fn mark_void<'a>(
        &mut self,
        (provider, array): (&str, &str),
        time: Instant,
        readings: impl Iterator<Item = (Kind, &'a str, &'a str)>,
    ) {
        let observed = (Kind::Array, array.to_string(), OBSERVED.to_owned());
        let named = readings.map(|(kind, resource, meter)| (kind, resource.to_owned(), meter.to_owned()));
        for (kind, resource, meter) in named.chain([observed]) {
            let Some(definition) = self.meters.get(&meter) else { continue };
            self.mark_again((provider, array), (kind, &resource, &meter), definition.touched(time));
        }
    }

    /// Marks the hours of a series from the first to the last: their buckets are written again, even if nothing is left of them.
    pub fn mark_again(
        &mut self,
        (provider, array): (&str, &str),
        (kind, resource, meter): (Kind, &str, &str),
        (first, last): (Hour, Hour),
    ) {
        if self.meters.get(meter).is_none() {
            return;
        }
        let (provider, array): (Arc<str>, Arc<str>) = (provider.into(), array.into());
        let key = Arc::new(SeriesKey { provider, array, kind, resource: resource.into(), meter: meter.into() });
        for hour in (first.0..=last.0).map(Hour) {
            self.voided.entry(Arc::clone(&key)).or_default().insert(hour);
            if self.marks.entry(Arc::clone(&key)).or_default().insert(hour) {
                self.marked_hours += 1;
            }
        }
    }

    /// Takes in an event below the checkpoint at which the state is rebuilt. `newest` is its array's newest accepted time.
    pub fn restore<'a>(
        &mut self,
        provider: &str,
        array: &str,
        site: Option<&str>,
        order: EventOrder,
        newest: Instant,
        readings: impl Iterator<Item = MeterReading<'a>>,
    ) {
        let number = self.array_of(provider, array);
        self.arrays[number as usize].restore(order, site, readings, &self.meters, newest);
    }

    /// Everything that has to be written so that the buckets count every event so far. An hour that is marked is left to the
    /// ledger, also where memory had metered it before the marking event came: two rows of one `as_of` must be equal (I7).
    pub fn put_out(&mut self) -> PutOut {
        let mut buckets = std::mem::take(&mut self.pending);
        // by number, so that rows do not depend on which array was heard of first
        self.touched.sort_unstable();
        for number in self.touched.drain(..) {
            self.arrays[number as usize].put_out_all(&mut buckets, &mut self.workspace);
        }
        let marks = std::mem::take(&mut self.marks);
        self.marked_hours = 0;
        if !marks.is_empty() {
            let all = std::mem::take(&mut buckets);
            buckets.append_if(&all, |row| !marks.get(&row.series).is_some_and(|hours| hours.contains(&row.hour)));
        }
        PutOut { buckets, marks, voided: std::mem::take(&mut self.voided) }
    }

    /// Takes back the memory of buckets that were written, for the next ones: to ask the system for it anew at each checkpoint costs
    /// more than metering does. A batch of unusual size is given back to the system instead.
    pub fn recycle(&mut self, mut written: BucketBatch) {
        if self.pending.is_empty() && is_worth_keeping(written.capacity_bytes()) {
            written.clear();
            self.pending = written;
        }
    }

    /// Series-hours marked since the last checkpoint.
    #[must_use]
    pub fn marked_hours(&self) -> usize {
        self.marked_hours
    }

    /// Buckets that wait for the next checkpoint.
    #[must_use]
    pub fn pending_buckets(&self) -> usize {
        self.pending.len()
    }

    /// Series that are live.
    #[must_use]
    pub fn live_series(&self) -> usize {
        self.arrays.iter().map(ArrayMeter::live_series).sum()
    }

    /// Bytes that the live series take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.arrays.iter().map(ArrayMeter::bytes).sum()
    }

    /// Forgets arrays whose newest accepted time is before `floor`: what still can be accepted is too new to touch their hours.
    pub fn forget_arrays(&mut self, floor: Instant) {
        if self.arrays.iter().all(|array| array.newest() >= floor) || !self.touched.is_empty() {
            return;
        }
        self.arrays.retain(|array| array.newest() >= floor);
        self.by_name.clear();
        for (number, array) in self.arrays.iter().enumerate() {
            let hash = array.name_hash();
            self.by_name.insert_unique(hash, (hash, number as u32), |(hash, _)| *hash);
        }
    }

    fn array_of(&mut self, provider: &str, array: &str) -> u32 {
        let hash = name_hash(provider, array);
        let found = self.by_name.find(hash, |&(_, number)| self.arrays[number as usize].is(provider, array));
        if let Some(&(_, number)) = found {
            return number;
        }
        let number = self.arrays.len() as u32;
        self.arrays.push(match self.complete_from {
            Some(instant) => ArrayMeter::complete_from(provider, array, instant),
            None => ArrayMeter::new(provider, array),
        });
        self.by_name.insert_unique(hash, (hash, number), |(hash, _)| *hash);
        number
    }
}

fn is_worth_keeping(bytes: usize) -> bool {
    bytes <= MAX_RECYCLED_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::word::HOUR_MS;

    /// A late accept may concern hours of an array that was forgotten, or that recovery did not load.
    #[test]
    fn memory_is_kept_between_checkpoints_up_to_its_limit() {
        let kept = [MAX_RECYCLED_BYTES - 1, MAX_RECYCLED_BYTES, MAX_RECYCLED_BYTES + 1].map(is_worth_keeping);
        assert_eq!(kept, [true, true, false]);
    }

    #[test]
    fn an_event_older_than_what_is_complete_marks_its_hours() {
        let mut partition = PartitionMeter::new(Meters::default());
        partition.complete_from(Instant(100 * HOUR_MS));
        let mut accept = |hour: i64, offset| {
            let order = EventOrder { instant: Instant(hour * HOUR_MS), recorded: None, generation: 1, offset };
            partition.accept("p", "a", None, order, std::iter::empty());
            let PutOut { buckets, marks, .. } = partition.put_out();
            let observed = |series: &SeriesKey| series.kind == Kind::Array;
            let marked: Vec<i64> = marks
                .iter()
                .filter(|(series, _)| observed(series))
                .flat_map(|(_, hours)| hours.iter().map(|hour| hour.0))
                .collect();
            (marked, buckets.iter().map(|(bucket, _)| bucket.hour.0).collect::<Vec<_>>())
        };
        assert_eq!(accept(50, 0), (vec![50, 51, 52], vec![]), "the ledger may hold its neighbours");
        assert_eq!(accept(100, 1), (vec![], vec![100, 101]), "memory holds all that can matter");
    }
}
