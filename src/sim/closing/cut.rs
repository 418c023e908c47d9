//! Whether a close's cut may be one.

use std::collections::BTreeMap;

use super::super::broker::Record;
use super::super::database::View;
use super::super::oracle::{Due, Told};
use super::super::world::Broken;
use super::PROVIDER;
use super::oracle::Oracle;
use super::register::{Counted, waived};
use super::store::place_of;
use crate::core::decision::Decision;
use crate::core::decision::closing::Cause;
use crate::core::word::HOUR_MS;

impl Oracle<'_> {
    /// A cut that may be one: of checkpoints that reflect what the close has read, and past everything that came in time.
    pub(super) fn legal(&self, closed: &Counted<'_>) {
        let Counted { offset, real_ms, close } = *closed;
        let fail = |text: String| self.world.fail(Broken::Wrong, format!("close {offset}: {text}"));
        let due_ms = close.period.end.0 + i64::from(self.plan.grace_hours) * HOUR_MS;
        let waived = waived(self.broker, close, offset);
        let is_waived = |kind: &str| waived.iter().any(|waived| waived == kind);
        if real_ms < due_ms && !is_waived("grace") {
            fail("its grace was not over".to_owned());
        }
        let mut before =
            self.log.closes.iter().filter(|other| other.close.period == close.period && other.offset < offset);
        if close.cause == Cause::Reprice {
            if before.next_back().is_none_or(|before| before.close.cut != close.cut) {
                fail("it is re-priced at another cut".to_owned());
            }
            return;
        }
        let is_sent = |told: &Told| told.all.iter().any(|one| one.record.real_ms < real_ms.min(due_ms));
        if close.cut.is_empty() && self.told.iter().any(is_sent) && !is_waived("behind") {
            fail("it rests on decisions alone, and something was sent in time".to_owned());
        }
        let points: BTreeMap<u32, u64> = close.cut.iter().filter_map(|point| place_of(self.broker, point)).collect();
        let database = self.world.database.borrow();
        let streams = self.streams(close.after.0);
        for place in 0..streams.1 {
            let point = points.get(&place).copied();
            let is_open = place >= streams.0;
            let is_stand = |point: u64| {
                let all = database.manifest(place, View::WHOLE);
                all.iter().any(|stand| stand.next.0 == point && stand.control >= close.after)
            };
            if let Some(point) = point.filter(|_| is_open).filter(|point| !is_stand(*point)) {
                fail(format!("{place}/{point} is no checkpoint that has read {}", close.after.0));
            }
            if self.broker.partitions[place as usize].before_cut.is_some() {
                continue;
            }
            let mut log_time = i64::MIN;
            for one in &self.told[place as usize].all {
                let record = &one.record;
                log_time = log_time.max(record.append_ms);
                let is_own = one.generation == self.broker.of_place(place).0.rules.generation;
                let is_in_time = is_own && record.real_ms < due_ms && log_time < due_ms;
                if is_open && is_in_time && record.offset >= point.unwrap_or(0) && !is_waived("behind") {
                    fail(format!("{place}/{} came in time and is not below its cut {point:?}", record.offset));
                }
                let is_below = is_own && record.offset < point.unwrap_or(0);
                if let Due::Quarantined(reason) = one.due
                    && is_below
                    && !is_waived("quarantine")
                {
                    self.decided(closed, place, record, reason);
                }
            }
        }
    }

    /// What was put aside below a cut was decided about before.
    fn decided(&self, closed: &Counted<'_>, place: u32, record: &Record, reason: &str) {
        let is_named = ["misrouted", "unmatched_retry", "conflict", "future"].contains(&reason);
        let is_later = record.sent.time >= closed.close.period.end.0 && reason != "future";
        if record.sent.provider != PROVIDER || !is_named || is_later {
            return;
        }
        let (stream, own) = self.broker.of_place(place);
        let is_about = |decision: &Decision| match decision {
            Decision::RecordResent { stream: of, partition, offset, .. }
            | Decision::RecordDiscarded { stream: of, partition, offset, .. } => {
                (of, *partition, offset.0) == (&stream.rules.stream, own, record.offset)
            }
            _ => false,
        };
        let before = &self.broker.control[..closed.offset as usize];
        if !before.iter().any(|record| is_about(&record.decision)) {
            let text = format!("close {}: {place}/{} is put aside, and nobody decided", closed.offset, record.offset);
            self.world.fail(Broken::Wrong, text);
        }
    }
}
