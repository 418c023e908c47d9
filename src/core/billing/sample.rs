//! Documents for tests: INVOICE §3's Northwind, September 2026, and what can be made of it.

use super::close::closed;
use super::detail::{Detail, detail};
use super::document::Document;
use super::figure::Figure;
use super::issue::issued;
use super::proof::{CutPoint, Proof, Versions};
use super::statement::document;
use crate::core::book::model::Book;
use crate::core::pricing::period::period;
use crate::core::pricing::rating::rate;
use crate::core::pricing::sample::{at, northwind, northwind_september};
use crate::core::pricing::usage::LineUsage;
use crate::core::word::{Offset, Partition, StreamId};

pub const BOOK: &str = "sha256:00";

const CONTRACT: &str = "northwind-wholesale";

/// The statement of a contract's September 2026.
pub fn statement(book: &Book, contract: &str, usages: &[LineUsage]) -> Document {
    let september = period(&book.contracts[contract], "2026-09").unwrap();
    let rating = rate(book, contract, None, &september, usages).unwrap();
    let cut = vec![CutPoint { stream: StreamId("usage-1".into()), partition: Partition(0), offset: Offset(8_812_734) }];
    let proof = Proof { cut, after: 1204, versions: Versions { fold: 1, rate: 1 } };
    document(book, BOOK, contract, None, &september, &rating, &proof).unwrap()
}

/// INVOICE §3's, still open.
pub fn northwind_statement() -> Document {
    statement(&northwind(), CONTRACT, &northwind_september())
}

/// INVOICE §3's, as it was issued.
pub fn northwind_invoice() -> Document {
    issue(closed(northwind_statement(), "9d2f6a").unwrap(), "EG-2026-000118")
}

/// What the printed page shows beside it.
pub fn northwind_detail() -> Detail {
    let book = northwind();
    let september = period(&book.contracts[CONTRACT], "2026-09").unwrap();
    detail(&book, CONTRACT, None, &september, &northwind_september()).unwrap()
}

/// The draft under a number, on 4 October in Berlin, which is still the 3rd in UTC.
pub fn issue(draft: Document, number: &str) -> Document {
    let instant = at("2026-10-03T22:30:00Z");
    issued(draft, number.to_owned(), instant, chrono_tz::Europe::Berlin, 45, Vec::new()).unwrap()
}

pub fn figure(text: &str) -> Figure {
    Figure::parse(text).unwrap()
}

/// The sum of a figure of many documents.
pub fn sum<'d>(documents: impl IntoIterator<Item = &'d Document>, of: impl Fn(&Document) -> &str) -> Figure {
    documents.into_iter().fold(Figure::ZERO, |sum, document| sum.plus(figure(of(document))).unwrap())
}

/// The sums of a document, but taxes.
pub const SUMS: [fn(&Document) -> &str; 4] =
    [|document| &document.subtotal, |document| &document.net, |document| &document.total, |document| &document.saving];
