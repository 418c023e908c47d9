//! PRICING's worked numbers, priced as contracts.

use proptest::prelude::*;

use super::error::RateError;
use super::period::{Period, period};
use super::rating::{Rating, rate as rated};
use super::row_kind::RowKind;
use super::sample::*;
use super::selection::selections;
use super::usage::{Known, LineUsage, PartUsage, Slot};
use crate::core::book::model::*;
use crate::core::word::Instant;

fn run(book: &Book, label: &str, usages: &[LineUsage]) -> Rating {
    let period = period(&book.contracts["c"], label).unwrap();
    rated(book, "c", None, &period, usages).unwrap()
}

fn span(label: &str) -> Period {
    period(&one(graduated(three())).contracts["c"], label).unwrap()
}

/// A whole month at one level.
fn level(label: &str, thousandths: i128) -> LineUsage {
    let period = span(label);
    pool(period.start, period.end, |_| thousandths * TIB / 1000)
}

/// September: 95, 110, 130 TiB for ten days each.
fn three_levels() -> LineUsage {
    northwind_september().remove(0)
}

fn amounts(rating: &Rating) -> Vec<String> {
    rating.rows.iter().map(|row| rating.currency.show(row.amount)).collect()
}

fn quantities(rating: &Rating) -> Vec<String> {
    rating.rows.iter().map(|row| row.quantity.unwrap().to_string()).collect()
}

fn contract_of(book: &mut Book) -> &mut Contract {
    book.contracts.get_mut("c").unwrap()
}

#[test]
fn own_01_graduated() {
    let rating = run(&one(graduated(three())), "2026-09", &[level("2026-09", 620_500)]);
    assert_eq!(amounts(&rating), ["3000.00", "11000.00", "3012.50"]);
    assert_eq!(rating.subtotal, 1_701_250);
}

#[test]
fn own_04_05_volume() {
    let volume = |bands| Price::Bands { mode: Mode::Volume, by_day: false, bands };
    assert_eq!(amounts(&run(&one(volume(three())), "2026-09", &[level("2026-09", 500_000)])), ["13750.00"]);
    let above = level("2026-09", 500_001);
    assert_eq!(amounts(&run(&one(volume(three())), "2026-09", &[above])), ["12500.02"]);
}

#[test]
fn own_08_09_10_overage() {
    let bursts = || bands(&[("20%", "27"), ("", "40.5")]);
    let priced = |price| {
        let mut book = one(price);
        contract_of(&mut book).lines[0].commitment = commit("100");
        run(&book, "2026-09", &[three_levels()])
    };
    let day = priced(committed("24", true, bursts()));
    assert_eq!(amounts(&day), ["2400.00", "270.00", "135.00"]);
    assert_eq!(quantities(&day), ["100", "10", "3.333333"]);
    assert_eq!(day.rows[0].used.unwrap().to_string(), "98.333334");
    assert_eq!(day.rows[0].unused.unwrap().to_string(), "1.666666");
    let one_price = priced(committed("24", true, bands(&[("", "27")])));
    assert_eq!(amounts(&one_price), ["2400.00", "360.00"]);
    let whole = priced(committed("24", false, bursts()));
    assert_eq!(
        (amounts(&whole), quantities(&whole)),
        (vec!["2400.00".into(), "315.00".into()], vec!["100".into(), "11.666667".into()])
    );
}

#[test]
fn own_11_a_day_of_23_hours() {
    let period = span("2026-03");
    let (day, next) = (at("2026-03-29T00:00:00+01:00"), at("2026-03-30T00:00:00+02:00"));
    let usage =
        pool(period.start, period.end, |start| if start >= day && start < next { 120 * TIB } else { 100 * TIB });
    let mut book = one(committed("24", true, bands(&[("", "27")])));
    contract_of(&mut book).lines[0].commitment = commit("100");
    assert_eq!(quantities(&run(&book, "2026-03", &[usage])), ["100", "0.619112"]);
}

#[test]
fn commitment_that_rises_inside_the_period() {
    let run_with = |by_day| {
        let mut book = one(committed("24", by_day, bands(&[("", "27")])));
        let from = Some(at("2026-09-20T12:00:00+02:00"));
        contract_of(&mut book).lines[0].commitment =
            vec![Commitment { from: None, quantity: dec("100") }, Commitment { from, quantity: dec("150") }];
        quantities(&run(&book, "2026-09", &[level("2026-09", 130_000)]))
    };
    assert_eq!(run_with(true), ["117.5", "19.5"]);
    assert_eq!(run_with(false), ["117.5", "12.5"]);
}

