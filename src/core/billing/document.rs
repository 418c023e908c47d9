//! A document as JSON, with the keys of INVOICE §3 in its order.

use serde::Serialize;

use super::digest;
use super::error::DocumentError;
use super::party::References;
use super::proof::DocumentProof;
use super::row::DocumentRow;

/// A document (INVOICE §3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// `plimsoll.invoice/1`.
    pub schema: &'static str,
    /// `invoice`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// `open`.
    pub state: &'static str,
    /// Whether it still changes.
    pub provisional: bool,
    /// Its number, once issued.
    pub number: Option<String>,
    /// Local date of issue.
    pub issue_date: Option<String>,
    /// Local date on which it is due.
    pub due_date: Option<String>,
    /// In words.
    pub payment_terms: String,
    /// Who sells.
    pub seller: DocumentSeller,
    /// Who buys.
    pub buyer: DocumentBuyer,
    /// The contract.
    pub contract: String,
    /// The contract's route.
    pub route: Option<&'static str>,
    /// The buyer's level at the start of the contract's part.
    pub level: Option<String>,
    /// The deal in force then.
    pub deal: Option<String>,
    /// The period.
    pub period: DocumentPeriod,
    /// ISO 4217.
    pub currency: String,
    /// How amounts were rounded.
    pub rounding: &'static str,
    /// Rows.
    pub rows: Vec<DocumentRow>,
    /// Σ rows.
    pub subtotal: String,
    /// Σ rounded list - Σ rounded net.
    pub saving: String,
    /// Credits applied.
    pub credits: Vec<DocumentCredit>,
    /// Σ rows - Σ credits.
    pub net: String,
    /// Taxes by percent.
    pub taxes: Vec<DocumentTax>,
    /// Why there are none.
    pub tax_note: Option<&'static str>,
    /// Net and taxes.
    pub total: String,
    /// Other documents.
    pub references: References,
    /// What it was computed from.
    pub proof: DocumentProof,
}

/// Who sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentSeller {
    /// Id in the book.
    pub id: String,
    /// Name.
    pub name: String,
    /// Address lines.
    pub address: Vec<String>,
    /// Tax id.
    pub tax_id: Option<String>,
}

/// Who buys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentBuyer {
    /// Id in the book, or an unknown customer's tag.
    pub id: String,
    /// Name.
    pub name: String,
    /// Address lines.
    pub address: Vec<String>,
    /// Tax id.
    pub tax_id: Option<String>,
    /// Its order.
    pub purchase_order: Option<String>,
}

/// The period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentPeriod {
    /// First instant.
    pub start: String,
    /// The first instant after it.
    pub end: String,
    /// Zone of its local days.
    pub time_zone: String,
    /// Year and month.
    pub label: String,
}

/// A credit applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentCredit {
    /// Its id.
    pub id: String,
    /// How much of it.
    pub applied: String,
    /// What is left of it.
    pub left: String,
}

/// A tax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentTax {
    /// Percent.
    pub percent: String,
    /// On what.
    pub base: String,
    /// How much.
    pub amount: String,
    /// Why, where percent is 0.
    pub note: Option<String>,
}

impl Document {
    /// The document with its digest: SHA-256 over the canonical JSON of everything but `state`, `references.erp` and the digest
    /// itself (INVOICE §3).
    pub fn sealed(mut self) -> Result<Self, DocumentError> {
        self.proof.digest = None;
        let mut content = serde_json::to_value(&self)?;
        if let Some(content) = content.as_object_mut() {
            content.remove("state");
        }
        if let Some(references) = content.get_mut("references").and_then(serde_json::Value::as_object_mut) {
            references.remove("erp");
        }
        self.proof.digest = Some(digest::canonical(&content)?);
        Ok(self)
    }
}
