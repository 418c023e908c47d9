//! Hours of an array that leave memory, metered into buckets.

use super::ArrayMeter;
use crate::core::metering::bucket::{BucketBatch, SeriesKey};
use crate::core::metering::series::{Gathered, Workspace};
use crate::core::word::{HOUR_MS, Hour, Instant};

impl ArrayMeter {
    /// Moves the newest accepted time on: hours that leave memory are metered first, while their readings are still here.
    pub(super) fn move_on(&mut self, newest: Instant, out: &mut BucketBatch, workspace: &mut Workspace) {
        let closed = Self::closed_by(newest);
        if closed > self.closed {
            self.put_out(closed, out, workspace);
            self.closed = closed;
            self.events.evict(self.floor(newest));
            self.forget_idle();
        }
        self.newest = newest;
    }

    /// Meters the hours up to `limit` that fresh events touch, into `out`.
    fn put_out(&mut self, limit: Hour, out: &mut BucketBatch, workspace: &mut Workspace) {
        // what has left memory was put out or marked
        let open = Hour(self.closed.0.saturating_add(1));
        let from = Instant(open.0.saturating_mul(HOUR_MS));
        self.find_due((open, limit), from.plus_ms(-self.greatest_hold_ms), &mut workspace.due);
        let until = Instant(limit.0.saturating_add(1).saturating_mul(HOUR_MS));
        workspace.gathered.gather(self.series.len(), &self.events, (from, until), self.greatest_hold_ms);
        for (number, (series, due)) in self.series.iter().zip(&workspace.due).enumerate() {
            let Some((first, last)) = *due else { continue };
            for hour in (first.0..=last.0).map(Hour) {
                workspace.gathered.meter_hour(number, &series.definition, hour, &mut workspace.cells);
                out.push(&series.key, &series.definition, hour, &workspace.cells, &self.tags);
            }
        }
    }

    /// Of each series the first and the last hour between `open` and `limit` that fresh readings touch. The last events are looked at
    /// first: a poll or two of the hour that is closing tell all there is to know, as a rule.
    fn find_due(&self, (open, limit): (Hour, Hour), oldest: Instant, due: &mut Vec<Option<(Hour, Hour)>>) {
        due.clear();
        due.resize(self.series.len(), None);
        let mut unsettled = self.series.len();
        for event in self.events.back_from(Instant(i64::MAX), oldest).filter(|event| event.fresh) {
            for held in &event.readings {
                let due = &mut due[held.series as usize];
                if *due == Some((open, limit)) {
                    continue;
                }
                let (from, to) = self.series[held.series as usize].touched(event.order.instant);
                let (from, to) = (from.max(open), to.min(limit));
                if from <= to {
                    *due = Some(due.map_or((from, to), |(first, last)| (first.min(from), last.max(to))));
                    unsettled -= usize::from(*due == Some((open, limit)));
                }
            }
            if unsettled == 0 {
                break;
            }
        }
    }

    /// Meters everything that is due into `out`: for a checkpoint. Nothing is due after it.
    pub fn put_out_all(&mut self, out: &mut BucketBatch, workspace: &mut Workspace) {
        self.put_out(Hour(i64::MAX), out, workspace);
        self.is_touched = false;
        self.events.iter_mut().for_each(|event| event.fresh = false);
    }

    /// Meters hours of what is held, due or not: `wanted` says of a series which. For readings loaded from the ledger.
    pub fn put_out_hours<I: Iterator<Item = Hour>>(&self, wanted: impl Fn(&SeriesKey) -> I, out: &mut BucketBatch) {
        let (mut gathered, mut cells) = (Gathered::default(), Vec::new());
        gathered.gather(self.series.len(), &self.events, (Instant(i64::MIN), Instant(i64::MAX)), 0);
        for (number, series) in self.series.iter().enumerate() {
            for hour in wanted(&series.key) {
                gathered.meter_hour(number, &series.definition, hour, &mut cells);
                out.push(&series.key, &series.definition, hour, &cells, &self.tags);
            }
        }
    }
}