#[test]
fn acme_from_the_17th_of_march() {
    let prices = graduated(bands(&[("10", "49"), ("50", "45"), ("", "41")]));
    let mut book =
        retail(vec![rate("block", Charge::Usage(usage_rate(prices))), rate("platform", Charge::Fee(dec("90")))]);
    let contract = contract_of(&mut book);
    contract.from = at("2026-03-17T12:00:00+01:00");
    contract.half_up = true;
    contract.deal = Some(Deal { reference: "Q-118".into(), percent: dec("10"), from: None, until: None });
    contract.tax = Some(Tax { percent: dec("19"), note: None });
    let rating = run(&book, "2026-03", &[level("2026-03", 40_000)]);
    assert_eq!(amounts(&rating), ["441.00", "351.58", "37.83"]);
    assert_eq!(quantities(&rating), ["10", "8.681023", "0.467025572"]);
    assert_eq!(rating.subtotal, 83_041);
    assert_eq!(rating.tax(rating.subtotal, &Tax { percent: dec("19"), note: None }).unwrap(), 15_778);
}

#[test]
fn own_15_a_price_that_changes() {
    let mut book = one(graduated(bands(&[("100", "100"), ("", "92")])));
    let mut later = rate("u", Charge::Usage(usage_rate(graduated(bands(&[("100", "90"), ("", "80")])))));
    later.from = Some(BookDate::Day(chrono::NaiveDate::from_ymd_opt(2026, 9, 11).unwrap()));
    book.cards.get_mut("card").unwrap().rates.push(later);
    let rating = run(&book, "2026-09", &[level("2026-09", 120_000)]);
    assert_eq!(quantities(&rating), ["33.333333", "6.666667", "66.666667", "13.333333"]);
    assert_eq!(amounts(&rating), ["3333.33", "613.33", "6000.00", "1066.67"]);
    let nothing = run(&book, "2026-09", &[LineUsage::default()]);
    assert_eq!((nothing.rows.len(), nothing.rows[0].list_price.unwrap().to_string()), (1, "90".to_owned()));
}

#[test]
fn own_16_minimum() {
    let mut book = retail(vec![rate("a", Charge::Fee(dec("1515"))), rate("b", Charge::Fee(dec("148.15")))]);
    contract_of(&mut book).minimum = Some(dec("5000"));
    assert_eq!(amounts(&run(&book, "2026-09", &[])), ["1515.00", "148.15", "3336.85"]);
    contract_of(&mut book).minimum = None;
    contract_of(&mut book).maximum = Some(dec("1600"));
    assert_eq!(amounts(&run(&book, "2026-09", &[])), ["1515.00", "148.15", "-63.15"]);
}

#[test]
fn own_13_minimum_by_seconds() {
    let mut book = one(graduated(bands(&[("", "24")])));
    contract_of(&mut book).from = at("2026-03-17T12:00:00+01:00");
    contract_of(&mut book).minimum = Some(dec("5000"));
    assert_eq!(run(&book, "2026-03", &[LineUsage::default()]).subtotal, 233_513);
}

#[test]
fn own_21_22_months() {
    let quantity = |unit: &str| {
        let mut usage = usage_rate(graduated(bands(&[("", "0.02")])));
        usage.unit = unit.to_owned();
        quantities(&run(&retail(vec![rate("u", Charge::Usage(usage))]), "2026-02", &[level("2026-02", 1000)]))
    };
    assert_eq!(quantity("GiB-month@730h"), ["942.641096"]);
    assert_eq!(quantity("GiB-month"), ["1024"]);
}

/// Slots in which one level is known all the time.
fn whole(slots: &[Slot]) -> Vec<Known> {
    let known = |slot: &Slot| Known {
        measured_ms: slot.length_ms,
        last: u64::try_from(slot.amount / i128::from(slot.length_ms)).unwrap(),
    };
    slots.iter().map(known).collect()
}

