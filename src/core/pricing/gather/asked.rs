//! One question's sums: which cells it counts, for which of its lines.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::error::Overflow;
use super::super::question::{Question, are_hours};
use super::super::selection::{Grain, LineSelection};
use super::super::usage::{HandOver, LineUsage};
use super::ArrayPast;
use super::sums::{Slots, Sum, Sums};
use crate::core::book::model::Per;
use crate::core::metering::bucket::{Bucket, BucketCell};
use crate::core::metering::definition::MeterKind;
use crate::core::metering::tag::Tags;
use crate::core::word::{HOUR_MS, Instant};

/// The sums of a part, by line.
type ByLine = HashMap<usize, Sums>;

/// A level: array, resource, tags.
type Level = (Arc<str>, Box<str>, Arc<Tags>);

/// One question, and what was counted for it.
#[derive(Debug)]
pub(super) struct Asked<'s> {
    pub(super) like: &'s LineSelection,
    /// Whose coverage its lines see.
    pub(super) view: usize,
    by_tag: HashMap<&'s str, Vec<usize>>,
    handed: HashMap<&'s str, Instant>,
    slots: Slots,
    parts: HashMap<Box<str>, ByLine>,
    now: Now,
    /// Levels at a hand-over, and those that went on in the cell after one.
    splits: Vec<Split>,
    goes_on: HashSet<Level>,
}

/// What holds of the array at hand.
#[derive(Debug, Default)]
struct Now {
    /// Its readings before this are a demonstration.
    demo_until: Option<Instant>,
    handed_at: Option<Instant>,
    /// The name of the part that was added to last.
    part: String,
    /// The tags of the cell before, and whether their cells count: most cells bear the tags of the one before.
    last_tags: Option<(Arc<Tags>, bool)>,
}

/// The cell of a level in which its array was handed over.
#[derive(Debug)]
struct Split {
    level: Level,
    part: Box<str>,
    place: usize,
    last: u64,
    /// How much of it lies past the hand-over if the level went on, and if it did not.
    past_ms: (i64, i64),
}

impl<'s> Asked<'s> {
    pub(super) fn new(
        question: &Question<'s>,
        selections: &'s [LineSelection],
        view: usize,
        handed: &'s [HandOver],
    ) -> Self {
        Self {
            like: question.like,
            view,
            by_tag: question.by_tag(selections),
            handed: handed.iter().map(|one| (one.array.as_str(), one.at)).collect(),
            slots: Slots::of(question.like),
            parts: HashMap::new(),
            now: Now::default(),
            splits: Vec::new(),
            goes_on: HashSet::new(),
        }
    }

    /// Begins with an array that it may count.
    pub(super) fn begin(&mut self, array: &str) {
        let demo = self.like.demo.iter().find(|(demo, _)| demo == array);
        self.now = Now {
            demo_until: demo.map(|(_, until)| until.unwrap_or(Instant(i64::MAX))),
            handed_at: self.handed.get(array).copied(),
            ..Now::default()
        };
    }

