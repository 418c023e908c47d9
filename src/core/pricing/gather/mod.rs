//! Usage of lines from buckets in memory: what rating reads, without the database that sums it up otherwise.
//!
//! A close asks SQL for sums over stored buckets. A proof meters the ledger again and cannot ask SQL: it hands the buckets over here,
//! one array after the other, and gets the same [`LineUsage`]s, to the last millisecond. The memory that it takes is that of the sums,
//! which [`super::selection`] bounds, and of one array's parts.

mod asked;
mod coverage;
mod sums;

use std::collections::{BTreeMap, HashMap};

use asked::Asked;
use coverage::View;

use super::error::Overflow;
use super::question::questions;
use super::selection::LineSelection;
use super::usage::{HandOver, LineUsage};
use crate::core::metering::bucket::{Bucket, BucketCell};
use crate::core::metering::definition::OBSERVED;
use crate::core::metering::tag::Tags;
use crate::core::word::{Hour, Instant, Kind};

/// The hand-overs of a provider's arrays among the events measured before an instant, by provider and that instant.
pub type HandOvers = BTreeMap<(String, Instant), Vec<HandOver>>;

/// What the ledger below the cut says of an array beyond the hours that are metered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayPast {
    /// Who runs it.
    pub provider: String,
    /// The array.
    pub array: String,
    /// When its first accepted event was measured.
    pub first_reading: Instant,
    /// What its readings have borne, ever.
    pub borne: Vec<Borne>,
}

/// A meter under tags, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Borne {
    /// What is measured.
    pub kind: Kind,
    /// The meter.
    pub meter: String,
    /// The tags.
    pub tags: Tags,
    /// When the first of these readings that counts was measured.
    pub since: Instant,
}

/// The usages of lines while they are added up.
#[derive(Debug)]
pub struct Gather<'s> {
    selections: &'s [LineSelection],
    asked: Vec<Asked<'s>>,
    /// Questions that name no arrays, by meter and kind; those that do, by array.
    of_all: Vec<usize>,
    of_array: HashMap<&'s str, Vec<usize>>,
    /// Those that may count the array at hand, by meter.
    live: HashMap<&'s str, Vec<(Kind, usize)>>,
    views: Vec<View<'s>>,
    usages: Vec<LineUsage>,
}

impl<'s> Gather<'s> {
    /// Nothing gathered yet for lines. `handed_over` holds of each provider and [`LineSelection::until`] the hand-overs, if there
    /// are any.
    #[must_use]
    pub fn new(selections: &'s [LineSelection], handed_over: &HandOvers) -> Self {
        let mut gather = Self {
            selections,
            asked: Vec::new(),
            of_all: Vec::new(),
            of_array: HashMap::new(),
            live: HashMap::new(),
            views: Vec::new(),
            usages: vec![LineUsage::default(); selections.len()],
        };
        for (number, question) in questions(selections).into_iter().enumerate() {
            let like = question.like;
            let handed = handed_over.get(&(like.provider.clone(), like.until)).map_or(&[][..], Vec::as_slice);
            let view = View::place_of(&mut gather.views, like, handed);
            match like.arrays.is_empty() {
                true => gather.of_all.push(number),
                false => like.arrays.iter().for_each(|array| gather.of_array.entry(array).or_default().push(number)),
            }
            gather.asked.push(Asked::new(&question, selections, view, handed));
        }
        gather
    }

    /// The first and the last hour whose buckets it wants of each array; none if there are no lines. The last one begins where
    /// lines end: it tells whether what is known at a hand-over right before went on.
    #[must_use]
    pub fn hours(&self) -> Option<(Hour, Hour)> {
        let first = self.selections.iter().map(|selection| selection.from).min()?;
        let last = self.selections.iter().map(|selection| selection.until).max()?;
        Some((first.hour(), last.hour()))
    }

    /// Begins with an array. Each array is begun once; it need not have a bucket.
    ///
    /// # Errors
    /// A sum of the array before that does not fit.
    pub fn begin(&mut self, past: &ArrayPast) -> Result<(), Overflow> {
        self.end_array()?;
        let of_array = self.of_array.get(past.array.as_str()).into_iter().flatten();
        for &number in self.of_all.iter().chain(of_array) {
            let asked = &mut self.asked[number];
            if asked.like.provider == past.provider {
                asked.begin(&past.array);
                self.live.entry(asked.like.meter.as_str()).or_default().push((asked.like.kind, number));
            }
        }
        for view in &mut self.views {
            view.begin(past);
        }
        for borne in &past.borne {
            for &(kind, number) in self.live.get(borne.meter.as_str()).into_iter().flatten() {
                if kind == borne.kind {
                    self.asked[number].covers(borne);
                }
            }
        }
        Ok(())
    }

    /// Takes in a bucket of the array at hand, which comes once.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn bucket(&mut self, bucket: &Bucket, cells: &[BucketCell]) -> Result<(), Overflow> {
        let series = &bucket.series;
        if *series.meter == *OBSERVED {
            for view in &mut self.views {
                view.observe(bucket.hour, cells);
            }
            return Ok(());
        }
        for &(kind, number) in self.live.get(&*series.meter).into_iter().flatten() {
            if kind == series.kind {
                self.asked[number].bucket(bucket, cells)?;
            }
        }
        Ok(())
    }

    /// Ends the array at hand: its parts and its coverage go to the lines.
    fn end_array(&mut self) -> Result<(), Overflow> {
        for view in &mut self.views {
            view.end();
        }
        for (_, number) in self.live.drain().flat_map(|(_, numbers)| numbers) {
            let asked = &mut self.asked[number];
            let lines = asked.end(&mut self.usages)?;
            if let Some(coverage) = self.views[asked.view].coverage() {
                for line in lines {
                    self.usages[line].arrays.push(coverage.clone());
                }
            }
        }
        Ok(())
    }

    /// Adds what was gathered elsewhere of other arrays for the same lines.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn add(&mut self, mut other: Self) -> Result<(), Overflow> {
        self.end_array()?;
        other.end_array()?;
        for (asked, others) in self.asked.iter_mut().zip(other.asked) {
            asked.add_all(others)?;
        }
        for (usage, others) in self.usages.iter_mut().zip(other.usages) {
            usage.parts.extend(others.parts);
            usage.arrays.extend(others.arrays);
        }
        Ok(())
    }

    /// The usages, in the order of the selections.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn finish(mut self) -> Result<Vec<LineUsage>, Overflow> {
        self.end_array()?;
        for asked in &mut self.asked {
            asked.finish(&mut self.usages);
        }
        for usage in &mut self.usages {
            usage.parts.sort_by(|one, other| one.name.cmp(&other.name));
            usage.arrays.sort_by(|one, other| one.array.cmp(&other.array));
        }
        Ok(self.usages)
    }
}