#[test]
fn own_23_coverage_and_hold() {
    let period = span("2026-09");
    let gone = |start: Instant| start >= at("2026-09-10T00:00:00+02:00") && start < at("2026-09-12T00:00:00+02:00");
    let mut usage = pool(period.start, period.end, |start| if gone(start) { 0 } else { 100 * TIB });
    usage.arrays[0].observed.retain(|(start, _)| !gone(*start));
    (usage.parts[0].name, usage.parts[0].known) = ("a/vol-1".to_owned(), whole(&usage.parts[0].slots));
    let mut book = one(graduated(bands(&[("", "1")])));
    let rating = run(&book, "2026-09", std::slice::from_ref(&usage));
    assert_eq!(quantities(&rating), ["93.333333"]);
    assert_eq!((rating.coverage.unwrap().to_string().as_str(), rating.rows[0].estimated), ("0.933333", false));
    contract_of(&mut book).lines[0].gap_hold = true;
    let rating = run(&book, "2026-09", &[usage]);
    assert_eq!((quantities(&rating), rating.rows[0].estimated), (vec!["100".to_owned()], true));
    assert_eq!(rating.coverage.unwrap().to_string(), "0.933333");
}

#[test]
fn a_gap_is_held_for_three_days_at_most() {
    let period = span("2026-09");
    let gone = |start: Instant| start >= at("2026-09-10T00:00:00+02:00") && start < at("2026-09-16T00:00:00+02:00");
    let mut usage = pool(period.start, period.end, |start| if gone(start) { 0 } else { 100 * TIB });
    usage.arrays[0].observed.retain(|(start, _)| !gone(*start));
    (usage.parts[0].name, usage.parts[0].known) = ("a/vol-1".to_owned(), whole(&usage.parts[0].slots));
    let mut book = one(graduated(bands(&[("", "1")])));
    contract_of(&mut book).lines[0].gap_hold = true;
    assert_eq!(quantities(&run(&book, "2026-09", &[usage])), ["90"]);
}

#[test]
fn own_24_25_p95_and_peak() {
    let mut usage = usage_rate(graduated(bands(&[("", "1")])));
    (usage.unit, usage.statistic) = ("TiB".to_owned(), Statistic::Peak);
    let book = retail(vec![rate("u", Charge::Usage(usage.clone()))]);
    assert_eq!(quantities(&run(&book, "2026-09", &[three_levels()])), ["130"]);
    usage.statistic = Statistic::P95;
    let book = retail(vec![rate("u", Charge::Usage(usage))]);
    assert_eq!(quantities(&run(&book, "2026-09", &[three_levels()])), ["130"]);
}

#[test]
fn parts_are_rounded_once_per_band() {
    let period = span("2026-09");
    let part = |name: &str, level: i128| PartUsage {
        name: name.to_owned(),
        slots: slots(period.start, period.end, |_| level * TIB),
        known: Vec::new(),
    };
    let usage = LineUsage { parts: vec![part("a", 80), part("b", 150)], arrays: Vec::new() };
    let mut book = one(graduated(three()));
    assert_eq!(run(&book, "2026-09", std::slice::from_ref(&usage)).subtotal, 657_500);
    contract_of(&mut book).lines[0].per = Some(Per::Array);
    let rating = run(&book, "2026-09", &[usage]);
    assert_eq!((rating.subtotal, rating.rows[0].parts, rating.rows[1].parts), (677_500, Some(2), Some(1)));
    assert_eq!(rating.coverage, None);
}

#[test]
fn flats_packages_and_capacity() {
    let band = |up_to: Option<&str>, price: Option<&str>, per: Option<&str>, flat: Option<&str>| Band {
        up_to: up_to.map(|edge| Edge::Quantity(dec(edge))),
        price: price.map(dec),
        per: per.map(dec),
        flat: flat.map(dec),
    };
    let total = |mode, bands: &[Band], thousandths| {
        let price = Price::Bands { mode, by_day: false, bands: bands.to_vec() };
        run(&one(price), "2026-09", &[level("2026-09", thousandths)]).subtotal
    };
    let flats = [
        band(Some("5"), None, None, Some("100")),
        band(Some("10"), None, None, Some("50")),
        band(None, Some("10"), None, None),
    ];
    let graduated = |bands: &[Band], q| total(Mode::Graduated, bands, q);
    assert_eq!([0, 5_000, 5_001, 12_000].map(|q| graduated(&flats, q)), [10_000, 10_000, 15_000, 17_000]);
    let capacity = [band(Some("1000"), None, None, Some("750")), band(None, None, None, Some("1200"))];
    assert_eq!([0, 1_000_000, 1_000_001].map(|q| total(Mode::Volume, &capacity, q)), [75_000, 75_000, 120_000]);
    let packages = [band(None, Some("5"), Some("20"), None)];
    assert_eq!([45_000, 40_001].map(|q| graduated(&packages, q)), [1_500, 1_500]);
    let free = [band(Some("10"), Some("0"), None, None), band(None, Some("100"), Some("10"), None)];
    assert_eq!(graduated(&free, 121_000), 120_000);
}

