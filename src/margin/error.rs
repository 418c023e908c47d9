//! Why there is no margin.

use thiserror::Error;

use crate::core::billing::error::DocumentError;
use crate::core::billing::margin;
use crate::core::pricing::error::RateError;
use crate::prove::ProveError;
use crate::statement::StatementError;

/// What stands between a provider and its margin.
#[derive(Debug, Error)]
pub enum MarginError {
    /// Nothing to compare.
    #[error("no contract of the price book concerns provider {0} in {1}; `plimsoll catalog show` lists them")]
    NoContract(String, String),
    /// A contract cannot be rated.
    #[error("contract {contract}: {error}")]
    Statement {
        /// Which.
        contract: String,
        /// Why.
        error: StatementError,
    },
    /// Any contract, or the book.
    #[error(transparent)]
    Book(#[from] StatementError),
    /// A label or a contract that is none.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// A stored document is not understood.
    #[error("rating {rating_id} of contract {contract}: {what}; upgrade this process")]
    Stored {
        /// The rating.
        rating_id: String,
        /// The contract.
        contract: String,
        /// What is wrong with it.
        what: String,
    },
    /// An amount of a document.
    #[error(transparent)]
    Amount(#[from] DocumentError),
    /// What falls on whom could not be said.
    #[error(transparent)]
    Allocated(Box<ProveError>),
    /// The sums.
    #[error(transparent)]
    Sums(#[from] margin::MarginError),
    /// The database.
    #[error(transparent)]
    ClickHouse(#[from] crate::clickhouse::Error),
}

impl MarginError {
    /// Whether the same may work later without anybody's doing.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            MarginError::ClickHouse(error) => error.is_retryable(),
            MarginError::Allocated(error) => matches!(&**error, ProveError::ClickHouse(error) if error.is_retryable()),
            _ => false,
        }
    }
}

impl From<ProveError> for MarginError {
    fn from(error: ProveError) -> Self {
        Self::Allocated(Box::new(error))
    }
}
