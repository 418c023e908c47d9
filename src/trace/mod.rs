//! Traces: what is behind a row of a document, from arrays down to positions in the log, adding up to it exactly.

mod document;
mod error;
mod item;
mod line;
mod row;
pub mod table;
mod traced;

pub use document::document;
pub use error::TraceError;
pub use item::{Compared, Difference, Item, Side, SideRow, Sum, Trace};
pub use line::{LineTrace, PAGE};
pub use row::trace;
pub use traced::{Behind, Traced};

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
