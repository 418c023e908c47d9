//! Proofs: a document computed again from the ledger below its cut and the decisions below its `after`, and held against what was issued.

mod candidate;
pub mod closed;
pub mod difference;
pub mod documents;
mod error;
mod inputs;
pub mod mirror;
mod note;
pub mod open;
pub mod open_period;
pub mod rerate;
mod stored;
mod usage;
mod verdict;

pub use error::ProveError;
pub use usage::{Effort, Ledger, Streams};
pub use verdict::{Altered, Proof, Verdict};

/// Is told how far a proof is.
pub type Progress<'a> = &'a (dyn Fn(Effort) + Sync);
