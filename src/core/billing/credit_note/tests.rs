//! Credit notes: in whole, in parts, and never more than there was.

use proptest::prelude::*;

use super::*;
use crate::core::billing::close::closed;
use crate::core::billing::document::DocumentCredit;
use crate::core::billing::sample::{SUMS, figure, issue, northwind_invoice, statement, sum};
use crate::core::book::model::Tax;
use crate::core::pricing::sample::{dec, northwind, northwind_september};

fn note(number: &str, rows: &[(usize, &str)]) -> CreditNote {
    let row = |(no, amount): &(usize, &str)| CreditedRow { no: *no, amount: (*amount).to_owned() };
    CreditNote {
        number: number.to_owned(),
        sequence: 0,
        rows: rows.iter().map(row).collect(),
        reason: "outage".to_owned(),
        credits: Vec::new(),
    }
}

fn all(original: &Document, earlier: &[Document]) -> CreditNote {
    CreditNote { rows: whole(original, earlier).unwrap(), ..note(original.number.as_deref().unwrap(), &[]) }
}

/// Northwind with 19 % tax: 3,260.87 + 619.57.
fn taxed() -> Document {
    let mut book = northwind();
    book.contracts.get_mut("northwind-wholesale").unwrap().tax = Some(Tax { percent: dec("19"), note: None });
    issue(closed(statement(&book, "northwind-wholesale", &northwind_september()), "k").unwrap(), "EG-1")
}

#[test]
fn a_whole_document_is_taken_back_to_the_cent() {
    let invoice = taxed();
    let credit = credit_note(&invoice, &[], &all(&invoice, &[])).unwrap();
    assert_eq!(
        (credit.kind, credit.state, credit.reason.as_deref()),
        (DocumentType::CreditNote, DocumentState::Closed, Some("outage"))
    );
    assert_eq!((credit.references.corrects.as_slice(), credit.number.as_deref()), (&["EG-1".to_owned()][..], None));
    assert_eq!((&*credit.total, &*credit.taxes[0].amount, &*credit.saving), ("-3880.44", "-619.57", "-303.30"));
    let first = &credit.rows[0];
    assert_eq!((first.corrects, &*first.amount, first.quantity.as_deref()), (Some(1), "-2188.32", Some("-100")));
    assert_eq!((first.used_quantity.as_deref(), first.price.as_deref()), (Some("-98.333334"), Some("21.8832")));
    let credit = issue(credit, "EG-2");
    assert_eq!(state(&invoice, std::slice::from_ref(&credit)).unwrap(), DocumentState::Credited);
    assert_eq!(
        whole(&invoice, std::slice::from_ref(&credit)).unwrap_err().to_string(),
        "nothing is left of EG-1 to credit: earlier credit notes took back all of it"
    );
    assert!(matches!(whole(&credit, &[]), Err(CreditNoteError::OfCreditNote(_))));
}

#[test]
fn a_part_takes_its_tax_with_it_and_the_last_part_the_rest() {
    let invoice = taxed();
    let part = credit_note(&invoice, &[], &note("EG-1", &[(1, "100.00"), (4, "577.85")])).unwrap();
    assert_eq!((&*part.net, &*part.taxes[0].base, &*part.taxes[0].amount), ("-677.85", "-677.85", "-128.79"));
    let [partly, whole_row] = &part.rows[..] else { panic!("{:?}", part.rows) };
    assert_eq!((partly.corrects, partly.quantity.as_deref(), &*partly.unrounded), (Some(1), None, "-100"));
    assert_eq!(partly.description, "//Block - Premium, commitment 100 TiB, 100.00 of 2188.32");
    assert_eq!((whole_row.corrects, whole_row.quantity.as_deref()), (Some(4), Some("-42.25")));
    let part = issue(part, "EG-2");
    assert_eq!(state(&invoice, std::slice::from_ref(&part)).unwrap(), DocumentState::PartlyCredited);
    let rest = credit_note(&invoice, std::slice::from_ref(&part), &all(&invoice, std::slice::from_ref(&part))).unwrap();
    assert_eq!(rest.rows.iter().map(|row| row.corrects.unwrap()).collect::<Vec<_>>(), [1, 2, 3, 5]);
    assert!(sum([&invoice, &part, &rest], |document| &document.total).is_zero());
    assert_eq!(state(&invoice, &[part, issue(rest, "EG-3")]).unwrap(), DocumentState::Credited);
}

