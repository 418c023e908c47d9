//! Why an audit or a repair could not be carried through. What it finds is no error.

use thiserror::Error;

use crate::fold::error::SeamError;
use crate::remeter::CutError;

/// What stands between an audit and its end.
#[derive(Debug, Error)]
pub enum AuditError {
    /// The database.
    #[error(transparent)]
    ClickHouse(#[from] crate::clickhouse::Error),
    /// The log, or what waits for it.
    #[error(transparent)]
    Seam(#[from] SeamError),
    /// The checkpoint vector.
    #[error(transparent)]
    Cut(#[from] CutError),
    /// What listens to the audit has had enough.
    #[error("{0}")]
    Reader(#[from] std::io::Error),
    /// A task of the audit ended by itself.
    #[error("a part of the audit broke off ({0}); run it again, and report this as a fault of Plimsoll")]
    Task(#[from] tokio::task::JoinError),
}
