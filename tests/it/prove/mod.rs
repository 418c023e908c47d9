//! Documents computed again from the ledger.

mod random;
mod usage;
