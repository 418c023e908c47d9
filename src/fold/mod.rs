//! The fold: what a worker does with one partition, as a state machine without I/O (DESIGN §5).
//!
//! [`machine::Machine`] takes numbered steps; each does at most one thing to the outside, through the seams of [`seam`], which
//! the simulator replaces. [`partition::PartitionFold`] is the state that the log makes.

pub mod backmeter;
#[cfg(test)]
mod bounds;
pub mod checkpoint;
pub mod comparison;
pub mod error;
pub mod generation;
pub mod ledger;
pub mod machine;
pub mod partition;
pub mod recovery;
pub mod seam;
pub mod verification;
