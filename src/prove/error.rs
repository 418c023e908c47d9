//! Why something could not be proved: not because it is wrong, but because it could not be looked at.

use thiserror::Error;

use crate::remeter::CutError;

/// What stands between a document and its proof.
#[derive(Debug, Error)]
pub enum ProveError {
    /// Wrong values in the ledger.
    #[error("a sum of usage does not fit 128 bits; look for a wrong value with `plimsoll usage`")]
    Overflow,
    /// A cut that cannot be one.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// The database.
    #[error(transparent)]
    ClickHouse(#[from] crate::clickhouse::Error),
}
