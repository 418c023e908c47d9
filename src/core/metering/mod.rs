//! Metering in exact integers (DESIGN §4): bucket = meter(set of accepted readings of a series below an offset, definition).
//!
//! [`cell::meter`] is that function. [`partition::PartitionMeter`] keeps the newest readings in memory, so that it can be
//! applied to the hours that are still moving without reading the ledger again.

pub mod array;
pub mod bucket;
pub mod cell;
pub mod definition;
pub mod held;
pub mod partition;
pub mod series;
pub mod tag;

#[cfg(test)]
mod reference;
