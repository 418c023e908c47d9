//! `plimsoll run`: folds the usage streams. One thread a partition, one that polls the group, one that follows the control log.

pub mod clock;
pub mod error;
pub mod figures;
pub mod folding;
pub mod mirror;
pub mod partition;
pub mod retention;
pub mod status;
pub mod worker;
