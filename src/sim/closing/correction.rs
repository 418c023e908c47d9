//! Each draft is the whole less the documents before it, and in the end nothing is left to adjust.

use std::collections::{BTreeMap, BTreeSet};

use super::super::world::Broken;
use super::ledger::{Whole, shown};
use super::oracle::{DueDraft, Oracle};
use super::register::{Counted, waived};
use super::store::place_of;
use crate::core::billing::document::Document;
use crate::core::decision::closing::PeriodKey;
use crate::statement::Place;

impl Oracle<'_> {
    /// Whether somebody waived that a partition has not begun, which then has not metered what a generation before it left.
    fn is_waived_unbegun(&self, closed: &Counted<'_>, points: &BTreeMap<u32, u64>) -> bool {
        let (first, end) = self.streams(closed.close.after.0);
        let is_waived = waived(self.broker, closed.close, closed.offset).iter().any(|kind| kind == "behind");
        is_waived && first > 0 && !(0..end).all(|place| points.contains_key(&place))
    }

    /// Takes the drafts of a close as they are.
    fn believe(&mut self, closed: &Counted<'_>) {
        let Counted { offset, close, .. } = *closed;
        let database = self.world.database.borrow();
        for ((rating_id, place), stored) in &database.bill.headers {
            if *rating_id == close.rating_id {
                let (period, place, rating_id) = (close.period.clone(), place.clone(), rating_id.clone());
                let document = &stored.row.draft.document;
                let (whole, rows) = (Whole::of(document), rows(document));
                self.due.push(DueDraft { period, place, rating_id, offset, whole, rows });
            }
        }
    }

    /// Every draft of a close is what its place comes to, less the documents before it.
    pub(super) fn documents(&mut self, closed: &Counted<'_>) {
        let Counted { offset, close, .. } = *closed;
        let points = close.cut.iter().filter_map(|point| place_of(self.broker, point)).collect();
        if self.is_mixed(&points) || self.is_waived_unbegun(closed, &points) {
            return self.believe(closed);
        }
        let sums = self.sums((self.opened(closed), close.after.0), &points, &close.period);
        let wholes = self.wholes(&self.book(closed), close.after.0, &sums, &close.period);
        let database = self.world.database.borrow();
        let of_close = |key: &&(String, Place)| key.0 == close.rating_id;
        let earlier = self.due.iter().filter(|due| due.period == close.period).map(|due| &due.place);
        let stored = database.bill.headers.keys().filter(of_close).map(|(_, place)| place);
        let places: BTreeSet<Place> = wholes.keys().chain(earlier).chain(stored).cloned().collect();
        let mut made = Vec::new();
        for place in places {
            let before: Vec<&DueDraft> = self.before(&close.period, &place, close.after.0).collect();
            let mut difference = wholes.get(&place).cloned().unwrap_or_default();
            before.iter().for_each(|due| difference.take(&due.whole));
            let stored = database.bill.headers.get(&(close.rating_id.clone(), place.clone()));
            let found = stored.map(|stored| Whole::of(&stored.row.draft.document));
            let is_due = before.is_empty() && wholes.contains_key(&place);
            if found.clone().unwrap_or_default() != difference || (found.is_none() && is_due) {
                let text = format!("close {offset}: {place:?} is {found:?}; due is {difference:?}");
                self.world.fail(Broken::Wrong, text);
            }
            let waits = |due: &&&DueDraft| !self.log.is_settled(&due.place.draft(&due.rating_id), offset);
            if let Some(waiting) = before.iter().find(waits).filter(|_| found.is_some()) {
                let text = format!("close {offset}: {place:?} corrects {}, which waits", waiting.rating_id);
                self.world.fail(Broken::Wrong, text);
            }
            if let Some(stored) = stored {
                let (period, rating_id) = (close.period.clone(), close.rating_id.clone());
                let rows = rows(&stored.row.draft.document);
                made.push(DueDraft { period, place, rating_id, offset, whole: difference, rows });
            }
        }
        self.due.extend(made);
    }

    /// The documents before a revision, but for those that were discarded.
    fn before(&self, period: &PeriodKey, place: &Place, after: u64) -> impl Iterator<Item = &DueDraft> {
        let own = self.due.iter().filter(move |due| due.period == *period && due.place == *place);
        own.filter(move |due| !self.log.is_discarded(&due.place.draft(&due.rating_id), after))
    }

    /// The documents of every period sum to what it comes to in the end: nothing late is left.
    pub(super) fn all_is_adjusted(&self) {
        let after = self.broker.control.len() as u64;
        let (first, end) = self.streams(after);
        let ends: BTreeMap<u32, u64> =
            (first..end).map(|place| (place, self.broker.partitions[place as usize].end)).collect();
        let periods: BTreeSet<&PeriodKey> = self.log.closes.iter().map(|closed| &closed.close.period).collect();
        if (first..end).any(|place| self.broker.partitions[place as usize].before_cut.is_some()) {
            return;
        }
        for period in periods {
            let Some(newest) = self.log.closes.iter().rfind(|closed| closed.close.period == *period) else { continue };
            let sums = self.sums((after, after), &ends, period);
            let book = self.repriced(period, newest.close.revision + 1, after).unwrap_or(&newest.close.book);
            let wholes = self.wholes(book, newest.close.after.0, &sums, period);
            let earlier = self.due.iter().filter(|due| due.period == *period).map(|due| &due.place);
            for place in wholes.keys().chain(earlier).collect::<BTreeSet<_>>() {
                let mut left = wholes.get(place).cloned().unwrap_or_default();
                // what was discarded since is made again by whoever corrects next
                self.before(period, place, newest.close.after.0).for_each(|due| left.take(&due.whole));
                if left != Whole::default() {
                    self.world.fail(Broken::Lost, format!("{period:?} {place:?}: {left:?} is never adjusted"));
                }
            }
        }
    }
}

/// What a document's rows come to, by number.
fn rows(document: &Document) -> BTreeMap<usize, i128> {
    document.rows.iter().map(|row| (row.no, shown(&row.amount).unwrap_or(i128::MIN))).collect()
}
