//! The price book: what is sold, to whom, at what price (PRICEBOOK.md). Parsed and validated whole; every fault is named with
//! file, line and what to write instead.

pub mod canonical;
mod card;
mod contract;
pub mod diagnostic;
pub mod model;
mod overlap;
mod party;
mod reader;
mod reference;
pub mod unit;
mod warning;

#[cfg(test)]
mod tests;

use toml::de::DeTable;

pub use contract::local_midnight;
pub use diagnostic::Diagnostic;
pub use model::Book;

use diagnostic::Diagnostics;
use reader::{Section, Source};

/// The tables that a book may hold.
const TABLES: [&str; 9] =
    ["meter", "vendor", "provider", "customer", "programme", "card", "contract", "sales_credit", "array"];

/// Parses the files of one directory as one book.
///
/// # Errors
/// Everything that is wrong, not only the first.
pub fn parse(files: &[(String, String)]) -> Result<Book, Vec<Diagnostic>> {
    let found = Diagnostics::default();
    let mut book = Book::default();
    let sources: Vec<Source<'_>> = files.iter().map(|(name, text)| Source { name, text }).collect();
    let tables: Vec<(&Source<'_>, _)> = sources
        .iter()
        .filter_map(|source| match DeTable::parse(source.text) {
            Ok(table) => Some((source, table)),
            Err(error) => {
                let at = error.span().unwrap_or(0..0);
                found.add(source, at, error.message().to_owned(), "write it as TOML 1.0".to_owned());
                None
            }
        })
        .collect();
    if files.is_empty() {
        let none = Source { name: "", text: "" };
        found.add(&none, 0..0, "no price book".to_owned(), "put at least one *.toml into the directory".to_owned());
    }
    for (source, table) in &tables {
        let top = Section::new(source, String::new(), table.get_ref(), table.span(), &found);
        read_file(&top, &mut book);
    }
    let broken = found.take();
    if !broken.is_empty() {
        return Err(broken);
    }
    reference::check(&mut book, &found);
    overlap::check(&book, &found);
    let wrong = found.take();
    if wrong.is_empty() { Ok(book) } else { Err(wrong) }
}

fn read_file(top: &Section<'_, '_>, book: &mut Book) {
    match top.integer("format", 1, 1) {
        Some(_) => {}
        None => top.refuse_whole("format is missing", "begin each file with format = 1"),
    }
    for name in TABLES {
        let Some(sections) = top.section(name) else { continue };
        for section in sections.sections() {
            let taken = match name {
                "meter" => add(&mut book.meters, &section, party::meter(&section)),
                "vendor" => add(&mut book.vendors, &section, party::vendor(&section)),
                "provider" => add(&mut book.providers, &section, party::provider(&section)),
                "customer" => add(&mut book.customers, &section, party::customer(&section)),
                "programme" => add(&mut book.programmes, &section, party::programme(&section)),
                "card" => add(&mut book.cards, &section, card::card(&section)),
                "contract" => add(&mut book.contracts, &section, contract::contract(&section)),
                "sales_credit" => add(&mut book.sales_credit, &section, party::sales_credit(&section)),
                _ => add(&mut book.arrays, &section, party::array(&section)),
            };
            if taken {
                section.refuse_whole("this id stands twice in the book", "give one of the two another id");
            }
            section.finish();
        }
    }
    top.finish();
}

/// Adds what a section says, and whether its id was taken already.
fn add<T>(all: &mut std::collections::BTreeMap<String, T>, section: &Section<'_, '_>, value: Option<T>) -> bool {
    value.is_some_and(|value| all.insert(section.id().to_owned(), value).is_some())
}
