//! Why an export is not whole.

use parquet::errors::ParquetError;

use crate::clickhouse;
use crate::core::billing::error::DocumentError;

/// What stands between the stored documents and a whole file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database.
    #[error(transparent)]
    ClickHouse(#[from] clickhouse::Error),
    /// A stored document is not what was issued, or does not add up.
    #[error("document {number}: {error}; look at it with `plimsoll prove {number}`")]
    Document {
        /// Its number.
        number: String,
        /// Why.
        error: DocumentError,
    },
    /// A document is listed and not stored.
    #[error("document {0} is listed and not stored; `plimsoll bill --once` makes it of the log")]
    Missing(String),
    /// What was written is not what is stored.
    #[error(
        "{what} in {currency} come to {found}, not {wanted}: the file is not whole; `plimsoll prove --all` says what is wrong"
    )]
    Sum {
        /// Which sum.
        what: &'static str,
        /// ISO 4217.
        currency: String,
        /// What was written.
        found: String,
        /// What is stored.
        wanted: String,
    },
    /// A sum that does not fit.
    #[error(transparent)]
    Figure(#[from] DocumentError),
    /// Whatever is written to.
    #[error("cannot write the export: {0}")]
    Output(#[from] std::io::Error),
    /// A Parquet file.
    #[error("cannot write the parquet file: {0}")]
    Parquet(#[from] ParquetError),
}
