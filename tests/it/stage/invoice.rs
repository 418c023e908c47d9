//! Northwind's September 2026, as the billing tests issue it, and as a closer stores it.

use plimsoll::clickhouse::invoice::InvoiceRow;
use plimsoll::core::billing::detail::Detail;
use plimsoll::core::billing::document::Document;

const INVOICE: &str = include_str!(
    "../../../src/core/billing/render/snapshots/plimsoll__core__billing__render__tests__northwind_as_json.snap"
);

/// The document.
pub fn september() -> Document {
    Document::from_json(INVOICE.splitn(3, "---\n").nth(2).unwrap()).unwrap()
}

/// The row of a document of the same months and amounts.
pub fn stored(document: &Document, decision: u64) -> InvoiceRow {
    let provider = if document.seller.id == "northwind" { &document.seller.id } else { &document.buyer.id };
    InvoiceRow {
        number: document.number.clone().unwrap(),
        version: 1,
        document_type: document.kind.as_str().to_owned(),
        state: document.state.as_str().to_owned(),
        seller: document.seller.id.clone(),
        buyer: document.buyer.id.clone(),
        provider: provider.clone(),
        contract: document.contract.clone(),
        customer: String::new(),
        period_start: 1_788_213_600_000,
        period_end: 1_790_805_600_000,
        label: document.period.label.clone(),
        revision: 0,
        decision,
        issued_at: 1_791_064_800_000,
        issue_date: 20_730,
        due_date: 20_775,
        currency: document.currency.clone(),
        total: 3_260_870_000_000,
        net: 3_260_870_000_000,
        corrects: Vec::new(),
        rating_id: document.proof.rating_id.clone(),
        digest: document.proof.digest.clone().unwrap(),
        erp: String::new(),
        document: serde_json::to_string(document).unwrap(),
        detail: serde_json::to_string(&Detail::default()).unwrap(),
    }
}
