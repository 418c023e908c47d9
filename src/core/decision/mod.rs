//! Decisions: the records of the topic `billing-control` (DESIGN §2). Log order settles every race.

pub mod closing;
pub mod credit;
pub mod resolution;
pub mod stream;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::core::ledger::rules::StreamRules;
use crate::core::word::{Offset, Partition, StreamId};

/// One decision, as its record's JSON says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields)]
pub enum Decision {
    /// A stream exists from here on, with these rules.
    StreamOpened {
        /// Its rules, for ever.
        rules: StreamRules,
        /// The generation that ends by it; none of a stream that is new.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        closes: Option<stream::Closes>,
        /// Who opened it.
        actor: String,
    },
    /// Offsets of a partition are not folded and never will be: retention deleted them first, or the log was cut and refilled there.
    OffsetsLost {
        /// The stream.
        stream: StreamId,
        /// The partition.
        partition: Partition,
        /// The offset that was due: everything below was folded, and stays.
        from: Offset,
        /// Folding goes on here.
        to: Offset,
        /// Why.
        reason: String,
        /// Who decided.
        actor: String,
    },
    /// A price book is in force for every rating whose `after` lies past this record.
    PriceBookPublished {
        /// SHA-256 over the canonical JSON of the book.
        hash: String,
        /// The book in its canonical form.
        book: serde_json::Value,
        /// Who published it.
        actor: String,
    },
    /// A quarantined or late record is sent again; a record whose header names this decision and says the same is let through.
    RecordResent {
        /// Where the record lies.
        stream: StreamId,
        /// Its partition.
        partition: Partition,
        /// Its offset.
        offset: Offset,
        /// [`raw_hash`](crate::core::ledger::digest::raw_hash) of it, in hex.
        raw_hash: String,
        /// Why.
        reason: String,
        /// Who decided.
        actor: String,
        /// Drawn by chance, so that nobody can know the decision's hash before it is made.
        #[serde(default)]
        nonce: String,
    },
    /// A credit comes off a contract's documents until it is used up or expires (PRICING §13).
    CreditGranted {
        /// Which, for whom and how much.
        grant: credit::Grant,
        /// Who granted it.
        actor: String,
    },
    /// A provider's period is closed at a cut, if the record counts.
    PeriodClosed {
        /// The close.
        close: Box<closing::Close>,
        /// Who closed it.
        actor: String,
    },
    /// Holes that would keep a period from closing are accepted.
    CloseOverridden {
        /// Which period.
        period: closing::PeriodKey,
        /// For which revision.
        revision: u32,
        /// Which kinds of holes, by name.
        waived: Vec<String>,
        /// Why.
        reason: String,
        /// Who decided.
        actor: String,
    },
    /// The next revision of a closed period is rated with another price book (PRICING §14).
    PeriodRepriced {
        /// Which period.
        period: closing::PeriodKey,
        /// Which revision will be it.
        revision: u32,
        /// Hash of a published price book.
        book: String,
        /// Why.
        reason: String,
        /// Who decided.
        actor: String,
    },
    /// A draft becomes a document: the n-th of its series in log order has number n (INVOICE §2).
    InvoiceIssued {
        /// Which draft.
        issue: closing::Issue,
        /// Who issued it.
        actor: String,
    },
    /// A draft will not become a document; it counts as nothing issued.
    DraftDiscarded {
        /// Which draft.
        draft: closing::DraftKey,
        /// Why.
        reason: String,
        /// Who decided.
        actor: String,
    },
    /// An issued document is credited, in whole or in part, under a number of its own.
    CreditNoteIssued {
        /// What is credited.
        note: closing::CreditNote,
        /// Who issued it.
        actor: String,
    },
    /// An issued document is known elsewhere under this name.
    DocumentReferenced {
        /// The document's number.
        number: String,
        /// The ERP's id of it.
        reference: String,
        /// Who said so.
        actor: String,
    },
    /// A quarantined record is nothing that has to be billed: it stays where it is and blocks nothing any more.
    RecordDiscarded {
        /// Where the record lies.
        stream: StreamId,
        /// Its partition.
        partition: Partition,
        /// Its offset.
        offset: Offset,
        /// [`raw_hash`](crate::core::ledger::digest::raw_hash) of it, in hex.
        raw_hash: String,
        /// Why.
        reason: String,
        /// Who decided.
        actor: String,
    },
}

/// A decision as the control log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What it says.
    pub decision: Decision,
    /// [`decision_hash`] of its record.
    pub hash: String,
}

/// By what a header names a decision, beside its offset: SHA-256 of the record's JSON as it lies in the log, in hex.
#[must_use]
pub fn decision_hash(body: &str) -> String {
    format!("{:x}", Sha256::digest(body))
}

impl Decision {
    /// The decision's kind as tables show it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Decision::StreamOpened { .. } => "StreamOpened",
            Decision::OffsetsLost { .. } => "OffsetsLost",
            Decision::PriceBookPublished { .. } => "PriceBookPublished",
            Decision::RecordResent { .. } => "RecordResent",
            Decision::RecordDiscarded { .. } => "RecordDiscarded",
            Decision::CreditGranted { .. } => "CreditGranted",
            Decision::PeriodClosed { .. } => "PeriodClosed",
            Decision::CloseOverridden { .. } => "CloseOverridden",
            Decision::PeriodRepriced { .. } => "PeriodRepriced",
            Decision::InvoiceIssued { .. } => "InvoiceIssued",
            Decision::DraftDiscarded { .. } => "DraftDiscarded",
            Decision::CreditNoteIssued { .. } => "CreditNoteIssued",
            Decision::DocumentReferenced { .. } => "DocumentReferenced",
        }
    }

    /// Who made it.
    #[must_use]
    pub fn actor(&self) -> &str {
        match self {
            Decision::StreamOpened { actor, .. }
            | Decision::OffsetsLost { actor, .. }
            | Decision::PriceBookPublished { actor, .. }
            | Decision::RecordResent { actor, .. }
            | Decision::CreditGranted { actor, .. }
            | Decision::PeriodClosed { actor, .. }
            | Decision::CloseOverridden { actor, .. }
            | Decision::PeriodRepriced { actor, .. }
            | Decision::InvoiceIssued { actor, .. }
            | Decision::DraftDiscarded { actor, .. }
            | Decision::CreditNoteIssued { actor, .. }
            | Decision::DocumentReferenced { actor, .. }
            | Decision::RecordDiscarded { actor, .. } => actor,
        }
    }

    /// The provider it concerns alone; none if it may concern all.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        match self {
            Decision::StreamOpened { rules, .. } => rules.provider.as_deref(),
            Decision::PeriodClosed { close, .. } => Some(&close.period.provider),
            Decision::CloseOverridden { period, .. } | Decision::PeriodRepriced { period, .. } => {
                Some(&period.provider)
            }
            _ => None,
        }
    }
}
