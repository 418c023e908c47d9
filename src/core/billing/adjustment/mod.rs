//! Revision k of a closed period: the whole, rated again at a later cut or with another book, less the documents before it
//! (PRICING §14).

mod part;
#[cfg(test)]
mod tests;

use super::document::{Cause, Document, DocumentState, DocumentType};
use super::error::DocumentError;
use super::figure::Figure;
use super::references::References;
use crate::core::pricing::currency::Currency;

/// The draft of a revision. `whole` is the closed document of f(cut k) for one contract and buyer, none if they have none any more;
/// `before` are the documents of the earlier revisions of the same period, contract and buyer, by age, as they were issued or wait to
/// be. Without any the whole itself is the invoice.
///
/// None if no amount moves by a minor unit. Otherwise the rows that moved, each with its own difference, so that the documents of a
/// period always sum to the whole: rows, credits, taxes and totals. `corrects` of a row is its `no` in the first of `before`, the one
/// that `references.corrects` names first.
///
/// The difference is a draft of the whole's close. Without a whole it has the proof of the newest document before it, and the caller
/// has to put the close's in its place.
///
/// # Errors
/// Documents of different contracts, buyers, periods or currencies; figures that do not add up or do not fit.
pub fn difference(
    whole: Option<&Document>,
    before: &[Document],
    cause: Cause,
) -> Result<Option<Document>, DocumentError> {
    let Some(newest) = before.last() else { return Ok(whole.cloned()) };
    let form = whole.unwrap_or(newest);
    before.iter().try_for_each(|document| of_one_period(form, document))?;
    let places = Currency::new(&form.currency)?.places;
    let less =
        |figure: fn(&Document) -> &str| Figure::sum(whole.map(figure))?.minus(Figure::sum(before.iter().map(figure))?);
    let rows = part::rows(whole, before, places)?;
    let credits = part::credits(whole, before, places)?;
    let taxes = part::taxes(whole, before, places)?;
    let subtotal = Figure::sum(rows.iter().map(|row| &*row.amount))?;
    let net = subtotal.minus(Figure::sum(credits.iter().map(|credit| &*credit.applied))?)?;
    let total = net.plus(Figure::sum(taxes.iter().map(|tax| &*tax.amount))?)?;
    agrees("subtotals", subtotal, less(|document| &document.subtotal)?)?;
    agrees("net amounts", net, less(|document| &document.net)?)?;
    agrees("totals", total, less(|document| &document.total)?)?;
    let row_moves =
        rows.iter().map(|row| Figure::parse(&row.amount)).any(|amount| amount.is_ok_and(|it| !it.is_zero()));
    if !row_moves && credits.is_empty() && taxes.is_empty() {
        return Ok(None);
    }
    let corrects = before.iter().filter_map(|document| document.number.clone()).collect();
    let revision = Document {
        kind: if total.sign() < 0 { DocumentType::CreditNote } else { DocumentType::Adjustment },
        state: DocumentState::Closed,
        provisional: false,
        number: None,
        issue_date: None,
        due_date: None,
        cause: Some(cause),
        reason: None,
        rows,
        subtotal: subtotal.amount(places)?,
        saving: less(|document| &document.saving)?.amount(places)?,
        credits,
        net: net.amount(places)?,
        tax_note: form.tax_note.clone().filter(|_| taxes.is_empty()),
        taxes,
        total: total.amount(places)?,
        references: References { corrects, ..References::default() },
        ..form.clone()
    };
    revision.sealed().map(Some)
}

/// Refuses what is not of one contract, buyer, period and currency.
fn of_one_period(one: &Document, other: &Document) -> Result<(), DocumentError> {
    let same = |what, one: &str, other: &str| match one == other {
        true => Ok(()),
        false => Err(DocumentError::Foreign { what, one: one.to_owned(), other: other.to_owned() }),
    };
    same("contract", &one.contract, &other.contract)?;
    same("buyer", &one.buyer.id, &other.buyer.id)?;
    same("start", &one.period.start, &other.period.start)?;
    same("end", &one.period.end, &other.period.end)?;
    same("currency", &one.currency, &other.currency)
}

fn agrees(what: &'static str, found: Figure, wanted: Figure) -> Result<(), DocumentError> {
    match found == wanted {
        true => Ok(()),
        false => Err(DocumentError::Sum { what, found: found.to_string(), wanted: wanted.to_string() }),
    }
}
