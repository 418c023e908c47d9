//! Whom a decision concerns: a close is void if one that concerns its provider lies between what it has read and itself (DESIGN §7).

use std::collections::{BTreeMap, HashMap};

use crate::core::decision::Decision;
use crate::core::word::{Offset, StreamId};

/// Where the last decision that concerns somebody lies.
#[derive(Clone, Debug, Default)]
pub struct Concerns {
    /// That concern all providers.
    all: Option<Offset>,
    by_provider: HashMap<String, Offset>,
    /// The provider of each stream; none of a shared one.
    streams: BTreeMap<StreamId, Option<String>>,
}

impl Concerns {
    /// Whether something that concerns a provider was decided at `after` or later.
    #[must_use]
    pub fn any_since(&self, provider: &str, after: Offset) -> bool {
        self.last(provider).is_some_and(|last| last >= after)
    }

    /// Where the last decision that concerns a provider lies.
    #[must_use]
    pub fn last(&self, provider: &str) -> Option<Offset> {
        self.all.max(self.by_provider.get(provider).copied())
    }

    /// Takes one more decision. Of the records about money a close concerns its provider, and a new price does; nothing that becomes of
    /// documents does, or no busy month could be closed.
    pub fn take(&mut self, offset: Offset, decision: &Decision) {
        match decision {
            Decision::StreamOpened { rules, .. } => {
                self.streams.insert(rules.stream.clone(), rules.provider.clone());
                self.note(rules.provider.clone(), offset);
            }
            Decision::OffsetsLost { stream, .. }
            | Decision::RecordResent { stream, .. }
            | Decision::RecordDiscarded { stream, .. } => {
                self.note(self.streams.get(stream).cloned().flatten(), offset);
            }
            // a book may change any contract, and which provider a credit's contract is of is the book's to say
            Decision::PriceBookPublished { .. } | Decision::CreditGranted { .. } => self.note(None, offset),
            Decision::PeriodRepriced { period, .. } => self.note(Some(period.provider.clone()), offset),
            // noted by the register once it is known to count: a void close concerns nobody
            Decision::PeriodClosed { .. }
            | Decision::CloseOverridden { .. }
            | Decision::InvoiceIssued { .. }
            | Decision::DraftDiscarded { .. }
            | Decision::CreditNoteIssued { .. }
            | Decision::DocumentReferenced { .. } => {}
        }
    }

    /// Notes that a provider, or all, are concerned at an offset.
    pub fn note(&mut self, provider: Option<String>, offset: Offset) {
        match provider {
            Some(provider) => {
                self.by_provider.insert(provider, offset);
            }
            None => self.all = Some(offset),
        }
    }
}
