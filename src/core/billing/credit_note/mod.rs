//! A credit note over an issued document: a document of its own that takes it back, in whole or in part. It is no revision
//! (INVOICE §1, §3, PRICING §14).

mod error;
mod left;
mod part;
mod row;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use error::CreditNoteError;
use left::Left;
use part::Part;
use row::rows;

use super::document::{Document, DocumentState, DocumentType};
use super::error::DocumentError;
use super::figure::Figure;
use super::references::References;
use crate::core::decision::closing::{CreditNote, CreditedRow};
use crate::core::pricing::currency::Currency;

/// The draft of a credit note over `original`; `earlier_notes` are those over it that count already. Its rows have the original
/// row's `no` and the other sign. A row that is taken back whole takes back its quantity too; a part of a row is an amount alone.
///
/// Tax follows the net amount credited so far, rounded by the document's rounding, less what earlier notes took back; whichever note
/// leaves nothing takes what is left of every figure, so that original and notes come to 0. Credits of the original are given back
/// by that note alone: until then what is credited is money that was due.
///
/// # Errors
/// What cannot be credited, and how much is left.
pub fn credit_note(
    original: &Document,
    earlier_notes: &[Document],
    note: &CreditNote,
) -> Result<Document, CreditNoteError> {
    let number = creditable(original)?;
    if note.number != number {
        return Err(CreditNoteError::Other { named: note.number.clone(), number: number.to_owned() });
    }
    if note.reason.trim().is_empty() {
        return Err(CreditNoteError::NoReason(number.to_owned()));
    }
    let places = Currency::new(&original.currency).map_err(DocumentError::from)?.places;
    let left = Left::of(original, earlier_notes)?;
    if left.rows.iter().all(|left| left.is_zero()) {
        return Err(CreditNoteError::NothingLeft(number.to_owned()));
    }
    let credited = credited(original, &left, &note.rows, places)?;
    let rows = rows(original, &credited, places)?;
    let subtotal = credited.values().try_fold(Figure::ZERO, |sum, amount| sum.plus(*amount))?;
    let completes = original.rows.iter().zip(&left.rows).all(|(row, left)| *left == amount_of(&credited, row.no));
    if !completes && (subtotal.sign() <= 0 || subtotal > left.net) {
        let (amount, left) = (subtotal.amount(places)?, left.net.amount(places)?);
        return Err(CreditNoteError::MoreThanWhole { number: number.to_owned(), amount, left });
    }
    let net = if completes { left.net } else { subtotal };
    let part = Part { original, left: &left, net, completes, places };
    let taxes = part.taxes()?;
    let tax = Figure::sum(taxes.iter().map(|tax| &*tax.amount))?;
    let note = Document {
        kind: DocumentType::CreditNote,
        state: DocumentState::Closed,
        provisional: false,
        number: None,
        issue_date: None,
        due_date: None,
        cause: None,
        reason: Some(note.reason.trim().to_owned()),
        rows,
        subtotal: subtotal.negated().amount(places)?,
        saving: part.saving(subtotal)?.negated().amount(places)?,
        credits: if completes { part.credits()? } else { Vec::new() },
        net: net.negated().amount(places)?,
        taxes,
        total: net.negated().plus(tax)?.amount(places)?,
        references: References { corrects: vec![number.to_owned()], ..References::default() },
        ..original.clone()
    };
    Ok(note.sealed()?)
}

/// Everything that is left of a document, as the rows of a note.
///
/// # Errors
/// What cannot be credited, or a document of which nothing is left.
pub fn whole(original: &Document, earlier_notes: &[Document]) -> Result<Vec<CreditedRow>, CreditNoteError> {
    let number = creditable(original)?;
    let places = Currency::new(&original.currency).map_err(DocumentError::from)?.places;
    let mut rows = Vec::new();
    for (row, left) in original.rows.iter().zip(Left::of(original, earlier_notes)?.rows) {
        if !left.is_zero() {
            rows.push(CreditedRow { no: row.no, amount: left.amount(places)? });
        }
    }
    if rows.is_empty() { Err(CreditNoteError::NothingLeft(number.to_owned())) } else { Ok(rows) }
}

/// The state of an issued document under these credit notes.
///
/// # Errors
/// Figures that are none.
pub fn state(original: &Document, notes: &[Document]) -> Result<DocumentState, DocumentError> {
    if notes.is_empty() {
        return Ok(DocumentState::Issued);
    }
    let nothing_left = Left::of(original, notes)?.total.is_zero();
    Ok(if nothing_left { DocumentState::Credited } else { DocumentState::PartlyCredited })
}

/// The number of a document that can be credited.
fn creditable(original: &Document) -> Result<&str, CreditNoteError> {
    let number = original.number.as_deref().ok_or(CreditNoteError::NoNumber)?;
    if original.kind == DocumentType::CreditNote {
        return Err(CreditNoteError::OfCreditNote(number.to_owned()));
    }
    Ok(number)
}

fn amount_of(credited: &BTreeMap<usize, Figure>, no: usize) -> Figure {
    credited.get(&no).copied().unwrap_or_default()
}

/// How much of which row, by `no`, with the rows' signs.
fn credited(
    original: &Document,
    left: &Left,
    asked: &[CreditedRow],
    places: u32,
) -> Result<BTreeMap<usize, Figure>, CreditNoteError> {
    let number = original.number.clone().unwrap_or_default();
    let mut credited = BTreeMap::new();
    for CreditedRow { no, amount } in asked {
        let found = original.rows.iter().zip(&left.rows).find(|(row, _)| row.no == *no);
        let Some((row, left)) = found else {
            return Err(CreditNoteError::NoRow { number, no: *no, rows: original.rows.len() });
        };
        let wrong = || CreditNoteError::Amount {
            no: *no,
            amount: amount.clone(),
            own: row.amount.clone(),
            currency: original.currency.clone(),
        };
        let own = Figure::parse(&row.amount)?;
        if left.is_zero() {
            return Err(CreditNoteError::Nothing(*no));
        }
        let figure = Figure::parse(amount).map_err(|_| wrong())?;
        if figure.amount(places).is_err() || figure.is_zero() || figure.sign() != own.sign() {
            return Err(wrong());
        }
        if left.sign() != own.sign() || figure.size() > left.size() {
            let left = left.amount(places)?;
            return Err(CreditNoteError::MoreThanRow { no: *no, amount: amount.clone(), left });
        }
        if credited.insert(*no, figure).is_some() {
            return Err(CreditNoteError::Twice(*no));
        }
    }
    if credited.is_empty() { Err(CreditNoteError::NoRows(number)) } else { Ok(credited) }
}
