//! The closer: closes periods at a cut, issues their drafts, and makes issued documents of the control log (DESIGN §7).
//!
//! Any number of closers may run, and each may die between any two writes: rows are stored under an id that is a function of their inputs,
//! headers after rows, the decision last; and the log says which decision counts.

mod attend;
pub mod clickhouse;
pub mod close;
mod condition;
pub mod credit;
pub mod decide;
mod drafts;
pub mod error;
pub mod issue;
pub mod kafka;
pub mod materialise;
mod plan;
mod proofs;
pub mod real;
pub mod refusal;
pub mod seam;
mod state;
pub mod worker;
mod write;

pub use error::CloseError;
pub use refusal::Refusal;
pub use state::Closer;
