//! A document as JSON, with the keys of INVOICE §3 in its order.

use serde::{Deserialize, Serialize};

use super::digest;
use super::error::DocumentError;
use super::proof::DocumentProof;
use super::references::References;
use super::row::DocumentRow;
use crate::core::book::model::Route;
pub use crate::core::decision::closing::{Cause, DocumentType};
use crate::core::pricing::rounding::Rounding;

/// The form of documents that this build writes and reads.
pub const SCHEMA: &str = "plimsoll.invoice/1";

/// How far a document has come (INVOICE §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentState {
    /// A statement: live and provisional.
    Open,
    /// A draft: its amounts are frozen, it has no number. Or, provisional, the statement of a closed period.
    Closed,
    /// It has a number and never changes any more.
    Issued,
    /// Issued, and credit notes take back all of it.
    Credited,
    /// Issued, and credit notes take back a part of it.
    PartlyCredited,
}

impl DocumentState {
    /// The state's name in documents, tables and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DocumentState::Open => "open",
            DocumentState::Closed => "closed",
            DocumentState::Issued => "issued",
            DocumentState::Credited => "credited",
            DocumentState::PartlyCredited => "partly_credited",
        }
    }
}

/// A document (INVOICE §3). All keys stand in all documents, null where there is nothing to say, so that what is stored can be read
/// back and written again to the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: String,
    /// Invoice, adjustment or credit note.
    #[serde(rename = "type")]
    pub kind: DocumentType,
    /// How far it has come; outside the digest.
    pub state: DocumentState,
    /// Whether its amounts still change. Statements are provisional; drafts and what has a number are not, and since that never
    /// changes again it is inside the digest.
    pub provisional: bool,
    /// Its number, once issued.
    pub number: Option<String>,
    /// Local date of issue.
    pub issue_date: Option<String>,
    /// Local date on which it is due.
    pub due_date: Option<String>,
    /// In words.
    pub payment_terms: String,
    /// Of a later revision: why it was made.
    pub cause: Option<Cause>,
    /// Why, in words: obligatory on a credit note over an issued document.
    pub reason: Option<String>,
    /// Who sells.
    pub seller: DocumentSeller,
    /// Who buys.
    pub buyer: DocumentBuyer,
    /// The contract.
    pub contract: String,
    /// The contract's route.
    pub route: Option<Route>,
    /// The buyer's level at the start of the contract's part.
    pub level: Option<String>,
    /// The deal in force then.
    pub deal: Option<String>,
    /// The period.
    pub period: DocumentPeriod,
    /// ISO 4217.
    pub currency: String,
    /// How amounts were rounded.
    pub rounding: Rounding,
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
    pub tax_note: Option<String>,
    /// Net and taxes.
    pub total: String,
    /// Other documents.
    pub references: References,
    /// What it was computed from.
    pub proof: DocumentProof,
}

/// Who sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentCredit {
    /// Its id.
    pub id: String,
    /// How much of it.
    pub applied: String,
    /// What is left of it.
    pub left: String,
}

/// A tax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The document with its digest: SHA-256 over the canonical JSON of everything but what may still change after it was issued,
    /// `state` and `references.erp`, and the digest itself (INVOICE §3).
    ///
    /// # Errors
    /// None that a document can cause whose numbers were checked when it was made.
    pub fn sealed(mut self) -> Result<Self, DocumentError> {
        self.proof.digest = Some(self.own_digest()?);
        Ok(self)
    }

    /// The document that a stored text holds.
    ///
    /// # Errors
    /// A text that is no document, or one that does not hash to its digest (I9).
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        let document: Self = serde_json::from_str(text)?;
        match document.own_digest()? {
            own if document.proof.digest.as_deref() == Some(&*own) => Ok(document),
            computed => Err(DocumentError::Digest { stored: document.proof.digest.unwrap_or_default(), computed }),
        }
    }

    /// The digest of what the document says now.
    fn own_digest(&self) -> Result<String, DocumentError> {
        let mut content = serde_json::to_value(self)?;
        let mut without = |parent: &str, key: &str| {
            let parent = if parent.is_empty() { Some(&mut content) } else { content.get_mut(parent) };
            parent.and_then(serde_json::Value::as_object_mut).and_then(|parent| parent.remove(key))
        };
        without("", "state");
        without("references", "erp");
        without("proof", "digest");
        Ok(digest::canonical(&content)?)
    }
}
