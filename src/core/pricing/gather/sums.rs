//! Sums of one part of a line, a slot each.

use std::sync::Arc;

use super::super::error::Overflow;
use super::super::selection::{Grain, LineSelection};
use super::super::usage::{Known, PartUsage, Slot};
use crate::core::word::Instant;

/// The slots of a question: its windows, or a meter's cells.
#[derive(Debug)]
pub(super) struct Slots {
    from: Instant,
    until: Instant,
    /// Where windows begin; none for cells.
    edges: Option<Arc<[Instant]>>,
    /// Of the meter; every meter has cells of one length.
    pub(super) cell_ms: i64,
    /// Where the slot lies that was asked for last, and its first and next instants.
    last: (usize, Instant, Instant),
}

impl Slots {
    pub(super) fn of(like: &LineSelection) -> Self {
        let edges = match &like.grain {
            Grain::Window(edges) => Some(Arc::clone(edges)),
            Grain::Cell => None,
        };
        let nowhere = (0, Instant(i64::MAX), Instant(i64::MIN));
        Self { from: like.from, until: like.until, edges, cell_ms: 900_000, last: nowhere }
    }

    /// The slot in which a cell begins; none outside of what is asked for.
    pub(super) fn of_cell(&mut self, start: Instant) -> Option<usize> {
        if start < self.from || start >= self.until {
            return None;
        }
        let Some(edges) = &self.edges else { return usize::try_from((start.0 - self.from.0) / self.cell_ms).ok() };
        let (place, from, until) = self.last;
        if from <= start && start < until {
            return Some(place);
        }
        // before the first edge there is no window of its own: what is asked for begins with it
        let place = edges.partition_point(|edge| *edge <= start).saturating_sub(1);
        let until = edges.get(place + 1).copied().unwrap_or(self.until);
        self.last = (place, start, until);
        Some(place)
    }

    pub(super) fn start(&self, place: usize) -> Instant {
        match self.edges.as_ref().and_then(|edges| edges.get(place)) {
            Some(edge) => *edge,
            None => self.from.plus_ms(self.cell_ms.saturating_mul(i64::try_from(place).unwrap_or(i64::MAX))),
        }
    }
}

/// What is known of a cell, or of a slot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) amount: i128,
    pub(super) measured_ms: i64,
    pub(super) last: u64,
}

/// The sums of a part, as far as its last slot.
#[derive(Debug, Default)]
pub(super) struct Sums(Vec<Option<Sum>>);

impl Sums {
    /// Adds to a slot; of levels the greatest is kept, so that the order in which cells come does not matter.
    pub(super) fn add(&mut self, place: usize, sum: Sum) -> Result<(), Overflow> {
        if self.0.len() <= place {
            self.0.resize(place + 1, None);
        }
        let slot = self.0[place].get_or_insert_default();
        slot.amount = slot.amount.checked_add(sum.amount).ok_or(Overflow)?;
        slot.measured_ms += sum.measured_ms;
        slot.last = slot.last.max(sum.last);
        Ok(())
    }

    pub(super) fn add_all(&mut self, other: Sums) -> Result<(), Overflow> {
        let there = other.0.into_iter().enumerate().filter_map(|(place, sum)| Some((place, sum?)));
        there.into_iter().try_for_each(|(place, sum)| self.add(place, sum))
    }

    /// The part as rating reads it; `length_ms` is what each slot says of its length.
    pub(super) fn part(&self, name: String, slots: &Slots, length_ms: i64, is_known: bool) -> PartUsage {
        let there = || self.0.iter().enumerate().filter_map(|(place, sum)| Some((place, (*sum)?)));
        let slot = |(place, sum): (usize, Sum)| Slot { start: slots.start(place), length_ms, amount: sum.amount };
        let known = |(_, sum): (usize, Sum)| Known { measured_ms: sum.measured_ms, last: sum.last };
        let known = if is_known { there().map(known).collect() } else { Vec::new() };
        PartUsage { name, slots: there().map(slot).collect(), known }
    }
}
