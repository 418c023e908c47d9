//! Decisions about money: a period closed, a draft issued or discarded, a document credited (DESIGN §7, INVOICE §1, §2).

use serde::{Deserialize, Serialize};

use crate::core::cut::{CutPoint, Versions};
use crate::core::word::{Instant, Offset};

/// What one close closes: all contracts in which the provider buys or sells and whose period has these bounds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodKey {
    /// The provider.
    pub provider: String,
    /// The first instant. Stored as an instant, so that no change of time zones moves a closed period.
    #[serde(with = "crate::core::book::canonical::instant")]
    pub start: Instant,
    /// The first instant after it.
    #[serde(with = "crate::core::book::canonical::instant")]
    pub end: Instant,
}

/// Why a revision was made (INVOICE §3, PRICING §14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Usage that was accepted, below a cut. Revision 0 as well.
    Adjustment,
    /// The price book was wrong: a recorded decision names another.
    Reprice,
}

/// A close. Its record counts if and only if `revision` is next and nothing that concerns the provider was decided in
/// [`after`, its own offset) (DESIGN §7); [`crate::core::closing::register`] says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// What is closed.
    pub period: PeriodKey,
    /// 0 for the invoices, then 1, 2, ... for what corrects them.
    pub revision: u32,
    /// Why.
    pub cause: Cause,
    /// Up to which offset, exclusive, each partition counts.
    pub cut: Vec<CutPoint>,
    /// Up to which decision, exclusive, the control log counts.
    pub after: Offset,
    /// Versions of the code.
    pub versions: Versions,
    /// Hash of the price book.
    pub book: String,
    /// Under which id its ratings are stored: a function of everything above.
    pub rating_id: String,
    /// SHA-256 over the digests of all its ratings.
    pub digest: String,
    /// What its documents take off credits, so that what is left of a credit is a function of the control log.
    pub credits: Vec<CreditUse>,
}

/// What one document takes off one credit; negative where an adjustment gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditUse {
    /// The contract.
    pub contract: String,
    /// Of a contract for each customer: whose.
    pub customer: Option<String>,
    /// The credit.
    pub id: String,
    /// Minor units of the contract's currency, as text: JSON has no 128 bits.
    pub applied: String,
}

/// A closed rating of one contract (and customer) that has no number yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftKey {
    /// The close that made it.
    pub rating_id: String,
    /// The contract.
    pub contract: String,
    /// Of a contract for each customer: whose.
    pub customer: Option<String>,
}

/// What kind of document it is (INVOICE §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentType {
    /// Revision 0, or the first that a buyer gets for a period.
    Invoice,
    /// A later revision that is not negative.
    Adjustment,
    /// A later revision that is negative, or a credit over an issued document.
    CreditNote,
}

impl DocumentType {
    /// The type's name in documents, tables and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            DocumentType::Invoice => "invoice",
            DocumentType::Adjustment => "adjustment",
            DocumentType::CreditNote => "credit_note",
        }
    }
}

/// A draft gets the next number of its seller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// Which draft.
    pub draft: DraftKey,
    /// Who sells.
    pub seller: String,
    /// Which series it counts in, where the seller keeps two.
    pub document: DocumentType,
}

/// A credit note over an issued document; it is no revision (PRICING §14).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditNote {
    /// The number of the document that it credits.
    pub number: String,
    /// Which credit note of that document it is, from 0: of two made at once, the second is void.
    pub sequence: u32,
    /// Which rows, by their `no`, and how much of each without tax, as the document shows amounts: "2188.32".
    pub rows: Vec<CreditedRow>,
    /// Why.
    pub reason: String,
    /// The credits that it gives back: whatever comes off them later, they have these amounts again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<ReturnedCredit>,
}

/// What a credit note gives back of one credit that the document had used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnedCredit {
    /// The credit.
    pub id: String,
    /// Minor units of the document's currency, as text: JSON has no 128 bits.
    pub amount: String,
}

/// A credited row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditedRow {
    /// The row of the document that is credited.
    pub no: usize,
    /// How much of it, with the sign of the row.
    pub amount: String,
}
