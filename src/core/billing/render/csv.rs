//! The rows of documents as CSV, one line a row (INVOICE §5).

use super::cell::{Cell, header as head, line};
use crate::core::billing::document::Document;
use crate::core::billing::row::DocumentRow;
use crate::core::pricing::row::statistic_name;

/// The columns, in order. Columns are only ever added, at the end.
pub const COLUMNS: [&str; 32] = [
    "invoice",
    "type",
    "issue_date",
    "due_date",
    "seller",
    "buyer",
    "purchase_order",
    "contract",
    "period_start",
    "period_end",
    "no",
    "line",
    "kind",
    "description",
    "meter",
    "statistic",
    "site",
    "quantity",
    "unit",
    "band_over",
    "band_up_to",
    "list_price",
    "price",
    "unrounded",
    "amount",
    "currency",
    "tax_percent",
    "coverage",
    "estimated",
    "corrects_invoice",
    "corrects_row",
    "state",
];

/// The line that names the columns: the first of a file, whatever number of documents follows.
#[must_use]
pub fn header() -> String {
    head(&COLUMNS)
}

/// One document as a file.
#[must_use]
pub fn file(document: &Document) -> String {
    header() + &rows(document)
}

/// The lines of one document, without the header: Σ `amount` is its subtotal.
#[must_use]
pub fn rows(document: &Document) -> String {
    let percents: Vec<&str> = document.taxes.iter().map(|tax| &*tax.percent).collect();
    let percents = percents.join(" ");
    let mut lines = String::new();
    for row in &document.rows {
        cells(document, &percents, row, &mut lines);
    }
    lines
}

fn cells(document: &Document, percents: &str, row: &DocumentRow, lines: &mut String) {
    let (start, end) = match &row.period {
        Some(own) => (&own.start, &own.end),
        None => (&document.period.start, &document.period.end),
    };
    let sites = row.sites.join(" ");
    let (no, corrects) = (row.no.to_string(), row.corrects.map(|no| no.to_string()));
    let band = row.band.as_ref();
    let cells: [Cell<'_>; COLUMNS.len()] = [
        Cell::text(document.number.as_deref()),
        Cell::Text(document.kind.as_str()),
        Cell::text(document.issue_date.as_deref()),
        Cell::text(document.due_date.as_deref()),
        Cell::Text(&document.seller.id),
        Cell::Text(&document.buyer.id),
        Cell::text(document.buyer.purchase_order.as_deref()),
        Cell::Text(&document.contract),
        Cell::Text(start),
        Cell::Text(end),
        Cell::Number(&no),
        Cell::text(row.line.as_deref()),
        Cell::Text(row.kind.as_str()),
        Cell::Text(&row.description),
        Cell::text(row.meter.as_deref()),
        Cell::text(row.statistic.map(statistic_name)),
        Cell::Text(&sites),
        Cell::number(row.quantity.as_deref()),
        Cell::text(row.unit.as_deref()),
        // an edge may be a percent of the commitment
        Cell::text(band.map(|band| &*band.over)),
        Cell::text(band.and_then(|band| band.up_to.as_deref())),
        Cell::number(row.list_price.as_deref()),
        Cell::number(row.price.as_deref()),
        Cell::Number(&row.unrounded),
        Cell::Number(&row.amount),
        Cell::Text(&document.currency),
        Cell::Number(percents),
        Cell::number(row.coverage.as_deref()),
        Cell::Text(if row.estimated { "true" } else { "false" }),
        Cell::text(document.references.corrects.first().map(String::as_str)),
        Cell::number(corrects.as_deref()),
        // `open` is a statement: provisional
        Cell::Text(document.state.as_str()),
    ];
    line(cells, lines);
}
