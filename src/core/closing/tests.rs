//! What counts and what does not, and that numbers have no gap, whatever order records come in.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::agenda;
use super::register::{DraftState, Register};
use crate::core::book::Book;
use crate::core::cut::Versions;
use crate::core::decision::Decision;
use crate::core::decision::closing::{Cause, Close, CreditNote, CreditedRow, DocumentType, DraftKey, Issue, PeriodKey};
use crate::core::pricing::sample::{at, northwind};
use crate::core::word::{Instant, Offset};

const HASH: &str = "sha256:book";

fn book(format: &str, notes: Option<&str>) -> Book {
    let mut book = northwind();
    let vendor = book.vendors.get_mut("evergrove").unwrap();
    vendor.invoice_number = Some(format.to_owned());
    vendor.credit_note_number = notes.map(str::to_owned);
    book
}

fn published(format: &str, notes: Option<&str>) -> Decision {
    let book = book(format, notes).canonical().unwrap();
    Decision::PriceBookPublished { hash: HASH.to_owned(), book, actor: "me".to_owned() }
}

fn period() -> PeriodKey {
    let (start, end) = (at("2026-08-31T22:00:00Z"), at("2026-09-30T22:00:00Z"));
    PeriodKey { provider: "northwind".to_owned(), start, end }
}

fn closed(rating_id: &str, revision: u32, after: u64) -> Decision {
    let close = Close {
        period: period(),
        revision,
        cause: Cause::Adjustment,
        cut: Vec::new(),
        after: Offset(after),
        versions: Versions { fold: 1, rate: 1 },
        book: HASH.to_owned(),
        rating_id: rating_id.to_owned(),
        digest: String::new(),
        credits: Vec::new(),
    };
    Decision::PeriodClosed { close: Box::new(close), actor: "closer".to_owned() }
}

fn draft(rating_id: &str) -> DraftKey {
    DraftKey { rating_id: rating_id.to_owned(), contract: "northwind-wholesale".to_owned(), customer: None }
}

fn issue(rating_id: &str, document: DocumentType) -> Decision {
    let issue = Issue { draft: draft(rating_id), seller: "evergrove".to_owned(), document };
    Decision::InvoiceIssued { issue, actor: "clerk".to_owned() }
}

fn note(number: &str, sequence: u32) -> Decision {
    let rows = vec![CreditedRow { no: 1, amount: "1.00".to_owned() }];
    let note =
        CreditNote { number: number.to_owned(), sequence, rows, reason: "agreed".to_owned(), credits: Vec::new() };
    Decision::CreditNoteIssued { note, actor: "clerk".to_owned() }
}

fn register(decisions: &[Decision]) -> Register {
    let mut register = Register::default();
    for (offset, decision) in decisions.iter().enumerate() {
        let time = at("2026-10-04T10:00:00Z").plus_ms(offset as i64 * 1000);
        register.take(Offset(offset as u64), time, decision);
    }
    register
}

fn numbers(register: &Register) -> Vec<&str> {
    register.issued().iter().map(|issued| issued.numbered.number.as_str()).collect()
}

#[test]
fn of_two_closers_the_second_is_void() {
    let all = [published("EG-{year}-{seq:6}", None), closed("a", 0, 1), closed("b", 0, 1), closed("c", 1, 2)];
    let register = register(&all);
    assert_eq!(register.void(), [Offset(2)]);
    let counted: Vec<_> = register.revisions(&period()).map(|closed| closed.close.rating_id.as_str()).collect();
    assert_eq!(counted, ["a", "c"], "a close that is void concerns nobody");
    assert_eq!(register.next_revision(&period()), 2);
}

#[test]
fn what_concerns_the_provider_voids_a_close_that_has_not_read_it() {
    let book = published("EG-{seq:3}", None);
    let other = published("EG-{seq:4}", None);
    assert_eq!(register(&[book.clone(), other.clone(), closed("a", 0, 1)]).void(), [Offset(2)]);
    assert!(register(&[book.clone(), other, closed("a", 0, 2)]).void().is_empty());
    assert_eq!(register(&[book.clone(), closed("a", 0, 9)]).void(), [Offset(1)], "nobody reads what is not there");
    let issued = issue("a", DocumentType::Invoice);
    let register = register(&[book, closed("a", 0, 1), issued, closed("b", 1, 2)]);
    assert!(register.void().is_empty(), "an issue concerns no close");
}

#[test]
fn a_draft_is_issued_once_and_the_second_record_takes_no_number() {
    let (invoice, adjustment) = (DocumentType::Invoice, DocumentType::Adjustment);
    let all = [
        published("EG-{year}-{seq:6}", None),
        closed("a", 0, 1),
        issue("a", invoice),
        issue("a", invoice),
        issue("unknown", invoice),
        closed("b", 1, 3),
        issue("b", adjustment),
    ];
    let register = register(&all);
    assert_eq!(numbers(&register), ["EG-2026-000001", "EG-2026-000002"]);
    assert_eq!(register.draft(&draft("a")), DraftState::Issued("EG-2026-000001".to_owned()));
    assert_eq!(register.issued()[0].numbered.issue_date.to_string(), "2026-10-04");
}

#[test]
fn a_discarded_draft_is_never_issued_and_an_issued_one_never_discarded() {
    let discard = |id: &str| {
        let (reason, actor) = ("twice".to_owned(), "clerk".to_owned());
        Decision::DraftDiscarded { draft: draft(id), reason, actor }
    };
    let invoice = DocumentType::Invoice;
    let all = [
        published("EG-{seq:1}", None),
        closed("a", 0, 1),
        discard("a"),
        issue("a", invoice),
        closed("b", 1, 2),
        issue("b", invoice),
        discard("b"),
    ];
    let register = register(&all);
    assert_eq!(numbers(&register), ["EG-1"]);
    assert_eq!(register.draft(&draft("a")), DraftState::Discarded);
    assert_eq!(register.draft(&draft("b")), DraftState::Issued("EG-1".to_owned()));
}

