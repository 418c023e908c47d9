//! Buckets metered here, gathered, and held against sums made the slow way.

use super::super::selection::{Grain, selections};
use super::super::usage::{HandOver, LineUsage};
use super::*;
use crate::core::book::model::{Book, Per, Statistic};
use crate::core::event::series_hash;
use crate::core::metering::array::{ArrayMeter, MeterReading};
use crate::core::metering::bucket::{Bucket, BucketCell};
use crate::core::metering::definition::{Definition, MeterKind, Meters};
use crate::core::metering::held::EventOrder;
use crate::core::metering::tag::Tags;
use crate::core::pricing::period::Period;
use crate::core::pricing::sample;
use crate::core::word::Instant;

const HOUR: i64 = 3_600_000;
/// The period of these tests: ten days.
const DAYS: i64 = 240 * HOUR;

/// One volume's reading: array, when, resource, customer, tier, site, value.
type Reading = (&'static str, i64, &'static str, &'static str, &'static str, &'static str, u64);

fn meters() -> Meters {
    let mut meters = Meters::default();
    meters.define("used", Definition::OBSERVED);
    meters.define("fine", Definition { cell_ms: 300_000, ..Definition::OBSERVED });
    meters.define("read", Definition { kind: MeterKind::Delta, ..Definition::OBSERVED });
    meters
}

/// The buckets of each array of provider `p`, in two parts of its hours.
fn metered(readings: &[Reading]) -> Vec<(&'static str, [BucketBatch; 2])> {
    let mut arrays: Vec<&str> = readings.iter().map(|reading| reading.0).collect();
    arrays.sort_unstable();
    arrays.dedup();
    let meter = |array: &'static str| {
        let mut state = ArrayMeter::keeping_all("p", array);
        for (offset, &(_, at, resource, customer, tier, site, value)) in
            readings.iter().enumerate().filter(|(_, reading)| reading.0 == array)
        {
            let order = EventOrder { instant: Instant(at), recorded: None, generation: 1, offset: offset as u64 };
            let reading = |meter| MeterReading {
                kind: Kind::Volume,
                resource,
                meter,
                customer: (!customer.is_empty()).then_some(customer),
                tier: (!tier.is_empty()).then_some(tier),
                value,
                series_hash: series_hash(Kind::Volume, resource, meter),
            };
            let all = ["used", "fine", "read"].map(reading);
            state.restore(order, Some(site), all.into_iter(), &meters(), Instant(i64::MIN));
        }
        let mut halves = [BucketBatch::default(), BucketBatch::default()];
        state.put_out_hours(|_| (0..100).map(Hour), &mut halves[0]);
        state.put_out_hours(|_| (100..400).map(Hour), &mut halves[1]);
        (array, halves)
    };
    arrays.into_iter().map(meter).collect()
}

fn past(readings: &[Reading]) -> Past {
    let mut past = Past::default();
    for &(array, at, _, customer, tier, site, _) in readings {
        let text = |text: &str| (!text.is_empty()).then(|| text.into());
        let tags = Tags { customer: text(customer), tier: text(tier), site: text(site) };
        let own = match past.arrays.iter_mut().find(|own| own.array == array) {
            Some(own) => own,
            None => {
                let (provider, array) = ("p".to_owned(), array.to_owned());
                past.arrays.push(ArrayPast { provider, array, first_reading: Instant(at), borne: Vec::new() });
                past.arrays.last_mut().unwrap()
            }
        };
        own.first_reading = own.first_reading.min(Instant(at));
        for meter in ["used", "fine", "read"] {
            let (kind, meter) = (Kind::Volume, meter.to_owned());
            own.borne.push(Borne { kind, meter, tags: tags.clone(), since: Instant(at) });
        }
    }
    past
}

fn line(meter: &str) -> LineSelection {
    LineSelection {
        line: 0,
        id: "l".to_owned(),
        meter: meter.to_owned(),
        kind: Kind::Volume,
        tier: None,
        statistic: Statistic::Mean,
        provider: "p".to_owned(),
        sites: Vec::new(),
        arrays: Vec::new(),
        customers: None,
        per: None,
        grain: Grain::Window((0..10).map(|day| Instant(day * 24 * HOUR)).collect()),
        from: Instant(0),
        until: Instant(DAYS),
        part: Vec::new(),
        demo: Vec::new(),
    }
}

/// Gathered in one piece, and in two by two gatherers.
fn gathered(lines: &[LineSelection], past: &Past, readings: &[Reading]) -> Vec<LineUsage> {
    let (mut whole, mut first, mut second) =
        (Gather::new(lines, past), Gather::new(lines, past), Gather::new(lines, past));
    for (array, halves) in metered(readings) {
        for (half, part) in halves.iter().zip([&mut first, &mut second]) {
            whole.take("p", array, half).unwrap();
            part.take("p", array, half).unwrap();
        }
    }
    second.add(first).unwrap();
    let whole = whole.finish().unwrap();
    assert_eq!(second.finish().unwrap(), whole, "it does not matter who gathers which hours");
    whole
}

