//! What a command refuses to do as it was asked: nothing was done, and its exit code is 2.

use thiserror::Error;

/// A refusal, in words that say what to do instead.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Refused(String);

/// Refuses.
pub(super) fn refuse<T>(why: impl Into<String>) -> anyhow::Result<T> {
    Err(Refused(why.into()).into())
}
