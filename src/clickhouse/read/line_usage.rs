//! What rating reads of usage: exact sums for any number of lines at once.
//!
//! Lines that differ only in whose tags they look for ask one question, and it is answered by one pass over the provider's buckets:
//! a provider with 100,000 contracts costs the database no more than one with ten.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use clickhouse::Row;
use serde::Deserialize;

use super::below::Below;
use super::coverage;
use super::handover;
use super::question::{self, bind, past_hand_over};
use super::rows::Rows;
use super::void;
use crate::clickhouse::{Client, Error};
use crate::core::cut::CutPoint;
use crate::core::pricing::question::{Question, questions};
use crate::core::pricing::selection::{Grain, LineSelection};
use crate::core::pricing::usage::{HandOver, Known, LineUsage, PartUsage, Slot};
use crate::core::word::Instant;

/// Sums held in memory at once, 32 bytes each: 256 MB.
pub const MAX_SLOTS: usize = 8_000_000;
/// Sums of one question, whatever it is: 2 GB. A statement that needs more is refused.
const MAX_QUESTION_SLOTS: usize = 64_000_000;
/// Lines for which a question names the tags that it wants; of more, it asks for all tags.
const MAX_NAMED: usize = 64;

#[derive(Debug, Row, Deserialize)]
struct SlotRow {
    customer: String,
    part: String,
    start: i64,
    length: i64,
    amount: i128,
    measured_ms: i64,
    last: u64,
}

/// How many sums a selection may take, at most.
#[must_use]
pub fn slots(selection: &LineSelection) -> usize {
    match &selection.grain {
        Grain::Window(edges) => edges.len(),
        Grain::Cell => usize::try_from((selection.until.0 - selection.from.0) / 300_000).unwrap_or(MAX_SLOTS),
    }
}

/// Whether another statement may be read together with `before` others, if all of them take at most so many sums. One alone always may:
/// [`MAX_QUESTION_SLOTS`] bounds it while it is read.
#[must_use]
pub fn may_join(before: usize, slots: usize) -> bool {
    before == 0 || slots <= MAX_SLOTS
}

/// The usages of lines, in the order of their selections.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, selections: &[LineSelection]) -> Result<Vec<LineUsage>, Error> {
    read_at(client, selections, None).await
}

/// The same at a cut: no event above it says whether an array was handed over. Buckets are taken as they are, so whoever closes makes
/// sure that none counts more than the cut.
///
/// # Errors
/// The server's.
pub async fn read_at(
    client: &Client,
    selections: &[LineSelection],
    cut: Option<&[CutPoint]>,
) -> Result<Vec<LineUsage>, Error> {
    let mut usages: Vec<LineUsage> = vec![LineUsage::default(); selections.len()];
    let void = void::read(client).await?;
    let below = Below { cut, void: &void };
    let mut handed_over: HashMap<(&str, Instant), Vec<HandOver>> = HashMap::new();
    for question in questions(selections) {
        let like = question.like;
        let key = (like.provider.as_str(), like.until);
        let handed_over = match handed_over.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(handover::read(client, &like.provider, like.until, &below).await?),
        };
        sums(client, selections, &question, handed_over, &mut usages).await?;
        coverage::read(client, selections, (like, &question.lines), handed_over, &mut usages).await?;
    }
    Ok(usages)
}

/// What was read of each line's parts, as it came.
type Parts = HashMap<(usize, String), Vec<(Slot, Known)>>;

