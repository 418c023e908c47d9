//! A statement becomes a draft: its amounts are frozen, a number it has none yet (INVOICE §1).

use super::document::{Document, DocumentState};
use super::error::DocumentError;

/// The draft of a rating that a close has named. Its `rating_id` is the close's: the same in all documents of one close, and in the
/// decision that makes them count.
///
/// # Errors
/// None that a document can cause whose numbers were checked when it was made.
pub fn closed(open: Document, rating_id: &str) -> Result<Document, DocumentError> {
    let mut draft = Document { state: DocumentState::Closed, provisional: false, ..open };
    rating_id.clone_into(&mut draft.proof.rating_id);
    draft.sealed()
}
