//! The outlook on invoices: which periods without one will have one, as things stand.

use super::agenda::falls_due;
use super::register::{Closed, DraftState, Register};
use crate::core::decision::closing::{DraftKey, PeriodKey};
use crate::core::pricing::period::Period;
use crate::core::word::Instant;

/// What is to come of a provider's periods.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'r> {
    register: &'r Register,
    begins: Option<Instant>,
}

impl<'r> Outlook<'r> {
    /// Of a provider with its first usage, if it has any.
    #[must_use]
    pub fn of(register: &'r Register, provider: &str, usage: Option<Instant>) -> Self {
        Self { register, begins: register.begins(provider, usage) }
    }

    /// Whether an invoice of a wholesale contract's period is to come: the period falls due without anybody, or somebody has closed it, and
    /// nobody discarded what came of that. A period that ended before its provider began may never be closed, and what is discarded counts
    /// as nothing until the period is closed again.
    #[must_use]
    pub fn is_invoiced(&self, provider: &str, contract: &str, period: &Period) -> bool {
        let key = PeriodKey { provider: provider.to_owned(), start: period.start, end: period.end };
        let closes: Vec<&Closed> = self.register.revisions(&key).collect();
        if closes.is_empty() {
            return self.begins.is_some_and(|begins| falls_due(period.end, begins));
        }
        let is_gone = |(revision, closed): (usize, &&Closed)| {
            let rating_id = closed.close.rating_id.clone();
            let draft = DraftKey { rating_id, contract: contract.to_owned(), customer: None };
            let is_made_again = |later: &&Closed| self.register.discarded_below(&draft, later.close.after);
            self.register.draft(&draft) == DraftState::Discarded && !closes.iter().skip(revision + 1).any(is_made_again)
        };
        !closes.iter().enumerate().any(is_gone)
    }
}
