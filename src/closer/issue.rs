//! Issuing: drafts get their numbers from the log, one decision each (INVOICE §1, §2).

use super::drafts::of_close;
use super::error::CloseError;
use super::seam::{BillLog, BillStore, StoredDraft};
use super::state::Closer;
use crate::core::closing::blocked::Newest;
use crate::core::closing::record::short_id;
use crate::core::closing::register::DraftState;
use crate::core::decision::Decision;
use crate::core::decision::closing::{DraftKey, Issue};

/// A draft that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Its key.
    pub key: DraftKey,
    /// Its name for people.
    pub id: String,
    /// What is stored of it.
    pub draft: StoredDraft,
    /// Whether its contract has drafts issued by themselves.
    pub is_auto: bool,
}

impl Waiting {
    /// Whether closers issue it without anybody's doing.
    #[must_use]
    pub fn is_issued_by_itself(&self) -> bool {
        self.is_auto && self.draft.blocked.is_none()
    }

    /// Why it cannot be issued, and what is left to do once the newest price book is mended; none if it can be.
    #[must_use]
    pub fn why_blocked(&self, newest: &mut Newest<'_>) -> Option<String> {
        let StoredDraft { document, blocked, .. } = &self.draft;
        Some(newest.told(blocked.as_ref()?, document, self.key.customer.as_deref()))
    }
}

impl<L: BillLog, S: BillStore> Closer<L, S> {
    /// Drafts of closes that count which are neither issued nor discarded, in the order of their closes.
    ///
    /// # Errors
    /// Retryable while the broker or the database is away.
    pub fn waiting(&mut self) -> Result<Vec<Waiting>, CloseError> {
        self.follow()?;
        let mut waiting = Vec::new();
        for rating_id in self.closes() {
            waiting.extend(self.waiting_of(&rating_id)?);
        }
        Ok(waiting)
    }

    /// The closes that count, by rating id.
    fn closes(&self) -> Vec<String> {
        self.register.closes().iter().map(|closed| closed.close.rating_id.clone()).collect()
    }

    /// The drafts of one close that counts which wait, by contract and customer, as far as the log was read.
    ///
    /// # Errors
    /// Retryable while the database is away.
    pub fn waiting_of(&mut self, rating_id: &str) -> Result<Vec<Waiting>, CloseError> {
        let mut waiting = Vec::new();
        let closed = self.register.rating(rating_id).filter(|_| !self.done.contains(rating_id));
        let Some(book) = closed.map(|closed| closed.close.book.clone()) else { return Ok(waiting) };
        for draft in of_close(&mut self.store, &self.register, rating_id)? {
            let key = draft.place.draft(rating_id);
            if self.register.draft(&key) != DraftState::Waiting {
                continue;
            }
            let id = short_id(&key).map_err(CloseError::document(&key.contract))?;
            let terms = self.register.book(&book).and_then(|book| book.contracts.get(&key.contract));
            let is_auto = terms.is_some_and(|contract| contract.issue_auto);
            waiting.push(Waiting { key, id, draft, is_auto });
        }
        if waiting.is_empty() {
            self.done.insert(rating_id.to_owned());
        }
        Ok(waiting)
    }

    /// The newest price book that is published: none is closed before there is one.
    #[must_use]
    pub fn newest(&self) -> Newest<'_> {
        Newest::new(self.register.newest_book().map(|(_, book)| book))
    }

    /// Issues all drafts that wait, are not blocked and whose contracts say `issue = "auto"`. Returns how many were decided and how many
    /// wait still.
    ///
    /// # Errors
    /// Retryable while the broker or the database is away. Else what is wrong with one close, once those of all others are issued.
    pub fn issue_due(&mut self) -> Result<(usize, usize), CloseError> {
        self.follow()?;
        let (mut issued, mut waits, mut trouble) = (0, 0, None);
        for rating_id in self.closes() {
            match self.issue_due_of(&rating_id) {
                Ok((done, left)) => (issued, waits) = (issued + done, waits + left),
                Err(error) if error.is_of_all() => return Err(error),
                Err(error) => drop(trouble.get_or_insert(error)),
            }
        }
        self.follow()?;
        trouble.map_or(Ok((issued, waits)), Err)
    }

    fn issue_due_of(&mut self, rating_id: &str) -> Result<(usize, usize), CloseError> {
        let (all, mut issued) = (self.waiting_of(rating_id)?, 0);
        for waiting in &all {
            if waiting.is_issued_by_itself() {
                self.issue(waiting)?;
                issued += 1;
            }
        }
        Ok((issued, all.len() - issued))
    }

    /// Issues one draft: the log is read afterwards to learn its number. Of two decisions about one draft the first counts.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    pub fn issue(&mut self, waiting: &Waiting) -> Result<(), CloseError> {
        let document = &waiting.draft.document;
        let issue = Issue { draft: waiting.key.clone(), seller: document.seller.id.clone(), document: document.kind };
        self.log.append(&Decision::InvoiceIssued { issue, actor: self.actor.clone() })?;
        Ok(())
    }
}
