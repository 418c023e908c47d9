//! One array's series in memory: readings newer than its newest accepted time less (`max_hold` + 1 h + [`SLACK_MS`]).
//!
//! An hour stays in memory until the array has moved [`SLACK_MS`] past its end; then it is metered once and put out. A reading
//! that arrives for such an hour marks it, and the checkpoint meters it again from the ledger with the same function.

use std::sync::Arc;

use hashbrown::HashTable;

use super::bucket::{BucketBatch, SeriesKey};
use super::cell::Cell;
use super::definition::{Definition, Meters, OBSERVED};
use super::series::{EventOrder, EventRing, Series};
use super::tag::TagTable;
use crate::core::word::{HOUR_MS, Hour, Instant, Kind};

/// How much disorder within an array is absorbed in memory, in milliseconds: pollers retry within minutes.
pub const SLACK_MS: i64 = 15 * 60_000;

/// One reading on its way into its series.
#[derive(Clone, Copy, Debug)]
pub struct MeterReading<'a> {
    /// What is measured.
    pub kind: Kind,
    /// Which one.
    pub resource: &'a str,
    /// The quantity.
    pub meter: &'a str,
    /// The tenant tag.
    pub customer: Option<&'a str>,
    /// The service tier.
    pub tier: Option<&'a str>,
    /// The value in the meter's base unit.
    pub value: u64,
    /// The decoder's hash of (kind, resource, meter).
    pub series_hash: u64,
}

/// Hours that memory cannot meter any more.
pub type Marked = Vec<(Arc<SeriesKey>, Hour)>;

/// The live series of one array.
#[derive(Debug)]
pub struct ArrayMeter {
    provider: Arc<str>,
    array: Arc<str>,
    newest: Instant,
    greatest_hold_ms: i64,
    events: EventRing,
    series: Vec<Series>,
    by_name: HashTable<u32>,
    /// Which series the reading at each place of the last event belonged to: a poll lists its resources in the same order.
    layout: Vec<u32>,
    tags: TagTable,
    rolled: Hour,
    /// Hold every reading whatever its age: the readings of some hours, loaded from the ledger, come in any order.
    keep_all: bool,
    scratch: Vec<Cell>,
}

impl ArrayMeter {
    /// An array that nothing was accepted of yet.
    #[must_use]
    pub fn new(provider: &str, array: &str) -> Self {
        Self {
            provider: provider.into(),
            array: array.into(),
            newest: Instant(i64::MIN),
            greatest_hold_ms: Definition::OBSERVED.max_hold_ms,
            events: EventRing::default(),
            series: Vec::new(),
            by_name: HashTable::new(),
            layout: Vec::new(),
            tags: TagTable::default(),
            rolled: Hour(i64::MIN / HOUR_MS),
            keep_all: false,
            scratch: Vec::new(),
        }
    }

    /// An array that holds whatever it is given, for hours that are metered again from the ledger.
    #[must_use]
    pub fn keeping_all(provider: &str, array: &str) -> Self {
        Self { keep_all: true, ..Self::new(provider, array) }
    }

    /// Whether this is the array of that name.
    #[must_use]
    pub fn is(&self, provider: &str, array: &str) -> bool {
        *self.array == *array && *self.provider == *provider
    }

    /// Where this array lies in a table of arrays.
    #[must_use]
    pub fn name_hash(&self) -> u64 {
        super::partition::name_hash(&self.provider, &self.array)
    }

    /// The newest accepted time.
    #[must_use]
    pub fn newest(&self) -> Instant {
        self.newest
    }

    /// How many series are live.
    #[must_use]
    pub fn live_series(&self) -> usize {
        self.by_name.len()
    }

