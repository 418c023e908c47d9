//! Rows of the table `invoice` and records of the topic of documents, made of the control log and stored drafts, by any closer and as often
//! as need be (DESIGN §7).

use std::collections::BTreeMap;

use super::drafts::of_close;
use super::error::CloseError;
use super::seam::{BillLog, BillStore, NewInvoice, StoredDraft};
use super::state::Closer;
use crate::core::billing::document::Document;
use crate::core::closing::invoice::{self, Whole};
use crate::core::closing::register::{Closed, Issued, Subject};
use crate::core::decision::closing::DraftKey;
use crate::mutation::{Mutation, planted};
use crate::statement::Place;

/// Issued documents that are made at a time.
const MATERIALISE_BATCH: usize = 500;

impl<L: BillLog, S: BillStore> Closer<L, S> {
    /// Makes every issued document whose stored row does not reflect all decisions that name it. Returns how many.
    ///
    /// # Errors
    /// Retryable while the broker or the database is away. Else what is wrong with one document, once all others are made.
    pub fn materialise(&mut self) -> Result<usize, CloseError> {
        self.follow()?;
        self.look_up()?;
        let issued = self.register.issued();
        let is_due = |(place, issued): &(usize, &Issued)| self.reflected.get(*place) < Some(&issued.decisions);
        let due: Vec<usize> = issued.iter().enumerate().filter(is_due).map(|(place, _)| place).collect();
        let mut trouble = None;
        for batch in due.chunks(MATERIALISE_BATCH) {
            let mut drafts: BTreeMap<String, Vec<StoredDraft>> = BTreeMap::new();
            let mut invoices = Vec::with_capacity(batch.len());
            let mut made = Vec::with_capacity(batch.len());
            for place in batch {
                let invoice = match self.invoice(*place, &mut drafts) {
                    Err(error) if !error.is_of_all() => {
                        trouble.get_or_insert(error);
                        continue;
                    }
                    invoice => invoice?,
                };
                made.push(*place);
                let Some(invoice) = invoice else { continue };
                if self.reflected.get(*place) == Some(&0) {
                    self.tell(&invoice)?;
                }
                invoices.push(invoice);
            }
            // the row comes last: where it is missing, whoever follows the topic is told once more
            self.store.insert_invoices(&invoices)?;
            for place in made {
                if let (Some(done), Some(issued)) = (self.reflected.get_mut(place), self.register.issued().get(place)) {
                    *done = issued.decisions;
                }
            }
        }
        trouble.map_or(Ok(due.len()), Err)
    }

    /// Learns what is stored of documents that it has not looked for yet.
    fn look_up(&mut self) -> Result<(), CloseError> {
        while self.reflected.len() < self.register.issued().len() {
            let next = self.register.issued().iter().skip(self.reflected.len()).take(MATERIALISE_BATCH);
            let numbers: Vec<String> = next.map(|issued| issued.numbered.number.clone()).collect();
            let missing = if planted(Mutation::DocumentsForgotten) { u64::MAX } else { 0 };
            let stored: BTreeMap<String, u64> = self.store.reflected(&numbers)?.into_iter().collect();
            self.reflected.extend(numbers.iter().map(|number| stored.get(number).copied().unwrap_or(missing)));
        }
        Ok(())
    }

    /// One issued document in its present state.
    fn invoice(
        &mut self,
        place: usize,
        drafts: &mut BTreeMap<String, Vec<StoredDraft>>,
    ) -> Result<Option<NewInvoice>, CloseError> {
        let Some(issued) = self.register.issued().get(place) else { return Ok(None) };
        let Some((draft, closed)) = invoice::origin(&self.register, issued) else { return Ok(None) };
        let rating_id = &draft.rating_id;
        if !drafts.contains_key(rating_id) {
            drafts.insert(rating_id.clone(), of_close(&mut self.store, &self.register, rating_id)?);
        }
        let own = Place::of(draft);
        let stored = drafts.get(rating_id).and_then(|drafts| drafts.iter().find(|stored| stored.place == own));
        let stored = stored.ok_or_else(|| CloseError::NoDrafts { rating_id: rating_id.clone() })?;
        self.made(issued, draft, closed, stored).map(Some)
    }

    fn made(
        &self,
        issued: &Issued,
        draft: &DraftKey,
        closed: &Closed,
        stored: &StoredDraft,
    ) -> Result<NewInvoice, CloseError> {
        let period = &closed.close.period;
        // of a credit note, the document that it is over is made with all its notes
        let over = match &issued.subject {
            Subject::Note(note) => self.register.document(&note.number),
            Subject::Draft(_) => None,
        };
        let original = over.unwrap_or(issued);
        let number = &original.numbered.number;
        let wrong = |error| CloseError::CreditNote { number: number.clone(), error: Box::new(error) };
        let Whole { document, notes } =
            invoice::whole(&self.register, original, period, stored.document.clone()).map_err(wrong)?;
        let own = &issued.numbered.number;
        let is_own = |document: &Document| document.number.as_ref() == Some(own);
        let document = notes.into_iter().chain([document]).find(is_own);
        let document = document.ok_or_else(|| CloseError::NoDrafts { rating_id: draft.rating_id.clone() })?;
        Ok(NewInvoice::of(issued, &closed.close, draft.customer.as_deref(), document, stored.detail.clone()))
    }

    fn tell(&mut self, invoice: &NewInvoice) -> Result<(), CloseError> {
        let number = invoice.document.number.clone().unwrap_or_default();
        let json =
            serde_json::to_string(&invoice.document).map_err(|error| CloseError::document(&number)(error.into()))?;
        Ok(self.log.publish(&number, &json)?)
    }
}
