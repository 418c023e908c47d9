//! Documents computed again from the ledger.

mod closed;
pub(crate) mod random;
mod rows;
pub(crate) mod statement;
mod usage;
