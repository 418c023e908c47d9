//! Why an array's answers make no usage event.

/// Why an array's answers make no usage event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not of the form that the API has.
    #[error("{what} is not understood ({text}): check that the address is the API's, and its version")]
    Malformed {
        /// Which answer.
        what: &'static str,
        /// What is wrong with it.
        text: String,
    },
    /// A list that leads around for ever.
    #[error(
        "{what} does not end (the same token again, or nothing on a page that says there is more): upgrade the array's software, or tell its vendor"
    )]
    Endless {
        /// Which list.
        what: &'static str,
    },
    /// The address is another array's.
    #[error("the address answers for array {found}: correct array.id or array.url")]
    WrongArray {
        /// Whose answers they are.
        found: String,
    },
    /// The array has no figures of the instant that was asked for.
    #[error(
        "the array has no figures of this instant: it keeps none that are so old, has not made them yet (raise collect.delay_seconds), or its clock is wrong"
    )]
    NoSample,
    /// What came of it is no event that Plimsoll would accept.
    #[error("its readings would be quarantined as {reason} ({detail})")]
    Unacceptable {
        /// The reason's code.
        reason: &'static str,
        /// Where and what.
        detail: String,
    },
}

impl ReadError {
    /// The label under which failures are counted.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            ReadError::Malformed { .. } => "malformed",
            ReadError::Endless { .. } => "endless",
            ReadError::WrongArray { .. } => "wrong_array",
            ReadError::NoSample => "no_sample",
            ReadError::Unacceptable { .. } => "unacceptable",
        }
    }
}
