//! Why something could not be proved: not because it is wrong, but because it could not be looked at.

use thiserror::Error;

use crate::core::billing::allocation::AllocationError;
use crate::core::billing::error::DocumentError;
use crate::core::closing::basis::BasisError;
use crate::core::pricing::error::RateError;
use crate::remeter::CutError;
use crate::statement::StatementError;

/// What stands between a document and its proof.
#[derive(Debug, Error)]
pub enum ProveError {
    /// Wrong values in the ledger.
    #[error("a sum of usage does not fit 128 bits; look for a wrong value with `plimsoll usage`")]
    Overflow,
    /// The mirror is not the log.
    #[error(
        "decision {offset} in the table `decision` does not follow from those before it: a row is missing or was altered; empty the table and let `plimsoll run` mirror it again"
    )]
    Chain {
        /// Of the first row that does not follow.
        offset: u64,
    },
    /// Two rows of one decision.
    #[error(
        "decision {offset} in the table `decision` has several rows that are not equal: one of them was put there by hand; `plimsoll repair` writes it as the log has it"
    )]
    Several {
        /// Its offset.
        offset: u64,
    },
    /// A column beside the record says something else than the record.
    #[error(
        "decision {offset} in the table `decision` has {column} {stored}, and the decision itself says {said:?}: the row was altered; `plimsoll repair` writes it as the log has it"
    )]
    Column {
        /// Its offset.
        offset: u64,
        /// Which column.
        column: &'static str,
        /// What is stored.
        stored: String,
        /// What the decision says.
        said: String,
    },
    /// The mirror names another time than the log.
    #[error(
        "decision {offset} in the table `decision` has append_time {stored}, and billing-control says {logged}: dates of documents follow from it; look who altered it, then `plimsoll repair` writes it as the log has it"
    )]
    Appended {
        /// Of the first one.
        offset: u64,
        /// What is mirrored.
        stored: String,
        /// What the broker stamped it with.
        logged: String,
    },
    /// The mirror is that of another log.
    #[error(
        "decision {offset} in the table `decision` is not what billing-control holds there; look which of them was altered before anything else"
    )]
    Log {
        /// Of the first one.
        offset: u64,
    },
    /// A decision of another version.
    #[error("decision {offset} is not understood ({error}); upgrade this process")]
    Decision {
        /// Where it lies.
        offset: u64,
        /// Why.
        error: serde_json::Error,
    },
    /// Another version made it.
    #[error(
        "this build has no version {rate} of rating and {fold} of metering; prove with the one that closed the period or a later one"
    )]
    Version {
        /// Of metering.
        fold: u32,
        /// Of rating.
        rate: u32,
    },
    /// The decisions before the close do not say what it needs.
    #[error(transparent)]
    Basis(#[from] BasisError),
    /// The book that a close names has no such contract, or not with this period.
    #[error("{place} cannot be rated again: {error}")]
    Place {
        /// Which contract and customer.
        place: String,
        /// Why.
        error: RateError,
    },
    /// What the rating or the document refuses.
    #[error(transparent)]
    Statement(Box<StatementError>),
    /// A line's unit or meter is not to be found any more.
    #[error("contract {contract}, line {line}: {what} is not in the price book; publish a book that has it")]
    Line {
        /// The contract.
        contract: String,
        /// The line.
        line: String,
        /// What is missing.
        what: String,
    },
    /// What falls on whom cannot be said of a document.
    #[error("contract {contract}: {error}")]
    Allocation {
        /// Which.
        contract: String,
        /// Why.
        error: AllocationError,
    },
    /// A contract that is none.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// A document that is none, or that cannot be made.
    #[error("the document of {place}: {error}")]
    Document {
        /// Which contract and customer.
        place: String,
        /// Why.
        error: DocumentError,
    },
    /// A document that cannot be shown.
    #[error("the document of {place} is no json: {error}")]
    Json {
        /// Which contract and customer.
        place: String,
        /// Why.
        error: serde_json::Error,
    },
    /// A cut that cannot be one.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// The database.
    #[error(transparent)]
    ClickHouse(#[from] crate::clickhouse::Error),
}
