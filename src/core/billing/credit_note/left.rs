//! What earlier credit notes have taken back of a document, and what is left of it.

use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;

/// What is left of a document: its own figures and those of its credit notes, which have the other sign, added up.
#[derive(Clone, Debug)]
pub(super) struct Left {
    /// Of each row, in the document's order.
    pub rows: Vec<Figure>,
    /// Of what its rows come to.
    pub subtotal: Figure,
    /// Of what credits took off.
    pub credits: Vec<Figure>,
    /// Of the net amount.
    pub net: Figure,
    /// Of the base and the amount of each tax.
    pub taxes: Vec<(Figure, Figure)>,
    /// Of what discounts saved.
    pub saving: Figure,
    /// Of the total.
    pub total: Figure,
}

impl Left {
    /// What `notes`, the credit notes over it, leave of a document.
    ///
    /// # Errors
    /// Figures that are none, or do not fit.
    pub(super) fn of(original: &Document, notes: &[Document]) -> Result<Self, DocumentError> {
        let all = || std::iter::once(original).chain(notes);
        let sum = |figure: fn(&Document) -> &str| Figure::sum(all().map(figure));
        let row = |no: usize| {
            let own = original.rows.iter().filter(move |row| row.no == no);
            let notes = notes.iter().flat_map(|note| &note.rows).filter(move |row| row.corrects == Some(no));
            Figure::sum(own.chain(notes).map(|row| &*row.amount))
        };
        let credit = |id: &str| {
            let credits = all().flat_map(|document| &document.credits).filter(|credit| credit.id == id);
            Figure::sum(credits.map(|credit| &*credit.applied))
        };
        let tax = |percent: &str| {
            let taxes = || all().flat_map(|document| &document.taxes).filter(|tax| tax.percent == percent);
            Ok((Figure::sum(taxes().map(|tax| &*tax.base))?, Figure::sum(taxes().map(|tax| &*tax.amount))?))
        };
        Ok(Self {
            rows: original.rows.iter().map(|own| row(own.no)).collect::<Result<_, _>>()?,
            subtotal: sum(|document| &document.subtotal)?,
            credits: original.credits.iter().map(|own| credit(&own.id)).collect::<Result<_, _>>()?,
            net: sum(|document| &document.net)?,
            taxes: original.taxes.iter().map(|own| tax(&own.percent)).collect::<Result<_, DocumentError>>()?,
            saving: sum(|document| &document.saving)?,
            total: sum(|document| &document.total)?,
        })
    }
}
