//! A statement as a person reads it.

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::core::billing::document::Document;

/// The statement as a table with its head and its sums.
#[must_use]
pub fn table(document: &Document) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["line", "", "quantity", "unit", "list price", "price", "amount", "coverage"]);
    for row in &document.rows {
        let number =
            |text: &Option<String>| Cell::new(text.as_deref().unwrap_or_default()).set_alignment(CellAlignment::Right);
        table.add_row([
            Cell::new(row.line.as_deref().unwrap_or("(contract)")),
            Cell::new(&row.description),
            number(&row.quantity),
            Cell::new(row.unit.as_deref().unwrap_or_default()),
            number(&row.list_price),
            number(&row.price),
            Cell::new(&row.amount).set_alignment(CellAlignment::Right),
            number(&row.coverage),
        ]);
    }
    let credits: String = document
        .credits
        .iter()
        .map(|credit| format!("credit {}  -{}  ({} left)\n", credit.id, credit.applied, credit.left))
        .collect();
    let taxes: String = document
        .taxes
        .iter()
        .map(|tax| format!("tax {} %  {}  {}\n", tax.percent, tax.amount, tax.note.as_deref().unwrap_or_default()))
        .collect();
    format!(
        "{} {}: {} to {}, {} ({}, provisional)\n{table}\nsubtotal  {}   saved {}\n{credits}{taxes}total  {} {}\n",
        document.contract,
        document.period.label,
        document.seller.name,
        document.buyer.name,
        document.currency,
        document.state.as_str(),
        document.subtotal,
        document.saving,
        document.total,
        document.currency,
    )
}
