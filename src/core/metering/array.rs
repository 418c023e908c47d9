//! One array's readings in memory: those newer than its newest accepted time less (`max_hold` + 1 h + [`SLACK_MS`]).
//!
//! An hour stays in memory until the array has moved [`SLACK_MS`] past its end; then it is metered once and put out. A reading
//! that arrives for such an hour marks it, and the checkpoint meters it again from the ledger with the same function.

mod place;
mod put_out;

use std::sync::Arc;

use hashbrown::HashTable;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use place::Place;

use super::bucket::{BucketBatch, SeriesKey};
use super::definition::{Definition, Meters, OBSERVED};
use super::held::{EventOrder, HeldEvent, HeldEvents};
use super::series::{Series, Workspace};
use super::tag::TagTable;
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
}

/// Where an array lies in the table of arrays.
#[must_use]
pub fn name_hash(provider: &str, array: &str) -> u64 {
    xxh3_64_with_seed(array.as_bytes(), xxh3_64(provider.as_bytes()))
}
