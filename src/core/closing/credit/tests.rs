//! Credits used and given back: no more than was granted, whatever order documents come in.

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
        let left = left(&self.register, &grants, &period(start), (CONTRACT, None), Known::first(Offset(self.next)), 2);
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

/// What is left for a period, by credit, of grants of 1.00 at some offsets.
fn left_of(granted: &[u64], known: Known) -> Vec<(String, i128)> {
    let grant = |at: &u64| {
        let (contract, reference) = (CONTRACT.to_owned(), String::new());
        let (id, amount) = (format!("at-{at}"), "1.00".to_owned());
        let grant = Grant { contract, customer: None, id, amount, expires: None, reference };
        (Offset(*at), grant, String::new())
    };
    let grants = Grants::new(granted.iter().map(grant).collect());
    let left = left(&Register::default(), &grants, &period(1), (CONTRACT, None), known, 2);
    left.into_iter().map(|credit| (credit.id, credit.amount)).collect()
}

/// A document that a close made which had read the log up to there.
fn made(after: u64) -> Document {
    let mut document = crate::core::billing::sample::northwind_invoice();
    document.proof.after = after;
    document
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

    /// Whatever is granted after the first document that stands, a revision has the same credits: those that it could use.
    #[test]
    fn a_later_grant_changes_no_revision(
        granted in prop::collection::btree_set(0..60u64, 0..12),
        mut closes in prop::collection::btree_set(0..60u64, 0..4),
        after in 60..70u64,
    ) {
        let granted: Vec<u64> = granted.into_iter().collect();
        let before: Vec<Document> = closes.iter().map(|after| made(*after)).collect();
        let first = closes.pop_first().unwrap_or(after);
        let earlier: Vec<u64> = granted.iter().copied().filter(|at| *at < first).collect();
        let known = Known::behind(&before, Offset(after));
        prop_assert_eq!(left_of(&granted, known), left_of(&earlier, Known::first(Offset(after))));
        prop_assert_eq!(left_of(&granted, known).len(), earlier.len());
    }
}
