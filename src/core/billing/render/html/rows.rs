//! Rows by line, sums, terms.

use super::escape::escape;
use super::money::{Shown, plain, priced};
use crate::core::billing::document::{Document, DocumentState, DocumentType};
use crate::core::billing::figure::Figure;
use crate::core::billing::row::DocumentRow;
use crate::core::pricing::row_kind::RowKind;

const COLUMNS: &str = "<thead><tr><th>Description</th><th class=\"n\">Quantity</th><th class=\"n\">List price</th>\
    <th class=\"n\">Discount</th><th class=\"n\">Net price</th><th class=\"n\">Amount</th></tr></thead>\n";

pub(super) fn rows(document: &Document, shown: &Shown) -> String {
    let mut body = String::new();
    let mut group = None;
    for row in &document.rows {
        let line = row.line.as_deref().unwrap_or("contract");
        if group != Some(line) {
            body.push_str(&format!("<tr class=\"group\"><td colspan=\"6\">{}</td></tr>\n", escape(line)));
            group = Some(line);
        }
        body.push_str(&one(document, row, shown));
    }
    format!(
        "<table class=\"rows\">\n{COLUMNS}<tbody>\n{body}</tbody>\n</table>\n{}{}",
        sums(document, shown),
        terms(document)
    )
}

fn one(document: &Document, row: &DocumentRow, shown: &Shown) -> String {
    let cell = |label: &str, class: &str, value: String| match value.is_empty() {
        true => "<td class=\"n\"></td>".to_owned(),
        false => format!("<td class=\"n{class}\" data-label=\"{label}\"><span>{value}</span></td>"),
    };
    let discount = row.discounts.iter().map(|discount| percents(&discount.percent));
    // a share's price is a part of one; people read percents
    let price = |price: Option<&str>| match (row.kind, price) {
        (RowKind::Share, Some(price)) => percent(price),
        (_, price) => price.map(|price| priced(price, &row.amount)).unwrap_or_default(),
    };
    let unit = row.unit.as_deref().filter(|_| row.quantity.is_some());
    let unit = unit.map(|unit| format!(" <span class=\"unit\">{}</span>", escape(unit))).unwrap_or_default();
    format!(
        "<tr><td class=\"words\">{}{}</td>{}{}{}{}{}</tr>\n",
        escape(&row.description),
        remarks(document, row),
        cell("Quantity", "", shown.maybe(row.quantity.as_deref()) + &unit),
        cell("List price", "", price(row.list_price.as_deref())),
        cell("Discount", "", discount.collect::<Vec<_>>().join("<br>")),
        cell("Net price", "", price(row.price.as_deref())),
        cell("Amount", " amount", shown.figure(&row.amount)),
    )
}

/// What the table has no column for.
fn remarks(document: &Document, row: &DocumentRow) -> String {
    let mut remarks: Vec<String> = row.band_words().into_iter().collect();
    if let Some(own) = &row.period {
        remarks.push(format!("{} to {}", own.start, own.end));
    }
    if !row.sites.is_empty() {
        remarks.push(format!("sites {}", row.sites.join(", ")));
    }
    if row.estimated {
        remarks.push("estimated in part".to_owned());
    }
    if let (Some(no), Some(number)) = (row.corrects, document.references.corrects.first()) {
        remarks.push(format!("corrects row {no} of {number}"));
    }
    if remarks.is_empty() {
        return String::new();
    }
    format!("<span class=\"sub\">{}</span>", escape(&remarks.join(" · ")))
}

/// A part of one as percent.
pub(super) fn percent(part: &str) -> String {
    let hundredfold = Figure::parse("100").and_then(|hundred| Figure::parse(part)?.times(hundred));
    hundredfold.map_or_else(|_| escape(part), |percent| percents(&percent.to_string()))
}

/// So many percent, on one line.
fn percents(percent: &str) -> String {
    format!("{}\u{a0}%", plain(percent))
}

/// The document's discounts, each once: the table has their percents only.
fn discounts(document: &Document) -> String {
    let mut all: Vec<String> = Vec::new();
    for discount in document.rows.iter().flat_map(|row| &row.discounts) {
        let words = format!("{} {}", escape(&discount.reason), percents(&discount.percent));
        if !all.contains(&words) {
            all.push(words);
        }
    }
    match all.len() {
        0 => String::new(),
        1 => format!(" Discount: {}.", all[0]),
        _ => format!(" Discounts, one after the other: {}.", all.join(", ")),
    }
}

fn sums(document: &Document, shown: &Shown) -> String {
    let mut sums = String::new();
    let mut sum = |class: &str, name: String, value: String| {
        sums.push_str(&format!("<tr{class}><td>{name}</td><td class=\"n\">{value}</td></tr>\n"));
    };
    sum("", "Subtotal".to_owned(), shown.figure(&document.subtotal));
    for credit in &document.credits {
        let left = plain(&credit.left);
        sum(
            "",
            format!("Credit {} <span class=\"sub\">{left} left</span>", escape(&credit.id)),
            shown.taken(&credit.applied),
        );
    }
    if !document.credits.is_empty() {
        sum("", "Net".to_owned(), shown.figure(&document.net));
    }
    for tax in &document.taxes {
        let note =
            tax.note.as_deref().map(|note| format!("<span class=\"sub\">{}</span>", escape(note))).unwrap_or_default();
        let (percent, base) = (percents(&tax.percent), shown.figure(&tax.base));
        sum("", format!("Tax {percent} on {base}{note}"), shown.figure(&tax.amount));
    }
    if let Some(note) = &document.tax_note {
        sum("", format!("<span class=\"sub\">{}</span>", escape(note)), String::new());
    }
    let total = format!("{} {}", escape(&document.currency), shown.figure(&document.total));
    sum(
        " class=\"total\"",
        if document.kind == DocumentType::CreditNote { "Credited" } else { "Total" }.to_owned(),
        total,
    );
    format!("<table class=\"sums\"><tbody>\n{sums}</tbody></table>\n")
}

fn terms(document: &Document) -> String {
    let mut words = vec![match document.kind {
        DocumentType::CreditNote => "The amount is given back to you.".to_owned(),
        _ => format!("Terms: {}.", escape(&document.payment_terms)),
    }];
    let saved = Figure::parse(&document.saving).is_ok_and(|saving| saving.sign() > 0);
    if saved && document.kind == DocumentType::Invoice {
        words.push(format!(
            "Discounts take {} {} off list prices.",
            escape(&document.currency),
            plain(&document.saving)
        ));
    }
    if matches!(document.state, DocumentState::Open | DocumentState::Closed) {
        words.push("Do not pay yet: wait for the document with a number.".to_owned());
    }
    format!("<p class=\"terms\">{}{}</p>\n", words.join(" "), discounts(document))
}
