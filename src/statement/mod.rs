//! Statements: a contract's period rated from buckets, on demand. The shell reads, the core prices.

pub(crate) mod batch;
pub mod commitment;
pub mod comparison;
pub mod error;
mod left;
mod place;
pub mod rater;
pub mod standing;
pub mod table;

pub use comparison::{Comparison, ComparisonError};
pub use error::StatementError;
pub use place::Place;
pub use rater::Rater;
pub use standing::Standing;
