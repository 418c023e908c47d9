//! One close: conditions, ratings at one cut, rows, headers, and then the decision that makes them count if nothing came between.

use super::error::CloseError;
use super::refusal::Refusal;
use super::seam::{BillLog, BillStore, StoredDraft};
use super::state::Closer;
use crate::core::closing::draft::without_usage;
use crate::core::closing::hole::{Hole, is_waived};
use crate::core::closing::period::{ProviderPeriod, of_key, overlapping};
use crate::core::decision::closing::PeriodKey;
use crate::core::word::Instant;
use crate::mutation::{Mutation, planted};

/// How often a close is tried anew while buckets move or decisions come between.
const CLOSE_TRIES: usize = 5;

/// What is wanted of a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode<'a> {
    /// Closes if there is no hole that was not waived.
    Close,
    /// Says what a close would do, and writes nothing.
    DryRun,
    /// Waives what holes there are, with this reason on record, and closes.
    Override(&'a str),
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// It is closed.
    Closed(Closing),
    /// It would be (a dry run).
    Would(Closing),
    /// Holes keep it from being closed. What it would come to is with them, if it could be rated.
    Refused(Vec<Hole>, Option<Closing>),
    /// It is closed, and nothing that was accepted since alters an amount.
    NothingToCorrect {
        /// The newest revision.
        revision: u32,
    },
    /// Others kept deciding in between: worth another try.
    Contended,
}

impl Outcome {
    /// The outcome's name for programs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Outcome::Closed(_) => "closed",
            Outcome::Would(_) => "can_be_closed",
            Outcome::Refused(..) => "refused",
            Outcome::NothingToCorrect { .. } => "nothing_to_correct",
            Outcome::Contended => "contended",
        }
    }

    /// What it comes to, if it could be rated.
    #[must_use]
    pub fn closing(&self) -> Option<&Closing> {
        match self {
            Outcome::Closed(closing) | Outcome::Would(closing) => Some(closing),
            Outcome::Refused(_, closing) => closing.as_ref(),
            Outcome::NothingToCorrect { .. } | Outcome::Contended => None,
        }
    }

    /// Whether its drafts are there, and so have ids by which they are named.
    #[must_use]
    pub fn has_drafts(&self) -> bool {
        matches!(self, Outcome::Closed(_))
    }

    /// The holes that keep it open.
    #[must_use]
    pub fn holes(&self) -> &[Hole] {
        if let Outcome::Refused(holes, _) = self { holes } else { &[] }
    }
}

impl Closing {
    /// What contracts without usage bill all the same, by contract, if these are the invoices of the period.
    pub fn without_usage(&self) -> impl Iterator<Item = (&str, String)> {
        let invoices = self.drafts.iter().filter(|_| self.revision == 0);
        invoices.filter_map(|draft| Some((&*draft.place.contract, without_usage(&draft.document)?)))
    }
}

/// A close with its drafts.
#[derive(Debug)]
pub struct Closing {
    /// Which revision.
    pub revision: u32,
    /// Its rating id.
    pub rating_id: String,
    /// Holes that were waived.
    pub waived: Vec<Hole>,
    /// Its drafts, by contract and customer.
    pub drafts: Vec<StoredDraft>,
}

/// How one attempt ended.
pub(super) enum Attempt {
    Ended(Outcome),
    Again,
}

impl<L: BillLog, S: BillStore> Closer<L, S> {
    /// Closes the next revision of a period.
    ///
    /// # Errors
    /// Retryable while the broker or the database is away; permanent if a contract cannot be rated.
    pub fn close(&mut self, period: &ProviderPeriod, now: Instant, mode: Mode<'_>) -> Result<Outcome, CloseError> {
        for _ in 0..CLOSE_TRIES {
            self.follow()?;
            if let Attempt::Ended(outcome) = self.attempt(period, now, mode)? {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Contended)
    }

    /// Refuses a period with time that one of its contracts was billed for already: books are checked when they are published, and one
    /// that was published before the first close can still give other bounds.
    fn is_free(&self, period: &ProviderPeriod) -> Result<(), CloseError> {
        let closed = self
            .register
            .newest_of(&period.key.provider)
            .filter_map(|closed| Some((&closed.close.period, self.register.book(&closed.close.book)?)));
        match overlapping(period, closed) {
            Some((contract, &PeriodKey { start, end, .. })) => Err(Refusal::Overlaps { contract, start, end }.into()),
            None => Ok(()),
        }
    }

    fn attempt(&mut self, period: &ProviderPeriod, now: Instant, mode: Mode<'_>) -> Result<Attempt, CloseError> {
        let refused = |holes, closing| Ok(Attempt::Ended(Outcome::Refused(holes, closing)));
        let newest = self.register.revisions(&period.key).last().cloned();
        let period = match &newest {
            // a later revision has the contracts of the first: by its book
            Some(newest) => self.register.book(&newest.close.book).and_then(|book| of_key(book, &period.key)),
            None => Some(period.clone()),
        };
        let Some(period) = period else { return Ok(Attempt::Again) };
        if now < period.key.end {
            return refused(vec![Hole::NotEnded { end: period.key.end }], None);
        }
        let revision = self.register.next_revision(&period.key);
        if revision == 0 {
            self.is_free(&period)?;
        }
        let waived = self.waived(&period, revision);
        let waived: Vec<&str> = waived.iter().map(String::as_str).collect();
        let is_blocked = |holes: &[Hole]| holes.iter().any(|hole| !is_waived(hole, &waived));
        let (footing, mut holes) = self.conditions(&period, now)?;
        // a hole says why
        let Some(after) = footing.after else { return refused(holes, None) };
        if after > self.register.next() && !planted(Mutation::ReadBehindAfter) {
            // workers have read on meanwhile, and a close is a function of everything below what they have read
            return Ok(Attempt::Again);
        }
        if holes.iter().any(|hole| !hole.is_waivable()) || (mode == Mode::Close && is_blocked(&holes)) {
            return refused(holes, None);
        }
        let Some((plan, more)) = self.plan_next(&period, newest.as_ref(), &footing, after)? else {
            return Ok(Attempt::Again);
        };
        holes.extend(more);
        if revision > 0 && plan.drafts.is_empty() {
            return Ok(Attempt::Ended(Outcome::NothingToCorrect { revision: revision - 1 }));
        }
        match mode {
            Mode::Override(reason) if is_blocked(&holes) && holes.iter().all(Hole::is_waivable) => {
                self.waive(&plan, &holes, reason)
            }
            _ if is_blocked(&holes) => refused(holes, Some(plan.closing(Vec::new()))),
            Mode::DryRun => Ok(Attempt::Ended(Outcome::Would(plan.closing(holes)))),
            Mode::Close | Mode::Override(_) => self.write(plan, holes),
        }
    }
}
