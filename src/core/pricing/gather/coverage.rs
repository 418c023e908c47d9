//! When arrays were observed, per quarter of an hour or window.

use std::collections::HashMap;

use super::super::selection::LineSelection;
use super::super::usage::{ArrayCoverage, HandOver};
use super::ArrayPast;
use super::sums::Slots;
use crate::core::metering::bucket::BucketCell;
use crate::core::word::{Hour, Instant};

/// Length of a cell of the built-in gauge, and of the steps at which hand-overs cut windows.
const QUARTER_MS: i64 = 900_000;

/// One way in which lines see when arrays were observed. Most lines of a period share one.
#[derive(Debug)]
pub(super) struct View<'s> {
    pub(super) provider: &'s str,
    like: LineSelection,
    handed: &'s [HandOver],
    slots: Slots,
    /// Milliseconds by array and slot; what lacks at the end is 0.
    observed: HashMap<Box<str>, Vec<i64>>,
}

impl<'s> View<'s> {
    /// Where the view of a selection lies; it is made if there is none such.
    pub(super) fn place_of(views: &mut Vec<Self>, selection: &'s LineSelection, handed: &'s [HandOver]) -> usize {
        // a hand-over ends an array's time inside a window: that window is read in two
        let ends = handed.iter().map(|one| Instant(one.at.0 - one.at.0.rem_euclid(QUARTER_MS)));
        let like = selection.cut_at(ends);
        let time = |like: &LineSelection| (like.from, like.until);
        let same = |view: &Self| {
            view.provider == selection.provider && time(&view.like) == time(&like) && view.like.grain == like.grain
        };
        views.iter().position(same).unwrap_or_else(|| {
            let slots = Slots::of(&like);
            views.push(Self { provider: &selection.provider, like, handed, slots, observed: HashMap::new() });
            views.len() - 1
        })
    }

    /// Takes in an hour of an array's built-in gauge.
    pub(super) fn observe(&mut self, array: &str, hour: Hour, cells: &[BucketCell]) {
        if !self.observed.contains_key(array) {
            self.observed.insert(array.into(), Vec::new());
        }
        let Some(observed) = self.observed.get_mut(array) else { return };
        for cell in cells {
            let start = hour.start().plus_ms(i64::from(cell.index) * QUARTER_MS);
            if let Some(place) = self.slots.of_cell(start) {
                add(observed, place, i64::from(cell.observed_ms));
            }
        }
    }

    /// Adds what was observed in other hours.
    pub(super) fn add(&mut self, other: Self) {
        for (array, ms) in other.observed {
            let observed = self.observed.entry(array).or_default();
            ms.into_iter().enumerate().for_each(|(place, ms)| add(observed, place, ms));
        }
    }

    /// What was observed of an array; none if it was not heard of before the end.
    pub(super) fn coverage(&self, past: &ArrayPast) -> Option<ArrayCoverage> {
        if past.provider != self.provider || past.first_reading.hour().start() >= self.like.until {
            return None;
        }
        let observed = self.observed.get(past.array.as_str()).into_iter().flatten().enumerate();
        let mut coverage = ArrayCoverage {
            array: past.array.clone(),
            first_reading: Some(past.first_reading),
            handed_over: None,
            observed: observed.filter(|(_, ms)| **ms > 0).map(|(place, ms)| (self.slots.start(place), *ms)).collect(),
        };
        if let Some(hand_over) = self.handed.iter().find(|one| one.array == past.array) {
            coverage.end_at(hand_over.at);
        }
        Some(coverage)
    }
}

fn add(observed: &mut Vec<i64>, place: usize, ms: i64) {
    if observed.len() <= place {
        observed.resize(place + 1, 0);
    }
    observed[place] += ms;
}
