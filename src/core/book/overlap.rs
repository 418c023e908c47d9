//! For one seller, at most one line prices the same meter and kind of the same resource at the same instant with the same
//! statistic (PRICING §1).

use std::collections::BTreeMap;

use super::diagnostic::Diagnostics;
use super::model::{Book, Line, UsageRate};
use super::term::{Term, terms};

/// A line with its terms, and where it stands.
struct Priced<'book> {
    contract: &'book str,
    place: usize,
    line: &'book Line,
    terms: Vec<Term<'book>>,
}

/// Refuses two lines that could price the same reading. `"*"` covers only those whom no other contract then in force names, so
/// lines of different buyers never meet.
pub(super) fn check(book: &Book, found: &Diagnostics<'_>) {
    let mut by_parties: BTreeMap<String, Vec<Priced<'_>>> = BTreeMap::new();
    for (id, contract) in &book.contracts {
        let lines = contract.lines.iter().enumerate();
        let priced =
            lines.map(|(place, line)| Priced { contract: id, place, line, terms: terms(book, contract, line) });
        by_parties.entry(format!("{:?} {:?}", contract.seller, contract.buyer)).or_default().extend(priced);
    }
    for lines in by_parties.values() {
        for (position, other) in lines.iter().enumerate() {
            for one in &lines[..position] {
                if let Some((term, usage)) = overlap(one, other) {
                    let message = format!(
                        "from {} this line could price the same readings ({} of {}) as line {} of contract {}",
                        term.from,
                        usage.meter,
                        usage.of.as_str(),
                        one.line.id,
                        one.contract
                    );
                    let mend = "keep the two apart by sites, arrays, tier, statistic, buyer or time";
                    found.at(&format!("contract.{}.line.{}", other.contract, other.place), message, mend);
                }
            }
        }
    }
}

/// The first term of one that could price what a term of the other prices at the same instant.
fn overlap<'book>(one: &Priced<'book>, other: &Priced<'book>) -> Option<(Term<'book>, &'book UsageRate)> {
    let disjoint =
        |a: &[String], b: &[String]| !a.is_empty() && !b.is_empty() && !a.iter().any(|each| b.contains(each));
    if disjoint(&one.line.sites, &other.line.sites) || disjoint(&one.line.arrays, &other.line.arrays) {
        return None;
    }
    one.terms.iter().find_map(|a| {
        let usage = a.usage()?;
        let meets = |b: &&Term<'_>| a.meets(b) && b.usage().is_some_and(|other| same_readings(usage, other));
        let b = other.terms.iter().find(meets)?;
        Some((Term { from: a.from.max(b.from), ..*a }, usage))
    })
}

fn same_readings(a: &UsageRate, b: &UsageRate) -> bool {
    let tiers = match (&a.tier, &b.tier) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    a.meter == b.meter && a.of == b.of && a.statistic == b.statistic && tiers
}
