//! Credit notes: no more of a document is given back than is left of it and of its period, and of two notes at once one counts.

use super::decide::text;
use super::drafts::of_close;
use super::error::CloseError;
use super::refusal::Refusal;
use super::seam::{BillLog, BillStore};
use super::state::Closer;
use crate::core::billing::credit_note::{self, CreditNoteError};
use crate::core::billing::document::{Document, DocumentState};
use crate::core::billing::figure::Figure;
use crate::core::closing::invoice::{self, Whole};
use crate::core::closing::record;
use crate::core::closing::register::{DraftState, Subject};
use crate::core::decision::Decision;
use crate::core::decision::closing::{CreditNote, CreditedRow};
use crate::core::pricing::currency::Currency;
use crate::statement::Place;

/// What of a document is credited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credited {
    /// Everything that is left.
    Whole,
    /// Rows by their number, in whole or a part of each.
    Rows(Vec<(usize, Option<String>)>),
}

impl<L: BillLog, S: BillStore> Closer<L, S> {
    /// Credits an issued document and returns the note's number.
    ///
    /// # Errors
    /// A [`Refusal`]; retryable while the broker or the database is away.
    pub fn credit(&mut self, number: &str, credited: &Credited, reason: &str) -> Result<String, CloseError> {
        let reason = text("--reason", reason)?;
        self.follow()?;
        let Whole { document, notes } = self.whole(number)?;
        if document.state == DocumentState::Credited {
            return Err(Refusal::Credited(number.to_owned()).into());
        }
        let wrong = |error: CreditNoteError| CloseError::from(Refusal::CreditNote(Box::new(error)));
        let rows = rows(&document, &notes, credited).map_err(wrong)?;
        let sequence = u32::try_from(notes.len()).unwrap_or(u32::MAX);
        let mut note = CreditNote { number: number.to_owned(), sequence, rows, reason, credits: Vec::new() };
        // made now, so that a note that could not be is never decided
        let made = credit_note::credit_note(&document, &notes, &note).map_err(wrong)?;
        self.within_period(number, &made)?;
        note.credits = record::returned(&made).map_err(CloseError::document(number))?;
        let actor = self.actor.clone();
        // another note may be just like it: where it lies tells them apart
        let at = self.decide(&Decision::CreditNoteIssued { note, actor })?;
        match self.register.issued().iter().find(|issued| issued.offset == at) {
            Some(issued) => Ok(issued.numbered.number.clone()),
            None => Err(Refusal::Overtaken(number.to_owned()).into()),
        }
    }

    /// Refuses a note that takes more than is left of all documents of its period together: a later revision may have taken back a part
    /// of what the document charged.
    fn within_period(&mut self, number: &str, note: &Document) -> Result<(), CloseError> {
        let wrong = CloseError::document(number);
        let Some((draft, closed)) = self.register.document(number).and_then(|it| invoice::origin(&self.register, it))
        else {
            return Err(Refusal::NoDocument(number.to_owned()).into());
        };
        let (draft, key) = (draft.clone(), closed.close.period.clone());
        let own = |rating_id: &String| Place::of(&draft).draft(rating_id);
        let revisions = self.register.revisions(&key).map(|closed| own(&closed.close.rating_id));
        let numbers = revisions.filter_map(|draft| match self.register.draft(&draft) {
            DraftState::Issued(number) => Some(number),
            DraftState::Waiting | DraftState::Discarded => None,
        });
        let (mut totals, mut by) = (Vec::new(), Vec::new());
        for other in numbers.collect::<Vec<_>>() {
            let Whole { document, notes } = self.whole(&other)?;
            if document.total.starts_with('-') {
                by.push(format!("{other} ({} {})", document.total, document.currency));
            }
            totals.push(document.total);
            totals.extend(notes.into_iter().map(|note| note.total));
        }
        let sums = || {
            let left = Figure::sum(totals.iter().map(|total| &**total))?;
            let asked = Figure::parse(&note.total)?.negated();
            let places = Currency::new(&note.currency)?.places;
            Ok((asked > left && asked.sign() > 0, left.sign() > 0, left.amount(places)?, asked.amount(places)?))
        };
        let (is_more, is_some, left, asked) = sums().map_err(wrong)?;
        match is_more {
            false => Ok(()),
            true => {
                let left = is_some.then(|| format!("{left} {}", note.currency));
                Err(Refusal::MoreThanPeriod { number: number.to_owned(), asked, left, by: by.join(", ") }.into())
            }
        }
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
