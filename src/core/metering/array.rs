//! One array's readings in memory: those newer than its newest accepted time less (`max_hold` + 1 h + [`SLACK_MS`]).
//!
//! An hour stays in memory until the array has moved [`SLACK_MS`] past its end; then it is metered once and put out. A reading
//! that arrives for such an hour marks it, and the checkpoint meters it again from the ledger with the same function.

use std::sync::Arc;

use hashbrown::HashTable;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::bucket::{BucketBatch, SeriesKey};
use super::definition::{Definition, Meters, OBSERVED};
use super::held::{EventOrder, Held, HeldEvent, HeldEvents};
use super::series::{Gathered, Series, Workspace};
use super::tag::{TagId, TagTable};
use crate::core::event::series_hash;
use crate::core::word::{HOUR_MS, Hour, Instant, Kind};
use crate::mutation::{Mutation, planted};

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
    /// The decoder's hash of (kind, resource, meter): 128 bits name a series within its array.
    pub series_hash: u128,
}

/// Hours that memory cannot meter any more.
pub type Marked = Vec<(Arc<SeriesKey>, Hour)>;

/// What stood at one place of the last event. A poll lists its resources in the same order, so this is nearly always right.
#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u128,
    /// The series; [`UNMETERED`] if nobody has defined the meter.
    series: u32,
    tags: TagId,
}

const UNMETERED: u32 = u32::MAX;

