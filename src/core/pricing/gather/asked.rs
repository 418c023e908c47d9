//! One question's sums: which cells of the array at hand it counts, for which of its lines.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::super::error::Overflow;
use super::super::question::{Question, are_hours};
use super::super::selection::{Grain, LineSelection};
use super::super::usage::{HandOver, LineUsage};
use super::Borne;
use super::sums::{Slots, Sum, Sums};
use crate::core::book::model::Per;
use crate::core::metering::bucket::{Bucket, BucketCell};
use crate::core::metering::definition::MeterKind;
use crate::core::metering::tag::Tags;
use crate::core::word::{HOUR_MS, Instant};

/// The sums of a part's lines.
type ByLine = HashMap<usize, Sums>;

/// One question, and what was counted for it.
#[derive(Debug)]
pub(super) struct Asked<'s> {
    pub(super) like: &'s LineSelection,
    /// Whose coverage its lines see.
    pub(super) view: usize,
    by_tag: HashMap<&'s str, Vec<usize>>,
    handed: HashMap<String, Instant>,
    slots: Slots,
    /// By name: of the pool, or of the parts of the array at hand.
    parts: HashMap<Box<str>, ByLine>,
    now: Array,
    /// The tags of the cell before, and whether their cells count: most cells bear the tags of the one before.
    last_tags: Option<(Arc<Tags>, bool)>,
}

/// What holds of the array at hand.
#[derive(Debug, Default)]
struct Array {
    name: String,
    /// Its readings before this are a demonstration.
    demo_until: Option<Instant>,
    handed_at: Option<Instant>,
    /// Lines that cover it.
    covering: Vec<usize>,
    /// Levels at the hand-over, and those that went on in the cell after it.
    split: Vec<Split>,
    goes_on: HashSet<(Box<str>, Arc<Tags>)>,
}

