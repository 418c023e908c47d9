//! Why a request is not quoted, and where.

use std::fmt;

use crate::core::pricing::error::Overflow;

/// A refusal: a JSON pointer to the culprit and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// RFC 6901; empty for the whole request.
    pub pointer: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl Refusal {
    /// A refusal of what lies at a pointer.
    #[must_use]
    pub fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{pointer}: {}", self.message)
    }
}

impl std::error::Error for Refusal {}

/// The pointer to a member of what lies at `pointer`.
#[must_use]
pub fn member(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// An overflow as a refusal that names the row.
pub fn refuse<'a>(pointer: &'a str, row: &'a str) -> impl Fn(Overflow) -> Refusal + 'a {
    move |overflow| Refusal::at(pointer, format!("{row}: {overflow}: write smaller ones"))
}
