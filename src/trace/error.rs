//! Why a row could not be traced.

use thiserror::Error;

use crate::core::pricing::error::{Overflow, RateError};
use crate::prove::ProveError;

/// What stands between a row and what is behind it.
#[derive(Debug, Error)]
pub enum TraceError {
    /// No such row.
    #[error("the document has rows 1 to {rows}, and no row {asked}")]
    NoRow {
        /// How many there are.
        rows: usize,
        /// Which was asked for.
        asked: usize,
    },
    /// An array that has nothing to do with the row.
    #[error("no usage of array {array} is behind row {row}: leave the array out to see all that is")]
    NoArray {
        /// Which was asked for.
        array: String,
        /// The row.
        row: usize,
    },
    /// The row is not what the ledger gives.
    #[error("the document cannot be computed again from the ledger as it is; see `plimsoll prove` for what differs")]
    Differs,
    /// What the rating refuses.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// What the ledger could not tell.
    #[error(transparent)]
    Prove(#[from] ProveError),
}

impl From<crate::clickhouse::Error> for TraceError {
    fn from(error: crate::clickhouse::Error) -> Self {
        Self::Prove(error.into())
    }
}

impl From<Overflow> for TraceError {
    fn from(error: Overflow) -> Self {
        Self::Prove(error.into())
    }
}
