//! What is left of credits for a close: a function of the control log alone (PRICING §13).

use std::collections::BTreeMap;

use super::register::{DraftState, Register, Subject};
use crate::core::billing::document::Document;
use crate::core::decision::closing::{CreditUse, DraftKey, PeriodKey};
use crate::core::decision::credit::Grants;
use crate::core::pricing::credit::Credit;
use crate::core::word::{Instant, Offset};
use crate::mutation::{Mutation, planted};

/// What a rating of one contract (and customer) knows of the control log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Up to which decision, exclusive, it knows of closes, discarded drafts and notes: what is left of a grant.
    pub after: Offset,
    /// Up to which decision, exclusive, it knows of grants.
    pub granted: Offset,
}

impl Known {
    /// Of the first document of a period.
    #[must_use]
    pub fn first(after: Offset) -> Self {
        Self { after, granted: after }
    }

    /// Of a period with these documents before it, by age, without discarded drafts. A revision is caused by usage or by prices and by
    /// nothing else (PRICING §14), so it has the grants that the first document that stands could use: one that was granted since goes to
    /// a later period, which it would be short of otherwise.
    #[must_use]
    pub fn behind(before: &[Document], after: Offset) -> Self {
        let first = before.first().filter(|_| !planted(Mutation::LaterGrantsUsed));
        Self { after, granted: first.map_or(after, |first| Offset(first.proof.after)) }
    }
}

/// What documents of one period took off one credit, and what credit notes over them gave back.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    used: i128,
    returned: i128,
}

/// What is left of the credits of a contract (and customer) for a period, in minor units of a currency of so many places, to a rating that
/// knows so much of the log: what was granted, less what documents of other periods took and credit notes over them did not give
/// back. The period's own earlier revisions took nothing: a revision is the whole less what they were, credits included. So it has at
/// least what they took, also where a note over them gave it back and another period has used it since: notes are no revisions. A
/// discarded draft took nothing either.
#[must_use]
pub fn left(
    register: &Register,
    grants: &Grants,
    period: &PeriodKey,
    (contract, customer): (&str, Option<&str>),
    known: Known,
    places: u32,
) -> Vec<Credit> {
    let mut credits = grants.of(contract, customer, known.granted, places);
    if credits.is_empty() || planted(Mutation::CreditsNotUsedUp) {
        return credits;
    }
    let taken = taken(register, (contract, customer), known.after);
    for credit in &mut credits {
        let (mut others, mut own) = (0i128, 0i128);
        for ((of, id), Taken { used, returned }) in &taken {
            match *of == period {
                _ if *id != credit.id => {}
                true => own = *used,
                false => others = others.saturating_add(used.saturating_sub(*returned).max(0)),
            }
        }
        credit.amount = credit.amount.saturating_sub(others).max(own.min(credit.amount));
    }
    credits.retain(|credit| credit.amount > 0);
    credits
}

/// What is left of the credits of a contract (and customer) for periods to come.
#[must_use]
pub fn left_for_later(register: &Register, grants: &Grants, whose: (&str, Option<&str>), places: u32) -> Vec<Credit> {
    let end = Instant(i64::MAX);
    let none_yet = PeriodKey { provider: String::new(), start: end, end };
    left(register, grants, &none_yet, whose, Known::first(register.next()), places)
}

/// What was taken, by period and credit.
fn taken<'r>(
    register: &'r Register,
    (contract, customer): (&str, Option<&str>),
    after: Offset,
) -> BTreeMap<(&'r PeriodKey, &'r str), Taken> {
    let mut taken: BTreeMap<(&PeriodKey, &str), Taken> = BTreeMap::new();
    for close in register.closes().iter().filter(|closed| closed.offset < after).map(|closed| &closed.close) {
        let is_own = |used: &&CreditUse| used.contract == contract && used.customer.as_deref() == customer;
        let mut own = close.credits.iter().filter(is_own).peekable();
        if own.peek().is_none() {
            continue;
        }
        let (contract, customer) = (contract.to_owned(), customer.map(str::to_owned));
        let draft = DraftKey { rating_id: close.rating_id.clone(), contract, customer };
        if register.discarded_below(&draft, after) {
            continue;
        }
        for used in own {
            // an amount that is none was never written by a closer
            let amount: i128 = used.applied.parse().unwrap_or(0);
            let sum = &mut taken.entry((&close.period, &used.id)).or_default().used;
            *sum = sum.saturating_add(amount);
        }
        for (id, amount) in returned(register, &draft, after) {
            let sum = &mut taken.entry((&close.period, id)).or_default().returned;
            *sum = sum.saturating_add(amount);
        }
    }
    taken
}

/// What credit notes over a draft's document gave back.
fn returned<'r>(
    register: &'r Register,
    draft: &DraftKey,
    after: Offset,
) -> impl Iterator<Item = (&'r str, i128)> + use<'r> {
    let document = match register.draft(draft) {
        DraftState::Issued(number) => register.document(&number),
        DraftState::Waiting | DraftState::Discarded => None,
    };
    let notes = document.into_iter().flat_map(|document| &document.credited_by);
    let notes = notes.filter_map(move |number| register.document(number)).filter(move |note| note.offset < after);
    notes
        .flat_map(|note| match &note.subject {
            Subject::Note(note) => note.credits.as_slice(),
            Subject::Draft(_) => &[],
        })
        .map(|credit| (&*credit.id, credit.amount.parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests;
