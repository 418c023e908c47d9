//! Which series a reading belongs to, by its place in the event: series and tag sets have numbers, made when they are first read and given back
//! once nothing is held of them.

use std::sync::Arc;

use super::{ArrayMeter, MeterReading};
use crate::core::metering::bucket::SeriesKey;
use crate::core::metering::definition::{Definition, Meters};
use crate::core::metering::held::Held;
use crate::core::metering::series::Series;
use crate::core::metering::tag::TagId;

/// What stood at one place of the last event. A poll lists its resources in the same order, so this is nearly always right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    hash: u128,
    /// The series; [`UNMETERED`] if nobody has defined the meter.
    series: u32,
    tags: TagId,
}

const UNMETERED: u32 = u32::MAX;

impl ArrayMeter {
    /// A reading as it is held; none if nobody has defined its meter.
    pub(super) fn held(
        &mut self,
        place: usize,
        reading: &MeterReading<'_>,
        site: Option<&str>,
        meters: &Meters,
    ) -> Option<Held> {
        let known = self.layout.get(place).copied().filter(|known| known.hash == reading.series_hash);
        let series = known.map_or_else(|| self.series_of(reading, meters), |known| known.series);
        let tags = match series {
            UNMETERED => TagId(0),
            _ => self.tags.intern(known.map(|known| known.tags), reading.customer, reading.tier, site),
        };
        let noted = Place { hash: reading.series_hash, series, tags };
        match self.layout.get_mut(place) {
            Some(known) => *known = noted,
            None => self.layout.push(noted),
        }
        (series != UNMETERED).then_some(Held { series, tags, value: reading.value })
    }

    /// The number of a reading's series, made if it is new.
    fn series_of(&mut self, reading: &MeterReading<'_>, meters: &Meters) -> u32 {
        let hash = reading.series_hash;
        let found = self.by_name.find(hash as u64, |&number| self.series[number as usize].hash == hash).copied();
        match (found, meters.get(reading.meter)) {
            (Some(number), _) => number,
            (None, Some(definition)) => self.open_series(reading, definition),
            (None, None) => UNMETERED,
        }
    }

    fn open_series(&mut self, reading: &MeterReading<'_>, definition: &Definition) -> u32 {
        let meter = self.series.iter().rev().find(|series| *series.key.meter == *reading.meter);
        let key = SeriesKey {
            provider: Arc::clone(&self.provider),
            array: Arc::clone(&self.array),
            kind: reading.kind,
            resource: reading.resource.into(),
            meter: meter.map_or_else(|| reading.meter.into(), |series| Arc::clone(&series.key.meter)),
        };
        self.greatest_hold_ms = self.greatest_hold_ms.max(definition.max_hold_ms);
        let number = self.series.len() as u32;
        self.series.push(Series { key: Arc::new(key), hash: reading.series_hash, definition: *definition });
        self.by_name
            .insert_unique(reading.series_hash as u64, number, |&other| self.series[other as usize].hash as u64);
        number
    }

    /// Drops series without a held reading (deleted resources) and tag sets that nothing uses, so that neither grows without end.
    pub(super) fn forget_idle(&mut self) {
        let mut new_number = vec![UNMETERED; self.series.len()];
        let mut used_tags = vec![false; self.tags.len()];
        for held in self.events.iter().flat_map(|event| &event.readings) {
            new_number[held.series as usize] = 0;
            used_tags[held.tags.0 as usize] = true;
        }
        let live = new_number.iter().filter(|number| **number == 0).count();
        let few = |used: usize, all: usize| all > 16 + used + used / 4;
        if !few(live, self.series.len()) && !few(used_tags.iter().filter(|used| **used).count(), self.tags.len()) {
            return;
        }
        for (number, kept) in (0..).zip(new_number.iter_mut().filter(|number| **number == 0)) {
            *kept = number;
        }
        let mut place = 0;
        self.series.retain(|_| {
            place += 1;
            new_number[place - 1] != UNMETERED
        });
        let new_tags = self.tags.retain(&used_tags);
        for held in self.events.iter_mut().flat_map(|event| &mut event.readings) {
            held.series = new_number[held.series as usize];
            held.tags = TagId(new_tags[held.tags.0 as usize]);
        }
        self.layout.clear();
        self.by_name.clear();
        for (number, series) in self.series.iter().enumerate() {
            self.by_name
                .insert_unique(series.hash as u64, number as u32, |&other| self.series[other as usize].hash as u64);
        }
    }
}