    /// The lines that cover an array: those that counted a reading of it at any time before their end.
    pub(super) fn covering(&self, past: &ArrayPast) -> Vec<usize> {
        let like = self.like;
        let borne = past.borne.iter().filter(|borne| borne.kind == like.kind && borne.meter == like.meter);
        let borne = borne.filter(|borne| borne.since.hour().start() < like.until && self.counts(&borne.tags));
        let mut lines: Vec<usize> = borne.flat_map(|borne| self.lines(&borne.tags)).copied().collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    /// The lines that look for these tags.
    fn lines(&self, tags: &Tags) -> &[usize] {
        let customer = if self.like.customers.is_some() { tags.customer.as_deref().unwrap_or_default() } else { "" };
        self.by_tag.get(customer).map_or(&[], Vec::as_slice)
    }

    /// Whether cells under these tags count for any line.
    fn counts(&self, tags: &Tags) -> bool {
        let is_tier = |tier: &String| tags.tier.as_deref().unwrap_or_default() == tier;
        let is_site = |site: &String| tags.site.as_deref().unwrap_or_default() == site;
        self.like.tier.as_ref().is_none_or(is_tier)
            && (self.like.sites.is_empty() || self.like.sites.iter().any(is_site))
            && !self.lines(tags).is_empty()
    }

    fn counts_now(&mut self, tags: &Arc<Tags>) -> bool {
        match &self.now.last_tags {
            Some((last, counts)) if Arc::ptr_eq(last, tags) => *counts,
            _ => {
                let counts = self.counts(tags);
                self.now.last_tags = Some((Arc::clone(tags), counts));
                counts
            }
        }
    }

    /// Takes in a bucket of the array at hand.
    pub(super) fn bucket(&mut self, bucket: &Bucket, cells: &[BucketCell]) -> Result<(), Overflow> {
        let cell_ms = bucket.definition.cell_ms;
        self.slots.cell_ms = cell_ms;
        self.name_part(bucket);
        let handed_at = self.now.handed_at.filter(|_| bucket.definition.kind == MeterKind::Gauge);
        for cell in cells {
            let start = bucket.hour.start().plus_ms(i64::from(cell.index) * cell_ms);
            if handed_at.is_some_and(|at| start.0 == at.0 - at.0.rem_euclid(cell_ms) + cell_ms) {
                self.goes_on.insert(level(bucket, cell));
            }
            if self.now.demo_until.is_some_and(|until| start < until) {
                continue;
            }
            let Some(place) = self.slots.of_cell(start).filter(|_| self.counts_now(&cell.tags)) else { continue };
            let mut sum = Sum { amount: cell.amount, measured_ms: i64::from(cell.observed_ms), last: cell.last };
            match handed_at {
                Some(at) if start >= at => (sum.amount, sum.measured_ms) = (0, 0),
                Some(at) if start.plus_ms(cell_ms) > at => self.split(bucket, cell, place, (start, at)),
                _ => {}
            }
            self.add(&cell.tags, place, sum)?;
        }
        Ok(())
    }

    /// Adds to the part at hand of each line that looks for the tags.
    fn add(&mut self, tags: &Tags, place: usize, sum: Sum) -> Result<(), Overflow> {
        if !self.parts.contains_key(self.now.part.as_str()) {
            self.parts.insert(self.now.part.as_str().into(), ByLine::new());
        }
        let customer = if self.like.customers.is_some() { tags.customer.as_deref().unwrap_or_default() } else { "" };
        if let Some(by_line) = self.parts.get_mut(self.now.part.as_str()) {
            for line in self.by_tag.get(customer).into_iter().flatten() {
                by_line.entry(*line).or_default().add(place, sum)?;
            }
        }
        Ok(())
    }

    /// Names the part to which a series belongs.
    fn name_part(&mut self, bucket: &Bucket) {
        let part = &mut self.now.part;
        part.clear();
        match self.like.per {
            None => {}
            Some(Per::Array) => part.push_str(&bucket.series.array),
            Some(Per::Resource) => part.extend([&*bucket.series.array, "/", &*bucket.series.resource]),
        }
    }

    /// Notes a level whose array was handed over inside this cell. What is past it comes off at the end: only then it is known
    /// whether the level went on. If it did, it holds to the cell's end, since the old provider said nothing more; else it ran out
    /// before.
    fn split(&mut self, bucket: &Bucket, cell: &BucketCell, place: usize, (start, at): (Instant, Instant)) {
        let ran_out = start.plus_ms(i64::from(cell.observed_ms));
        let past_ms = (start.0 + bucket.definition.cell_ms - at.0, (ran_out.0 - at.0).max(0));
        let (level, part) = (level(bucket, cell), self.now.part.as_str().into());
        self.splits.push(Split { level, part, place, last: cell.last, past_ms });
    }

    /// Adds what was counted elsewhere, of other buckets.
    pub(super) fn add_all(&mut self, other: Self) -> Result<(), Overflow> {
        self.slots.cell_ms = self.slots.cell_ms.min(other.slots.cell_ms);
        self.splits.extend(other.splits);
        self.goes_on.extend(other.goes_on);
        for (name, by_line) in other.parts {
            let own = self.parts.entry(name).or_default();
            for (line, sums) in by_line {
                own.entry(line).or_default().add_all(sums)?;
            }
        }
        Ok(())
    }

    /// Gives the parts to each line's usage.
    pub(super) fn finish(mut self, usages: &mut [LineUsage]) -> Result<(), Overflow> {
        for Split { level, part, place, last, past_ms } in std::mem::take(&mut self.splits) {
            let past_ms = if self.goes_on.contains(&level) { past_ms.0 } else { past_ms.1 };
            let amount = i128::from(last).checked_mul(i128::from(-past_ms)).ok_or(Overflow)?;
            self.now.part = part.into();
            self.add(&level.2, place, Sum { amount, measured_ms: -past_ms, last })?;
        }
        let length_ms = if are_hours(self.like) { HOUR_MS } else { self.slots.cell_ms };
        // what is known of levels is wanted where gaps are held: only there cells are read of a mean
        let is_known = self.like.grain == Grain::Cell;
        for (name, by_line) in self.parts {
            for (line, sums) in by_line {
                usages[line].parts.push(sums.part(name.to_string(), &self.slots, length_ms, is_known));
            }
        }
        Ok(())
    }
}

fn level(bucket: &Bucket, cell: &BucketCell) -> Level {
    (Arc::clone(&bucket.series.array), bucket.series.resource.clone(), Arc::clone(&cell.tags))
}
