//! What is due, from what was sent and where Kafka put it. It decodes nothing and shares no code with the product: a disposition is looked
//! for among all events before it, a gauge is walked in steps of ten seconds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::event::{Poll, Sent, What, array_name};
use super::log::Placed;
use super::slice::{ARRAYS, TICK_S};

/// How long a gauge holds, and how old the predecessor of a counter may be.
pub const HOLD_S: i64 = 7200;
const CELL_S: i64 = 900;
/// Between the two instants that the slices use, now and half a year ago, lies the acceptance window.
pub const WINDOW: &str = "100d";

/// A record's disposition, with the reason if it is quarantined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub disposition: &'static str,
    pub reason: Option<&'static str>,
}

/// Which cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellKey {
    pub start_s: i64,
    pub array: String,
    pub kind: String,
    pub resource: String,
    pub customer: String,
    pub meter: String,
}

/// (amount, milliseconds observed): the integral of a gauge in bytes · ms, the increase of a counter, the sum of a delta.
pub type Cells = BTreeMap<CellKey, (i128, i64)>;

/// The order of an array's events: instant, recorded time with absent first, offset.
type Order = (i64, Option<i64>, i64);

/// One series' readings in order: value and customer.
type Series<'a> = BTreeMap<Order, (u64, &'a str)>;

#[derive(Default)]
pub struct Oracle {
    /// Accepted events, by array.
    accepted: BTreeMap<u64, BTreeMap<Order, Poll>>,
    /// The same by identity.
    identities: HashMap<(u64, String), Poll>,
    defined: BTreeSet<&'static str>,
    /// All cells that are due.
    pub cells: Cells,
    /// Records by disposition.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Oracle {
    /// The disposition due to the next record of the log. `now_s` is when it was appended, to the minute.
    pub fn judge(&mut self, sent: &Sent, placed: &Placed, now_s: i64) -> Due {
        let due = self.due(sent, now_s);
        *self.counts.entry(due.disposition).or_default() += 1;
        if let (What::Poll(poll), "accepted") = (&sent.what, due.disposition) {
            self.identities.insert((poll.array, poll.id.clone()), poll.clone());
            let order = (poll.time_s, poll.recorded_s, placed.offset);
            self.accepted.entry(poll.array).or_default().insert(order, poll.clone());
        }
        due
    }

    fn due(&self, sent: &Sent, now_s: i64) -> Due {
        let quarantined = |reason| Due { disposition: "quarantined", reason: Some(reason) };
        let plain = |disposition| Due { disposition, reason: None };
        let poll = match &sent.what {
            What::Flawed(reason) => return quarantined(reason),
            What::Poll(poll) => poll,
        };
        match self.identities.get(&(poll.array, poll.id.clone())) {
            Some(seen) if (seen.time_s, &seen.readings) == (poll.time_s, &poll.readings) => plain("duplicate"),
            Some(_) => quarantined("conflict"),
            None if poll.time_s > now_s + 86_400 => quarantined("future"),
            None if poll.time_s < now_s - 110 * 86_400 => plain("late"),
            None => plain("accepted"),
        }
    }

    /// A meter is defined from now on: what was accepted before is metered too.
    pub fn define(&mut self, meter: &'static str) {
        self.defined.insert(meter);
    }

    /// Computes the cells of [from, to), whole hours, again, from all that is accepted.
    pub fn meter(&mut self, from_s: i64, to_s: i64) {
        self.cells.retain(|key, _| key.start_s < from_s || key.start_s >= to_s);
        let mut cells = Cells::new();
        for array in 0..ARRAYS {
            let Some(events) = self.accepted.get(&array) else { continue };
            for (kind, resource, meter) in series_of(array) {
                if meter != "$observed" && !self.defined.contains(meter) {
                    continue;
                }
                let series = series(events, (kind, &resource, meter), (from_s - 2 * HOLD_S, to_s));
                let mut add = |at_s: i64, customer: &str, amount: i128, observed_ms: i64| {
                    let key = CellKey {
                        start_s: at_s.div_euclid(CELL_S) * CELL_S,
                        array: array_name(array),
                        kind: kind.to_owned(),
                        resource: resource.clone(),
                        customer: customer.to_owned(),
                        meter: meter.to_owned(),
                    };
                    let cell = cells.entry(key).or_default();
                    *cell = (cell.0 + amount, cell.1 + observed_ms);
                };
                match meter {
                    "used" | "$observed" => gauge(&series, from_s, to_s, &mut add),
                    "read" => counter(&series, from_s, to_s, &mut add),
                    _ => series
                        .range((from_s, None, 0)..(to_s, None, 0))
                        .for_each(|((at, ..), (value, customer))| add(*at, customer, i128::from(*value), 0)),
                }
            }
        }
        self.cells.append(&mut cells);
    }
}

fn series_of(array: u64) -> [(&'static str, String, &'static str); 6] {
    let volume = |name: &str, meter| ("volume", name.to_owned(), meter);
    [
        ("array", array_name(array), "used"),
        ("array", array_name(array), "$observed"),
        volume("v1", "used"),
        volume("v2", "used"),
        volume("v1", "read"),
        volume("v1", "written"),
    ]
}

fn series<'a>(
    events: &'a BTreeMap<Order, Poll>,
    (kind, resource, meter): (&str, &str, &str),
    (from_s, to_s): (i64, i64),
) -> Series<'a> {
    let value = |poll: &'a Poll| {
        if meter == "$observed" {
            return Some((1, ""));
        }
        let own = |reading: &&super::event::Reading| {
            (reading.kind, &*reading.resource, reading.meter) == (kind, resource, meter)
        };
        poll.readings.iter().find(own).map(|reading| (reading.value, reading.customer.unwrap_or_default()))
    };
    let inside = events.range((from_s, None, 0)..(to_s, None, 0));
    inside.filter_map(|(order, poll)| Some((*order, value(poll)?))).collect()
}

/// Whichever reading is in force at each step.
fn gauge(series: &Series<'_>, from_s: i64, to_s: i64, add: &mut impl FnMut(i64, &str, i128, i64)) {
    for at in (from_s..to_s).step_by(TICK_S as usize) {
        let in_force = series.range(..=(at, Some(i64::MAX), i64::MAX)).next_back();
        if let Some(((since, ..), (value, customer))) = in_force
            && at < since + HOLD_S
        {
            add(at, customer, i128::from(*value) * i128::from(TICK_S * 1000), TICK_S * 1000);
        }
    }
}

/// At each instant, the growth since the instant before it.
fn counter(series: &Series<'_>, from_s: i64, to_s: i64, add: &mut impl FnMut(i64, &str, i128, i64)) {
    // of equal instants the last one stays
    let instants: BTreeMap<i64, (u64, &str)> = series.iter().map(|((at, ..), reading)| (*at, *reading)).collect();
    for (at, (value, customer)) in instants.range(from_s..to_s) {
        let before = instants.range(at - HOLD_S..*at).next_back();
        let grown = before.map_or(0, |(_, (before, _))| if value < before { *value } else { value - before });
        add(*at, customer, i128::from(grown), 0);
    }
}

/// The whole hours that hold every cell which events in [first, last] can change.
pub fn hours_of(first_s: i64, last_s: i64) -> (i64, i64) {
    (first_s.div_euclid(3600) * 3600, ((last_s + HOLD_S).div_euclid(3600) + 1) * 3600)
}
