//! What a note takes back of everything in a document that is not a row: taxes, credits, savings.

use super::left::Left;
use crate::core::billing::document::{Document, DocumentCredit, DocumentTax};
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;

/// The part of a document that a note takes back.
pub(super) struct Part<'d> {
    /// The document.
    pub original: &'d Document,
    /// What earlier notes left of it.
    pub left: &'d Left,
    /// How much of its net amount the note takes back.
    pub net: Figure,
    /// Whether no row is left after it.
    pub completes: bool,
    /// Places of the currency.
    pub places: u32,
}

impl Part<'_> {
    /// The taxes of the note. One that leaves nothing of the net amount takes what is left of each.
    pub(super) fn taxes(&self) -> Result<Vec<DocumentTax>, DocumentError> {
        let whole = Figure::parse(&self.original.net)?;
        let so_far = whole.minus(self.left.net)?.plus(self.net)?;
        let mut taxes = Vec::new();
        for (tax, &(base_left, amount_left)) in self.original.taxes.iter().zip(&self.left.taxes) {
            let (base, amount) = match self.completes || so_far == whole {
                true => (base_left, amount_left),
                false => {
                    let (own_base, own_amount) = (Figure::parse(&tax.base)?, Figure::parse(&tax.amount)?);
                    let base = self.rounded(own_base, so_far, whole)?;
                    let amount = self.rounded(Figure::parse(&tax.percent)?, base, Figure::parse("100")?)?;
                    // rounding never takes back more tax than there was
                    let amount = if amount.size() > own_amount.size() { own_amount } else { amount };
                    (base_left.minus(own_base)?.plus(base)?, amount_left.minus(own_amount)?.plus(amount)?)
                }
            };
            if !base.is_zero() || !amount.is_zero() {
                let (base, amount) = (base.negated().amount(self.places)?, amount.negated().amount(self.places)?);
                taxes.push(DocumentTax { base, amount, ..tax.clone() });
            }
        }
        Ok(taxes)
    }

    /// What of the discounts goes with rows that come to `subtotal`.
    pub(super) fn saving(&self, subtotal: Figure) -> Result<Figure, DocumentError> {
        let (own, whole) = (Figure::parse(&self.original.saving)?, Figure::parse(&self.original.subtotal)?);
        if self.completes || whole.sign() <= 0 {
            return Ok(if self.completes { self.left.saving } else { Figure::ZERO });
        }
        let so_far = whole.minus(self.left.subtotal)?.plus(subtotal)?;
        self.left.saving.minus(own)?.plus(self.rounded(own, so_far, whole)?)
    }

    /// The original's credits, given back.
    pub(super) fn credits(&self) -> Result<Vec<DocumentCredit>, DocumentError> {
        let mut credits = Vec::new();
        for (credit, applied) in self.original.credits.iter().zip(&self.left.credits) {
            if !applied.is_zero() {
                let left = Figure::parse(&credit.left)?.plus(*applied)?.amount(self.places)?;
                let applied = applied.negated().amount(self.places)?;
                credits.push(DocumentCredit { id: credit.id.clone(), applied, left });
            }
        }
        Ok(credits)
    }

    fn rounded(&self, figure: Figure, part: Figure, whole: Figure) -> Result<Figure, DocumentError> {
        figure.share(part, whole, self.places, self.original.rounding)
    }
}
