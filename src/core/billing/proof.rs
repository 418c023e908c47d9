//! What a document was computed from (INVOICE §3, `proof`).

use serde::{Deserialize, Serialize};

use super::digest;
use super::error::DocumentError;
use super::row::DocumentRow;
pub use crate::core::cut::{CutPoint, Versions};

/// The greatest whole number that RFC 8785 shows exactly: 2^53 - 1.
const GREATEST: u64 = (1 << 53) - 1;

/// What a rating was computed from, as the shell knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Up to which offset, exclusive, each partition is in it.
    pub cut: Vec<CutPoint>,
    /// Up to which record, exclusive, the control topic is in it.
    pub after: u64,
    /// Versions of the code that could alter an amount.
    pub versions: Versions,
}

/// `proof` of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentProof {
    /// The rating: its digest, as long as no close has named it.
    pub rating_id: String,
    /// The cut, by stream and partition.
    pub cut: Vec<CutPoint>,
    /// The control topic's part of the cut.
    pub after: u64,
    /// Versions.
    pub versions: Versions,
    /// The price book's hash.
    pub price_book: String,
    /// The document's digest; none while it is being computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What the rating's digest covers (INVOICE §3): rows, cut, book.
#[derive(Serialize)]
struct RatingContent<'a> {
    rows: &'a [DocumentRow],
    cut: &'a [CutPoint],
    book: &'a str,
}

/// The digest of a rating: SHA-256 over the canonical JSON of rows, cut and book (INVOICE §3).
pub fn rating_digest(rows: &[DocumentRow], cut: &[CutPoint], book: &str) -> Result<String, DocumentError> {
    let mut cut = cut.to_vec();
    cut.sort();
    Ok(digest::canonical(&RatingContent { rows, cut: &cut, book })?)
}

/// The proof of a document without its digest.
pub fn proof(proof: &Proof, rows: &[DocumentRow], book: &str) -> Result<DocumentProof, DocumentError> {
    let mut cut = proof.cut.clone();
    cut.sort();
    fits("after", proof.after)?;
    for point in &cut {
        fits("offset", point.offset.0)?;
    }
    Ok(DocumentProof {
        rating_id: rating_digest(rows, &cut, book)?,
        cut,
        after: proof.after,
        versions: proof.versions,
        price_book: book.to_owned(),
        digest: None,
    })
}

fn fits(what: &'static str, number: u64) -> Result<(), DocumentError> {
    if number <= GREATEST { Ok(()) } else { Err(DocumentError::Number { what, number }) }
}
