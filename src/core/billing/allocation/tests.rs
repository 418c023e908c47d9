//! PRICING §11's numbers, and what holds of every allocation.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::core::billing::document::Document;
use crate::core::billing::proof::{Proof, Versions};
use crate::core::billing::statement::document;
use crate::core::pricing::period::period;
use crate::core::pricing::rating::rate;
use crate::core::pricing::sample::{northwind, northwind_september};

fn northwind_document() -> Document {
    let book = northwind();
    let september = period(&book.contracts["northwind-wholesale"], "2026-09").unwrap();
    let rating = rate(&book, "northwind-wholesale", None, &september, &northwind_september()).unwrap();
    let proof = Proof { cut: Vec::new(), after: 0, versions: Versions { fold: 1, rate: 1 } };
    document(&book, "sha256:00", "northwind-wholesale", None, &september, &rating, &proof).unwrap()
}

fn weights(wholesale: i128, tagged: &[(&str, i128)]) -> LineWeights {
    let tagged = tagged.iter().map(|(id, weight)| ((*id).to_owned(), *weight)).collect();
    LineWeights { wholesale, tagged, one: 1_000_000 }
}

/// Sums by customer of the amounts of some rows.
fn by_customer(parts: &[Allocated], counts: impl Fn(&Allocated) -> bool) -> BTreeMap<&str, i128> {
    let mut sums = BTreeMap::new();
    for part in parts.iter().filter(|part| counts(part)) {
        *sums.entry(part.customer.as_deref().unwrap_or("")).or_default() += part.amount;
    }
    sums
}

#[test]
fn the_worked_numbers() {
    assert_eq!(split(-1_000, &[1, 1, 1]), Ok(vec![-334, -333, -333]));
    assert_eq!(split(255_760, &[61_500_000, 42_250_000, 7_916_667]), Ok(vec![140_859, 96_769, 18_132]));
    assert_eq!(split(100, &[0, 0]), Ok(vec![0, 100]));
    assert!(split(1, &[]).is_err() && split(i128::MIN, &[1]).is_err());
}

#[test]
fn every_row_of_a_document_is_split() {
    let document = northwind_document();
    // 111.666667 TiB-months of block, of which 61.5 and 42.25 are tagged; of file more is tagged than the array says
    let lines = BTreeMap::from([
        ("block-premium".to_owned(), weights(111_666_667, &[("acme", 61_500_000), ("beta", 42_250_000)])),
        ("file-standard".to_owned(), weights(42_250_000, &[("beta", 30_000_000), ("gamma", 13_000_000)])),
    ]);
    let shares = BTreeMap::from([("support".to_owned(), vec!["block-premium".to_owned(), "file-standard".to_owned()])]);
    let parts = allocate(&document, &lines, &shares).unwrap();
    for row in &document.rows {
        let own: Vec<&Allocated> = parts.iter().filter(|part| part.no == row.no).collect();
        assert_eq!(
            own.iter().map(|part| part.amount).sum::<i128>(),
            Figure::parse(&row.amount).unwrap().minor(2).unwrap(),
            "I18"
        );
        let quantity = own.iter().map(|part| part.quantity.unwrap()).sum::<i128>();
        assert_eq!(quantity, Figure::parse(row.quantity.as_deref().unwrap()).unwrap().minor(9).unwrap());
        assert_eq!(own.last().unwrap().customer, None, "what is unallocated comes last");
    }
    // the rows of block alone come to PRICING's 2,557.60, split a row at a time
    let block = by_customer(&parts, |part| part.line.as_deref() == Some("block-premium"));
    assert_eq!(block, BTreeMap::from([("acme", 140_859), ("beta", 96_769), ("", 18_132)]));
    let file = by_customer(&parts, |part| part.line.as_deref() == Some("file-standard"));
    assert_eq!(file, BTreeMap::from([("beta", 40_315), ("gamma", 17_470), ("", 0)]));
    let over: Vec<(usize, i128)> =
        parts.iter().filter(|part| part.over_attributed > 0).map(|part| (part.no, part.over_attributed)).collect();
    assert_eq!(over, [(4, 750_000_000)], "43 - 42.25, once");
    // 125.42 as 1408.59 : 1370.84 : 174.70 : 181.32; of the last two cents the second goes to acme, .4494 against .4470
    let share = by_customer(&parts, |part| part.kind == "share");
    assert_eq!(share, BTreeMap::from([("acme", 5_635), ("beta", 5_483), ("gamma", 699), ("", 725)]));
}

