//! A live series, and the readings of an array gathered by series.

use std::ops::Range;
use std::sync::Arc;

use super::bucket::SeriesKey;
use super::cell::{Cell, Sample, meter};
use super::definition::{Definition, MeterKind};
use super::held::HeldEvent;
use crate::core::word::{Hour, Instant};

/// A live series. Its readings lie with the array's events.
#[derive(Debug)]
pub struct Series {
    /// Its name.
    pub key: Arc<SeriesKey>,
    /// The hash of (kind, resource, meter) that the decoder computes.
    pub hash: u128,
    /// The meter's definition.
    pub definition: Definition,
}

impl Series {
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

    /// Bytes that this series takes in memory, its name included, its readings not.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of::<SeriesKey>() + 16 + self.key.resource.len()
    }
}

/// Held readings in the order of series, then of the meter function: one counting sort instead of a list per series that every
/// reading would have to find in memory.
#[derive(Debug, Default)]
pub struct Gathered {
    samples: Vec<Sample>,
    ends: Vec<u32>,
}

impl Gathered {
    /// Gathers the readings of `events`, which lie in the order of the meter function.
    pub fn gather<'e>(&mut self, series: usize, events: impl Iterator<Item = &'e HeldEvent> + Clone) {
        self.ends.clear();
        self.ends.resize(series + 1, 0);
        events.clone().flat_map(|event| &event.readings).for_each(|held| self.ends[held.series as usize + 1] += 1);
        for place in 1..=series {
            self.ends[place] += self.ends[place - 1];
        }
        let none = Sample { instant: Instant(0), value: 0, tags: super::tag::TagId(0) };
        self.samples.clear();
        self.samples.resize(self.ends[series] as usize, none);
        for event in events {
            for held in &event.readings {
                let place = &mut self.ends[held.series as usize];
                self.samples[*place as usize] =
                    Sample { instant: event.order.instant, value: held.value, tags: held.tags };
                *place += 1;
            }
        }
    }

    /// Where the readings of a series lie. The sort has moved each end to where the next series began.
    fn range(&self, series: usize) -> Range<usize> {
        let start = if series == 0 { 0 } else { self.ends[series - 1] as usize };
        start..self.ends[series] as usize
    }

    /// Whether a series has no reading here.
    #[must_use]
    pub fn is_empty(&self, series: usize) -> bool {
        self.range(series).is_empty()
    }

    /// Applies the meter function to one hour of a series.
    pub fn meter_hour(&self, series: usize, definition: &Definition, hour: Hour, cells: &mut Vec<Cell>) {
        cells.clear();
        let samples = &self.samples[self.range(series)];
        let before = samples.partition_point(|sample| sample.instant < hour.start());
        // the predecessor is enough: what lies before it neither holds into the hour nor is compared with a reading of it
        meter(samples[before.saturating_sub(1)..].iter().copied(), definition, hour, cells);
    }
}
