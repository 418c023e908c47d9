//! The price book: what is sold, to whom, at what price (PRICEBOOK.md). Parsed and validated whole; every fault is named with
//! file, line and what to write instead.

mod band;
pub mod canonical;
mod card;
pub mod change;
pub mod claim;
mod contract;
mod date;
pub mod diagnostic;
mod leaf;
mod line;
pub mod model;
pub mod number;
mod overlap;
mod party;
mod programme;
mod reader;
mod reference;
mod source;
pub mod succession;
mod syntax;
mod term;
pub mod uncovered;
pub mod unit;
mod value;
mod warning;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use toml::de::DeTable;

pub use contract::local_midnight;
pub use diagnostic::Diagnostic;
pub use model::Book;

use diagnostic::Diagnostics;
use reader::Section;
use source::Source;

/// The tables that a book may hold.
const TABLES: [&str; 9] =
    ["meter", "vendor", "provider", "customer", "programme", "card", "contract", "sales_credit", "array"];

/// Parses the files of one directory as one book.
///
/// # Errors
/// Everything that is wrong, not only the first.
pub fn parse(files: &[(String, String)]) -> Result<Book, Vec<Diagnostic>> {
    let mut book = Book::default();
    let sources: Vec<Source<'_>> = files.iter().map(|(name, text)| Source { name, text }).collect();
    let parsed: Vec<_> = sources.iter().map(|source| (source, DeTable::parse_recoverable(source.text))).collect();
    let found = Diagnostics::default();
    for (source, (_, errors)) in &parsed {
        // the parser goes on after its first error, but what it meets then is mostly that one's echo
        let first = errors.iter().min_by_key(|error| error.span().map_or(0, |at| at.start));
        if let Some(error) = first {
            let at = error.span().unwrap_or(0..0);
            let mend = syntax::mend(error.message(), source.text, at.start);
            found.add(source, at, error.message().to_owned(), mend);
        }
    }
    if files.is_empty() {
        let mend = "put at least one *.toml into the directory";
        found.add(&Source::NONE, 0..0, "no price book".to_owned(), mend.to_owned());
    }
    // what is left of a file that is no TOML would only yield faults that are none
    let tables = parsed.iter().filter(|(_, (_, errors))| errors.is_empty()).map(|(source, (table, _))| (source, table));
    let mut seen = BTreeSet::new();
    for (source, table) in tables {
        let top = Section::new(source, String::new(), table.get_ref(), table.span(), &found);
        read_file(&top, &mut book, &mut seen, &found);
    }
    // only flawless sections are in the book by now, so what follows adds faults of its own and no echoes
    let whole = found.count() == 0;
    if parsed.iter().all(|(_, (_, errors))| errors.is_empty()) {
        reference::check(&mut book, whole, &found);
        overlap::check(&book, &found);
    }
    let wrong = found.take();
    if wrong.is_empty() { Ok(book) } else { Err(wrong) }
}

fn read_file(
    top: &Section<'_, '_>,
    book: &mut Book,
    seen: &mut BTreeSet<(&'static str, String)>,
    found: &Diagnostics<'_>,
) {
    if top.integer("format", 1, 1).is_none() && !top.has("format") {
        top.refuse_whole("format is missing", "begin each file with format = 1");
    }
    for name in TABLES {
        let Some(sections) = top.section(name) else { continue };
        for section in sections.sections() {
            if !seen.insert((name, section.id().to_owned())) {
                section.refuse_whole("this id stands twice in the book", "give one of the two another id");
            }
            let before = found.count();
            let entry = match name {
                "meter" => party::meter(&section).map(Entry::Meter),
                "vendor" => party::vendor(&section).map(Entry::Vendor),
                "provider" => party::provider(&section).map(Entry::Provider),
                "customer" => party::customer(&section).map(Entry::Customer),
                "programme" => programme::programme(&section).map(Entry::Programme),
                "card" => card::card(&section).map(Entry::Card),
                "contract" => contract::contract(&section).map(Entry::Contract),
                "sales_credit" => programme::sales_credit(&section).map(Entry::SalesCredit),
                _ => party::array(&section).map(Entry::Array),
            };
            section.finish();
            if let Some(entry) = entry.filter(|_| found.count() == before) {
                add(book, section.id().to_owned(), entry);
            }
        }
    }
    top.finish();
}

/// What a section says.
enum Entry {
    Meter(model::Meter),
    Vendor(model::Party),
    Provider(model::Provider),
    Customer(model::Customer),
    Programme(model::Programme),
    Card(model::Card),
    Contract(model::Contract),
    SalesCredit(model::SalesCredit),
    Array(model::ArrayPurpose),
}

fn add(book: &mut Book, id: String, entry: Entry) {
    match entry {
        Entry::Meter(meter) => drop(book.meters.insert(id, meter)),
        Entry::Vendor(vendor) => drop(book.vendors.insert(id, vendor)),
        Entry::Provider(provider) => drop(book.providers.insert(id, provider)),
        Entry::Customer(customer) => drop(book.customers.insert(id, customer)),
        Entry::Programme(programme) => drop(book.programmes.insert(id, programme)),
        Entry::Card(card) => drop(book.cards.insert(id, card)),
        Entry::Contract(contract) => drop(book.contracts.insert(id, contract)),
        Entry::SalesCredit(credit) => drop(book.sales_credit.insert(id, credit)),
        Entry::Array(array) => drop(book.arrays.insert(id, array)),
    }
}