#[test]
fn credit_notes_of_one_moment_do_not_both_count() {
    let all = [
        published("EG-{seq:3}", Some("EC-{year}-{seq:3}")),
        closed("a", 0, 1),
        issue("a", DocumentType::Invoice),
        note("EG-001", 0),
        note("EG-001", 0),
        note("EG-001", 1),
        note("EG-999", 0),
        note("EC-2026-001", 0),
    ];
    let register = register(&all);
    assert_eq!(numbers(&register), ["EG-001", "EC-2026-001", "EC-2026-002"]);
    let original = register.document("EG-001").unwrap();
    assert_eq!(original.credited_by, ["EC-2026-001", "EC-2026-002"]);
    assert_eq!(original.decisions, 3);
}

#[test]
fn a_year_begins_anew_at_local_midnight() {
    let mut register = Register::default();
    let all = [
        ("2026-10-04T00:00:00Z", published("EG-{year}-{seq:2}", None)),
        ("2026-10-04T00:00:00Z", closed("a", 0, 1)),
        ("2026-12-31T22:59:59Z", issue("a", DocumentType::Invoice)),
        ("2026-12-31T23:00:00Z", closed("b", 1, 2)),
        ("2026-12-31T23:00:00Z", issue("b", DocumentType::Adjustment)),
    ];
    for (offset, (time, decision)) in all.iter().enumerate() {
        register.take(Offset(offset as u64), at(time), decision);
    }
    assert_eq!(numbers(&register), ["EG-2026-01", "EG-2027-01"]);
}

#[test]
fn a_contract_alone_has_periods_that_fall_due() {
    let mut register = Register::default();
    let (first, again) = (at("2026-09-10T10:00:00Z"), at("2026-10-04T10:00:00Z"));
    assert_eq!(register.begins("northwind", None), None);
    register.take(Offset(0), first, &published("EG-{seq:1}", None));
    register.take(Offset(1), again, &published("EG-{seq:2}", None));
    assert_eq!(register.begins("northwind", None), Some(first), "no usage and no stream");
    assert_eq!(register.begins("northwind", Some(first.plus_ms(-1))), Some(first.plus_ms(-1)));
    assert_eq!(register.begins("northwind", Some(again)), Some(first));
    assert_eq!(register.begins("somebody", None), None, "no contract names it");
    let (_, book) = register.newest_book().unwrap();
    let now = at("2026-11-01T00:00:00Z");
    let periods = agenda::periods(book, "northwind", first, now).unwrap();
    let due: Vec<&str> = periods.iter().filter(|period| period.due() <= now).map(|period| &*period.label).collect();
    assert_eq!(due, ["2026-09"], "what ended before is closed by hand");
}

/// A record of any kind, about few periods and drafts, so that they get into each other's way.
fn any_decision() -> impl Strategy<Value = Decision> {
    let id = prop::sample::select(vec!["a", "b", "c", "d"]);
    let document = prop::sample::select(vec![DocumentType::Invoice, DocumentType::CreditNote]);
    let number = prop::sample::select(vec!["EG-1", "EG-2", "EG-3"]);
    prop_oneof![
        1 => Just(published("EG-{seq:1}", None)),
        4 => (id.clone(), 0..3u32, 0..40u64).prop_map(|(id, revision, after)| closed(id, revision, after)),
        4 => (id.clone(), document).prop_map(|(id, document)| issue(id, document)),
        1 => id.prop_map(|id| Decision::DraftDiscarded { draft: draft(id), reason: String::new(), actor: String::new() }),
        1 => (number, 0..2u32).prop_map(|(number, sequence)| note(number, sequence)),
    ]
}

proptest! {
    /// I14 and I17: numbers count up without a gap; revisions do; each draft has one number at most.
    #[test]
    fn numbers_and_revisions_have_no_gap(rest in prop::collection::vec(any_decision(), 0..40)) {
        let mut all = vec![published("EG-{seq:1}", None)];
        all.extend(rest);
        let register = register(&all);
        let expected: Vec<String> = (1..=register.issued().len()).map(|count| format!("EG-{count}")).collect();
        prop_assert_eq!(numbers(&register), expected);
        let mut by_period: BTreeMap<&PeriodKey, Vec<u32>> = BTreeMap::new();
        for closed in register.closes() {
            by_period.entry(&closed.close.period).or_default().push(closed.close.revision);
        }
        for revisions in by_period.values() {
            prop_assert!(revisions.iter().enumerate().all(|(count, revision)| count as u32 == *revision));
        }
        let drafts: BTreeSet<_> = register.issued().iter().map(|issued| format!("{:?}", issued.subject)).collect();
        prop_assert_eq!(drafts.len(), register.issued().len());
    }

    /// The same log gives the same register, also to a process that gets records again.
    #[test]
    fn records_that_come_again_change_nothing(rest in prop::collection::vec(any_decision(), 0..20), back in 0..20usize) {
        let mut all = vec![published("EG-{seq:1}", None)];
        all.extend(rest);
        let mut twice = register(&all);
        for (offset, decision) in all.iter().enumerate().skip(back) {
            twice.take(Offset(offset as u64), Instant(0), decision);
        }
        let once = register(&all);
        prop_assert_eq!((once.issued(), once.closes(), once.void()), (twice.issued(), twice.closes(), twice.void()));
    }
}
