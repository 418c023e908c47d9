//! Documents computed again from the ledger.

mod closed;
mod random;
mod statement;
mod usage;
