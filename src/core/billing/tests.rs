//! INVOICE §3's example, to the cent.

use super::close::closed;
use super::document::{Document, DocumentState, DocumentType};
use super::effect::{ClosedPeriod, Totals, effect};
use super::error::DocumentError;
use super::issue::{issued, with_state};
use super::sample::{BOOK, issue, northwind_invoice, northwind_statement as northwind_document, statement as rated};
use crate::core::pricing::sample::{at, northwind, northwind_september};

#[test]
fn northwind_september_to_the_cent() {
    let document = northwind_document();
    let amounts: Vec<&str> = document.rows.iter().map(|row| row.amount.as_str()).collect();
    assert_eq!(amounts, ["2188.32", "246.19", "123.09", "577.85", "125.42"]);
    assert_eq!((document.subtotal.as_str(), document.saving.as_str()), ("3260.87", "303.30"));
    assert_eq!((document.net.as_str(), document.total.as_str()), ("3260.87", "3260.87"));
    let commitment = &document.rows[0];
    assert_eq!(commitment.used_quantity.as_deref(), Some("98.333334"));
    assert_eq!(commitment.unused_quantity.as_deref(), Some("1.666666"));
    assert_eq!((commitment.arrays, commitment.coverage.as_deref()), (Some(3), Some("1")));
}

#[test]
fn northwind_document_as_json() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&northwind_document()).unwrap());
}

#[test]
fn digests_follow_their_content() {
    let document = northwind_document();
    let seal = |document: Document| document.sealed().unwrap().proof.digest;
    assert_eq!(seal(document.clone()), document.proof.digest);
    let mut issued = document.clone();
    (issued.state, issued.references.erp) = (DocumentState::Issued, Some("4711".to_owned()));
    assert_eq!(seal(issued), document.proof.digest);
    let mut other = document.clone();
    other.rows[0].amount = "2188.33".to_owned();
    assert_ne!(seal(other), document.proof.digest);
    let again = super::proof::rating_digest(&document.rows, &document.proof.cut, BOOK).unwrap();
    assert_eq!(again, document.proof.rating_id);
    assert_ne!(super::proof::rating_digest(&document.rows, &[], BOOK).unwrap(), again);
}

/// What is stored comes back as the same bytes under the same digest; anything else is refused.
#[test]
fn a_document_is_read_back_as_it_was_written() {
    for document in [northwind_document(), northwind_invoice()] {
        let text = serde_json::to_string(&document).unwrap();
        let read = Document::from_json(&text).unwrap();
        assert_eq!((serde_json::to_string(&read).unwrap(), &read), (text.clone(), &document));
        let forged = text.replace("2188.32", "2188.31");
        assert!(matches!(Document::from_json(&forged), Err(DocumentError::Digest { .. })));
        for other in
            [text.replace("\"reason\":null,", "\"reason\":null,\"note\":1,"), text.replace("\"deal\"", "\"sale\"")]
        {
            assert!(matches!(Document::from_json(&other), Err(DocumentError::Json(_))), "{other}");
        }
    }
}

#[test]
fn a_draft_is_issued_once_and_stays_the_same_document() {
    let draft = closed(northwind_document(), "9d2f6a").unwrap();
    assert_eq!((draft.state, draft.provisional, &*draft.proof.rating_id), (DocumentState::Closed, false, "9d2f6a"));
    let invoice = issue(draft.clone(), "EG-2026-000118");
    assert_eq!((invoice.issue_date.as_deref(), invoice.due_date.as_deref()), (Some("2026-10-04"), Some("2026-11-18")));
    assert_ne!(invoice.proof.digest, draft.proof.digest);
    let credited = with_state(invoice.clone(), DocumentState::Credited, Some("4711".to_owned()));
    assert_eq!(credited.clone().sealed().unwrap(), credited);
    assert_eq!(credited.proof.digest, invoice.proof.digest);
    let again = |document: Document| {
        issued(document, "X".to_owned(), at("2026-10-03T22:30:00Z"), chrono_tz::UTC, 1, Vec::new())
    };
    assert!(matches!(again(invoice), Err(DocumentError::NoDraft { state: "issued", .. })));
    assert!(matches!(again(northwind_document()), Err(DocumentError::NoDraft { state: "open", .. })));
    let note = Document { kind: DocumentType::CreditNote, ..draft };
    assert!(matches!(again(note), Err(DocumentError::NoReference(number)) if number == "X"));
}

