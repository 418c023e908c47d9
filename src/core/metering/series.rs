//! The newest readings of one series, in the order of the meter function, and the hours that they have made dirty.

use std::collections::VecDeque;
use std::sync::Arc;

use super::bucket::SeriesKey;
use super::cell::{Cell, Sample, meter};
use super::definition::{Definition, MeterKind};
use super::tag::TagId;
use crate::core::word::{Hour, Instant};

/// When and where an event came: the order of its readings among those of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventOrder {
    /// When it was measured.
    pub instant: Instant,
    /// When the collector says it was recorded; absent sorts first.
    pub recorded: Option<Instant>,
    /// The generation of its stream.
    pub generation: u32,
    /// Its offset.
    pub offset: u64,
}

/// The events that an array's series still refer to, by a number that counts up.
#[derive(Debug, Default)]
pub struct EventRing {
    events: VecDeque<EventOrder>,
    first: u32,
}

impl EventRing {
    /// Adds an event and returns its number.
    pub fn push(&mut self, event: EventOrder) -> u32 {
        self.events.push_back(event);
        self.first.wrapping_add(self.events.len() as u32 - 1)
    }

    /// The event with this number.
    #[must_use]
    pub fn get(&self, number: u32) -> &EventOrder {
        &self.events[number.wrapping_sub(self.first) as usize]
    }

    /// Forgets the oldest-arrived events that were measured at or before `floor`.
    pub fn evict(&mut self, floor: Instant) {
        while self.events.front().is_some_and(|event| event.instant <= floor) {
            self.events.pop_front();
            self.first = self.first.wrapping_add(1);
        }
    }
}

/// One held reading: 16 bytes, since a series at 5-minute polls holds about 40 of them.
#[derive(Clone, Copy, Debug)]
struct Held {
    event: u32,
    tags: TagId,
    value: u64,
}

/// A live series.
#[derive(Debug)]
pub struct Series {
    /// Its name.
    pub key: Arc<SeriesKey>,
    /// The hash of (kind, resource, meter) that the decoder computes.
    pub hash: u64,
    /// The meter's definition.
    pub definition: Definition,
    readings: VecDeque<Held>,
    /// Hours to meter at the next checkpoint, both ends included; over-full is harmless, since an hour metered again is equal.
    dirty: Option<(Hour, Hour)>,
}

/// Held readings grow by this many at a time: doubling would waste a third of the bytes that a series may take.
const GROWTH: usize = 8;

impl Series {
    /// A series without readings.
    #[must_use]
    pub fn new(key: Arc<SeriesKey>, hash: u64, definition: Definition) -> Self {
        Self { key, hash, definition, readings: VecDeque::new(), dirty: None }
    }

    /// The tags of the newest reading: the best guess for those of the next.
    #[must_use]
    pub fn newest_tags(&self) -> Option<TagId> {
        self.readings.back().map(|held| held.tags)
    }

    /// Puts a reading in its place and forgets those measured at or before `floor`.
    pub fn insert(&mut self, event: u32, tags: TagId, value: u64, floor: Instant, events: &EventRing) {
        // only when full: looking at the oldest reading each time would be one more cache miss a reading
        if self.readings.len() == self.readings.capacity() {
            self.evict(floor, events);
            if self.readings.len() == self.readings.capacity() {
                self.readings.reserve_exact(GROWTH);
            }
        }
        let held = Held { event, tags, value };
        let order = events.get(event);
        if self.readings.back().is_none_or(|back| events.get(back.event) < order) {
            self.readings.push_back(held);
        } else {
            let place = self.readings.partition_point(|other| events.get(other.event) < order);
            self.readings.insert(place, held);
        }
    }

    /// The hours whose buckets a reading at `instant` can change.
    #[must_use]
    pub fn touched(&self, instant: Instant) -> (Hour, Hour) {
        let last = match self.definition.kind {
            // its area, or the increase of a successor, reaches up to max_hold further
            MeterKind::Gauge | MeterKind::Counter => instant.plus_ms(self.definition.max_hold_ms).hour(),
            MeterKind::Delta => instant.hour(),
        };
        (instant.hour(), last)
    }

    /// Marks hours to be metered from memory.
    pub fn mark(&mut self, from: Hour, to: Hour) {
        self.dirty = Some(self.dirty.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
    }

    /// Takes the marked hours up to `limit` away.
    pub fn take_dirty(&mut self, limit: Hour) -> impl Iterator<Item = Hour> + use<> {
        let taken = self.dirty.filter(|(first, _)| *first <= limit);
        if let Some((_, last)) = taken {
            self.dirty = (last > limit).then(|| (Hour(limit.0 + 1), last));
        }
        taken.into_iter().flat_map(move |(first, last)| (first.0..=last.min(limit).0).map(Hour))
    }

    /// Applies the meter function to one hour of what is held.
    pub fn meter_hour(&self, hour: Hour, events: &EventRing, cells: &mut Vec<Cell>) {
        cells.clear();
        let before = self.readings.partition_point(|held| events.get(held.event).instant < hour.start());
        // the predecessor is enough: what lies before it neither holds into the hour nor is compared with a reading of it
        let samples = self.readings.range(before.saturating_sub(1)..).map(|held| Sample {
            instant: events.get(held.event).instant,
            value: held.value,
            tags: held.tags,
        });
        meter(samples, &self.definition, hour, cells);
    }

    /// Forgets readings measured at or before `floor`.
    pub fn evict(&mut self, floor: Instant, events: &EventRing) {
        while self.readings.front().is_some_and(|held| events.get(held.event).instant <= floor) {
            self.readings.pop_front();
        }
    }

    /// Whether nothing is held and nothing is to be metered.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.readings.is_empty() && self.dirty.is_none()
    }

    /// Notes the tag sets in use.
    pub fn note_tags(&self, used: &mut [bool]) {
        self.readings.iter().for_each(|held| used[held.tags.0 as usize] = true);
    }

    /// Follows a renumbering of the tag sets.
    pub fn renumber_tags(&mut self, renumbered: &[u32]) {
        self.readings.iter_mut().for_each(|held| held.tags = TagId(renumbered[held.tags.0 as usize]));
    }

    /// Bytes that this series takes in memory, its name included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of::<SeriesKey>()
            + 16
            + self.key.resource.len()
            + self.readings.capacity() * size_of::<Held>()
    }
}
