//! Usage of lines from buckets in memory: what rating reads, without the database that sums it up otherwise.
//!
//! A close asks SQL for sums over stored buckets. A proof meters the ledger again and cannot ask SQL: it hands the buckets over here,
//! in any order, and gets the same [`LineUsage`]s, to the last millisecond. It takes the memory of these sums and no more.

mod asked;
mod coverage;
mod customers;
mod past;
mod sums;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use customers::Customers;
pub use past::{ArrayPast, Borne, HandOvers, Past};

use asked::Asked;
use coverage::View;

use super::error::Overflow;
use super::question::questions;
use super::selection::LineSelection;
use super::usage::LineUsage;
use crate::core::metering::bucket::BucketBatch;
use crate::core::metering::definition::OBSERVED;
use crate::core::word::{Hour, Kind};

/// The usages of lines while they are added up.
#[derive(Debug)]
pub struct Gather<'s> {
    selections: &'s [LineSelection],
    past: &'s Past,
    asked: Vec<Asked<'s>>,
    index: Index<'s>,
    views: Vec<View<'s>>,
}

/// Which questions may count an array.
#[derive(Debug, Default)]
struct Index<'s> {
    /// Those that name no arrays.
    of_all: Vec<usize>,
    /// Those that do, by array.
    of_array: HashMap<&'s str, Vec<usize>>,
}

/// Questions that may count an array, by the meter that they ask for.
type ByMeter<'s> = HashMap<&'s str, Vec<(Kind, usize)>>;

impl<'s> Gather<'s> {
    /// Nothing gathered yet for lines.
    #[must_use]
    pub fn new(selections: &'s [LineSelection], past: &'s Past) -> Self {
        let (mut index, mut views, mut asked) = (Index::default(), Vec::new(), Vec::new());
        for (number, question) in questions(selections).into_iter().enumerate() {
            let like = question.like;
            let handed_over = past.handed_over(&like.provider, like.until);
            let view = View::place_of(&mut views, like, handed_over);
            match like.arrays.is_empty() {
                true => index.of_all.push(number),
                false => like.arrays.iter().for_each(|array| index.of_array.entry(array).or_default().push(number)),
            }
            asked.push(Asked::new(&question, selections, view, handed_over));
        }
        Self { selections, past, asked, index, views }
    }

    /// The first and the last hour whose buckets it wants; none if there are no lines. The last one begins where lines end: it tells
    /// whether what was known at a hand-over right before went on.
    #[must_use]
    pub fn hours(&self) -> Option<(Hour, Hour)> {
        let first = self.selections.iter().map(|selection| selection.from).min()?;
        let last = self.selections.iter().map(|selection| selection.until).max()?;
        Some((first.hour(), last.hour()))
    }

    /// Takes in buckets of one array, each of which comes once.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn take(&mut self, provider: &str, array: &str, buckets: &BucketBatch) -> Result<(), Overflow> {
        let live = self.index.live(&self.asked, provider, array);
        for numbers in live.values() {
            numbers.iter().for_each(|(_, number)| self.asked[*number].begin(array));
        }
        for (bucket, cells) in buckets.iter() {
            let series = &bucket.series;
            if *series.meter == *OBSERVED {
                let views = self.views.iter_mut().filter(|view| view.provider == provider);
                views.for_each(|view| view.observe(array, bucket.hour, cells));
            }
            for &(kind, number) in live.get(&*series.meter).into_iter().flatten() {
                if kind == series.kind {
                    self.asked[number].bucket(bucket, cells)?;
                }
            }
        }
        Ok(())
    }

    /// Adds what was gathered elsewhere, of other buckets for the same lines.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn add(&mut self, other: Self) -> Result<(), Overflow> {
        for (view, others) in self.views.iter_mut().zip(other.views) {
            view.add(others);
        }
        self.asked.iter_mut().zip(other.asked).try_for_each(|(asked, others)| asked.add_all(others))
    }

    /// The usages, in the order of the selections.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn finish(mut self) -> Result<Vec<LineUsage>, Overflow> {
        let mut usages = vec![LineUsage::default(); self.selections.len()];
        for past in &self.past.arrays {
            let coverages: Vec<_> = self.views.iter_mut().map(|view| view.coverage(past)).collect();
            let live = self.index.live(&self.asked, &past.provider, &past.array);
            for number in live.values().flatten().map(|(_, number)| *number) {
                let asked = &self.asked[number];
                let Some(coverage) = &coverages[asked.view] else { continue };
                for line in asked.covering(past) {
                    usages[line].arrays.push(coverage.clone());
                }
            }
        }
        self.asked.into_iter().try_for_each(|asked| asked.finish(&mut usages))?;
        for usage in &mut usages {
            usage.parts.sort_by(|one, other| one.name.cmp(&other.name));
            usage.arrays.sort_by(|one, other| one.array.cmp(&other.array));
        }
        Ok(usages)
    }
}

impl<'s> Index<'s> {
    fn live(&self, asked: &[Asked<'s>], provider: &str, array: &str) -> ByMeter<'s> {
        let mut live = ByMeter::new();
        let of_array = self.of_array.get(array).into_iter().flatten();
        for &number in self.of_all.iter().chain(of_array) {
            let like = asked[number].like;
            if like.provider == provider {
                live.entry(like.meter.as_str()).or_default().push((like.kind, number));
            }
        }
        live
    }
}
