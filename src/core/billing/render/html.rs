//! A document as one page to print (INVOICE §5): no script, no request to anywhere, everything that others wrote escaped.

mod escape;
mod head;
mod money;
mod proof;
mod rows;

use escape::escape;
use money::Shown;

use crate::core::billing::detail::Detail;
use crate::core::billing::document::{Document, DocumentState, DocumentType};

/// Its style sheet.
pub const STYLE: &str = include_str!("html/style.css");

/// The page. `detail` is what was kept beside the document, if anything was.
#[must_use]
pub fn page(document: &Document, detail: Option<&Detail>) -> String {
    let title = title(document);
    let name = match (&document.number, document.state) {
        (Some(number), _) => number.clone(),
        (None, _) => format!("{} {}", document.contract, document.period.label),
    };
    let shown = Shown::of(document);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title} {name}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{head}{rows}{proof}</body>\n</html>\n",
        name = escape(&name),
        head = head::head(document, title, &name),
        rows = rows::rows(document, &shown),
        proof = proof::proof(document, detail, &shown),
    )
}

/// What stands above the document. What is not issued never looks like an invoice.
fn title(document: &Document) -> &'static str {
    match (document.state, document.kind) {
        _ if document.provisional => "Provisional statement",
        (DocumentState::Open, _) => "Provisional statement",
        (DocumentState::Closed, DocumentType::Invoice) => "Draft invoice",
        (DocumentState::Closed, DocumentType::Adjustment) => "Draft adjustment",
        (DocumentState::Closed, DocumentType::CreditNote) => "Draft credit note",
        (_, DocumentType::Invoice) => "Invoice",
        (_, DocumentType::Adjustment) => "Adjustment",
        (_, DocumentType::CreditNote) => "Credit note",
    }
}
