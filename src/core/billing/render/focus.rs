//! Documents as rows of FOCUS 1.3, dataset Cost and Usage (INVOICE §5): one a band, and beside each commitment what of it was used and
//! what was not. Σ `BilledCost` is the document's total.

mod charge;
mod column;
mod period;

use charge::Charge;
pub use column::COLUMNS;

use super::cell::{header as head, line};
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;

/// The line that names the columns: the first of a file, whatever number of documents follows.
#[must_use]
pub fn header() -> String {
    head(&COLUMNS)
}

/// One document as a file.
///
/// # Errors
/// A document that does not add up, or has figures that are none.
pub fn file(document: &Document) -> Result<String, DocumentError> {
    Ok(header() + &rows(document)?)
}

/// The lines of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The lines.
    pub text: String,
    /// How many.
    pub count: usize,
    /// Σ `BilledCost`.
    pub billed: Figure,
}

/// The lines of one document, without the header.
///
/// # Errors
/// A document that does not add up (I12), or has figures that are none.
pub fn rows(document: &Document) -> Result<String, DocumentError> {
    Ok(lines(document)?.text)
}

/// The same with what they come to.
///
/// # Errors
/// As [`rows`].
pub fn lines(document: &Document) -> Result<Lines, DocumentError> {
    let charges = Charge::all(document)?;
    let billed = charges.iter().try_fold(Figure::ZERO, |sum, charge| sum.plus(charge.billed))?;
    let total = Figure::parse(&document.total)?;
    if billed != total {
        return Err(DocumentError::Sum { what: "billed costs", found: billed.to_string(), wanted: total.to_string() });
    }
    let billing = period::billing(document)?;
    let mut text = String::new();
    for charge in &charges {
        let cells = column::cells(document, &billing, charge);
        line(cells.iter().map(column::Value::cell), &mut text);
    }
    Ok(Lines { text, count: charges.len(), billed })
}