/// Some days of two arrays whose volumes change hands, tier and site now and then.
fn readings() -> Vec<Reading> {
    let mut readings = Vec::new();
    for poll in 0..700i64 {
        for (place, array) in ["a", "b"].into_iter().enumerate() {
            for (volume, resource) in ["v", "w"].into_iter().enumerate() {
                let luck = (poll as u64 + 1) * 2_654_435_761 % 1_000_003 + (place * 7 + volume) as u64;
                let at = poll * 20 * 60_000 + place as i64 * 4_711;
                let customer = ["acme", "", "globex", "ACME"][(luck / 97 % 4) as usize];
                let tier = ["x", "y"][(luck / 31 % 2) as usize];
                let site = ["HAM", "BER"][usize::from(poll > 333)];
                if luck % 11 > 2 {
                    readings.push((array, at, resource, customer, tier, site, luck));
                }
            }
        }
    }
    readings
}

/// The sums of a line by part and slot: every cell looked at for every line.
fn slowly(line: &LineSelection, batches: &[(&'static str, [BucketBatch; 2])]) -> Vec<(String, Vec<(i64, i128)>)> {
    let mut sums: std::collections::BTreeMap<(String, i64), i128> = Default::default();
    let each = |bucket: &Bucket, cell: &BucketCell| -> Option<((String, i64), i128)> {
        let start = bucket.hour.start().0 + i64::from(cell.index) * bucket.definition.cell_ms;
        let slot = match &line.grain {
            Grain::Window(edges) => edges.iter().rev().find(|edge| edge.0 <= start)?.0,
            Grain::Cell => start,
        };
        let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or("").to_owned();
        let is_named = |names: &Vec<String>, name: &str| names.is_empty() || names.iter().any(|one| one == name);
        let demo = line.demo.iter().find(|(array, _)| **array == *bucket.series.array);
        let counts = *bucket.series.meter == *line.meter
            && line.tier.as_ref().is_none_or(|tier| *tier == text(&cell.tags.tier))
            && line.customers.as_ref().is_none_or(|tags| tags.contains(&text(&cell.tags.customer)))
            && is_named(&line.sites, &text(&cell.tags.site))
            && is_named(&line.arrays, &bucket.series.array)
            && demo.is_none_or(|(_, until)| until.is_some_and(|until| until.0 <= start));
        let part = match line.per {
            None => String::new(),
            Some(Per::Array) => bucket.series.array.to_string(),
            Some(Per::Resource) => format!("{}/{}", bucket.series.array, bucket.series.resource),
        };
        (counts && line.from.0 <= start && start < line.until.0).then_some(((part, slot), cell.amount))
    };
    for (bucket, cells) in batches.iter().flat_map(|(_, halves)| halves).flat_map(BucketBatch::iter) {
        for (key, amount) in cells.iter().filter_map(|cell| each(bucket, cell)) {
            *sums.entry(key).or_default() += amount;
        }
    }
    let mut parts: Vec<(String, Vec<(i64, i128)>)> = Vec::new();
    for ((part, slot), amount) in sums {
        match parts.last_mut().filter(|(name, _)| *name == part) {
            Some((_, slots)) => slots.push((slot, amount)),
            None => parts.push((part, vec![(slot, amount)])),
        }
    }
    parts
}

#[test]
fn sums_are_those_of_every_cell_looked_at_for_every_line() {
    let readings = readings();
    let mut lines = Vec::new();
    for meter in ["used", "fine", "read"] {
        for (number, tags) in
            [None, Some(vec!["acme", "ACME"]), Some(vec!["globex"]), Some(vec!["nobody"])].iter().enumerate()
        {
            for per in [None, Some(Per::Array), Some(Per::Resource)] {
                let mut line = LineSelection { per, ..line(meter) };
                line.customers = tags.as_ref().map(|tags| tags.iter().map(|tag| (*tag).to_owned()).collect());
                let cells = LineSelection { grain: Grain::Cell, tier: Some("x".to_owned()), ..line.clone() };
                let windows = vec![Instant(HOUR / 2), Instant(5 * HOUR / 4), Instant(200 * HOUR)];
                let odd = LineSelection {
                    grain: Grain::Window(windows.into()),
                    from: Instant(HOUR / 2),
                    sites: vec!["BER".to_owned()],
                    demo: vec![("b".to_owned(), Some(Instant(150 * HOUR + HOUR / 4)))],
                    ..line.clone()
                };
                let named = LineSelection { arrays: vec!["a".to_owned()], ..line.clone() };
                lines.extend([line, cells, odd, named]);
                assert!(number < 4);
            }
        }
    }
    let (past, batches) = (past(&readings), metered(&readings));
    let usages = gathered(&lines, &past, &readings);
    for (line, usage) in lines.iter().zip(&usages) {
        let parts: Vec<_> = usage
            .parts
            .iter()
            .map(|part| {
                (part.name.clone(), part.slots.iter().map(|slot| (slot.start.0, slot.amount)).collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(parts, slowly(line, &batches), "{line:?}");
        assert!(
            usage
                .parts
                .iter()
                .all(|part| part.known.len() == part.slots.len() * usize::from(line.grain == Grain::Cell))
        );
        let arrays: Vec<&str> = usage.arrays.iter().map(|array| array.array.as_str()).collect();
        let is_nobody = line.customers.as_ref().is_some_and(|tags| tags[0] == "nobody");
        let wanted = if is_nobody { &[][..] } else { &["a", "b"][..if line.arrays.is_empty() { 2 } else { 1 }] };
        assert_eq!(arrays, wanted, "{line:?}");
    }
    assert!(
        usages.iter().filter(|usage| usage.parts.is_empty()).count() < usages.len() / 3,
        "most lines count something"
    );
}

/// `a` hourly until 5:00, then another provider from 5:40 on; `b` changes its tier two minutes before it goes.
#[test]
fn a_hand_over_cuts_levels_and_coverage() {
    let mut readings: Vec<Reading> = (0..=5).map(|hour| ("a", hour * HOUR, "v", "", "t", "s", 6)).collect();
    readings.extend([("b", 4 * HOUR, "v", "", "x", "s", 60), ("b", 5 * HOUR + 120_000, "v", "", "y", "s", 600)]);
    // gone for long when their array is handed over: one has run out a hundred seconds before, the other does two minutes later
    readings.push(("a", 3 * HOUR + 2_300_000, "w", "", "t", "s", 1_000));
    readings.push(("a", 3 * HOUR + 2_520_000, "x", "", "t", "s", 7));
    let mut past = past(&readings);
    let handed = |array: &str, minutes: i64| HandOver { array: array.to_owned(), at: Instant(minutes * 60_000) };
    past.handed_over.insert(("p".to_owned(), Instant(DAYS)), vec![handed("a", 340), handed("b", 304)]);
    let lines = [
        LineSelection { per: Some(Per::Resource), ..line("used") },
        LineSelection { per: Some(Per::Resource), grain: Grain::Cell, ..line("fine") },
        LineSelection { per: Some(Per::Array), ..line("read") },
    ];
    let usages = gathered(&lines, &past, &readings);
    let minutes = |usage: &LineUsage, part: &str| {
        let part = usage.parts.iter().find(|one| one.name == part).unwrap();
        part.slots.iter().map(|slot| slot.amount).sum::<i128>() / 60_000
    };
    for usage in &usages[..2] {
        assert_eq!(minutes(usage, "a/v"), 340 * 6);
        assert_eq!((minutes(usage, "a/w"), minutes(usage, "a/x")), (120 * 1_000, 118 * 7));
        assert_eq!(minutes(usage, "b/v"), 62 * 60 + 2 * 600);
        let observed: Vec<i64> =
            usage.arrays.iter().map(|array| array.observed.iter().map(|(_, ms)| ms / 60_000).sum()).collect();
        assert_eq!(observed, [340, 64]);
        assert_eq!(usage.arrays[1].handed_over, Some(Instant(304 * 60_000)));
    }
    assert_eq!(usages[2].parts[0].slots[0].amount, 6 * 6 + 1_007, "what has flowed has flowed");
    let last =
        usages[1].parts[0].slots.iter().zip(&usages[1].parts[0].known).rfind(|(slot, _)| slot.amount > 0).unwrap();
    assert_eq!((last.0.start.0, last.1.measured_ms), (335 * 60_000, 300_000));
}

#[test]
fn arrays_that_are_silent_are_covered_and_later_ones_are_not() {
    let readings: Vec<Reading> = vec![("a", 0, "v", "acme", "", "s", 1), ("b", DAYS, "v", "acme", "", "s", 1)];
    let past = past(&readings);
    let late =
        LineSelection { from: Instant(24 * HOUR), grain: Grain::Window([Instant(24 * HOUR)].into()), ..line("used") };
    let usages = gathered(&[late.clone(), LineSelection { until: Instant(DAYS + HOUR / 2), ..late }], &past, &readings);
    assert_eq!((usages[0].arrays.len(), usages[0].parts.len()), (1, 0));
    assert_eq!(usages[0].arrays[0].observed, []);
    assert_eq!(usages[1].arrays[1].observed, [(Instant(24 * HOUR), HOUR / 2)]);
}

#[test]
fn the_selections_of_a_book_want_its_period_and_what_may_be_held_of_before() {
    let mut book: Book = sample::northwind();
    let (start, end) = (sample::at("2026-09-01T00:00:00+02:00"), sample::at("2026-10-01T00:00:00+02:00"));
    let period = Period { label: "2026-09".to_owned(), start, end };
    let hours = |book: &Book| {
        let lines = selections(book, "northwind-wholesale", None, &period).unwrap();
        Gather::new(&lines, &Past::default()).hours().unwrap()
    };
    assert_eq!(hours(&book), (start.hour(), end.hour()));
    book.contracts.get_mut("northwind-wholesale").unwrap().lines[1].gap_hold = true;
    assert_eq!(hours(&book), (Hour(start.hour().0 - 72), end.hour()));
}
