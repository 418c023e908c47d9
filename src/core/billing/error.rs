//! Why a document could not be made.

use crate::core::pricing::error::RateError;
use crate::core::word::Instant;

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
    /// A text that is no figure of a document, or one with too many places.
    #[error("{0:?} is no figure of a document: at most 15 places, amounts those of their currency")]
    Figure(String),
    /// A number does not fit.
    #[error("{0} of the document is out of range")]
    OutOfRange(&'static str),
    /// Documents of one period that do not belong together.
    #[error("{what} of the documents is {one} and {other}: they are not of one contract's period")]
    Foreign {
        /// What differs.
        what: &'static str,
        /// In one.
        one: String,
        /// In the other.
        other: String,
    },
    /// A document that does not add up (I12).
    #[error("{what} of the documents come to {found}, not {wanted}: one of them does not add up")]
    Sum {
        /// Which sum.
        what: &'static str,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// A stored document that is not what was written (I9).
    #[error("the document hashes to {computed}, and says {stored}: it is not the one that was written")]
    Digest {
        /// What it says.
        stored: String,
        /// What it hashes to.
        computed: String,
    },
    /// Only a draft is issued.
    #[error("the document is {state} ({}): only a draft without a number is issued", number.as_deref().unwrap_or("no number"))]
    NoDraft {
        /// Its state.
        state: &'static str,
        /// Its number.
        number: Option<String>,
    },
    /// INVOICE §3: what corrects must say what.
    #[error("document {0} corrects others and names none")]
    NoReference(String),
    /// A period that is none.
    #[error("{0:?} is no instant and no time zone of a document")]
    Time(String),
    /// An instant without a local date.
    #[error("{0} has no date in the contract's time zone")]
    Date(Instant),
}
