//! A draft gets its number, and later decisions say what became of the document (INVOICE §1, §2).

use chrono::Days;
use chrono_tz::Tz;

use super::document::{Document, DocumentState, DocumentType};
use super::error::DocumentError;
use crate::core::pricing::period::local_day;
use crate::core::word::Instant;

/// The issued document: its number, the local date of the decision that issued it, and the date on which it is due. `corrects` are
/// the numbers of the documents before it of which it is the difference, by age; empty leaves those that the draft names.
///
/// # Errors
/// What is no draft, an adjustment or a credit note that names nothing that it corrects, a date outside the calendar.
pub fn issued(
    draft: Document,
    number: String,
    at: Instant,
    zone: Tz,
    payment_days: u32,
    corrects: Vec<String>,
) -> Result<Document, DocumentError> {
    if draft.state != DocumentState::Closed || draft.provisional || draft.number.is_some() {
        return Err(DocumentError::NoDraft { state: draft.state.as_str(), number: draft.number });
    }
    let date = local_day(zone, at).ok_or(DocumentError::Date(at))?;
    let due = date.checked_add_days(Days::new(payment_days.into())).ok_or(DocumentError::Date(at))?;
    let mut issued = Document {
        state: DocumentState::Issued,
        issue_date: Some(date.to_string()),
        due_date: Some(due.to_string()),
        ..draft
    };
    if !corrects.is_empty() {
        issued.references.corrects = corrects;
    }
    if issued.kind != DocumentType::Invoice && issued.references.corrects.is_empty() {
        return Err(DocumentError::NoReference(number));
    }
    issued.number = Some(number);
    issued.sealed()
}

/// The document as later decisions leave it. Neither its state nor the ERP's name for it is part of its digest, so it stays the same
/// document.
#[must_use]
pub fn with_state(document: Document, state: DocumentState, erp: Option<String>) -> Document {
    let mut document = Document { state, ..document };
    document.references.erp = erp;
    document
}
