//! The rows of a credit note.

use std::collections::BTreeMap;

use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::billing::row::DocumentRow;

/// The note's rows, in the original's order.
pub(super) fn rows(
    original: &Document,
    credited: &BTreeMap<usize, Figure>,
    places: u32,
) -> Result<Vec<DocumentRow>, DocumentError> {
    let mut rows = Vec::with_capacity(credited.len());
    for row in &original.rows {
        let Some(amount) = credited.get(&row.no) else { continue };
        let note =
            if *amount == Figure::parse(&row.amount)? { taken_back(row)? } else { in_part(row, *amount, places)? };
        let amount = amount.negated().amount(places)?;
        rows.push(DocumentRow { no: rows.len() + 1, amount, corrects: Some(row.no), ..note });
    }
    Ok(rows)
}

/// The whole row with the other sign.
fn taken_back(row: &DocumentRow) -> Result<DocumentRow, DocumentError> {
    let negated = |text: &Option<String>| -> Result<Option<String>, DocumentError> {
        text.as_ref().map(|text| Ok(Figure::parse(text)?.negated().to_string())).transpose()
    };
    Ok(DocumentRow {
        quantity: negated(&row.quantity)?,
        unrounded: Figure::parse(&row.unrounded)?.negated().to_string(),
        used_quantity: negated(&row.used_quantity)?,
        unused_quantity: negated(&row.unused_quantity)?,
        ..row.clone()
    })
}

/// A part of a row: an amount, for which there is neither a quantity nor a price.
fn in_part(row: &DocumentRow, amount: Figure, places: u32) -> Result<DocumentRow, DocumentError> {
    Ok(DocumentRow {
        description: format!("{}, {} of {}", row.description, amount.amount(places)?, row.amount),
        quantity: None,
        list_price: None,
        price: None,
        discounts: Vec::new(),
        unrounded: amount.negated().to_string(),
        used_quantity: None,
        unused_quantity: None,
        ..row.clone()
    })
}
