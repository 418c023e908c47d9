//! What people decide of drafts and documents. Everything is checked against the log as it is now and written as one decision; whether it
//! counts is what the log says afterwards, since somebody else may have decided in between.

use super::drafts::of_close;
use super::error::CloseError;
use super::refusal::Refusal;
use super::seam::{BillLog, BillStore};
use super::state::Closer;
use crate::core::closing::record::short_id;
use crate::core::closing::register::DraftState;
use crate::core::decision::Decision;
use crate::core::decision::closing::{DraftKey, PeriodKey};

/// Characters of a reason or a reference, at most.
pub const REASON_MAX_CHARS: usize = 2_000;

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
        if let Some(why) = waiting.why_blocked(&mut self.newest()) {
            return Err(Refusal::Blocked { id: id.to_owned(), why }.into());
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

    /// Stores the ERP's id of an issued document, and says which one it replaces.
    ///
    /// # Errors
    /// A [`Refusal`]; retryable while the broker or the database is away.
    pub fn reference(&mut self, number: &str, reference: &str) -> Result<Option<String>, CloseError> {
        let reference = text("the reference", reference)?;
        self.follow()?;
        let before = match self.register.document(number) {
            Some(issued) => issued.erp.clone(),
            None => return Err(Refusal::NoDocument(number.to_owned()).into()),
        };
        let (number, actor) = (number.to_owned(), self.actor.clone());
        self.decide(&Decision::DocumentReferenced { number, reference, actor })?;
        Ok(before)
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
}

/// A text that says something and is not endless.
pub(super) fn text(what: &'static str, text: &str) -> Result<String, CloseError> {
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
