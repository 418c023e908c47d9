//! Why the programme cannot be told.

use thiserror::Error;

use crate::clickhouse;
use crate::core::billing::error::DocumentError;
use crate::core::programme::error::ProgrammeError as CoreError;
use crate::statement::StatementError;

/// What stands between the database and a figure.
#[derive(Debug, Error)]
pub enum ProgrammeError {
    /// The figure itself.
    #[error(transparent)]
    Figure(#[from] CoreError),
    /// A contract of an open period cannot be rated.
    #[error("contract {contract}, period {label}: {error}")]
    Statement {
        /// The contract.
        contract: String,
        /// The period.
        label: String,
        /// Why.
        error: Box<StatementError>,
    },
    /// No price book, or one that is not understood.
    #[error(transparent)]
    Book(#[from] StatementError),
    /// A stored document is not what was issued.
    #[error("document {number}: {error}; look at it with `plimsoll prove {number}`")]
    Document {
        /// Its number.
        number: String,
        /// Why.
        error: DocumentError,
    },
    /// The book that a document was rated with is not mirrored.
    #[error(
        "document {number}: its price book {hash} is not in the database; let `plimsoll run` mirror decisions first"
    )]
    NoBook {
        /// The document.
        number: String,
        /// The book's hash.
        hash: String,
    },
    /// What a correction corrects is not stored.
    #[error(
        "document {number} corrects {original}, which is not in the table `invoice`; `plimsoll bill` makes it of the log"
    )]
    NoOriginal {
        /// The note.
        number: String,
        /// What it credits.
        original: String,
    },
    /// The database.
    #[error(transparent)]
    ClickHouse(#[from] clickhouse::Error),
}
