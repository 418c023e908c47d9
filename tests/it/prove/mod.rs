//! Documents computed again from the ledger.

mod closed;
pub(crate) mod random;
pub(crate) mod statement;
mod usage;
