//! What is refused to people: exit code 2, status 404 or 409, and nothing is written.

use thiserror::Error;

use crate::core::billing::credit_note::CreditNoteError;
use crate::core::word::Instant;

/// Why a decision is not made.
#[derive(Debug, Error)]
pub enum Refusal {
    /// No close that counts has such a draft.
    #[error("there is no draft {0}; `plimsoll drafts` lists those that wait")]
    NoDraft(String),
    /// It has a number.
    #[error(
        "draft {id} is issued as {number}: an issued number is never taken back; credit it with `plimsoll credit {number}`"
    )]
    Issued {
        /// The draft.
        id: String,
        /// Its number.
        number: String,
    },
    /// It counts as nothing issued.
    #[error("draft {0} is discarded: close the period again for a new one")]
    Discarded(String),
    /// It cannot be issued.
    #[error("draft {id} cannot be issued: {why}")]
    Blocked {
        /// The draft.
        id: String,
        /// Why.
        why: String,
    },
    /// Its seller has no format of numbers.
    #[error("draft {0} got no number: its seller has no invoice_number in the book that closed it")]
    NoNumber(String),
    /// No such number.
    #[error("no document {0} is issued; `plimsoll invoices` lists them")]
    NoDocument(String),
    /// It cannot be credited, or not by so much.
    #[error(transparent)]
    CreditNote(Box<CreditNoteError>),
    /// Somebody credited it at the same moment.
    #[error("another credit note over {0} came first, and this one does not count: look at what is left and try again")]
    Overtaken(String),
    /// Nothing that was paid of it is left.
    #[error(
        "nothing is left of {0} to credit: it is credited already. `plimsoll credit list` shows what is left of the credits that had paid of it"
    )]
    Credited(String),
    /// Another revision took a part back.
    #[error("{}", more_than_period(number, asked, left.as_deref(), by))]
    MoreThanPeriod {
        /// The document.
        number: String,
        /// What the note comes to.
        asked: String,
        /// What is left of all documents of the period, if anything.
        left: Option<String>,
        /// The corrections that took something back.
        by: String,
    },
    /// A contract would be billed twice for some time.
    #[error(
        "contract {contract} is closed from {start} to {end}, and this period has some of that time: it would be billed twice. Give it the \
         time_zone and anchor_day again that it had, or end it with until and begin another contract"
    )]
    Overlaps {
        /// The contract.
        contract: String,
        /// Where the closed period begins.
        start: Instant,
        /// The first instant after it.
        end: Instant,
    },
    /// An empty text.
    #[error("{0} must say something")]
    NoText(&'static str),
    /// A text without end.
    #[error("{what} is too long: at most {most} characters")]
    LongText {
        /// Which.
        what: &'static str,
        /// How much it may be.
        most: usize,
    },
    /// Only what is closed is priced again.
    #[error("that period of {0} is not closed: publish the right book, and it is rated with it")]
    NotClosed(String),
    /// A book that nobody published.
    #[error("no price book {0} is published; publish it with `plimsoll catalog apply DIR`")]
    NoBook(String),
    /// The next revision is to be re-priced already.
    #[error("revision {revision} is to be re-priced with {book} already: close it first")]
    Repriced {
        /// Which.
        revision: u32,
        /// The book's hash.
        book: String,
    },
}

impl Refusal {
    /// Whether what is named does not exist; else it exists and is in another state.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Refusal::NoDraft(_) | Refusal::NoDocument(_) | Refusal::NoBook(_))
    }
}

fn more_than_period(number: &str, asked: &str, left: Option<&str>, by: &str) -> String {
    let by = if by.is_empty() { "notes over its corrections took" } else { by };
    let verb = if by.ends_with(')') { " took" } else { "" };
    match left {
        Some(left) => format!(
            "{number}: the note comes to {asked} and {left} is left of its period, since {by}{verb} a part back: credit that much of its \
             rows with --row NO=AMOUNT (amounts without tax)"
        ),
        None => format!("nothing is left of {number} to credit: {by}{verb} all of it back"),
    }
}
