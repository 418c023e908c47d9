//! A statement as a person reads it.

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::core::billing::document::{Document, DocumentState};
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::billing::row::DocumentRow;
use crate::core::pricing::currency::Currency;

/// The statement as a table with its head and its sums, and the documents that a closed period has already.
///
/// # Errors
/// Figures that are none.
pub fn table(document: &Document, standing: &[Document]) -> Result<String, DocumentError> {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["line", "", "quantity", "unit", "list price", "price", "amount", "coverage"]);
    for row in &document.rows {
        let number =
            |text: &Option<String>| Cell::new(text.as_deref().unwrap_or_default()).set_alignment(CellAlignment::Right);
        table.add_row([
            Cell::new(row.line.as_deref().unwrap_or("(contract)")),
            Cell::new(described(row)),
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
    let behind = behind(document, standing)?;
    Ok(format!(
        "{} {}: {} to {}, {} ({})\n{table}\nsubtotal  {}   saved {}\n{credits}{taxes}total  {} {}\n{behind}",
        document.contract,
        document.period.label,
        document.seller.name,
        document.buyer.name,
        document.currency,
        match document.state {
            DocumentState::Closed => "closed; what it comes to now",
            _ => "open, provisional",
        },
        document.subtotal,
        document.saving,
        document.total,
        document.currency,
    ))
}

/// What a row charges for, with its band: a line may have a row for each of its bands, which differ in nothing else that is told.
fn described(row: &DocumentRow) -> String {
    match row.band_words() {
        Some(band) if row.description.is_empty() => band,
        Some(band) => format!("{}, {band}", row.description),
        None => row.description.clone(),
    }
}

/// What a closed period was billed, and what the next revision would correct.
fn behind(document: &Document, standing: &[Document]) -> Result<String, DocumentError> {
    if document.state != DocumentState::Closed {
        return Ok(String::new());
    }
    let places = Currency::new(&document.currency)?.places;
    let mut text = String::new();
    for one in standing {
        let name = one.number.as_deref().unwrap_or("a draft, not issued");
        text.push_str(&format!("closed as  {name}  {}  {} {}\n", one.kind.as_str(), one.total, one.currency));
    }
    let billed = Figure::sum(standing.iter().map(|one| &*one.total))?;
    let more = Figure::parse(&document.total)?.minus(billed)?.amount(places)?;
    text.push_str(&format!("the next revision would correct it by  {more} {}\n", document.currency));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::billing::sample::northwind_statement;

    #[test]
    fn rows_of_two_bands_of_one_line_are_told_apart() {
        let document = northwind_statement();
        let banded: Vec<&DocumentRow> = document.rows.iter().filter(|row| row.band.is_some()).collect();
        assert!(banded.len() > 1, "the sample has bands");
        let told: Vec<String> = banded.iter().map(|row| described(row)).collect();
        assert!(told.iter().any(|words| words.ends_with(", up to 20 TiB")), "{told:?}");
        assert!(told.iter().any(|words| words.ends_with(", over 20 TiB")), "{told:?}");
        let shown = table(&document, &[]).unwrap();
        for words in &told {
            assert!(shown.contains(words.as_str()), "{words}: {shown}");
        }
    }
}
