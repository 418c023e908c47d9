//! Why a figure of the programme cannot be told.

use crate::core::billing::error::DocumentError;
use crate::core::pricing::error::{Overflow, RateError};

/// What stands between the documents and a figure.
#[derive(Debug, thiserror::Error)]
pub enum ProgrammeError {
    /// A document that is none of ours, or a figure that does not fit.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A currency that is none.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// A sum that does not fit.
    #[error("a figure of the programme: {0}; look for a wrong value with `plimsoll usage`")]
    Overflow(#[from] Overflow),
    /// Too many groups for memory.
    #[error("sales credits have more than {0} groups: ask for fewer keys, or for fewer months with --periods")]
    Groups(usize),
    /// A key that is none.
    #[error("{0:?} is nothing to group by: write one or more of {1}")]
    Key(String, String),
}
