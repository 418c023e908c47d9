//! Proofs: a document computed again from the ledger below its cut and the decisions below its `after`, and held against what was issued.

mod allocate;
mod allocated;
mod candidate;
pub mod closed;
mod columns;
pub mod difference;
pub mod documents;
mod error;
mod inputs;
mod issued;
pub mod mirror;
pub mod open;
mod page;
pub mod rerate;
mod rows;
mod stored;
mod stray;
mod usage;
mod verdict;
mod weigh;

pub use allocate::{allocate, rows as allocation_rows};
pub use error::ProveError;
pub use usage::{Effort, Ledger, Streams};
pub use verdict::{Altered, Proof, Verdict};
pub use weigh::Weighed;

/// Is told how far a proof is.
pub type Progress<'a> = &'a (dyn Fn(Effort) + Sync);
