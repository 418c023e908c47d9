//! Statements: a contract's open period rated from buckets, on demand. The shell reads, the core prices.

pub(crate) mod batch;
pub mod commitment;
pub mod comparison;
pub mod error;
pub mod rater;
pub mod table;

pub use comparison::{Comparison, ComparisonError};
pub use error::StatementError;
pub use rater::{Place, Rater};
