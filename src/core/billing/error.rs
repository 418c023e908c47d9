//! Why a document could not be made.

use crate::core::pricing::error::RateError;

/// Why a document could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The contract or an amount is wrong.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// It could not be written as canonical JSON.
    #[error("the document could not be written as json: {0}")]
    Json(#[from] serde_json::Error),
    /// An offset or a count that RFC 8785 cannot show exactly.
    #[error("{what} {number} does not fit a number of json")]
    Number {
        /// Which number.
        what: &'static str,
        /// Its value.
        number: u64,
    },
}
