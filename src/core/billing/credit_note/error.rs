//! Why a document could not be credited.

use crate::core::billing::error::DocumentError;

/// Why a document could not be credited.
#[derive(Debug, thiserror::Error)]
pub enum CreditNoteError {
    /// Only what has a number is credited.
    #[error("the document has no number: discard the draft instead of crediting it")]
    NoNumber,
    /// What gives money back already.
    #[error("{0} is a credit note: credit the document that it corrects, or issue a new one")]
    OfCreditNote(String),
    /// The note is about another document.
    #[error("the note credits {named}, not {number}")]
    Other {
        /// Which the note names.
        named: String,
        /// Which was given.
        number: String,
    },
    /// INVOICE §3: the reason is obligatory.
    #[error("a credit note over {0} needs a reason: say in words why it is given")]
    NoReason(String),
    /// Nothing to credit.
    #[error("nothing is left of {0} to credit: earlier credit notes took back all of it")]
    NothingLeft(String),
    /// A note without rows.
    #[error("the note names no row: name rows of {0} and how much of each, or credit all that is left")]
    NoRows(String),
    /// A row that the document does not have.
    #[error("{number} has no row {no}: it has rows 1 to {rows}")]
    NoRow {
        /// The document.
        number: String,
        /// The row.
        no: usize,
        /// How many it has.
        rows: usize,
    },
    /// A row that is named twice.
    #[error("the note names row {0} twice: name it once, with the sum")]
    Twice(usize),
    /// An amount that is none of the row's currency, is 0, or has the other sign.
    #[error(
        "{amount:?} of row {no} is no amount that can be credited: write it as the row's own, {own}, in {currency}"
    )]
    Amount {
        /// The row.
        no: usize,
        /// What was asked for.
        amount: String,
        /// The row's amount.
        own: String,
        /// The document's currency.
        currency: String,
    },
    /// A row that comes to 0, or that earlier notes took back.
    #[error("there is nothing to credit on row {0}: nothing is left of it")]
    Nothing(usize),
    /// More than is left of a row.
    #[error("row {no}: {left} is left to credit, {amount} is more")]
    MoreThanRow {
        /// The row.
        no: usize,
        /// What was asked for.
        amount: String,
        /// What is left of it.
        left: String,
    },
    /// More than is left of the document, which credits have made smaller than its rows; or less than nothing.
    #[error(
        "{number}: {left} without tax is left to credit and the rows come to {amount}: credit less, or all that is left"
    )]
    MoreThanWhole {
        /// The document.
        number: String,
        /// What the rows come to.
        amount: String,
        /// What is left of its net amount.
        left: String,
    },
    /// The document is none.
    #[error(transparent)]
    Document(#[from] DocumentError),
}
