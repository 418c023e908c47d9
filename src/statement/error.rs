//! Why there is no statement.

use thiserror::Error;

use crate::core::billing::error::DocumentError;
use crate::core::pricing::error::RateError;

/// What stands between a contract and its statement.
#[derive(Debug, Error)]
pub enum StatementError {
    /// Nothing is published.
    #[error("no price book is published; run `plimsoll catalog apply DIR`")]
    NoBook,
    /// Another version wrote it.
    #[error("the published price book is not understood ({0}); upgrade this process")]
    Book(serde_json::Error),
    /// The book has no such contract.
    #[error("the price book has no contract {0}; `plimsoll catalog show` lists them")]
    NoContract(String),
    /// A `"*"` contract is rated for one customer.
    #[error("contract {0} is for each customer; name one with --customer")]
    CustomerNeeded(String),
    /// The rating refuses.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// The document refuses.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The database.
    #[error(transparent)]
    ClickHouse(#[from] crate::clickhouse::Error),
}
