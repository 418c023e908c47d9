//! The events that an array still holds, with their readings one after another: taking one in writes memory in sequence.

use std::collections::VecDeque;

use super::tag::TagId;
use crate::core::word::Instant;
use crate::mutation::{Mutation, planted};

/// When and where an event came: the order of its readings among those of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventOrder {
    /// When it was measured.
    pub instant: Instant,
    /// When the collector says it was recorded; absent sorts first.
    pub recorded: Option<Instant>,
    /// The generation of its stream.
    pub generation: u32,
    /// Its offset.
    pub offset: u64,
}

/// One held reading: 16 bytes, since a series at 5-minute polls holds about 40 of them.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Which series of the array.
    pub series: u32,
    /// Whose area it opens.
    pub tags: TagId,
    /// Its value.
    pub value: u64,
}

/// One held event.
#[derive(Debug)]
pub struct HeldEvent {
    /// Its place in the order of the meter function.
    pub order: EventOrder,
    /// Whether it came since the last checkpoint: then the hours that it touches are to be metered.
    pub fresh: bool,
    /// Its readings of defined meters.
    pub readings: Vec<Held>,
}

/// Events in the order of the meter function.
#[derive(Debug, Default)]
pub struct HeldEvents(VecDeque<HeldEvent>);

impl HeldEvents {
    /// Puts an event in its place, which is nearly always the end.
    pub fn insert(&mut self, event: HeldEvent) {
        let is_before = |one: &EventOrder, other: &EventOrder| match planted(Mutation::EqualInstantsByArrival) {
            true => one.instant <= other.instant,
            false => one < other,
        };
        match self.0.back() {
            Some(back) if !is_before(&back.order, &event.order) => {
                let place = self.0.partition_point(|other| is_before(&other.order, &event.order));
                self.0.insert(place, event);
            }
            _ => self.0.push_back(event),
        }
    }

    /// Forgets events measured at or before `floor`.
    pub fn evict(&mut self, floor: Instant) {
        while self.0.front().is_some_and(|event| event.order.instant <= floor) {
            self.0.pop_front();
        }
    }

    /// Those measured in [from, until), in order.
    pub fn between(&self, from: Instant, until: Instant) -> impl Iterator<Item = &HeldEvent> + Clone {
        let first = self.0.partition_point(|event| event.order.instant < from);
        let end = self.0.partition_point(|event| event.order.instant < until).max(first);
        self.0.range(first..end)
    }

    /// Those measured in [from, until), the last first.
    pub fn back_from(&self, until: Instant, from: Instant) -> impl Iterator<Item = &HeldEvent> {
        let end = self.0.partition_point(|event| event.order.instant < until);
        self.0.range(..end).rev().take_while(move |event| event.order.instant >= from)
    }

    /// All of them, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut HeldEvent> {
        self.0.iter_mut()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &HeldEvent> + Clone {
        self.0.iter()
    }

    /// Bytes that they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let readings: usize = self.0.iter().map(|event| event.readings.capacity() * size_of::<Held>()).sum();
        self.0.capacity() * size_of::<HeldEvent>() + readings
    }
}