#[test]
fn plain_bands_by_day_split_each_window() {
    let price = Price::Bands { mode: Mode::Graduated, by_day: true, bands: bands(&[("100", "10"), ("", "1")]) };
    let rating = run(&one(price), "2026-09", &[three_levels()]);
    assert_eq!(quantities(&rating), ["98.333334", "13.333333"]);
}

#[test]
fn every_customer_but_while_it_has_a_contract_of_its_own() {
    let mut book = one(graduated(three()));
    let mut own = book.contracts["c"].clone();
    own.from = at("2026-03-17T12:00:00+01:00");
    contract_of(&mut book).buyer = Buyer::EachCustomer;
    book.contracts.insert("own".to_owned(), own);
    let march = span("2026-03");
    let selected = selections(&book, "c", Some("acme"), &march).unwrap().remove(0);
    assert_eq!((selected.from, selected.until), (march.start, at("2026-03-17T12:00:00+01:00")));
    assert_eq!(selected.customers, Some(vec!["acme".to_owned(), "ACME".to_owned()]));
    let unknown = selections(&book, "c", Some("globex"), &march).unwrap().remove(0);
    assert_eq!((unknown.until, unknown.customers), (march.end, Some(vec!["globex".to_owned()])));
    assert_eq!(selections(&book, "c", None, &march), Err(RateError::CustomerNeeded("c".to_owned())));
    let april = span("2026-04");
    assert!(matches!(selections(&book, "c", Some("acme"), &april), Err(RateError::NotInForce { .. })));
    let rating = rated(&book, "c", Some("acme"), &march, &[level("2026-03", 40_000)]).unwrap();
    assert_eq!(quantities(&rating), ["21.318977"]);
}

#[test]
fn refusals_name_their_row() {
    let book = one(graduated(bands(&[("", "70000000000000")])));
    let september = span("2026-09");
    let mut usage = level("2026-09", 1000);
    usage.parts[0].slots[0].amount = i128::MAX / 2;
    let error = rated(&book, "c", None, &september, &[usage]).unwrap_err();
    assert_eq!(error.to_string(), "row u: a number is out of range");
    let error = rated(&book, "c", None, &september, &[]).unwrap_err();
    assert_eq!(error, RateError::Usages { given: 0, wanted: 1 });
    let label = |text| period(&book.contracts["c"], text);
    assert!(["2026", "2026-13", "26-01", "2026-1", "+026-01"].iter().all(|text| label(text).is_err()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rows_are_the_quantity_and_the_total(
        days in prop::collection::vec(0i128..400 * TIB, 30),
        by_day in any::<bool>(),
        is_committed in any::<bool>(),
    ) {
        let price = if is_committed {
            committed("23.999999999", by_day, bands(&[("12.5%", "27"), ("55.5%", "26.1"), ("", "40.5")]))
        } else {
            Price::Bands { mode: Mode::Graduated, by_day, bands: three() }
        };
        let mut book = one(price);
        contract_of(&mut book).lines[0].commitment = commit("133.333333");
        let period = span("2026-09");
        let usage = pool(period.start, period.end, |start| days[((start.0 - period.start.0) / 86_400_000) as usize]);
        let rating = run(&book, "2026-09", &[usage]);
        prop_assert_eq!(rating.subtotal, rating.rows.iter().map(|row| row.amount).sum::<i128>());
        let sum: i128 = days.iter().sum();
        let exact = num_rational::Ratio::new(sum, 30 * TIB);
        let of = |kind| rating.rows.iter().filter(|row| row.kind == kind).map(|row| row.quantity.unwrap().mantissa).sum::<i128>();
        let billed = if is_committed { rating.rows[0].used.unwrap().nano() + of(RowKind::Overage) } else { of(RowKind::Usage) };
        let distance = exact * 1_000_000_000 - num_rational::Ratio::from(billed);
        prop_assert!(distance * 2 <= 3_000.into() && distance * 2 >= (-3_000).into(), "{} {}", exact, billed);
        if is_committed {
            prop_assert_eq!(rating.rows[0].used.unwrap().nano() + rating.rows[0].unused.unwrap().nano(), 133_333_333_000);
        } else {
            prop_assert!(distance * 2 <= 1_000.into() && distance * 2 >= (-1_000).into());
        }
    }
}
