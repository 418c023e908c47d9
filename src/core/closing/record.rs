//! The record of a close: its rating id is a function of its inputs, so that two closers with the same inputs write the same rows.

use serde::Serialize;

use crate::core::billing::digest::canonical;
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::billing::proof::rating_digest;
use crate::core::cut::{CutPoint, Versions};
use crate::core::decision::closing::{Cause, CreditUse, DraftKey, PeriodKey, ReturnedCredit};
use crate::core::pricing::currency::Currency;
use crate::core::word::Offset;

/// Digits of a draft's short id.
const SHORT_DIGITS: usize = 16;

/// What the ratings of a close are functions of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inputs {
    /// What is closed.
    pub period: PeriodKey,
    /// Which revision.
    pub revision: u32,
    /// Why.
    pub cause: Cause,
    /// Up to which offset, exclusive, each partition counts.
    pub cut: Vec<CutPoint>,
    /// Up to which decision, exclusive, the control log counts.
    pub after: Offset,
    /// Versions of the code.
    pub versions: Versions,
    /// Hash of the price book.
    pub book: String,
}

impl Inputs {
    /// Under which id the ratings are stored: SHA-256 over everything that they are functions of, in hex.
    ///
    /// # Errors
    /// None that a close can cause.
    pub fn rating_id(&self) -> Result<String, DocumentError> {
        Ok(hex(canonical(self)?))
    }
}

/// The digest of one draft's rating: rows, cut and book (INVOICE §3).
///
/// # Errors
/// None that a document can cause.
pub fn digest_of(draft: &Document) -> Result<String, DocumentError> {
    rating_digest(&draft.rows, &draft.proof.cut, &draft.proof.price_book)
}

/// The digest of a close: SHA-256 over the digests of all its ratings, by contract and customer.
///
/// # Errors
/// None that a document can cause.
pub fn digest(mut ratings: Vec<(String, Option<String>, String)>) -> Result<String, DocumentError> {
    ratings.sort();
    Ok(canonical(&ratings)?)
}

/// What a draft takes off credits.
///
/// # Errors
/// Figures that are none.
pub fn credits(draft: &Document, customer: Option<&str>) -> Result<Vec<CreditUse>, DocumentError> {
    let places = Currency::new(&draft.currency)?.places;
    let used = |credit: &crate::core::billing::document::DocumentCredit| {
        Ok(CreditUse {
            contract: draft.contract.clone(),
            customer: customer.map(str::to_owned),
            id: credit.id.clone(),
            applied: Figure::parse(&credit.applied)?.minor(places)?.to_string(),
        })
    };
    draft.credits.iter().map(used).collect()
}

/// What a credit note gives back of credits.
///
/// # Errors
/// Figures that are none.
pub fn returned(note: &Document) -> Result<Vec<ReturnedCredit>, DocumentError> {
    let places = Currency::new(&note.currency)?.places;
    let returned = |credit: &crate::core::billing::document::DocumentCredit| {
        let amount = Figure::parse(&credit.applied)?.negated().minor(places)?.to_string();
        Ok(ReturnedCredit { id: credit.id.clone(), amount })
    };
    note.credits.iter().map(returned).collect()
}

/// The name of a draft for people: the first digits of a hash of its key.
///
/// # Errors
/// None that a key can cause.
pub fn short_id(draft: &DraftKey) -> Result<String, DocumentError> {
    let mut id = hex(canonical(draft)?);
    id.truncate(SHORT_DIGITS);
    Ok(id)
}

fn hex(digest: String) -> String {
    digest.strip_prefix("sha256:").map(str::to_owned).unwrap_or(digest)
}
