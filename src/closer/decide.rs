//! What people decide of drafts and documents. Everything is checked against the log as it is now and written as one decision; whether it
//! counts is what the log says afterwards, since somebody else may have decided in between.

use super::drafts::of_close;
use super::error::CloseError;
use super::refusal::Refusal;
use super::seam::{BillLog, BillStore};
use super::state::Closer;
use crate::core::billing::credit_note::{self, CreditNoteError};
use crate::core::billing::document::Document;
use crate::core::closing::invoice::{self, Whole};
use crate::core::closing::record::{self, short_id};
use crate::core::closing::register::{DraftState, Subject};
use crate::core::decision::Decision;
use crate::core::decision::closing::{CreditNote, CreditedRow, DraftKey, PeriodKey};
use crate::statement::Place;

/// Characters of a reason or a reference, at most.
pub const REASON_MAX_CHARS: usize = 2_000;

/// What of a document is credited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credited {
    /// Everything that is left.
    Whole,
    /// Rows by their number, in whole or a part of each.
    Rows(Vec<(usize, Option<String>)>),
}

impl<L: BillLog, S: BillStore> Closer<L, S> {
    /// The draft that people name by its short id, with what became of it.
    ///
    /// # Errors
    /// [`Refusal::NoDraft`]; retryable while the broker or the database is away.
    pub fn draft(&mut self, id: &str) -> Result<(DraftKey, DraftState), CloseError> {
        self.follow()?;
        let closes: Vec<String> =
            self.register.closes().iter().rev().map(|closed| closed.close.rating_id.clone()).collect();
        for rating_id in closes {
            for draft in of_close(&mut self.store, &self.register, &rating_id)? {
                let key = draft.place.draft(&rating_id);
                if short_id(&key).map_err(CloseError::document(&key.contract))? == id {
                    let state = self.register.draft(&key);
                    return Ok((key, state));
                }
            }
        }
        Err(Refusal::NoDraft(id.to_owned()).into())
    }

    /// Issues a draft by its short id and returns its number.
    ///
    /// # Errors
    /// A [`Refusal`]; retryable while the broker or the database is away.
    pub fn issue_draft(&mut self, id: &str) -> Result<String, CloseError> {
        let Some(waiting) = self.waiting()?.into_iter().find(|waiting| waiting.id == id) else {
            // settled closes are looked through only to say why it cannot be
            return Err(match self.draft(id)?.1 {
                DraftState::Waiting => Refusal::NoDraft(id.to_owned()),
                DraftState::Issued(number) => Refusal::Issued { id: id.to_owned(), number },
                DraftState::Discarded => Refusal::Discarded(id.to_owned()),
            }
            .into());
        };
        if let Some(why) = &waiting.draft.blocked {
            return Err(Refusal::Blocked { id: id.to_owned(), why: why.clone() }.into());
        }
        self.issue(&waiting)?;
        self.follow()?;
        match self.register.draft(&waiting.key) {
            DraftState::Issued(number) => Ok(number),
            DraftState::Discarded => Err(Refusal::Discarded(id.to_owned()).into()),
            DraftState::Waiting => Err(Refusal::NoNumber(id.to_owned()).into()),
        }
    }

    /// Discards a draft by its short id: it counts as nothing issued (PRICING §14).
    ///
    /// # Errors
    /// A [`Refusal`]; retryable while the broker or the database is away.
    pub fn discard_draft(&mut self, id: &str, reason: &str) -> Result<DraftKey, CloseError> {
        let reason = text("--reason", reason)?;
        let (draft, state) = self.draft(id)?;
        match state {
            DraftState::Waiting => {}
            DraftState::Issued(number) => return Err(Refusal::Issued { id: id.to_owned(), number }.into()),
            DraftState::Discarded => return Err(Refusal::Discarded(id.to_owned()).into()),
        }
        let actor = self.actor.clone();
        self.decide(&Decision::DraftDiscarded { draft: draft.clone(), reason, actor })?;
        match self.register.draft(&draft) {
            DraftState::Issued(number) => Err(Refusal::Issued { id: id.to_owned(), number }.into()),
            DraftState::Discarded | DraftState::Waiting => Ok(draft),
        }
    }

    /// Credits an issued document and returns the note's number.
    ///
    /// # Errors
    /// A [`Refusal`]; retryable while the broker or the database is away.
    pub fn credit(&mut self, number: &str, credited: &Credited, reason: &str) -> Result<String, CloseError> {
        let reason = text("--reason", reason)?;
        self.follow()?;
        let Whole { document, notes } = self.whole(number)?;
        let wrong = |error: CreditNoteError| CloseError::from(Refusal::CreditNote(Box::new(error)));
        let rows = rows(&document, &notes, credited).map_err(wrong)?;
        let sequence = u32::try_from(notes.len()).unwrap_or(u32::MAX);
        let mut note = CreditNote { number: number.to_owned(), sequence, rows, reason, credits: Vec::new() };
        // made now, so that a note that could not be is never decided
        let made = credit_note::credit_note(&document, &notes, &note).map_err(wrong)?;
        note.credits = record::returned(&made).map_err(CloseError::document(number))?;
        let actor = self.actor.clone();
        self.decide(&Decision::CreditNoteIssued { note: note.clone(), actor })?;
        let is_own = |issued: &&crate::core::closing::register::Issued| issued.subject == Subject::Note(note.clone());
        match self.register.issued().iter().find(is_own) {
            Some(issued) => Ok(issued.numbered.number.clone()),
            None => Err(Refusal::Overtaken(number.to_owned()).into()),
        }
    }

