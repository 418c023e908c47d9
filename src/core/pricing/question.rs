//! What lines ask of usage: those that differ only in whose tags they look for ask one question, so 100,000 contracts of a provider
//! cost one pass over its usage.

use std::collections::HashMap;

use super::selection::{Grain, LineSelection};
use crate::core::book::model::Per;
use crate::core::word::{HOUR_MS, Instant, Kind};

/// Lines that ask one question, by their place among those asked for.
#[derive(Clone, Debug)]
pub struct Question<'s> {
    /// What they have in common.
    pub like: &'s LineSelection,
    /// Which they are.
    pub lines: Vec<usize>,
}

/// Everything that a question asks, but for whose tags.
#[derive(PartialEq, Eq, Hash)]
struct Key<'s> {
    is_retail: bool,
    series: (&'s str, Kind, Option<&'s str>, Option<Per>),
    arrays: (&'s str, &'s [String], &'s [String]),
    demo: &'s [(String, Option<Instant>)],
    time: (&'s Grain, Instant, Instant),
}

fn key(selection: &LineSelection) -> Key<'_> {
    let LineSelection { meter, kind, tier, provider, sites, arrays, per, grain, from, until, demo, .. } = selection;
    Key {
        is_retail: selection.customers.is_some(),
        series: (meter, *kind, tier.as_deref(), *per),
        arrays: (provider, sites, arrays),
        demo,
        time: (grain, *from, *until),
    }
}

/// The questions of lines, in the order of the first line of each.
#[must_use]
pub fn questions(selections: &[LineSelection]) -> Vec<Question<'_>> {
    let mut by_question: HashMap<Key<'_>, usize> = HashMap::new();
    let mut questions: Vec<Question<'_>> = Vec::new();
    for (place, selection) in selections.iter().enumerate() {
        let place_of = *by_question.entry(key(selection)).or_insert_with(|| {
            questions.push(Question { like: selection, lines: Vec::new() });
            questions.len() - 1
        });
        questions[place_of].lines.push(place);
    }
    questions
}

impl Question<'_> {
    /// Its lines by the tag of a customer that they look for; under the empty tag those that look for none.
    #[must_use]
    pub fn by_tag<'s>(&self, selections: &'s [LineSelection]) -> HashMap<&'s str, Vec<usize>> {
        let mut by_tag: HashMap<&str, Vec<usize>> = HashMap::new();
        for &line in &self.lines {
            match &selections[line].customers {
                Some(tags) => tags.iter().for_each(|tag| by_tag.entry(tag).or_default().push(line)),
                None => by_tag.entry("").or_default().push(line),
            }
        }
        by_tag
    }
}

/// Whether all windows of a selection begin and end with an hour: then a bucket lies in one of them.
#[must_use]
pub fn are_hours(like: &LineSelection) -> bool {
    let Grain::Window(edges) = &like.grain else { return false };
    let ends = like.demo.iter().filter_map(|(_, until)| *until).chain([like.from, like.until]);
    edges.iter().copied().chain(ends).all(|instant| instant.0 % HOUR_MS == 0)
}
