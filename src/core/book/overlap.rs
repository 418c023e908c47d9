//! For one seller, at most one line prices the same meter and kind of the same resource at the same instant with the same
//! statistic (PRICING §1).

use super::diagnostic::Diagnostics;
use super::model::{Book, Buyer, Charge, Contract, Line, UsageRate};

/// Refuses two lines that could price the same reading.
pub(super) fn check(book: &Book, found: &Diagnostics) {
    let lines: Vec<(&str, &Contract, usize, &Line)> = book
        .contracts
        .iter()
        .flat_map(|(id, contract)| {
            contract.lines.iter().enumerate().map(move |(place, line)| (id.as_str(), contract, place, line))
        })
        .collect();
    for (position, one) in lines.iter().enumerate() {
        for other in &lines[position + 1..] {
            if overlap(book, (one.1, one.3), (other.1, other.3)) {
                let message =
                    format!("this line could price the same readings as line {} of contract {}", one.3.id, one.0);
                let mend = "keep the two apart by sites, arrays, tier, buyer or time";
                found.at(&format!("contract.{}.line.{}", other.0, other.2), message, mend);
            }
        }
    }
}

fn overlap(book: &Book, one: (&Contract, &Line), other: (&Contract, &Line)) -> bool {
    let disjoint =
        |a: &[String], b: &[String]| !a.is_empty() && !b.is_empty() && !a.iter().any(|each| b.contains(each));
    one.0.seller == other.0.seller
        && same_buyer(&one.0.buyer, &other.0.buyer)
        && same_time(one.0, other.0)
        && !disjoint(&one.1.sites, &other.1.sites)
        && !disjoint(&one.1.arrays, &other.1.arrays)
        && usages(book, one).any(|a| usages(book, other).any(|b| same_readings(a, b)))
}

/// `"*"` covers only those whom no other contract then in force names.
fn same_buyer(one: &Buyer, other: &Buyer) -> bool {
    one == other
}

fn same_time(one: &Contract, other: &Contract) -> bool {
    let ends_before = |a: &Contract, b: &Contract| a.until.is_some_and(|until| until <= b.from);
    !ends_before(one, other) && !ends_before(other, one)
}

fn same_readings(a: &UsageRate, b: &UsageRate) -> bool {
    let tiers = match (&a.tier, &b.tier) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    a.meter == b.meter && a.of == b.of && a.statistic == b.statistic && tiers
}

fn usages<'a>(book: &'a Book, (contract, line): (&Contract, &'a Line)) -> impl Iterator<Item = &'a UsageRate> {
    let rates = book.cards.get(&contract.card).into_iter().flat_map(|card| &card.rates);
    rates.filter(|rate| rate.id == line.rate).filter_map(|rate| match &rate.charge {
        Charge::Usage(usage) => Some(usage),
        _ => None,
    })
}
