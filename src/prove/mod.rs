//! Proofs: a document computed again from the ledger below its cut and the decisions below its `after`, and held against what was issued.

mod error;
mod usage;

pub use error::ProveError;
pub use usage::{Effort, Ledger};
