//! Closing under faults: two or three processes run the product's own [`Closer`](crate::closer::Closer) over a simulated control log and
//! simulated tables, between the steps of the workers and within them, while people issue, discard, credit and re-price.

mod agenda;
mod book;
mod check;
mod closer;
mod correction;
mod cut;
mod document;
mod hole;
mod ledger;
mod log;
mod operation;
mod oracle;
mod register;
mod rival;
mod settle;
mod store;
mod table;
mod usage;

use super::random::Random;
use crate::closer::Closer;
use crate::core::word::HOUR_MS;

pub(super) use book::{BookSpec, canonical};
pub(super) use check::{Tally, check};
pub(super) use closer::{act, begin, work};
pub(super) use log::Billing;
pub(super) use settle::settle;
pub(super) use table::{BillPart, BillTables};

/// The provider whose periods are closed.
pub(super) const PROVIDER: &str = "p";
/// What keeps the draws of closing apart from those of the rest: a schedule without closers is what it was.
const SALT: u64 = 0x636c_6f73_696e_6721;

/// The closer over the simulated world.
pub(super) type SimCloser = Closer<log::SimBillLog, store::SimBillStore>;

/// What a schedule that closes is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClosingPlan {
    pub(super) closers: usize,
    /// Per mille of actions that are a closer's.
    pub(super) share: u64,
    /// Per mille of the moments that matter at which another closer, or somebody, comes first.
    pub(super) rivals: u64,
    /// Per mille of appended decisions of which something goes wrong.
    pub(super) append: u64,
    pub(super) grace_hours: u32,
    /// On which day of the month the periods of one customer's contract begin.
    pub(super) anchor_day: u32,
    /// Whether drafts are issued by themselves.
    pub(super) is_auto: bool,
    /// Whether sellers number credit notes apart.
    pub(super) separate_notes: bool,
    /// Whether nobody sends anything, and no book prices usage, before the first period is due: it may close on decisions alone.
    pub(super) is_quiet: bool,
    /// Whether time passes in the end until the period in force is due.
    pub(super) to_the_end: bool,
}

/// 2026-11-01T00:00:00Z: where the month ends near whose end schedules that close begin.
const MONTH_END_MS: i64 = 1_793_491_200_000;

impl ClosingPlan {
    /// Until when nobody sends anything: some hours after the first period is due, so that it can be closed by then.
    pub(super) fn quiet_until_ms(&self) -> i64 {
        let hours = i64::from(self.grace_hours) + 12;
        if self.is_quiet { MONTH_END_MS + hours * HOUR_MS } else { i64::MIN }
    }

    /// Some 30 % of schedules close.
    pub(super) fn draw(seed: u64) -> Option<Self> {
        let mut random = Random::new(seed ^ SALT);
        random.chance(300).then(|| Self {
            closers: random.pick(&[2, 2, 3]),
            share: random.pick(&[200, 300, 400]),
            rivals: random.pick(&[0, 50, 200]),
            append: random.pick(&[0, 50, 200]),
            grace_hours: random.pick(&[0, 1, 6, 24]),
            anchor_day: random.pick(&[1, 1, 2, 3]),
            is_auto: random.chance(500),
            separate_notes: random.chance(400),
            to_the_end: random.chance(500),
            // the last to be drawn: other schedules are what they were
            is_quiet: random.chance(200),
        })
    }
}
