//! What a closer finds to do.

use super::{PROVIDER, SimCloser};
use crate::closer::CloseError;
use crate::core::closing::agenda;
use crate::core::closing::period::{ProviderPeriod, of_key};
use crate::core::closing::register::Closed;
use crate::core::word::Instant;

/// Periods whose grace is over and that are open, the last one first.
pub(super) fn due(closer: &mut SimCloser, now: Instant) -> Result<Vec<ProviderPeriod>, CloseError> {
    closer.follow()?;
    let register = closer.register();
    let (Some((_, book)), Some(from)) = (register.newest_book(), register.opened(PROVIDER)) else {
        return Ok(Vec::new());
    };
    let all = agenda::periods(book, PROVIDER, from, now)?;
    let is_due = |period: &ProviderPeriod| period.due() <= now && register.next_revision(&period.key) == 0;
    Ok(all.into_iter().filter(is_due).rev().collect())
}

/// What is to be corrected: closed periods of which buckets count more by now, or that are to be re-priced.
pub(super) fn stale(closer: &mut SimCloser) -> Vec<ProviderPeriod> {
    let all: Vec<Closed> = closer.register().newest_of(PROVIDER).cloned().collect();
    let mut stale = Vec::new();
    for closed in all {
        let (key, register) = (&closed.close.period, closer.register());
        let is_repriced = register.repricing(key, register.next_revision(key)).is_some();
        let period = register.book(&closed.close.book).and_then(|book| of_key(book, key));
        let is_due = is_repriced || closer.store().newer((key.start, key.end), &closed.close.cut);
        stale.extend(period.filter(|_| is_due));
    }
    stale
}
