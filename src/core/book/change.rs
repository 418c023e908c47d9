//! What another book changes, in words of the book: complete, sorted, one text a change.

use std::collections::BTreeSet;

use serde_json::Value;

use super::leaf::{Leaf, leaves};
use super::model::{Book, BookDate, Card, Rate};

/// The tables of a canonical book, and what one entry of each is called.
const TABLES: [(&str, &str); 8] = [
    ("meters", "meter"),
    ("vendors", "vendor"),
    ("providers", "provider"),
    ("customers", "customer"),
    ("programmes", "programme"),
    ("contracts", "contract"),
    ("arrays", "array"),
    ("sales_credit", "sales credit"),
];

/// What `new` changes in `old`, one text each.
///
/// # Errors
/// None that validated books can cause.
pub fn changes(old: &Book, new: &Book) -> Result<Vec<String>, serde_json::Error> {
    let mut changes = Vec::new();
    let (before, after) = (old.canonical()?, new.canonical()?);
    for (table, noun) in TABLES {
        for id in keys(&before[table]).union(&keys(&after[table])) {
            entry(&format!("{noun} {id}"), before[table].get(id), after[table].get(id), &mut changes);
        }
    }
    let cards: BTreeSet<&String> = old.cards.keys().chain(new.cards.keys()).collect();
    for id in cards {
        card(&format!("card {id}"), old.cards.get(id), new.cards.get(id), &mut changes)?;
    }
    changes.sort();
    Ok(changes)
}

/// The meters that `new` defines otherwise than `old`: a meter is set once (DESIGN §3).
#[must_use]
pub fn changed_meters(old: &Book, new: &Book) -> Vec<String> {
    let both = old.meters.iter().filter_map(|(name, old)| Some((name, old, new.meters.get(name)?)));
    both.filter(|(_, old, new)| old != new).map(|(name, ..)| name.clone()).collect()
}

fn keys(table: &Value) -> BTreeSet<&String> {
    table.as_object().into_iter().flat_map(|table| table.keys()).collect()
}

/// An entry that is new, gone or changed.
fn entry(what: &str, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<String>) {
    match (old, new) {
        (None, Some(new)) => changes.push(format!("{what} is new: {}", all(new))),
        (Some(_), None) => changes.push(format!("{what} is gone")),
        (Some(old), Some(new)) => {
            changes.extend(differences(old, new).into_iter().map(|text| format!("{what}: {text}")));
        }
        (None, None) => {}
    }
}

/// All that a value says.
fn all(value: &Value) -> String {
    let leaves = leaves(value);
    leaves.iter().map(|Leaf { place, value }| format!("{place} {value}")).collect::<Vec<_>>().join("; ")
}

/// Values that differ, those that came and those that went.
fn differences(old: &Value, new: &Value) -> Vec<String> {
    let (old, new) = (leaves(old), leaves(new));
    let find =
        |leaves: &[Leaf], place: &str| leaves.iter().find(|leaf| leaf.place == place).map(|leaf| leaf.value.clone());
    let mut texts = Vec::new();
    for Leaf { place, value } in &old {
        match find(&new, place) {
            Some(other) if other == *value => {}
            Some(other) => texts.push(format!("{place}: {value} -> {other}")),
            None => texts.push(format!("{place}: {value} -> none")),
        }
    }
    for Leaf { place, value } in &new {
        if find(&old, place).is_none() {
            texts.push(format!("{place}: none -> {value}"));
        }
    }
    let places = |leaves: &[Leaf]| leaves.iter().map(|leaf| leaf.place.clone()).collect::<Vec<_>>();
    if reordered(&places(&old), &places(&new)) || (texts.is_empty() && old != new) {
        texts.push("its entries stand in another order".to_owned());
    }
    texts
}

/// Whether what both lists have stands in another order.
fn reordered<T: PartialEq>(old: &[T], new: &[T]) -> bool {
    !old.iter().filter(|one| new.contains(one)).eq(new.iter().filter(|one| old.contains(one)))
}

/// A card by its rates: a new price is a later rate of the same id, so it is told as a change of the rate before it.
fn card(
    what: &str,
    old: Option<&Card>,
    new: Option<&Card>,
    changes: &mut Vec<String>,
) -> Result<(), serde_json::Error> {
    let Some(new) = new else {
        changes.push(format!("{what} is gone"));
        return Ok(());
    };
    let terms = |card: &Card| serde_json::json!({ "currency": card.currency, "level_discount": card.level_discount });
    entry(what, old.map(terms).as_ref(), Some(&terms(new)), changes);
    let none = Vec::new();
    let before = old.map_or(&none, |old| &old.rates);
    let same = |one: &&Rate, other: &Rate| one.id == other.id && one.from == other.from;
    for (place, rate) in new.rates.iter().enumerate() {
        let what = format!("{what}, rate {}", rate.id);
        let earlier = new.rates[..place].iter().rev().find(|earlier| earlier.id == rate.id);
        let from = rate.from.map_or(String::new(), |from| format!(" from {}", date(from)));
        let known = before.iter().find(|old| same(old, rate));
        let charge = serde_json::to_value(&rate.charge)?;
        let Some(base) = known.or(earlier) else {
            changes.push(format!("{what} is new{from}: {}", all(&charge)));
            continue;
        };
        let texts = differences(&serde_json::to_value(&base.charge)?, &charge);
        if texts.is_empty() && known.is_none() {
            changes.push(format!("{what}: the same{from} once more"));
        }
        changes.extend(texts.into_iter().map(|text| format!("{what}: {text}{from}")));
    }
    let names = |rates: &[Rate]| rates.iter().map(|rate| (rate.id.clone(), rate.from)).collect::<Vec<_>>();
    if reordered(&names(before), &names(&new.rates)) {
        changes.push(format!("{what}: its rates stand in another order"));
    }
    for rate in before.iter().filter(|old| !new.rates.iter().any(|rate| same(old, rate))) {
        let from = rate.from.map_or(String::new(), |from| format!(" from {}", date(from)));
        changes.push(format!(
            "{what}, rate {}: its terms{from} are gone: {}",
            rate.id,
            all(&serde_json::to_value(&rate.charge)?)
        ));
    }
    Ok(())
}

fn date(date: BookDate) -> String {
    match date {
        BookDate::Day(day) => day.to_string(),
        BookDate::At(instant) => instant.to_string(),
    }
}
