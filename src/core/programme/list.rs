//! What a document's rows come to at list prices.

use super::error::ProgrammeError;
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::billing::row::DocumentRow;
use crate::core::pricing::currency::Currency;
use crate::core::pricing::wide::proportion;

/// The amounts of the rows at list prices, in minor units: Σ of them less Σ amounts is the document's saving, to the last unit.
///
/// A row's own is its quantity (or its packages) at its list price, rounded once. A revision is the difference of two ratings of which each
/// row was rounded: what the document's saving says more or less is spread over the rows by their amounts.
///
/// # Errors
/// Figures that no document has.
pub fn list_amounts(document: &Document) -> Result<Vec<i128>, ProgrammeError> {
    let places = Currency::new(&document.currency)?.places;
    let mut own = Vec::with_capacity(document.rows.len());
    let mut amounts = Vec::with_capacity(document.rows.len());
    for row in &document.rows {
        own.push(at_list(row, document, places)?.minor(places)?);
        amounts.push(Figure::parse(&row.amount)?.size().minor(places)?);
    }
    let wanted = Figure::parse(&document.subtotal)?.plus(Figure::parse(&document.saving)?)?.minor(places)?;
    let found = own.iter().try_fold(0i128, |sum, one| sum.checked_add(*one)).ok_or_else(out_of_range)?;
    let rest = wanted.checked_sub(found).ok_or_else(out_of_range)?;
    if rest != 0 && !own.is_empty() {
        let shares = proportion(rest.checked_abs().ok_or_else(out_of_range)?, &amounts)?;
        for (one, share) in own.iter_mut().zip(shares) {
            *one = one.checked_add(share * rest.signum()).ok_or_else(out_of_range)?;
        }
    }
    Ok(own)
}

/// The same of a credit note over a document: each row takes back as much of its original's list as of its amount, so that what a row gave is
/// gone when it is taken back. The note's own saving follows the document as a whole and says nothing of a row.
///
/// # Errors
/// Figures that no document has.
pub fn credited(note: &Document, original: &Document) -> Result<Vec<i128>, ProgrammeError> {
    let places = Currency::new(&note.currency)?.places;
    let lists = list_amounts(original)?;
    let mut own = Vec::with_capacity(note.rows.len());
    for row in &note.rows {
        let amount = Figure::parse(&row.amount)?;
        let of = original.rows.iter().zip(&lists).find(|(of, _)| Some(of.no) == row.corrects);
        let list = match of {
            Some((of, list)) => {
                let (list, whole) = (Figure::of_minor(*list, places)?, Figure::parse(&of.amount)?);
                let part = if whole.sign() < 0 { amount.negated() } else { amount };
                if whole.is_zero() { amount } else { list.share(part, whole.size(), places, note.rounding)? }
            }
            None => amount,
        };
        own.push(list.minor(places)?);
    }
    Ok(own)
}

fn out_of_range() -> DocumentError {
    DocumentError::OutOfRange("an amount at list")
}

fn at_list(row: &DocumentRow, document: &Document, places: u32) -> Result<Figure, DocumentError> {
    let amount = Figure::parse(&row.amount)?;
    let (Some(list), Some(price)) = (&row.list_price, &row.price) else { return Ok(amount) };
    let (list, price) = (Figure::parse(list)?, Figure::parse(price)?);
    if list == price {
        return Ok(amount);
    }
    match (price.sign(), &row.quantity) {
        (1, _) => Figure::parse(&row.unrounded)?.share(list, price, places, document.rounding),
        (_, Some(quantity)) => Figure::parse(quantity)?.share(list, Figure::of_minor(1, 0)?, places, document.rounding),
        _ => Ok(amount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::billing::adjustment;
    use crate::core::billing::close::closed;
    use crate::core::billing::credit_note::credit_note;
    use crate::core::billing::document::Cause;
    use crate::core::billing::sample::{issue, northwind_invoice, statement};
    use crate::core::decision::closing::{CreditNote, CreditedRow};
    use crate::core::pricing::sample::{northwind, northwind_september};

    fn sum(document: &Document) -> (i128, i128) {
        let total = Figure::parse(&document.subtotal).unwrap().plus(Figure::parse(&document.saving).unwrap()).unwrap();
        (list_amounts(document).unwrap().iter().sum(), total.minor(2).unwrap())
    }

    /// INVOICE §3: 100 @ 24, 10 @ 27, 3.333333 @ 40.5, 42.25 @ 15; support has no list price.
    #[test]
    fn rows_of_an_invoice_at_list() {
        let invoice = northwind_invoice();
        assert_eq!(list_amounts(&invoice).unwrap(), [240_000, 27_000, 13_500, 63_375, 12_542]);
        assert_eq!(sum(&invoice).0, 326_087 + 30_330);
    }

    #[test]
    fn what_takes_back_a_document_takes_back_its_list() {
        let invoice = northwind_invoice();
        let note = |rows, before: &[Document]| {
            let number = invoice.number.clone().unwrap();
            let note = CreditNote {
                number,
                sequence: before.len() as u32,
                rows,
                reason: "wrong".to_owned(),
                credits: Vec::new(),
            };
            issue(credit_note(&invoice, before, &note).unwrap(), &format!("EG-2026-{}", 119 + before.len()))
        };
        let of = |note: &Document| credited(note, &invoice).unwrap();
        let part = note(vec![CreditedRow { no: 1, amount: "100.00".to_owned() }], &[]);
        // 2,400.00 x 100.00 / 2,188.32
        assert_eq!(of(&part), [-10_967]);
        let left = |row: &DocumentRow| match row.no {
            1 => CreditedRow { no: 1, amount: "2088.32".to_owned() },
            no => CreditedRow { no, amount: row.amount.clone() },
        };
        let rest = note(invoice.rows.iter().map(left).collect(), std::slice::from_ref(&part));
        assert_eq!(of(&rest), [-229_033, -27_000, -13_500, -63_375, -12_542]);
        let row = note(vec![CreditedRow { no: 2, amount: "246.19".to_owned() }], &[]);
        assert_eq!(of(&row), [-27_000], "a row that is taken back takes back its own list");
    }

    #[test]
    fn revisions_add_up_to_the_whole() {
        let invoice = northwind_invoice();
        let mut usages = northwind_september();
        usages[0].parts[0].slots.iter_mut().for_each(|slot| slot.amount += slot.amount / 7);
        let whole = closed(statement(&northwind(), "northwind-wholesale", &usages), "later").unwrap();
        let more = adjustment::difference(Some(&whole), std::slice::from_ref(&invoice), Cause::Adjustment);
        let more = more.unwrap().unwrap();
        assert_ne!(more.subtotal, "0.00");
        assert_eq!(sum(&invoice).0 + sum(&more).0, sum(&whole).0);
        assert_eq!(sum(&more).0, sum(&more).1);
    }
}