#[test]
fn without_a_tax_none_is_computed() {
    let mut book = northwind();
    book.contracts.get_mut("northwind-wholesale").unwrap().tax = None;
    let document = rated(&book, "northwind-wholesale", &northwind_september());
    assert!(document.taxes.is_empty());
    assert_eq!(document.tax_note.as_deref(), Some("no tax computed"));
}

/// The statement at another total, of another buyer.
fn statement(buyer: &str, currency: &str, total: &str) -> Document {
    let mut document = northwind_document();
    (document.buyer.id, document.currency) = (buyer.to_owned(), currency.to_owned());
    document.rows[0].amount = total.to_owned();
    document.total = total.to_owned();
    document
}

#[test]
fn the_effect_of_a_book_is_told_by_buyer_and_summed_by_currency() {
    let now = [statement("acme", "EUR", "100.00"), statement("beta", "EUR", "7.10"), statement("gone", "EUR", "1.00")];
    let then = [statement("acme", "EUR", "92.50"), statement("beta", "EUR", "7.10"), statement("new", "KWD", "0.125")];
    let effects = effect(&now, &then, &[]).unwrap();
    let told: Vec<(&str, Option<&str>, bool)> =
        effects.iter().map(|effect| (&*effect.buyer, effect.difference.as_deref(), effect.moves)).collect();
    assert_eq!(
        told,
        [("acme", Some("-7.50"), true), ("beta", Some("0.00"), false), ("gone", None, true), ("new", None, true)]
    );
    let mut totals = Totals::default();
    effects.iter().for_each(|effect| totals.add(effect).unwrap());
    let totals = serde_json::to_string(&totals.by_currency().unwrap()).unwrap();
    assert_eq!(
        totals,
        r#"[{"currency":"EUR","now":"108.10","then":"99.60","difference":"-8.50"},{"currency":"KWD","now":"0","then":"0.125","difference":"0.125"}]"#
    );
    let other = effect(&now[..1], &[statement("acme", "USD", "92.50")], &[]).unwrap();
    assert_eq!((other[0].difference.as_deref(), other[0].moves), (None, true));
}

/// Same total, other lines: the buyer sees another document.
#[test]
fn a_statement_moves_with_any_of_its_amounts() {
    let now = northwind_document();
    let mut then = now.clone();
    then.rows[0].amount = "2188.31".to_owned();
    then.rows[1].amount = "246.20".to_owned();
    let effects = effect(std::slice::from_ref(&now), &[then], &[]).unwrap();
    assert_eq!((effects[0].difference.as_deref(), effects[0].moves), (Some("0.00"), true));
    assert!(!effect(std::slice::from_ref(&now), std::slice::from_ref(&now), &[]).unwrap()[0].moves);
}

#[test]
fn a_closed_period_is_that_of_its_provider_with_its_bounds() {
    let document = northwind_document();
    let closed = |provider: &str, start: &str| ClosedPeriod {
        provider: provider.to_owned(),
        start: start.to_owned(),
        end: document.period.end.clone(),
    };
    let is_closed = |closed: ClosedPeriod| effect(std::slice::from_ref(&document), &[], &[closed]).unwrap()[0].closed;
    assert!(is_closed(closed("northwind", &document.period.start)));
    assert!(!is_closed(closed("fjordcloud", &document.period.start)));
    assert!(!is_closed(closed("northwind", "2026-09-01T00:00:00Z")));
    // a new contract in a closed period, and one whose bounds move out of it
    assert!(
        effect(&[], std::slice::from_ref(&document), &[closed("northwind", &document.period.start)]).unwrap()[0].closed
    );
    let mut moved = document.clone();
    moved.period.start = "2026-09-14T22:00:00Z".to_owned();
    let effects =
        effect(std::slice::from_ref(&document), &[moved], &[closed("northwind", &document.period.start)]).unwrap();
    assert!(effects[0].closed);
}