/// The cell of a level in which its array was handed over.
#[derive(Debug)]
struct Split {
    resource: Box<str>,
    tags: Arc<Tags>,
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
        handed: &[HandOver],
    ) -> Self {
        Self {
            like: question.like,
            view,
            by_tag: question.by_tag(selections),
            handed: handed.iter().map(|one| (one.array.clone(), one.at)).collect(),
            slots: Slots::of(question.like),
            parts: HashMap::new(),
            now: Array::default(),
            last_tags: None,
        }
    }

    /// Begins with an array that it may count.
    pub(super) fn begin(&mut self, array: &str) {
        let demo = self.like.demo.iter().find(|(demo, _)| demo == array);
        self.now = Array {
            name: array.to_owned(),
            demo_until: demo.map(|(_, until)| until.unwrap_or(Instant(i64::MAX))),
            handed_at: self.handed.get(array).copied(),
            ..Array::default()
        };
        // tags are interned by array
        self.last_tags = None;
    }

    /// Notes the lines that cover the array because a reading of it bore these tags before they ended.
    pub(super) fn covers(&mut self, borne: &Borne) {
        if borne.since.hour().start() < self.like.until && self.counts(&borne.tags) {
            self.now.covering.extend(self.by_tag.get(self.customer(&borne.tags)).into_iter().flatten());
        }
    }

    /// Whose tag lines are found under.
    fn customer<'t>(&self, tags: &'t Tags) -> &'t str {
        if self.like.customers.is_some() { tags.customer.as_deref().unwrap_or_default() } else { "" }
    }

    /// Whether cells under these tags count for any line.
    fn counts(&self, tags: &Tags) -> bool {
        let is_tier = |tier: &String| tags.tier.as_deref().unwrap_or_default() == tier;
        let is_site = |site: &String| tags.site.as_deref().unwrap_or_default() == site;
        self.like.tier.as_ref().is_none_or(is_tier)
            && (self.like.sites.is_empty() || self.like.sites.iter().any(is_site))
            && self.by_tag.contains_key(self.customer(tags))
    }

    /// Takes in a bucket of the array at hand.
    pub(super) fn bucket(&mut self, bucket: &Bucket, cells: &[BucketCell]) -> Result<(), Overflow> {
        let cell_ms = bucket.definition.cell_ms;
        self.slots.cell_ms = cell_ms;
        let handed_at = self.now.handed_at.filter(|_| bucket.definition.kind == MeterKind::Gauge);
        for cell in cells {
            let start = bucket.hour.start().plus_ms(i64::from(cell.index) * cell_ms);
            if handed_at.is_some_and(|at| start.0 == at.0 - at.0.rem_euclid(cell_ms) + cell_ms) {
                self.now.goes_on.insert((bucket.series.resource.clone(), Arc::clone(&cell.tags)));
            }
            if self.now.demo_until.is_some_and(|until| start < until) {
                continue;
            }
            let Some(place) = self.slots.of_cell(start).filter(|_| self.counts_now(&cell.tags)) else { continue };
            match handed_at {
                Some(at) if start >= at => self.add(bucket, cell, place, (0, 0))?,
                at => {
                    if let Some(at) = at.filter(|at| start.plus_ms(cell_ms) > *at) {
                        self.split(bucket, cell, place, (start, at));
                    }
                    self.add(bucket, cell, place, (cell.amount, i64::from(cell.observed_ms)))?;
                }
            }
        }
        Ok(())
    }

    fn counts_now(&mut self, tags: &Arc<Tags>) -> bool {
        match &self.last_tags {
            Some((last, counts)) if Arc::ptr_eq(last, tags) => *counts,
            _ => {
                let counts = self.counts(tags);
                self.last_tags = Some((Arc::clone(tags), counts));
                counts
            }
        }
    }

    /// Adds a cell, or as much of it as counts, to its part of each line.
    fn add(
        &mut self,
        bucket: &Bucket,
        cell: &BucketCell,
        place: usize,
        (amount, measured_ms): (i128, i64),
    ) -> Result<(), Overflow> {
        let name = self.part_name(bucket);
        let by_line = match self.parts.get_mut(name) {
            Some(by_line) => by_line,
            None => self.parts.entry(name.into()).or_default(),
        };
        let customer = if self.like.customers.is_some() { cell.tags.customer.as_deref().unwrap_or_default() } else { "" };
        let sum = Sum { amount, measured_ms, last: cell.last, is_there: true };
        for line in self.by_tag.get(customer).into_iter().flatten() {
            by_line.entry(*line).or_default().add(place, sum)?;
        }
        Ok(())
    }

    /// Under which name a series is added up while its array is at hand.
    fn part_name<'b>(&self, bucket: &'b Bucket) -> &'b str {
        match self.like.per {
            None | Some(Per::Array) => "",
            Some(Per::Resource) => &bucket.series.resource,
        }
    }

    /// Notes a level whose array was handed over inside this cell. What is past it comes off when the array ends: only then it is
    /// known whether the level went on. If it did, it holds to the cell's end, since the old provider said nothing more; else it
    /// ran out before.
    fn split(&mut self, bucket: &Bucket, cell: &BucketCell, place: usize, (start, at): (Instant, Instant)) {
        let ran_out = start.plus_ms(i64::from(cell.observed_ms));
        let past_ms = (start.0 + bucket.definition.cell_ms - at.0, (ran_out.0 - at.0).max(0));
        let (resource, part) = (bucket.series.resource.clone(), self.part_name(bucket).into());
        let tags = Arc::clone(&cell.tags);
        self.now.split.push(Split { resource, tags, part, place, last: cell.last, past_ms });
    }

    /// Ends the array: its parts go to the lines' usages. The lines that cover it are returned.
    pub(super) fn end(&mut self, usages: &mut [LineUsage]) -> Result<Vec<usize>, Overflow> {
        let mut now = std::mem::take(&mut self.now);
        for Split { resource, tags, part, place, last, past_ms } in now.split {
            let customer = self.customer(&tags).to_owned();
            let past_ms = if now.goes_on.contains(&(resource, tags)) { past_ms.0 } else { past_ms.1 };
            let amount = i128::from(last).checked_mul(i128::from(-past_ms)).ok_or(Overflow)?;
            let sum = Sum { amount, measured_ms: -past_ms, last, is_there: true };
            let by_line = self.parts.entry(part).or_default();
            for line in self.by_tag.get(customer.as_str()).into_iter().flatten() {
                by_line.entry(*line).or_default().add(place, sum)?;
            }
        }
        if let Some(per) = self.like.per {
            for (part, by_line) in std::mem::take(&mut self.parts) {
                let name = match per {
                    Per::Array => now.name.clone(),
                    Per::Resource => format!("{}/{part}", now.name),
                };
                self.tell(&name, &by_line, usages);
            }
        }
        now.covering.sort_unstable();
        now.covering.dedup();
        Ok(now.covering)
    }

    /// Adds a part to each line's usage.
    fn tell(&self, name: &str, by_line: &ByLine, usages: &mut [LineUsage]) {
        let length_ms = if are_hours(self.like) { HOUR_MS } else { self.slots.cell_ms };
        // what is known of levels is wanted where gaps are held: only there cells are read of a mean
        let is_known = self.like.grain == Grain::Cell;
        for (line, sums) in by_line {
            usages[*line].parts.push(sums.part(name.to_owned(), &self.slots, length_ms, is_known));
        }
    }

    /// Adds what was counted elsewhere of other arrays; no array is at hand here or there.
    pub(super) fn add_all(&mut self, other: Self) -> Result<(), Overflow> {
        self.slots.cell_ms = self.slots.cell_ms.min(other.slots.cell_ms);
        for (name, by_line) in other.parts {
            let own = self.parts.entry(name).or_default();
            for (line, sums) in by_line {
                own.entry(line).or_default().add_all(sums)?;
            }
        }
        Ok(())
    }

    /// Adds the pool to each line's usage.
    pub(super) fn finish(&mut self, usages: &mut [LineUsage]) {
        for (name, by_line) in std::mem::take(&mut self.parts) {
            self.tell(&name, &by_line, usages);
        }
    }
}