    /// Stores the ERP's id of an issued document.
    ///
    /// # Errors
    /// A [`Refusal`]; retryable while the broker or the database is away.
    pub fn reference(&mut self, number: &str, reference: &str) -> Result<(), CloseError> {
        let reference = text("the reference", reference)?;
        self.follow()?;
        if self.register.document(number).is_none() {
            return Err(Refusal::NoDocument(number.to_owned()).into());
        }
        let (number, actor) = (number.to_owned(), self.actor.clone());
        self.decide(&Decision::DocumentReferenced { number, reference, actor })
    }

    /// Has the next revision of a closed period rated with another published book.
    ///
    /// # Errors
    /// A [`Refusal`]; retryable while the broker or the database is away.
    pub fn reprice(&mut self, period: &PeriodKey, book: &str, reason: &str) -> Result<u32, CloseError> {
        let reason = text("--reason", reason)?;
        self.follow()?;
        let revision = self.register.next_revision(period);
        if revision == 0 {
            return Err(Refusal::NotClosed(period.provider.clone()).into());
        }
        if self.register.book(book).is_none() {
            return Err(Refusal::NoBook(book.to_owned()).into());
        }
        if let Some(decided) = self.register.repricing(period, revision).filter(|decided| decided.book == book) {
            return Err(Refusal::Repriced { revision, book: decided.book.clone() }.into());
        }
        let (period, book, actor) = (period.clone(), book.to_owned(), self.actor.clone());
        self.decide(&Decision::PeriodRepriced { period, revision, book, reason, actor })?;
        Ok(revision)
    }

    /// An issued document that a draft became, with the credit notes over it.
    ///
    /// # Errors
    /// A [`Refusal`]; retryable while the broker or the database is away.
    pub fn whole(&mut self, number: &str) -> Result<Whole, CloseError> {
        let issued = self.register.document(number).ok_or_else(|| Refusal::NoDocument(number.to_owned()))?;
        if let Subject::Note(_) = &issued.subject {
            let error = CreditNoteError::OfCreditNote(number.to_owned());
            return Err(Refusal::CreditNote(Box::new(error)).into());
        }
        let origin = invoice::origin(&self.register, issued);
        let (draft, closed) = origin.ok_or_else(|| Refusal::NoDocument(number.to_owned()))?;
        let place = Place::of(draft);
        let drafts = of_close(&mut self.store, &self.register, &draft.rating_id)?;
        let stored = drafts.into_iter().find(|stored| stored.place == place);
        let stored = stored.ok_or_else(|| CloseError::NoDrafts { rating_id: draft.rating_id.clone() })?;
        let wrong = |error| CloseError::CreditNote { number: number.to_owned(), error: Box::new(error) };
        invoice::whole(&self.register, issued, &closed.close.period, stored.document).map_err(wrong)
    }
}

fn rows(document: &Document, notes: &[Document], credited: &Credited) -> Result<Vec<CreditedRow>, CreditNoteError> {
    let left = credit_note::whole(document, notes)?;
    let Credited::Rows(asked) = credited else { return Ok(left) };
    let row = |(no, amount): &(usize, Option<String>)| {
        let left = left.iter().find(|row| row.no == *no).map(|row| row.amount.clone());
        // a row of which nothing is left is refused by its amount
        let amount = amount.clone().or(left).unwrap_or_else(|| "0".to_owned());
        CreditedRow { no: *no, amount }
    };
    Ok(asked.iter().map(row).collect())
}

/// A text that says something and is not endless.
fn text(what: &'static str, text: &str) -> Result<String, CloseError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Refusal::NoText(what).into());
    }
    match text.chars().count() <= REASON_MAX_CHARS {
        true => Ok(text.to_owned()),
        false => Err(Refusal::LongText { what, most: REASON_MAX_CHARS }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_something_and_has_an_end() {
        assert_eq!(text("--reason", " agreed ").unwrap(), "agreed");
        let of = |length: usize| text("--reason", &"é".repeat(length)).is_ok();
        assert_eq!([0, 1, REASON_MAX_CHARS, REASON_MAX_CHARS + 1].map(of), [false, true, true, false]);
        assert!(matches!(text("--reason", " \n"), Err(CloseError::Refused(Refusal::NoText("--reason")))));
    }
}