/// Reads the sums of a question and gives each line its own.
async fn sums(
    client: &Client,
    selections: &[LineSelection],
    question: &Question<'_>,
    handed_over: &[HandOver],
    usages: &mut [LineUsage],
) -> Result<(), Error> {
    let by_tag = question.by_tag(selections);
    let named: Vec<&str> =
        if question.lines.len() <= MAX_NAMED { by_tag.keys().copied().collect() } else { Vec::new() };
    let (like, is_named) = (question.like, !named.is_empty());
    let (mut parts, mut held) = (Parts::new(), 0);
    let query = bind(client, &question::sums(like, is_named), like, &named);
    take(Rows::of(client, query)?, &by_tag, &mut parts, &mut held).await?;
    if !handed_over.is_empty() {
        // what holds of the old provider count past the hand-over comes off again
        let query = bind(client, &past_hand_over(like, is_named), like, &named)
            .param("handed", handed_over.iter().map(|one| one.array.as_str()).collect::<Vec<_>>())
            .param("handed_at", handed_over.iter().map(|one| one.at.0).collect::<Vec<_>>());
        take(Rows::of(client, query)?, &by_tag, &mut parts, &mut held).await?;
    }
    for ((line, name), slots) in parts {
        let (slots, known) = added(slots)?.into_iter().unzip();
        // what is known of levels is wanted where gaps are held: only there cells are read of a mean
        let known = if like.grain == Grain::Cell { known } else { Vec::new() };
        usages[line].parts.push(PartUsage { name, slots, known });
    }
    for &line in &question.lines {
        usages[line].parts.sort_by(|one, other| one.name.cmp(&other.name));
    }
    Ok(())
}

/// Gives rows to the lines that look for their tags.
async fn take(
    mut rows: Rows<SlotRow>,
    by_tag: &HashMap<&str, Vec<usize>>,
    parts: &mut Parts,
    held: &mut usize,
) -> Result<(), Error> {
    while let Some(row) = rows.next().await? {
        let slot = Slot { start: Instant(row.start), length_ms: row.length, amount: row.amount };
        let known = Known { measured_ms: row.measured_ms, last: row.last };
        for line in by_tag.get(row.customer.as_str()).into_iter().flatten() {
            *held += 1;
            check_held(*held)?;
            parts.entry((*line, row.part.clone())).or_default().push((slot, known));
        }
    }
    Ok(())
}

fn check_held(held: usize) -> Result<(), Error> {
    match held <= MAX_QUESTION_SLOTS {
        true => Ok(()),
        false => {
            let mend = "split the line by arrays or tiers, or leave out `per` and `gap = \"hold\"`";
            Err(Error::refusal(format!("a line needs more than {MAX_QUESTION_SLOTS} sums of usage"), mend))
        }
    }
}

/// Slots by rising start, those of one start added up: a customer may have several tags, and what bears them is one pool.
fn added(mut slots: Vec<(Slot, Known)>) -> Result<Vec<(Slot, Known)>, Error> {
    slots.sort_by_key(|(slot, _)| slot.start);
    let mut sums: Vec<(Slot, Known)> = Vec::with_capacity(slots.len());
    for (slot, known) in slots {
        match sums.last_mut().filter(|(sum, _)| sum.start == slot.start) {
            None => sums.push((slot, known)),
            Some((sum, all)) => {
                all.measured_ms += known.measured_ms;
                // rows of two tags of a customer come in any order
                all.last = all.last.max(known.last);
                sum.amount = sum.amount.checked_add(slot.amount).ok_or_else(|| {
                    let mend = "look for a wrong value with `plimsoll usage`";
                    Error::refusal("a sum of usage does not fit 128 bits", mend)
                })?;
            }
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_together_up_to_their_sums() {
        assert_eq!([MAX_SLOTS - 1, MAX_SLOTS, MAX_SLOTS + 1].map(|slots| may_join(3, slots)), [true, true, false]);
        assert!(may_join(0, MAX_SLOTS + 1));
    }

    #[test]
    fn a_question_is_answered_up_to_its_sums() {
        let fits =
            [MAX_QUESTION_SLOTS - 1, MAX_QUESTION_SLOTS, MAX_QUESTION_SLOTS + 1].map(|held| check_held(held).is_ok());
        assert_eq!(fits, [true, true, false]);
    }
}
