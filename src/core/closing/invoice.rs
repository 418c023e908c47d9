//! Documents as the control log leaves them: numbered, credited, known to an ERP. A function of drafts and decisions, so any process may
//! make them, repeatedly (DESIGN §7).

use super::register::{Closed, DraftState, Issued, Register, Subject};
use crate::core::billing::credit_note::{self, CreditNoteError};
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::issue;
use crate::core::decision::closing::{DraftKey, PeriodKey};

/// What an issued document is made of: the draft that has its number, or the one that a credit note is over, with its close.
#[must_use]
pub fn origin<'r>(register: &'r Register, issued: &'r Issued) -> Option<(&'r DraftKey, &'r Closed)> {
    let mut found = issued;
    while let Subject::Note(note) = &found.subject {
        found = register.document(&note.number)?;
    }
    let Subject::Draft(draft) = &found.subject else { return None };
    Some((draft, register.rating(&draft.rating_id)?))
}

/// The numbers of the documents that a draft corrects: those of the earlier revisions of its contract and buyer, by age.
#[must_use]
pub fn corrects(register: &Register, period: &PeriodKey, draft: &DraftKey) -> Vec<String> {
    let revisions = register.revisions(period).take_while(|closed| closed.close.rating_id != draft.rating_id);
    let number = |closed: &Closed| {
        let earlier = DraftKey { rating_id: closed.close.rating_id.clone(), ..draft.clone() };
        match register.draft(&earlier) {
            DraftState::Issued(number) => Some(number),
            DraftState::Waiting | DraftState::Discarded => None,
        }
    };
    revisions.filter_map(number).collect()
}

/// A draft under its number.
///
/// # Errors
/// What is no draft.
pub fn numbered(
    register: &Register,
    issued: &Issued,
    period: &PeriodKey,
    draft: Document,
) -> Result<Document, DocumentError> {
    let corrects = match &issued.subject {
        Subject::Draft(key) => corrects(register, period, key),
        // a note names the document that it credits by itself
        Subject::Note(_) => Vec::new(),
    };
    let number = issued.numbered.clone();
    issue::issued(draft, number.number, issued.at, number.zone, number.payment_days, corrects)
}

/// A document with all that was decided of it since, and the credit notes over it by age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The document in its present state.
    pub document: Document,
    /// The notes, in theirs.
    pub notes: Vec<Document>,
}

/// Makes an issued draft and its credit notes of the draft as it was stored.
///
/// # Errors
/// What is no draft; a note that takes more than is left, which no closer writes.
pub fn whole(
    register: &Register,
    issued: &Issued,
    period: &PeriodKey,
    draft: Document,
) -> Result<Whole, CreditNoteError> {
    let original = numbered(register, issued, period, draft)?;
    let mut notes: Vec<Document> = Vec::new();
    for number in &issued.credited_by {
        let Some(of_note) = register.document(number) else { continue };
        let Subject::Note(note) = &of_note.subject else { continue };
        let draft = credit_note::credit_note(&original, &notes, note)?;
        let document = numbered(register, of_note, period, draft)?;
        notes.push(issue::with_state(document.clone(), document.state, of_note.erp.clone()));
    }
    let state = credit_note::state(&original, &notes)?;
    Ok(Whole { document: issue::with_state(original, state, issued.erp.clone()), notes })
}
