//! By what wholesale lines are split over customers (DESIGN §6 "Both sides"): what each line measured, and what of it bears which tag,
//! asked as lines of usage. A close at an old cut meters the ledger again for it, since buckets count more by then.

use std::collections::BTreeMap;

use super::error::Overflow;
use super::selection::{Grain, LineSelection};
use super::usage::LineUsage;
use crate::core::word::Kind;

/// Of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    /// What the line measured in all: integral, sum or increase in the meter's base unit.
    pub wholesale: i128,
    /// What bears a tag, by the tag: of a line over arrays on resources of other kinds on its arrays, else of its own kind.
    pub by_tag: BTreeMap<String, i128>,
}

/// What is asked for one line: the line itself, then each tag on each kind of resource that may bear one.
#[must_use]
pub fn asked(line: &LineSelection, tags: &[String]) -> Vec<LineSelection> {
    // the contract's part alone: a line that holds gaps reads from before it
    let from = line.part.first().map_or(line.from, |span| span.from);
    let until = line.part.last().map_or(line.until, |span| span.until);
    let own = LineSelection { per: None, grain: Grain::Window([from].into()), from, until, ..line.clone() };
    let mut asked = vec![own.clone()];
    for kind in tagged(line.kind) {
        asked.extend(tags.iter().map(|tag| LineSelection { kind, customers: Some(vec![tag.clone()]), ..own.clone() }));
    }
    asked
}

/// The weights of a line, from the usages of what was [`asked`] for it.
///
/// # Errors
/// A sum that does not fit.
pub fn weights(line: &LineSelection, tags: &[String], usages: &[LineUsage]) -> Result<Weights, Overflow> {
    let Some((own, usages)) = usages.split_first() else { return Ok(Weights::default()) };
    let mut weights = Weights { wholesale: sum(own)?, by_tag: BTreeMap::new() };
    let of_kinds = tagged(line.kind).into_iter().flat_map(|_| tags);
    for (tag, usage) in of_kinds.zip(usages) {
        // a tag without readings is none
        if !usage.parts.is_empty() {
            let all = weights.by_tag.entry(tag.clone()).or_default();
            *all = all.checked_add(sum(usage)?).ok_or(Overflow)?;
        }
    }
    Ok(weights)
}

/// Resources of which kinds bear the tags by which a line is split.
fn tagged(line: Kind) -> Vec<Kind> {
    match line {
        Kind::Array => Kind::ALL.into_iter().filter(|kind| *kind != Kind::Array).collect(),
        own => vec![own],
    }
}

fn sum(usage: &LineUsage) -> Result<i128, Overflow> {
    let mut amounts = usage.parts.iter().flat_map(|part| &part.slots).map(|slot| slot.amount);
    amounts.try_fold(0i128, |sum, amount| sum.checked_add(amount).ok_or(Overflow))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::pricing::period::period;
    use crate::core::pricing::sample::{at, northwind};
    use crate::core::pricing::selection::selections;
    use crate::core::pricing::usage::{PartUsage, Slot};

    #[test]
    fn a_line_over_arrays_is_split_by_tags_of_everything_else_on_them() {
        let book = northwind();
        let bounds = period(&book.contracts["northwind-wholesale"], "2026-09").unwrap();
        let line = selections(&book, "northwind-wholesale", None, &bounds).unwrap().remove(0);
        let tags = ["acme".to_owned(), "globex".to_owned()];
        let asked = asked(&line, &tags);
        assert_eq!((line.kind, asked.len()), (Kind::Array, 1 + 5 * 2));
        assert!(asked.iter().all(|one| one.grain == Grain::Window([bounds.start].into())));
        let usage = |amount| {
            let slot = Slot { start: at("2026-09-01T00:00:00Z"), length_ms: 1, amount };
            LineUsage { parts: vec![PartUsage { slots: vec![slot], ..PartUsage::default() }], ..LineUsage::default() }
        };
        let found = |one: &LineSelection| match (one.kind, one.customers.as_deref()) {
            (Kind::Array, None) => usage(100),
            (Kind::Volume, Some([tag])) if tag == "acme" => usage(20),
            (Kind::FileSystem, Some([tag])) if tag == "acme" => usage(7),
            _ => LineUsage::default(),
        };
        let usages: Vec<LineUsage> = asked.iter().map(found).collect();
        let by_tag = BTreeMap::from([("acme".to_owned(), 27)]);
        assert_eq!(weights(&line, &tags, &usages), Ok(Weights { wholesale: 100, by_tag }));
        let much: Vec<LineUsage> = asked.iter().map(|_| usage(i128::MAX)).collect();
        assert_eq!(weights(&line, &tags, &much), Err(Overflow));
    }
}
