//! Decisions: the records of the topic `billing-control` (DESIGN §2). Log order settles every race.

pub mod credit;
pub mod resolution;

use serde::{Deserialize, Serialize};

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
        /// Who opened it.
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
    },
    /// A credit comes off a contract's documents until it is used up or expires (PRICING §13).
    CreditGranted {
        /// Which, for whom and how much.
        grant: credit::Grant,
        /// Who granted it.
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

impl Decision {
    /// The decision's kind as tables show it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Decision::StreamOpened { .. } => "StreamOpened",
            Decision::PriceBookPublished { .. } => "PriceBookPublished",
            Decision::RecordResent { .. } => "RecordResent",
            Decision::RecordDiscarded { .. } => "RecordDiscarded",
            Decision::CreditGranted { .. } => "CreditGranted",
        }
    }

    /// Who made it.
    #[must_use]
    pub fn actor(&self) -> &str {
        match self {
            Decision::StreamOpened { actor, .. }
            | Decision::PriceBookPublished { actor, .. }
            | Decision::RecordResent { actor, .. }
            | Decision::CreditGranted { actor, .. }
            | Decision::RecordDiscarded { actor, .. } => actor,
        }
    }

    /// The provider it concerns alone; none if it may concern all.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        match self {
            Decision::StreamOpened { rules, .. } => rules.provider.as_deref(),
            _ => None,
        }
    }
}
