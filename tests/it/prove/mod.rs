//! Documents computed again from the ledger.

mod random;
mod statement;
mod usage;
