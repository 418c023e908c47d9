//! INVOICE §3's example, to the cent.

use super::document::Document;
use super::proof::{CutPoint, Proof, Versions};
use super::statement::document;
use crate::core::pricing::period::period;
use crate::core::pricing::rating::rate;
use crate::core::pricing::sample::{northwind, northwind_september};
use crate::core::word::{Offset, Partition, StreamId};

const BOOK: &str = "sha256:00";

fn northwind_document() -> Document {
    let book = northwind();
    let september = period(&book.contracts["northwind-wholesale"], "2026-09").unwrap();
    let rating = rate(&book, "northwind-wholesale", None, &september, &northwind_september()).unwrap();
    let cut = vec![CutPoint { stream: StreamId("usage-1".into()), partition: Partition(0), offset: Offset(8_812_734) }];
    let proof = Proof { cut, after: 1204, versions: Versions { fold: 1, rate: 1 } };
    document(&book, BOOK, "northwind-wholesale", None, &september, &rating, &proof).unwrap()
}

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
    (issued.state, issued.references.erp) = ("issued", Some("4711".to_owned()));
    assert_eq!(seal(issued), document.proof.digest);
    let mut other = document.clone();
    other.rows[0].amount = "2188.33".to_owned();
    assert_ne!(seal(other), document.proof.digest);
    let again = super::proof::rating_digest(&document.rows, &document.proof.cut, BOOK).unwrap();
    assert_eq!(again, document.proof.rating_id);
    assert_ne!(super::proof::rating_digest(&document.rows, &[], BOOK).unwrap(), again);
}

#[test]
fn without_a_tax_none_is_computed() {
    let mut book = northwind();
    book.contracts.get_mut("northwind-wholesale").unwrap().tax = None;
    let september = period(&book.contracts["northwind-wholesale"], "2026-09").unwrap();
    let rating = rate(&book, "northwind-wholesale", None, &september, &northwind_september()).unwrap();
    let proof = Proof { cut: Vec::new(), after: 0, versions: Versions { fold: 1, rate: 1 } };
    let document = document(&book, BOOK, "northwind-wholesale", None, &september, &rating, &proof).unwrap();
    assert!(document.taxes.is_empty());
    assert_eq!(document.tax_note, Some("no tax computed"));
}
