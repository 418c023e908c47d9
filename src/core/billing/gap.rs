//! Of which arrays a line lacks usage: what a close says that is refused for too little coverage (DESIGN §7, PRICING §12).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::book::model::{Book, Buyer};
use crate::core::pricing::coverage::{Missing, missing};
use crate::core::pricing::error::{RateError, at};
use crate::core::pricing::party;
use crate::core::pricing::period::{Period, local_day};
use crate::core::pricing::selection::selections;
use crate::core::pricing::usage::LineUsage;

/// Arrays of a line that are named: those of which most is missing.
pub const GAPS_SHOWN: usize = 10;

/// A line with the arrays of which something is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineGaps {
    /// The line.
    pub line: String,
    /// Arrays of which something is missing, those of which most is first.
    pub arrays: Vec<ArrayGap>,
    /// How many more there are.
    pub others: usize,
}

/// An array of which something is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrayGap {
    /// The array.
    pub array: String,
    /// What of it was measured, of 1.
    pub coverage: String,
    /// The local day on which it was heard of last, if it was silent from then on; of one that was never heard of in the period, the first
    /// on which it should have been.
    pub silent_since: Option<String>,
}

/// The gaps of a wholesale contract's lines; of any other none, since only wholesale is kept from closing by them. The inputs are those of
/// [`crate::core::pricing::rating::rate`].
///
/// # Errors
/// What rating refuses.
pub fn gaps(book: &Book, contract_id: &str, period: &Period, usages: &[LineUsage]) -> Result<Vec<LineGaps>, RateError> {
    let contract = party::contract(book, contract_id)?;
    if !matches!(contract.buyer, Buyer::Provider(_)) {
        return Ok(Vec::new());
    }
    let day = |instant| local_day(contract.time_zone, instant).map(|day| day.to_string());
    let array = |missing: Missing| {
        let Missing { array, coverage, from, until, seen_until } = missing;
        let last_ms = |instant: crate::core::word::Instant| instant.plus_ms(-1);
        let last_day = seen_until.map_or_else(|| day(from), |seen| day(last_ms(seen)));
        let silent_since = last_day.filter(|last| seen_until.is_none() || day(last_ms(until)).as_ref() != Some(last));
        ArrayGap { array, coverage: coverage.to_string(), silent_since }
    };
    let mut all = Vec::new();
    for (line, usage) in selections(book, contract_id, None, period)?.into_iter().zip(usages) {
        let missing = missing(book, &usage.arrays, &line.part).map_err(at(&line.id))?;
        if !missing.is_empty() {
            let others = missing.len().saturating_sub(GAPS_SHOWN);
            let arrays = missing.into_iter().take(GAPS_SHOWN).map(array).collect();
            all.push(LineGaps { line: line.id, arrays, others });
        }
    }
    Ok(all)
}

impl fmt::Display for ArrayGap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { array, coverage, silent_since } = self;
        match silent_since {
            Some(since) => write!(out, "array {array} silent since {since} ({coverage})"),
            None => write!(out, "array {array} with gaps ({coverage})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::pricing::period::period;
    use crate::core::pricing::sample::{at, northwind};
    use crate::core::pricing::usage::ArrayCoverage;
    use crate::core::word::Instant;

    const DAY_MS: i64 = 86_400_000;

    /// An array that was heard of on these days of September, whole ones, local.
    fn array(name: &str, days: impl Iterator<Item = i64>) -> ArrayCoverage {
        let start = at("2026-08-31T22:00:00Z");
        ArrayCoverage {
            array: name.to_owned(),
            first_reading: Some(Instant(0)),
            handed_over: None,
            observed: days.map(|day| (start.plus_ms((day - 1) * DAY_MS), DAY_MS)).collect(),
        }
    }

    fn first_line(arrays: Vec<ArrayCoverage>) -> Vec<LineGaps> {
        let book = northwind();
        let bounds = period(&book.contracts["northwind-wholesale"], "2026-09").unwrap();
        let usage = LineUsage { arrays, ..LineUsage::default() };
        gaps(&book, "northwind-wholesale", &bounds, &[usage]).unwrap()
    }

    #[test]
    fn arrays_of_which_most_is_missing_come_first_and_say_since_when() {
        let arrays = vec![
            array("whole", 1..=30),
            array("hole", (1..=9).chain(13..=30)),
            array("silent", 1..=15),
            array("never", 1..1),
        ];
        let found = first_line(arrays);
        let words: Vec<String> = found[0].arrays.iter().map(ToString::to_string).collect();
        let wanted = [
            "array never silent since 2026-09-01 (0)",
            "array silent silent since 2026-09-15 (0.5)",
            "array hole with gaps (0.9)",
        ];
        assert_eq!((words, found[0].others), (wanted.map(str::to_owned).to_vec(), 0));
        assert_eq!(first_line(vec![array("whole", 1..=30)]), []);
    }

    #[test]
    fn so_many_arrays_are_named_and_the_others_counted() {
        let of = |count: usize| first_line((0..count).map(|number| array(&number.to_string(), 1..=9)).collect());
        let shown = |count: usize| of(count).first().map(|line| (line.arrays.len(), line.others)).unwrap();
        assert_eq!(shown(GAPS_SHOWN), (GAPS_SHOWN, 0));
        assert_eq!(shown(GAPS_SHOWN + 2), (GAPS_SHOWN, 2));
    }
}
