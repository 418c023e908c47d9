//! What periods come to: usage below a cut, the book that is due, and what is left of credits.

use std::collections::BTreeMap;

use super::super::broker::Broker;
use super::super::oracle::Told;
use super::super::world::{Broken, World};
use super::ClosingPlan;
use super::ledger::{Sums, Whole, shown, whole};
use super::register::{Counted, Log};
use crate::core::decision::Decision;
use crate::core::decision::closing::PeriodKey;
use crate::statement::Place;

/// A draft that is due, as its close has it.
pub(super) struct DueDraft {
    pub(super) period: PeriodKey,
    pub(super) place: Place,
    pub(super) rating_id: String,
    pub(super) offset: u64,
    pub(super) whole: Whole,
    /// What its document's rows come to, by number.
    pub(super) rows: BTreeMap<usize, i128>,
}

/// What the judgement knows.
pub(super) struct Oracle<'w> {
    pub(super) world: &'w World,
    pub(super) broker: &'w Broker,
    pub(super) log: &'w Log<'w>,
    pub(super) told: &'w [Told],
    pub(super) plan: ClosingPlan,
    pub(super) due: Vec<DueDraft>,
}

impl<'w> Oracle<'w> {
    /// The first place of the generation that is open below a decision, and how many places there are.
    pub(super) fn streams(&self, after: u64) -> (u32, u32) {
        let below = self.broker.control.iter().take(after as usize);
        let opened = below.filter(|record| matches!(record.decision, Decision::StreamOpened { .. })).count().max(1);
        let open = &self.broker.streams[opened - 1];
        (open.first, open.first + open.rules.partitions)
    }

