//! The drafts of a close that counts, all of them: a replica may lack some, and a correction made without them would bill everything again.

use super::error::CloseError;
use super::seam::{BillStore, StoredDraft};
use crate::core::billing::error::DocumentError;
use crate::core::closing::record;
use crate::core::closing::register::Register;
use crate::mutation::{Mutation, planted};

/// The stored drafts of a close that counts, held against the digest that its decision names (I9).
///
/// # Errors
/// Retryable while the database is away or shows other drafts than were decided.
pub(super) fn of_close(
    store: &mut impl BillStore,
    register: &Register,
    rating_id: &str,
) -> Result<Vec<StoredDraft>, CloseError> {
    let drafts = store.drafts(rating_id)?;
    let shown = digest(&drafts).map_err(CloseError::document(rating_id))?;
    let is_whole = register.rating(rating_id).is_some_and(|closed| closed.close.digest == shown);
    match is_whole || planted(Mutation::LaggingDraftsTrusted) {
        true => Ok(drafts),
        false => Err(CloseError::DraftsLack { rating_id: rating_id.to_owned() }),
    }
}

/// The digest of a close with these drafts.
///
/// # Errors
/// None that a document can cause.
pub(super) fn digest(drafts: &[StoredDraft]) -> Result<String, DocumentError> {
    let of = |draft: &StoredDraft| {
        Ok((draft.place.contract.clone(), draft.place.customer.clone(), record::digest_of(&draft.document)?))
    };
    record::digest(drafts.iter().map(of).collect::<Result<_, DocumentError>>()?)
}
