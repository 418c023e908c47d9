//! Which number a document gets: the count of issues before it in its series, plus one (DESIGN I17, INVOICE §2).

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{Datelike as _, NaiveDate};
use chrono_tz::Tz;

use crate::core::book::Book;
use crate::core::book::model::{Party, Seller};
use crate::core::book::number;
use crate::core::decision::closing::DocumentType;
use crate::core::pricing::period::local_day;
use crate::core::word::Instant;

/// What a series counts: a seller's documents, of a year if its format has one, of a type if it keeps two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Series {
    seller: String,
    year: Option<i32>,
    credit_notes: bool,
}

/// How many documents each series has so far.
#[derive(Clone, Debug, Default)]
pub struct Numbering {
    counts: HashMap<Series, u64>,
    given: HashSet<String>,
    books: BTreeMap<String, Book>,
}

/// A number with its date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// The number.
    pub number: String,
    /// The date of issue: the record's append time in the contract's zone.
    pub issue_date: NaiveDate,
    /// The contract's zone.
    pub zone: Tz,
    /// After how many days it is due.
    pub payment_days: u32,
}

impl Numbering {
    /// Remembers a published book by its hash.
    pub fn publish(&mut self, hash: &str, book: Book) {
        self.books.insert(hash.to_owned(), book);
    }

    /// A published book.
    #[must_use]
    pub fn book(&self, hash: &str) -> Option<&Book> {
        self.books.get(hash)
    }

    /// The next number of a contract's seller, counted; none if the book or contract is unknown, its seller has no format, or
    /// another series gave that number: then nothing is issued and nothing counted.
    pub fn next(&mut self, book: &str, contract: &str, document: DocumentType, at: Instant) -> Option<Numbered> {
        let book = self.books.get(book)?;
        let contract = book.contracts.get(contract)?;
        let (seller, party) = seller(book, &contract.seller)?;
        let separate = document == DocumentType::CreditNote && party.credit_note_number.is_some();
        let format = if separate { party.credit_note_number.as_ref()? } else { party.invoice_number.as_ref()? };
        let issue_date = local_day(contract.time_zone, at)?;
        let year = number::has_year(format).then(|| issue_date.year());
        let series = Series { seller: seller.to_owned(), year, credit_notes: separate };
        let before = self.counts.get(&series).copied().unwrap_or_default();
        let count = before.checked_add(1)?;
        let number = number::number(format, issue_date.year(), count)?;
        // a book whose formats meet those of an earlier one is never published; two documents of one number would be worse than none
        if !self.given.insert(number.clone()) {
            return None;
        }
        let (zone, payment_days) = (contract.time_zone, contract.payment_days);
        self.counts.insert(series, count);
        Some(Numbered { number, issue_date, zone, payment_days })
    }
}

fn seller<'b>(book: &'b Book, seller: &'b Seller) -> Option<(&'b str, &'b Party)> {
    match seller {
        Seller::Vendor(id) => book.vendors.get(id).map(|party| (id.as_str(), party)),
        Seller::Provider(id) => book.providers.get(id).map(|provider| (id.as_str(), &provider.party)),
    }
}
