//! Traces: what is behind a row of a document, from arrays down to positions in the log, adding up to it exactly.

mod document;
mod error;
mod item;
mod line;
mod row;

pub use document::document;
pub use error::TraceError;
pub use item::{Item, Sum, Trace};
pub use line::{LineTrace, PAGE};
pub use row::trace;

use crate::core::pricing::breakdown::By;

/// What is asked of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceQuery {
    /// The row, by its `no`.
    pub row: usize,
    /// Into what it is broken down.
    pub by: By,
    /// This array only.
    pub array: Option<String>,
}
