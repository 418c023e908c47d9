//! Why something could not be closed, issued or materialised: not because of a hole, but because it could not be done.

use thiserror::Error;

use super::refusal::Refusal;
use crate::core::billing::credit_note::CreditNoteError;
use crate::core::billing::error::DocumentError;
use crate::core::closing::basis::BasisError;
use crate::core::pricing::error::{Overflow, RateError};
use crate::fold::error::SeamError;
use crate::prove::ProveError;
use crate::statement::StatementError;

/// What stands in the way.
#[derive(Debug, Error)]
pub enum CloseError {
    /// Somebody asked for what cannot be.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The log or the database: retryable or not, as it says.
    #[error(transparent)]
    Seam(#[from] SeamError),
    /// The database.
    #[error(transparent)]
    ClickHouse(#[from] crate::clickhouse::Error),
    /// What decisions say is no basis.
    #[error(transparent)]
    Basis(#[from] BasisError),
    /// One contract cannot be rated: a close without it would be wrong.
    #[error("{place} cannot be rated: {error}")]
    Place {
        /// Which contract and customer.
        place: String,
        /// Why.
        error: Box<StatementError>,
    },
    /// What a rating refuses.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// A sum that does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// A document that cannot be made.
    #[error("the document of {place}: {error}")]
    Document {
        /// Which contract and customer, or which number.
        place: String,
        /// Why.
        error: Box<DocumentError>,
    },
    /// A credit note that cannot be made.
    #[error("the credit note over {number}: {error}")]
    CreditNote {
        /// The document.
        number: String,
        /// Why.
        error: Box<CreditNoteError>,
    },
    /// The ledger could not be metered again.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// More documents than one close holds in memory.
    #[error(
        "{provider} has more than {most} documents in one period: give part of its customers contracts of another anchor_day"
    )]
    TooMany {
        /// Whose.
        provider: String,
        /// The bound.
        most: usize,
    },
    /// A close of which other drafts are shown than were decided.
    #[error(
        "close {rating_id} counts, and its drafts are not all shown (I9): a replica lags and will have them, or somebody changed rows of the table `rating`: restore them from a backup"
    )]
    DraftsLack {
        /// The close.
        rating_id: String,
    },
    /// A close whose drafts are not stored.
    #[error(
        "close {rating_id} counts, and its drafts are not all stored (I9): somebody deleted rows of the table `rating`; restore them from a backup"
    )]
    NoDrafts {
        /// The close.
        rating_id: String,
    },
}

impl CloseError {
    /// Says of which document it is that it cannot be made: a contract's, or one with a number.
    pub fn document(place: &str) -> impl FnOnce(DocumentError) -> Self + '_ {
        move |error| CloseError::Document { place: place.to_owned(), error: Box::new(error) }
    }

    /// Whether it stands in everybody's way: the log or the database is away. What is wrong with one close, or what the database says of one
    /// question, keeps no other from its turn.
    #[must_use]
    pub fn is_of_all(&self) -> bool {
        match self {
            CloseError::DraftsLack { .. } => false,
            CloseError::ClickHouse(error) | CloseError::Prove(ProveError::ClickHouse(error)) => {
                error.is_retryable() && error.failure().code.is_none()
            }
            error => error.is_retryable(),
        }
    }

    /// Whether the same may work later without anybody's doing.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            CloseError::DraftsLack { .. } => true,
            CloseError::Seam(error) => matches!(error, SeamError::Retryable(_)),
            CloseError::ClickHouse(error) => error.is_retryable(),
            CloseError::Prove(ProveError::ClickHouse(error)) => error.is_retryable(),
            _ => false,
        }
    }
}