/// A credit of 3,000.00 came off: no more than 260.87 can be given back before all of it is.
#[test]
fn credits_come_back_with_the_last_note() {
    let mut invoice = northwind_invoice();
    invoice.credits = vec![DocumentCredit { id: "sla-7".into(), applied: "3000.00".into(), left: "5.00".into() }];
    (invoice.net, invoice.total) = ("260.87".to_owned(), "260.87".to_owned());
    invoice.taxes[0].base = "260.87".to_owned();
    let number = "EG-2026-000118";
    assert_eq!(
        credit_note(&invoice, &[], &note(number, &[(1, "260.88")])).unwrap_err().to_string(),
        "EG-2026-000118: 260.87 without tax is left to credit and the rows come to 260.88: credit less, or all that is left"
    );
    let part = credit_note(&invoice, &[], &note(number, &[(1, "60.87")])).unwrap();
    assert_eq!((&*part.total, part.credits.len()), ("-60.87", 0));
    let earlier = [part];
    let rest = credit_note(&invoice, &earlier, &all(&invoice, &earlier)).unwrap();
    assert_eq!((&*rest.subtotal, &*rest.net, &*rest.total), ("-3200.00", "-200.00", "-200.00"));
    assert_eq!((&*rest.credits[0].applied, &*rest.credits[0].left), ("-3000.00", "3005.00"));
    let at_once = credit_note(&invoice, &[], &all(&invoice, &[])).unwrap();
    assert_eq!(at_once.total, "-260.87");
}

#[test]
fn what_cannot_be_credited_says_what_can() {
    let invoice = northwind_invoice();
    let number = "EG-2026-000118";
    let earlier = [credit_note(&invoice, &[], &note(number, &[(2, "200.00")])).unwrap()];
    let refused = |note: CreditNote| credit_note(&invoice, &earlier, &note).unwrap_err().to_string();
    assert_eq!(refused(note(number, &[(2, "46.20")])), "row 2: 46.19 is left to credit, 46.20 is more");
    assert_eq!(refused(note(number, &[(9, "1.00")])), "EG-2026-000118 has no row 9: it has rows 1 to 5");
    assert_eq!(
        refused(note(number, &[(1, "1.00"), (1, "1.00")])),
        "the note names row 1 twice: name it once, with the sum"
    );
    for wrong in ["-1.00", "0.00", "1.001", "1,00", "", "x"] {
        assert!(
            refused(note(number, &[(1, wrong)])).starts_with(&format!("{wrong:?} of row 1 is no amount")),
            "{wrong}"
        );
    }
    assert!(refused(note(number, &[])).starts_with("the note names no row"));
    assert!(refused(note("EG-2026-000119", &[(1, "1.00")])).contains("credits EG-2026-000119, not EG-2026-000118"));
    let whole = [credit_note(&invoice, &[], &note(number, &[(2, "246.19")])).unwrap()];
    let nothing = "there is nothing to credit on row 2: nothing is left of it";
    for amount in ["246.19", "0"] {
        assert_eq!(credit_note(&invoice, &whole, &note(number, &[(2, amount)])).unwrap_err().to_string(), nothing);
    }
    let mut free = invoice.clone();
    "0.00".clone_into(&mut free.rows[1].amount);
    assert_eq!(credit_note(&free, &[], &note(number, &[(2, "0")])).unwrap_err().to_string(), nothing);
    let silent = CreditNote { reason: " \n".to_owned(), ..note(number, &[(1, "1.00")]) };
    assert!(refused(silent).contains("needs a reason"));
    let draft = Document { number: None, ..invoice.clone() };
    assert!(matches!(credit_note(&draft, &[], &note(number, &[(1, "1.00")])), Err(CreditNoteError::NoNumber)));
    assert!(credit_note(&invoice, &earlier, &note(number, &[(2, "46.19")])).is_ok());
}

proptest! {
    /// However a document is credited in parts, no part turns the other way, and with the last nothing is left of anything.
    #[test]
    fn parts_sum_to_the_whole(cuts in proptest::collection::vec((1..=5usize, 1..60_000i128), 0..8)) {
        let invoice = taxed();
        let mut notes: Vec<Document> = Vec::new();
        for (no, minor) in cuts {
            let amount = Figure::of_minor(minor, 2).unwrap().amount(2).unwrap();
            if let Ok(part) = credit_note(&invoice, &notes, &note("EG-1", &[(no, &amount)])) {
                prop_assert!(figure(&part.total).sign() < 0 && figure(part.taxes.first().map_or("0", |tax| &*tax.amount)).sign() <= 0);
                let percent = figure(&part.net).share(figure("19"), figure("100"), 2, part.rounding).unwrap();
                let off = percent.minus(figure(part.taxes.first().map_or("0", |tax| &*tax.amount))).unwrap().size();
                prop_assert!(off <= figure("0.01"), "{off}");
                notes.push(part);
            }
        }
        let rest = credit_note(&invoice, &notes, &all(&invoice, &notes)).unwrap();
        notes.push(rest);
        for of in SUMS {
            prop_assert!(sum(notes.iter().chain([&invoice]), of).is_zero());
        }
        let tax = sum(notes.iter().chain([&invoice]), |document| document.taxes.first().map_or("0", |tax| &*tax.amount));
        prop_assert!(tax.is_zero());
        prop_assert_eq!(state(&invoice, &notes).unwrap(), DocumentState::Credited);
    }
}
