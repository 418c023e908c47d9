//! Documents as the control log leaves them: numbered, credited, known to an ERP. A function of drafts and decisions, so any process may
//! make them, repeatedly (DESIGN §7).

use super::register::{Closed, DraftState, Issued, Register, Subject};
use crate::core::billing::credit_note::{self, CreditNoteError};
use crate::core::billing::detail::Detail;
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::issue;
use crate::core::decision::closing::{Close, DraftKey, PeriodKey};
use crate::core::word::{Instant, Offset};

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

/// An issued document as it is to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct NewInvoice {
    /// The document in its present state.
    pub document: Document,
    /// What the printed page shows beside it.
    pub detail: Detail,
    /// How many decisions name it.
    pub decisions: u64,
    /// The record that issued it.
    pub decision: Offset,
    /// When the broker appended that record.
    pub at: Instant,
    /// The close that it, or the document that it credits, belongs to.
    pub rating_id: String,
    /// Its period.
    pub period: PeriodKey,
    /// The close's revision.
    pub revision: u32,
    /// Of a contract for each customer: whose.
    pub customer: Option<String>,
}

impl NewInvoice {
    /// An issued document in its present state, of the close and the draft that it is made of.
    #[must_use]
    pub fn of(issued: &Issued, close: &Close, customer: Option<&str>, document: Document, detail: Detail) -> Self {
        Self {
            document,
            detail,
            decisions: issued.decisions,
            decision: issued.offset,
            at: issued.at,
            rating_id: issued.rating_id.clone(),
            period: close.period.clone(),
            revision: close.revision,
            customer: customer.map(str::to_owned),
        }
    }
}
