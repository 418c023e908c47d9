//! When the array at hand was observed, per quarter of an hour or window.

use super::super::selection::LineSelection;
use super::super::usage::{ArrayCoverage, HandOver};
use super::ArrayPast;
use super::sums::{Slots, Sums};
use crate::core::metering::bucket::BucketCell;
use crate::core::word::{Hour, Instant};

/// Length of a cell of the built-in gauge, and of the steps at which hand-overs cut windows.
const QUARTER_MS: i64 = 900_000;

/// One way in which lines see when arrays were observed. Most lines of a period share one.
#[derive(Debug)]
pub(super) struct View<'s> {
    provider: &'s str,
    like: LineSelection,
    handed: Vec<HandOver>,
    slots: Slots,
    sums: Sums,
    array: Option<ArrayCoverage>,
}

impl<'s> View<'s> {
    /// Where the view of a selection lies; it is made if there is none such.
    pub(super) fn place_of(views: &mut Vec<Self>, selection: &'s LineSelection, handed: &[HandOver]) -> usize {
        // a hand-over ends an array's time inside a window: that window is read in two
        let ends = handed.iter().map(|one| Instant(one.at.0 - one.at.0.rem_euclid(QUARTER_MS)));
        let like = selection.cut_at(ends);
        let time = |like: &LineSelection| (like.from, like.until);
        let same = |view: &Self| {
            view.provider == selection.provider && time(&view.like) == time(&like) && view.like.grain == like.grain
        };
        views.iter().position(same).unwrap_or_else(|| {
            let (handed, slots) = (handed.to_vec(), Slots::of(&like));
            views.push(Self { provider: &selection.provider, like, handed, slots, sums: Sums::default(), array: None });
            views.len() - 1
        })
    }

    /// Begins with an array; one that was not heard of before the end is not there.
    pub(super) fn begin(&mut self, past: &ArrayPast) {
        self.sums = Sums::default();
        let is_there = past.provider == self.provider && past.first_reading.hour().start() < self.like.until;
        self.array = is_there.then(|| ArrayCoverage {
            array: past.array.clone(),
            first_reading: Some(past.first_reading),
            handed_over: None,
            observed: Vec::new(),
        });
    }

    /// Takes in an hour of the array's built-in gauge.
    pub(super) fn observe(&mut self, hour: Hour, cells: &[BucketCell]) {
        if self.array.is_none() {
            return;
        }
        for cell in cells {
            let start = hour.start().plus_ms(i64::from(cell.index) * QUARTER_MS);
            if let Some(place) = self.slots.of_cell(start) {
                self.sums.measured(place, i64::from(cell.observed_ms));
            }
        }
    }

    /// Ends the array: what was observed of it is told from now on.
    pub(super) fn end(&mut self) {
        let Some(array) = &mut self.array else { return };
        let observed = self.sums.iter().map(|(place, sum)| (self.slots.start(place), sum.measured_ms));
        array.observed = observed.collect();
        if let Some(hand_over) = self.handed.iter().find(|one| one.array == array.array) {
            array.end_at(hand_over.at);
        }
    }

    /// The array that was ended last, if it is there.
    pub(super) fn coverage(&self) -> Option<&ArrayCoverage> {
        self.array.as_ref()
    }
}