#[test]
fn what_has_nothing_to_be_split_by_is_unallocated() {
    let parts = allocate(&northwind_document(), &BTreeMap::new(), &BTreeMap::new()).unwrap();
    assert!(parts.iter().all(|part| part.customer.is_none()) && parts.len() == 5);
    let wrong = BTreeMap::from([("block-premium".to_owned(), weights(1, &[("acme", -1)]))]);
    let error = allocate(&northwind_document(), &wrong, &BTreeMap::new()).unwrap_err();
    assert!(matches!(error, AllocationError::Negative(line) if line == "block-premium"));
}

#[test]
fn a_correction_keeps_its_sign() {
    let mut document = northwind_document();
    for row in &mut document.rows {
        (row.amount, row.quantity) = (format!("-{}", row.amount), row.quantity.as_ref().map(|text| format!("-{text}")));
    }
    let lines = BTreeMap::from([("block-premium".to_owned(), weights(10, &[("acme", 6), ("beta", 3)]))]);
    let shares = BTreeMap::from([("support".to_owned(), vec!["block-premium".to_owned()])]);
    let parts = allocate(&document, &lines, &shares).unwrap();
    assert!(parts.iter().all(|part| part.amount <= 0 && part.quantity.unwrap() <= 0 && part.weight >= 0));
    let share = by_customer(&parts, |part| part.kind == "share");
    assert_eq!(share, BTreeMap::from([("acme", -7_525), ("beta", -3_763), ("", -1_254)]));
}

proptest! {
    #[test]
    fn parts_sum_keep_the_sign_and_are_within_one_of_their_share(
        amount in -10i128.pow(15)..10i128.pow(15),
        weights in prop::collection::vec(0i128..10i128.pow(24), 1..40),
    ) {
        let parts = split(amount, &weights).unwrap();
        prop_assert_eq!(parts.iter().sum::<i128>(), amount);
        let whole: i128 = weights.iter().sum();
        for (part, weight) in parts.iter().zip(&weights) {
            prop_assert!(part.signum() * amount.signum() >= 0);
            if whole > 0 {
                let exact = Wide::from(amount.abs()) * Wide::from(*weight);
                let off = Wide::from(part.abs()) * Wide::from(whole) - exact;
                prop_assert!(off < Wide::from(whole) && off > -Wide::from(whole), "largest remainder is off by less than one");
            }
        }
        let negated = split(-amount, &weights).unwrap();
        prop_assert_eq!(negated, parts.into_iter().map(|part| -part).collect::<Vec<_>>());
    }

    /// Who gets one more has a remainder that is greater than that of all who do not, or equal and a lower place. So of customers by
    /// rising id it does not matter in which order they were read.
    #[test]
    fn one_more_goes_by_remainder_then_by_place(
        amount in 0i128..10_000,
        weights in prop::collection::vec(0i128..20, 1..12),
    ) {
        let whole: i128 = weights.iter().sum();
        prop_assume!(whole > 0);
        let parts = split(amount, &weights).unwrap();
        let rank = |place: usize| (-(amount * weights[place] % whole), place);
        let floor = |place: usize| amount * weights[place] / whole;
        let (more, floors): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(|place| parts[*place] > floor(*place));
        prop_assert!(more.iter().all(|place| parts[*place] == floor(*place) + 1));
        prop_assert!(floors.iter().all(|place| parts[*place] == floor(*place)));
        prop_assert!(more.iter().map(|place| rank(*place)).max() < floors.iter().map(|place| rank(*place)).min() || floors.is_empty());
    }

    /// Customers may be named in any order: the same document is split the same way.
    #[test]
    fn names_count_and_not_their_order(first in 1i128..50, second in 1i128..50, third in 1i128..50, wholesale in 0i128..200) {
        let tagged = [("acme", first), ("beta", second), ("gamma", third)];
        let orders = [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]].map(|order| order.map(|place| tagged[place]));
        let allocated = orders.map(|tagged| {
            let lines = BTreeMap::from([("block-premium".to_owned(), weights(wholesale, &tagged))]);
            allocate(&northwind_document(), &lines, &BTreeMap::new()).unwrap()
        });
        prop_assert!(allocated.iter().all(|parts| *parts == allocated[0]));
    }
}
