//! A live series, and the readings of an array gathered by series.

use std::ops::Range;
use std::sync::Arc;

use super::bucket::SeriesKey;
use super::cell::{Cell, Sample, meter};
use super::definition::Definition;
use super::held::{Held, HeldEvent, HeldEvents};
use crate::core::word::{Hour, Instant};
use crate::mutation::{Mutation, planted};

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
        self.definition.touched(instant)
    }

    /// Bytes that this series takes in memory, its name included, its readings not.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of::<SeriesKey>() + 16 + self.key.resource.len()
    }
}

/// What metering an array's hours works in; kept from one array to the next, so that none of it is allocated again and again.
#[derive(Debug, Default)]
pub struct Workspace {
    /// The first and last hour of each series that fresh readings touch.
    pub due: Vec<Option<(Hour, Hour)>>,
    /// The readings by series.
    pub gathered: Gathered,
    /// The cells of one hour.
    pub cells: Vec<Cell>,
}

/// Held readings in the order of series, then of the meter function: one counting sort instead of a list per series that every
/// reading would have to find in memory.
#[derive(Debug, Default)]
pub struct Gathered {
    samples: Vec<Sample>,
    ends: Vec<u32>,
    before: Vec<Option<Sample>>,
}

impl Gathered {
    /// Gathers the readings measured in [from, until), and of each series the last one before `from` if that is at most
    /// `hold_ms` older: what lies before it neither holds into a later hour nor is compared with a later reading.
    pub fn gather(&mut self, series: usize, events: &HeldEvents, (from, until): (Instant, Instant), hold_ms: i64) {
        self.find_before(series, events, from, hold_ms);
        let inside = events.between(from, until);
        self.ends.clear();
        self.ends.push(0);
        self.ends.extend(self.before.iter().map(|before| u32::from(before.is_some())));
        inside.clone().flat_map(|event| &event.readings).for_each(|held| self.ends[held.series as usize + 1] += 1);
        for place in 1..=series {
            self.ends[place] += self.ends[place - 1];
        }
        self.samples.clear();
        self.samples.resize(self.ends[series] as usize, Sample { instant: from, value: 0, tags: super::tag::TagId(0) });
        for (number, before) in self.before.iter().enumerate().filter_map(|(number, before)| Some((number, (*before)?)))
        {
            self.samples[self.ends[number] as usize] = before;
            self.ends[number] += 1;
        }
        for event in inside {
            for held in &event.readings {
                let place = &mut self.ends[held.series as usize];
                self.samples[*place as usize] = sample(event, held);
                *place += 1;
            }
        }
    }

    /// The last reading of each series before `from`. Polls list the same resources, so one or two events have them all.
    fn find_before(&mut self, series: usize, events: &HeldEvents, from: Instant, hold_ms: i64) {
        self.before.clear();
        self.before.resize(series, None);
        let mut missing = if planted(Mutation::PredecessorForgotten) { 0 } else { series };
        for event in events.back_from(from, from.plus_ms(-hold_ms)) {
            if missing == 0 {
                break;
            }
            for held in &event.readings {
                let before = &mut self.before[held.series as usize];
                if before.is_none() {
                    *before = Some(sample(event, held));
                    missing -= 1;
                }
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

fn sample(event: &HeldEvent, held: &Held) -> Sample {
    Sample { instant: event.order.instant, value: held.value, tags: held.tags }
}
