//! Why there is no statement.

use thiserror::Error;

use crate::core::billing::error::DocumentError;
use crate::core::pricing::error::RateError;

/// What stands between a contract and its statement.
#[derive(Debug, Error)]
pub enum StatementError {
    /// Nothing is published.
    #[error(
        "the database knows no price book: publish one with `plimsoll catalog apply DIR`, then let `plimsoll run` mirror it"
    )]
    NoBook,
    /// Another version wrote it.
    #[error("the published price book is not understood ({0}); upgrade this process")]
    Book(serde_json::Error),
    /// The book has no such contract.
    #[error("the price book has no contract {0}; `plimsoll catalog show` lists them")]
    NoContract(String),
    /// Nobody sells to that provider, and it sells to nobody.
    #[error("no contract of the price book concerns provider {0}; `plimsoll catalog show` lists them")]
    NoProvider(String),
    /// A `"*"` contract is rated for one customer.
    #[error("contract {0} is for each customer; name one with --customer")]
    CustomerNeeded(String),
    /// Without a reading there is no document (PRICEBOOK, "buyer").
    #[error(
        "contract {contract} has no statement for {customer} in {label}: no reading of it that no other contract covers"
    )]
    NoReading {
        /// The contract.
        contract: String,
        /// Who was asked for.
        customer: String,
        /// The period.
        label: String,
    },
    /// A tag is not a customer.
    #[error("{tag} is a tag of customer {customer}: ask for that customer")]
    Tag {
        /// The tag.
        tag: String,
        /// Whose it is.
        customer: String,
    },
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