    /// Bytes that the array's series take in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.series.iter().map(Series::bytes).sum::<usize>() + self.by_name.capacity() * 5 + self.layout.capacity() * 4
    }

    /// The last hour that memory cannot meter any more when the newest accepted time is `newest`.
    fn closed(newest: Instant) -> Hour {
        Hour(newest.plus_ms(-SLACK_MS).hour().0 - 1)
    }

    /// Readings at or before this instant are not needed for any hour after [`Self::closed`].
    fn floor(&self, newest: Instant, hold_ms: i64) -> Instant {
        if self.keep_all { Instant(i64::MIN) } else { newest.plus_ms(-(hold_ms + HOUR_MS + SLACK_MS)) }
    }

    /// Takes in an accepted event. Hours that leave memory by it go to `out`, hours that had left before go to `marked`.
    pub fn accept<'a>(
        &mut self,
        order: EventOrder,
        site: Option<&str>,
        readings: impl Iterator<Item = MeterReading<'a>>,
        meters: &Meters,
        out: &mut BucketBatch,
        marked: &mut Marked,
    ) {
        if order.instant > self.newest {
            self.roll(order.instant, out);
        }
        let closed = Self::closed(self.newest);
        self.take_in(order, site, readings, meters, |series, (from, to)| {
            let open_from = from.max(Hour(closed.0 + 1));
            marked.extend((from.0..=to.min(closed).0).map(|hour| (Arc::clone(&series.key), Hour(hour))));
            if open_from <= to {
                series.mark(open_from, to);
            }
        });
    }

    /// Takes in an event that is accounted for already: no hour becomes dirty. For recovery, where the newest time comes first.
    pub fn restore<'a>(
        &mut self,
        order: EventOrder,
        site: Option<&str>,
        readings: impl Iterator<Item = MeterReading<'a>>,
        meters: &Meters,
        newest: Instant,
    ) {
        self.newest = self.newest.max(newest).max(order.instant);
        self.rolled = self.rolled.max(Self::closed(self.newest));
        self.take_in(order, site, readings, meters, |_, _| {});
    }

    fn take_in<'a>(
        &mut self,
        order: EventOrder,
        site: Option<&str>,
        readings: impl Iterator<Item = MeterReading<'a>>,
        meters: &Meters,
        mut touch: impl FnMut(&mut Series, (Hour, Hour)),
    ) {
        let event = self.events.push(order);
        let array = Arc::clone(&self.array);
        let observed = MeterReading {
            kind: Kind::Array,
            resource: &array,
            meter: OBSERVED,
            customer: None,
            tier: None,
            value: 1,
            series_hash: 0,
        };
        self.take_reading(0, event, order.instant, site, &observed, meters, &mut touch);
        for (place, reading) in readings.enumerate() {
            self.take_reading(place + 1, event, order.instant, site, &reading, meters, &mut touch);
        }
    }

    #[allow(clippy::too_many_arguments)] // the inner loop of metering, called in one place
    fn take_reading(
        &mut self,
        place: usize,
        event: u32,
        instant: Instant,
        site: Option<&str>,
        reading: &MeterReading<'_>,
        meters: &Meters,
        touch: &mut impl FnMut(&mut Series, (Hour, Hour)),
    ) {
        let Some(number) = self.series_of(place, reading, meters) else { return };
        let floor = self.floor(self.newest, self.series[number as usize].definition.max_hold_ms);
        let series = &mut self.series[number as usize];
        let touched = series.touched(instant);
        touch(series, touched);
        if instant > floor {
            let tags = self.tags.intern(series.newest_tags(), reading.customer, reading.tier, site);
            series.insert(event, tags, reading.value, floor, &self.events);
        }
    }

    /// The number of a reading's series, made if it is new; `None` if nobody has defined its meter.
    fn series_of(&mut self, place: usize, reading: &MeterReading<'_>, meters: &Meters) -> Option<u32> {
        let same = |series: &Series| {
            series.hash == reading.series_hash
                && series.key.kind == reading.kind
                && *series.key.resource == *reading.resource
                && *series.key.meter == *reading.meter
        };
        if let Some(&guess) = self.layout.get(place)
            && same(&self.series[guess as usize])
        {
            return Some(guess);
        }
        let found = self.by_name.find(reading.series_hash, |&number| same(&self.series[number as usize])).copied();
        let number = match found {
            Some(number) => number,
            None => self.open_series(reading, meters.get(reading.meter)?),
        };
        if self.layout.len() <= place {
            self.layout.resize(place + 1, number);
        }
        self.layout[place] = number;
        Some(number)
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
        self.series.push(Series::new(Arc::new(key), reading.series_hash, *definition));
        self.by_name.insert_unique(reading.series_hash, number, |&other| self.series[other as usize].hash);
        number
    }

    /// Moves the newest accepted time on: hours that leave memory are metered first, while their readings are still here.
    fn roll(&mut self, newest: Instant, out: &mut BucketBatch) {
        let closed = Self::closed(newest);
        if closed > self.rolled {
            self.put_out(closed, out);
            for number in 0..self.series.len() {
                let floor = self.floor(newest, self.series[number].definition.max_hold_ms);
                self.series[number].evict(floor, &self.events);
            }
            self.events.evict(self.floor(newest, self.greatest_hold_ms));
            self.forget_idle();
            self.rolled = closed;
        }
        self.newest = newest;
    }

    /// Meters every dirty hour up to `limit` into `out`.
    pub fn put_out(&mut self, limit: Hour, out: &mut BucketBatch) {
        for series in &mut self.series {
            for hour in series.take_dirty(limit) {
                series.meter_hour(hour, &self.events, &mut self.scratch);
                out.push(&series.key, &series.definition, hour, &self.scratch, &self.tags);
            }
        }
    }

    /// Meters hours of what is held, dirty or not: `wanted` says of a series which. For readings loaded from the ledger.
    pub fn put_out_hours<'h, I>(&mut self, wanted: impl Fn(&SeriesKey) -> I, out: &mut BucketBatch)
    where
        I: Iterator<Item = Hour> + 'h,
    {
        for series in &self.series {
            for hour in wanted(&series.key) {
                series.meter_hour(hour, &self.events, &mut self.scratch);
                out.push(&series.key, &series.definition, hour, &self.scratch, &self.tags);
            }
        }
    }

    /// Drops series that hold nothing (deleted resources) and tag sets that nothing uses, so that neither grows without end.
    fn forget_idle(&mut self) {
        let idle = self.series.iter().filter(|series| series.is_idle()).count();
        if idle > 16 && idle * 4 > self.series.len() {
            self.series.retain(|series| !series.is_idle());
            self.layout.clear();
            self.by_name.clear();
            for (number, series) in self.series.iter().enumerate() {
                self.by_name.insert_unique(series.hash, number as u32, |&other| self.series[other as usize].hash);
            }
        }
        if self.tags.len() > 64 + 4 * self.series.len() {
            let mut used = vec![false; self.tags.len()];
            self.series.iter().for_each(|series| series.note_tags(&mut used));
            let renumbered = self.tags.retain(&used);
            self.series.iter_mut().for_each(|series| series.renumber_tags(&renumbered));
        }
    }
}
