//! The ledger's decisions (DESIGN §3): what becomes of each record of the usage log, from the log before it, the rules of its
//! stream and the decision its header names. No price book, no configuration, no clock.

pub mod batch;
pub mod column;
pub mod digest;
pub mod identity_set;
mod identity_shard;
pub mod judge;
pub mod rules;
#[cfg(test)]
pub(crate) mod sample;