    /// The usage of a period below some places of the generation that is open below a decision, with the meters that are defined below `after`.
    pub(super) fn sums(
        &self,
        (opened, after): (u64, u64),
        points: &BTreeMap<u32, u64>,
        period: &PeriodKey,
    ) -> Sums<'w> {
        let (first, end) = self.streams(opened);
        let meters = self.broker.meters(after);
        let is_closed = self.streams(after).0 >= end;
        let mut sums = Sums::default();
        for place in first..end {
            let generation = self.broker.of_place(place).0.rules.generation;
            // what lies past an end that was decided since is void
            let void = self.broker.end_of(place).filter(|_| is_closed).unwrap_or(u64::MAX);
            let below = points.get(&place).copied().unwrap_or(0).min(void);
            sums.add(&self.told[place as usize], (generation, below), &meters, period);
        }
        sums
    }

    /// What the close that first took a close's cut had read: a re-pricing stays at the cut of what it corrects.
    pub(super) fn opened(&self, closed: &Counted<'_>) -> u64 {
        let same = |other: &&Counted<'_>| {
            other.close.period == closed.close.period
                && other.close.cut == closed.close.cut
                && other.offset <= closed.offset
        };
        self.log.closes.iter().find(same).map_or(closed.close.after.0, |first| first.close.after.0)
    }

    /// What the contracts of a period come to.
    pub(super) fn wholes(&self, book: &str, after: u64, sums: &Sums<'_>, period: &PeriodKey) -> BTreeMap<Place, Whole> {
        let Some(spec) = self.broker.books.iter().find(|spec| spec.hash == book) else { return BTreeMap::new() };
        let day = chrono::DateTime::from_timestamp_millis(period.start.0).map_or(0, |at| chrono::Datelike::day(&at));
        let mut places = Vec::new();
        let place = |contract: &str, customer: Option<&str>| Place {
            contract: contract.to_owned(),
            customer: customer.map(str::to_owned),
        };
        if day == 1 {
            places.push((place("w", None), None));
            let others = sums.seen.iter().filter(|tag| **tag != "acme");
            places.extend(others.map(|tag| (place("r", Some(tag)), Some(*tag))));
        }
        if day == self.plan.anchor_day {
            places.push((place("c", None), Some("acme")));
        }
        let of = |(place, customer): (Place, Option<&str>)| {
            let credits = self.credits(&place, period, after);
            let whole = whole((spec, &place.contract), customer, sums, period, &credits);
            (place, whole)
        };
        places.into_iter().map(of).collect()
    }

    /// What the first close had read of the log of which a period has a document of a place that nobody discarded; else `after`.
    fn granted(&self, place: &Place, period: &PeriodKey, after: u64) -> u64 {
        let own = self.due.iter().filter(|due| due.place == *place && due.period == *period);
        let mut standing = own.filter(|due| !self.log.is_discarded(&due.place.draft(&due.rating_id), after));
        let first = standing.next().map(|first| &first.rating_id);
        let close = first.and_then(|id| self.log.closes.iter().find(|closed| closed.close.rating_id == *id));
        close.map_or(after, |closed| closed.close.after.0)
    }

    /// What is left of the credits of a place for a period, below a decision: of those that were granted before its first document.
    pub(super) fn credits(&self, place: &Place, period: &PeriodKey, after: u64) -> BTreeMap<String, i128> {
        let mut left: BTreeMap<String, i128> = BTreeMap::new();
        for record in self.broker.control.iter().take(self.granted(place, period, after) as usize) {
            if let Decision::CreditGranted { grant, .. } = &record.decision
                && grant.contract == place.contract
            {
                let amount = shown(&format!("{}0", grant.amount)).unwrap_or_default();
                left.entry(grant.id.clone()).or_insert(amount);
            }
        }
        let mut taken: BTreeMap<(&PeriodKey, &String), (i128, i128)> = BTreeMap::new();
        for due in self.due.iter().filter(|due| due.place == *place && due.offset < after) {
            let draft = due.place.draft(&due.rating_id);
            if self.log.is_discarded(&draft, after) {
                continue;
            }
            let is_returned = self.log.is_taken_back(&draft, &due.rows, after);
            for (id, applied) in &due.whole.applied {
                let (used, returned) = taken.entry((&due.period, id)).or_default();
                *used += applied;
                *returned += if is_returned { *applied } else { 0 };
            }
        }
        for (id, left) in &mut left {
            let own = taken.get(&(period, id)).map_or(0, |(used, _)| *used).min(*left);
            let others = taken.iter().filter(|((of, other), _)| *of != period && *other == id);
            // a period keeps what its documents took: a note over one of them is no revision
            *left = own.max(*left - others.map(|(_, (used, returned))| (used - returned).max(0)).sum::<i128>());
        }
        left
    }

    /// The book that was decided for a revision below a decision, if one was: the last counts.
    pub(super) fn repriced(&self, of: &PeriodKey, number: u32, below: u64) -> Option<&'w String> {
        let decisions = self.broker.control.iter().take(below as usize).map(|record| &record.decision);
        decisions.rev().find_map(|decision| match decision {
            Decision::PeriodRepriced { period, revision, book, .. } if period == of && *revision == number => {
                Some(book)
            }
            _ => None,
        })
    }

    /// The book that a close has to be rated with: the newest it has read, of a correction that of what it corrects, or another by decision.
    pub(super) fn book(&self, closed: &Counted<'_>) -> String {
        let Counted { offset, close, .. } = *closed;
        let before = self.log.closes.iter().rfind(|other| other.close.period == close.period && other.offset < offset);
        let mut decisions = self.broker.control.iter().take(close.after.0 as usize).map(|record| &record.decision);
        let repriced = self.repriced(&close.period, close.revision, close.after.0);
        let newest = || {
            decisions.rfind(|decision| matches!(decision, Decision::PriceBookPublished { .. })).and_then(
                |it| match it {
                    Decision::PriceBookPublished { hash, .. } => Some(hash),
                    _ => None,
                },
            )
        };
        let book = repriced.or(before.map(|before| &before.close.book)).or_else(newest);
        if book != Some(&close.book) {
            self.world.fail(Broken::Wrong, format!("close {offset} is rated with {}; due is {book:?}", close.book));
        }
        close.book.clone()
    }

    /// Whether of a log that took another's place something is below these places.
    pub(super) fn is_mixed(&self, points: &BTreeMap<u32, u64>) -> bool {
        points.iter().any(|(place, point)| {
            let log = &self.broker.partitions[*place as usize];
            log.before_cut.is_some() && *point > log.stood
        })
    }
}
