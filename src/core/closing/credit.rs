//! What is left of credits for a close: a function of the control log alone (PRICING §13).

use std::collections::BTreeMap;

use super::register::{DraftState, Register, Subject};
use crate::core::decision::closing::{CreditUse, DraftKey, PeriodKey};
use crate::core::decision::credit::Grants;
use crate::core::pricing::credit::Credit;
use crate::core::word::Offset;

/// What documents of one period took off one credit, and what credit notes over them gave back.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    used: i128,
    returned: i128,
}

/// What is left of the credits of a contract (and customer) for a period, in minor units of a currency of so many places, to a close that
/// has read the log below `after`: what was granted, less what documents of other periods took and credit notes over them did not give
/// back. The period's own earlier revisions took nothing: a revision is the whole less what they were, credits included. So it has at
/// least what they took, also where a note over them gave it back and another period has used it since: notes are no revisions. A
/// discarded draft took nothing either.
#[must_use]
pub fn left(
    register: &Register,
    grants: &Grants,
    period: &PeriodKey,
    (contract, customer): (&str, Option<&str>),
    after: Offset,
    places: u32,
) -> Vec<Credit> {
    let mut credits = grants.of(contract, customer, places);
    if credits.is_empty() {
        return credits;
    }
    let taken = taken(register, (contract, customer), after);
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::cut::Versions;
    use crate::core::decision::Decision;
    use crate::core::decision::closing::{Cause, Close, CreditNote, CreditedRow, DocumentType, Issue, ReturnedCredit};
    use crate::core::decision::credit::Grant;
    use crate::core::pricing::sample::northwind;
    use crate::core::word::Instant;

    const CONTRACT: &str = "northwind-wholesale";
    const GRANTED: i128 = 100;

    /// A log of closes, issues and credit notes, and what its documents come to.
    #[derive(Default)]
    struct Log {
        register: Register,
        next: u64,
        /// Of each period: revisions, what documents used, what notes gave back.
        periods: BTreeMap<i64, (u32, Taken)>,
        /// Documents that no note is over: period, number, what they used.
        open: Vec<(i64, String, i128)>,
    }

    fn period(start: i64) -> PeriodKey {
        PeriodKey { provider: "northwind".to_owned(), start: Instant(start), end: Instant(start + 1) }
    }

    impl Log {
        fn new() -> Self {
            let mut log = Self::default();
            let mut book = northwind();
            book.vendors.get_mut("evergrove").unwrap().invoice_number = Some("EG-{seq:1}".to_owned());
            let book = book.canonical().unwrap();
            log.take(Decision::PriceBookPublished { hash: "h".to_owned(), book, actor: String::new() });
            log
        }

        fn take(&mut self, decision: Decision) {
            self.register.take(Offset(self.next), Instant(1_790_000_000_000), &decision);
            self.next += 1;
        }

        fn left(&self, start: i64) -> i128 {
            let grant = Grant {
                contract: CONTRACT.to_owned(),
                customer: None,
                id: "x".to_owned(),
                amount: "1.00".to_owned(),
                expires: None,
                reference: String::new(),
            };
            let grants = Grants::new(vec![(Offset(0), grant, String::new())]);
            let left = left(&self.register, &grants, &period(start), (CONTRACT, None), Offset(self.next), 2);
            left.iter().map(|credit| credit.amount).sum()
        }

        /// The next revision of a period, which comes to so much, is closed and issued.
        fn close(&mut self, start: i64, subtotal: i128) {
            let used = self.left(start).min(subtotal);
            let (revision, taken) = self.periods.entry(start).or_default();
            let (number, applied) = (*revision, used - taken.used);
            (*revision, taken.used) = (number + 1, used);
            let (contract, customer, rating_id) = (CONTRACT.to_owned(), None, format!("{start}-{number}"));
            let credit = CreditUse { contract, customer, id: "x".to_owned(), applied: applied.to_string() };
            let close = Close {
                period: period(start),
                revision: number,
                cause: Cause::Adjustment,
                cut: Vec::new(),
                after: Offset(self.next),
                versions: Versions { fold: 1, rate: 1 },
                book: "h".to_owned(),
                rating_id: rating_id.clone(),
                digest: String::new(),
                credits: vec![credit],
            };
            self.take(Decision::PeriodClosed { close: Box::new(close), actor: String::new() });
            let draft = DraftKey { rating_id, contract: CONTRACT.to_owned(), customer: None };
            let issue = Issue { draft: draft.clone(), seller: String::new(), document: DocumentType::Invoice };
            self.take(Decision::InvoiceIssued { issue, actor: String::new() });
            let DraftState::Issued(number) = self.register.draft(&draft) else { panic!("{draft:?}") };
            if applied > 0 {
                self.open.push((start, number, applied));
            }
        }

        /// A note takes a document back whole.
        fn note(&mut self, which: usize) {
            if self.open.is_empty() {
                return;
            }
            let (start, number, applied) = self.open.remove(which % self.open.len());
            self.periods.get_mut(&start).unwrap().1.returned += applied;
            let note = CreditNote {
                number,
                sequence: 0,
                rows: vec![CreditedRow { no: 1, amount: "1".to_owned() }],
                reason: "agreed".to_owned(),
                credits: vec![ReturnedCredit { id: "x".to_owned(), amount: applied.to_string() }],
            };
            self.take(Decision::CreditNoteIssued { note, actor: String::new() });
        }
    }

    #[test]
    fn what_a_note_gives_back_is_there_for_other_periods_and_not_twice() {
        let mut log = Log::new();
        log.close(1, 70);
        assert_eq!([log.left(1), log.left(2)], [100, 30]);
        log.note(0);
        assert_eq!([log.left(1), log.left(2)], [100, 100]);
        log.close(2, 90);
        // the first period used 70: its corrections have them still, and no more than that
        assert_eq!([log.left(1), log.left(2), log.left(3)], [70, 100, 10]);
        log.close(1, 80);
        assert_eq!([log.left(1), log.left(3)], [70, 10]);
    }

    proptest! {
        /// However periods are closed, corrected and credited, no more is used than was granted, and all of it is there again once every
        /// document that used some is taken back.
        #[test]
        fn no_more_is_used_than_was_granted(steps in prop::collection::vec((0..5i64, 0..150i128, 0..9usize), 1..30)) {
            let mut log = Log::new();
            for (start, subtotal, which) in steps {
                match start {
                    4 => log.note(which),
                    _ => log.close(start, subtotal),
                }
                let used: i128 = log.periods.values().map(|(_, taken)| (taken.used - taken.returned).max(0)).sum();
                prop_assert!(used <= GRANTED, "{:?}", log.periods);
                prop_assert_eq!(log.left(9), GRANTED - used);
                prop_assert!((0..4).all(|start| log.left(start) <= GRANTED));
            }
            while !log.open.is_empty() {
                log.note(0);
            }
            prop_assert_eq!(log.left(9), GRANTED);
        }
    }
}