/// The live series of one array.
#[derive(Debug)]
pub struct ArrayMeter {
    provider: Arc<str>,
    array: Arc<str>,
    newest: Instant,
    greatest_hold_ms: i64,
    events: HeldEvents,
    series: Vec<Series>,
    by_name: HashTable<u32>,
    layout: Vec<Place>,
    tags: TagTable,
    /// Hours up to this one have left memory.
    closed: Hour,
    /// Whether something was accepted since everything was put out.
    is_touched: bool,
    /// Hold every reading whatever its age: the readings of some hours, loaded from the ledger, come in any order.
    keep_all: bool,
    observed_hash: u128,
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
            events: HeldEvents::default(),
            series: Vec::new(),
            by_name: HashTable::new(),
            layout: Vec::new(),
            tags: TagTable::default(),
            closed: Hour(i64::MIN / HOUR_MS),
            is_touched: false,
            keep_all: false,
            observed_hash: series_hash(Kind::Array, array, OBSERVED),
        }
    }

    /// An array of which memory may lack readings measured before `complete_from`: hours before that are metered from the ledger.
    #[must_use]
    pub fn complete_from(provider: &str, array: &str, complete_from: Instant) -> Self {
        Self { closed: Hour(complete_from.hour().0 - 1), ..Self::new(provider, array) }
    }

    /// An array that holds whatever it is given, for hours that are metered again from the ledger.
    #[must_use]
    pub fn keeping_all(provider: &str, array: &str) -> Self {
        Self { keep_all: true, ..Self::new(provider, array) }
    }

    /// Whether nothing was accepted since everything was put out; from now on something was.
    pub fn is_first_since_put_out(&mut self) -> bool {
        !std::mem::replace(&mut self.is_touched, true)
    }

    /// Whether this is the array of that name.
    #[must_use]
    pub fn is(&self, provider: &str, array: &str) -> bool {
        *self.array == *array && *self.provider == *provider
    }

    /// Where this array lies in a table of arrays.
    #[must_use]
    pub fn name_hash(&self) -> u64 {
        name_hash(&self.provider, &self.array)
    }

    /// The newest accepted time.
    #[must_use]
    pub fn newest(&self) -> Instant {
        self.newest
    }

    /// How many series are live.
    #[must_use]
    pub fn live_series(&self) -> usize {
        self.series.len()
    }

    /// Bytes that the array's series take in memory, their readings included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let tables = self.by_name.capacity() * 5 + self.layout.capacity() * size_of::<Place>();
        self.series.iter().map(Series::bytes).sum::<usize>() + self.events.bytes() + tables
    }

    /// The last hour that memory cannot meter any more when the newest accepted time is `newest`.
    fn closed_by(newest: Instant) -> Hour {
        Hour(newest.plus_ms(-SLACK_MS).hour().0 - 1)
    }

    /// Readings at or before this instant are not needed for any hour after [`Self::closed_by`].
    fn floor(&self, newest: Instant) -> Instant {
        match self.keep_all {
            true => Instant(i64::MIN),
            false => newest.plus_ms(-(self.greatest_hold_ms + HOUR_MS + SLACK_MS)),
        }
    }

    /// Takes in an accepted event. Hours that leave memory by it go to `out`, hours that had left before go to `marked`.
    pub fn accept<'a>(
        &mut self,
        order: EventOrder,
        site: Option<&str>,
        readings: impl Iterator<Item = MeterReading<'a>>,
        meters: &Meters,
        (out, marked): (&mut BucketBatch, &mut Marked),
        workspace: &mut Workspace,
    ) {
        if order.instant > self.newest {
            self.move_on(order.instant, out, workspace);
        }
        let event = self.taken_in(order, site, readings, meters, true);
        if order.instant.hour() <= self.closed && !planted(Mutation::MarksNotMade) {
            for held in &event.readings {
                let series = &self.series[held.series as usize];
                let (from, to) = series.touched(order.instant);
                let to = if planted(Mutation::MarkOwnHourOnly) { from } else { to };
                marked.extend((from.0..=to.min(self.closed).0).map(|hour| (Arc::clone(&series.key), Hour(hour))));
            }
        }
        self.hold(event);
    }

    /// Takes in an event that is accounted for already: nothing becomes due by it. For recovery, where the newest time comes first.
    pub fn restore<'a>(
        &mut self,
        order: EventOrder,
        site: Option<&str>,
        readings: impl Iterator<Item = MeterReading<'a>>,
        meters: &Meters,
        newest: Instant,
    ) {
        self.newest = self.newest.max(newest).max(order.instant);
        self.closed = self.closed.max(Self::closed_by(self.newest));
        let event = self.taken_in(order, site, readings, meters, false);
        if self.keep_all || !planted(Mutation::BucketsAsState) {
            self.hold(event);
        }
    }

    fn hold(&mut self, event: HeldEvent) {
        if event.order.instant > self.floor(self.newest) {
            self.events.insert(event);
        }
    }

    fn taken_in<'a>(
        &mut self,
        order: EventOrder,
        site: Option<&str>,
        readings: impl Iterator<Item = MeterReading<'a>>,
        meters: &Meters,
        fresh: bool,
    ) -> HeldEvent {
        let mut event = HeldEvent { order, fresh, readings: Vec::with_capacity(1 + readings.size_hint().0) };
        let array = Arc::clone(&self.array);
        let (kind, series_hash) = (Kind::Array, self.observed_hash);
        let observed =
            MeterReading { kind, resource: &array, meter: OBSERVED, customer: None, tier: None, value: 1, series_hash };
        let observed = self.held(0, &observed, site, meters);
        event.readings.extend(observed.filter(|_| !planted(Mutation::ObservedForgotten)));
        for (place, reading) in readings.enumerate() {
            event.readings.extend(self.held(place + 1, &reading, site, meters));
        }
        event
    }

    /// A reading as it is held; none if nobody has defined its meter.
    fn held(&mut self, place: usize, reading: &MeterReading<'_>, site: Option<&str>, meters: &Meters) -> Option<Held> {
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

    /// Moves the newest accepted time on: hours that leave memory are metered first, while their readings are still here.
    fn move_on(&mut self, newest: Instant, out: &mut BucketBatch, workspace: &mut Workspace) {
        let closed = Self::closed_by(newest);
        if closed > self.closed {
            self.put_out(closed, out, workspace);
            self.closed = closed;
            self.events.evict(self.floor(newest));
            self.forget_idle();
        }
        self.newest = newest;
    }

    /// Meters the hours up to `limit` that fresh events touch, into `out`.
    fn put_out(&mut self, limit: Hour, out: &mut BucketBatch, workspace: &mut Workspace) {
        // what has left memory was put out or marked
        let open = Hour(self.closed.0.saturating_add(1));
        let from = Instant(open.0.saturating_mul(HOUR_MS));
        self.find_due((open, limit), from.plus_ms(-self.greatest_hold_ms), &mut workspace.due);
        let until = Instant(limit.0.saturating_add(1).saturating_mul(HOUR_MS));
        workspace.gathered.gather(self.series.len(), &self.events, (from, until), self.greatest_hold_ms);
        for (number, (series, due)) in self.series.iter().zip(&workspace.due).enumerate() {
            let Some((first, last)) = *due else { continue };
            for hour in (first.0..=last.0).map(Hour) {
                workspace.gathered.meter_hour(number, &series.definition, hour, &mut workspace.cells);
                out.push(&series.key, &series.definition, hour, &workspace.cells, &self.tags);
            }
        }
    }

    /// Of each series the first and the last hour between `open` and `limit` that fresh readings touch. The last events are looked at
    /// first: a poll or two of the hour that is closing tell all there is to know, as a rule.
    fn find_due(&self, (open, limit): (Hour, Hour), oldest: Instant, due: &mut Vec<Option<(Hour, Hour)>>) {
        due.clear();
        due.resize(self.series.len(), None);
        let mut unsettled = self.series.len();
        for event in self.events.back_from(Instant(i64::MAX), oldest).filter(|event| event.fresh) {
            for held in &event.readings {
                let due = &mut due[held.series as usize];
                if *due == Some((open, limit)) {
                    continue;
                }
                let (from, to) = self.series[held.series as usize].touched(event.order.instant);
                let (from, to) = (from.max(open), to.min(limit));
                if from <= to {
                    *due = Some(due.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
                    unsettled -= usize::from(*due == Some((open, limit)));
                }
            }
            if unsettled == 0 {
                break;
            }
        }
    }

    /// Meters everything that is due into `out`: for a checkpoint. Nothing is due after it.
    pub fn put_out_all(&mut self, out: &mut BucketBatch, workspace: &mut Workspace) {
        self.put_out(Hour(i64::MAX), out, workspace);
        self.is_touched = false;
        self.events.iter_mut().for_each(|event| event.fresh = false);
    }

    /// Meters hours of what is held, due or not: `wanted` says of a series which. For readings loaded from the ledger.
    pub fn put_out_hours<I: Iterator<Item = Hour>>(&self, wanted: impl Fn(&SeriesKey) -> I, out: &mut BucketBatch) {
        let (mut gathered, mut cells) = (Gathered::default(), Vec::new());
        gathered.gather(self.series.len(), &self.events, (Instant(i64::MIN), Instant(i64::MAX)), 0);
        for (number, series) in self.series.iter().enumerate() {
            for hour in wanted(&series.key) {
                gathered.meter_hour(number, &series.definition, hour, &mut cells);
                out.push(&series.key, &series.definition, hour, &cells, &self.tags);
            }
        }
    }

    /// Drops series without a held reading (deleted resources) and tag sets that nothing uses, so that neither grows without end.
    fn forget_idle(&mut self) {
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

/// Where an array lies in the table of arrays.
#[must_use]
pub fn name_hash(provider: &str, array: &str) -> u64 {
    xxh3_64_with_seed(array.as_bytes(), xxh3_64(provider.as_bytes()))
}
