//! The register: what the control log makes of periods, drafts and numbers. The same log gives the same register to every process, so
//! two closers, a crash between two records and a record that came twice need no lock.

use std::collections::{BTreeMap, HashMap};

use super::concern::Concerns;
use super::number::{Numbered, Numbering};
use super::period::parties;
use crate::core::book::Book;
use crate::core::decision::Decision;
use crate::core::decision::closing::{Close, CreditNote, DocumentType, DraftKey, PeriodKey};
use crate::core::decision::stream::StreamRegister;
use crate::core::word::{Instant, Offset};
use crate::mutation::{Mutation, planted};

/// A close that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The record's offset.
    pub offset: Offset,
    /// When the broker appended it.
    pub at: Instant,
    /// What it says.
    pub close: Close,
    /// Who closed it.
    pub actor: String,
}

/// What a number stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A draft of a close.
    Draft(DraftKey),
    /// A credit over an issued document.
    Note(CreditNote),
}

/// An issued document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Number, date and zone.
    pub numbered: Numbered,
    /// The record that issued it.
    pub offset: Offset,
    /// When the broker appended that record.
    pub at: Instant,
    /// What the number stands for.
    pub subject: Subject,
    /// Invoice, adjustment or credit note.
    pub document: DocumentType,
    /// The close that its draft, or the document that it credits, belongs to.
    pub rating_id: String,
    /// The numbers of credit notes over it, by age.
    pub credited_by: Vec<String>,
    /// The ERP's id of it.
    pub erp: Option<String>,
    /// How many decisions name it: this one, credit notes, references.
    pub decisions: u64,
}

/// What has become of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftState {
    /// It waits for `plimsoll issue`.
    Waiting,
    /// It has this number.
    Issued(String),
    /// It counts as nothing issued.
    Discarded,
}

/// A price book that the next revision of a period is rated with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repricing {
    /// The decision's offset.
    pub offset: Offset,
    /// Hash of the book.
    pub book: String,
    /// Why.
    pub reason: String,
}

/// Holes that were accepted, with the reason and who accepted them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The decision's offset.
    pub offset: Offset,
    /// Names of kinds of holes.
    pub waived: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who.
    pub actor: String,
}

/// All of it, at an offset of the control log.
#[derive(Clone, Debug, Default)]
pub struct Register {
    next: Offset,
    concerns: Concerns,
    streams: StreamRegister,
    /// When the first stream of each provider, and of all, was opened.
    opened: BTreeMap<Option<String>, Instant>,
    /// When the first book was published that has a contract of each provider.
    contracted: BTreeMap<String, Instant>,
    numbering: Numbering,
    newest_book: Option<String>,
    closes: Vec<Closed>,
    by_period: BTreeMap<PeriodKey, Vec<usize>>,
    by_rating: HashMap<String, usize>,
    void: Vec<Offset>,
    overrides: BTreeMap<(PeriodKey, u32), Vec<Override>>,
    repricings: BTreeMap<(PeriodKey, u32), Repricing>,
    drafts: HashMap<DraftKey, (Offset, DraftState)>,
    issued: Vec<Issued>,
    by_number: HashMap<String, usize>,
}

impl Register {
    /// The first offset that it has not taken.
    #[must_use]
    pub fn next(&self) -> Offset {
        self.next
    }

    /// Takes the next record of the control log. A record that is in it already is left alone.
    pub fn take(&mut self, offset: Offset, at: Instant, decision: &Decision) {
        if offset < self.next {
            return;
        }
        match decision {
            Decision::PriceBookPublished { hash, book, .. } => self.publish(hash, at, book),
            Decision::PeriodClosed { close, actor } => self.close(offset, at, close, actor),
            Decision::CloseOverridden { period, revision, waived, reason, actor } => {
                let (waived, reason, actor) = (waived.clone(), reason.clone(), actor.clone());
                let accepted = Override { offset, waived, reason, actor };
                self.overrides.entry((period.clone(), *revision)).or_default().push(accepted);
            }
            Decision::PeriodRepriced { period, revision, book, reason, .. } => {
                let repricing = Repricing { offset, book: book.clone(), reason: reason.clone() };
                // the newest decision before the close counts: whoever prices anew means what was said last
                self.repricings.insert((period.clone(), *revision), repricing);
            }
            Decision::InvoiceIssued { issue, .. } => self.issue(offset, at, &issue.draft, issue.document),
            Decision::DraftDiscarded { draft, .. } => self.discard(offset, draft),
            Decision::CreditNoteIssued { note, .. } => self.credit(offset, at, note),
            Decision::DocumentReferenced { number, reference, .. } => {
                if let Some(issued) = self.by_number.get(number).and_then(|place| self.issued.get_mut(*place)) {
                    issued.erp = Some(reference.clone());
                    issued.decisions += 1;
                }
            }
            Decision::StreamOpened { rules, .. } => {
                self.opened.entry(rules.provider.clone()).or_insert(at);
            }
            Decision::OffsetsLost { .. }
            | Decision::RecordResent { .. }
            | Decision::RecordDiscarded { .. }
            | Decision::CreditGranted { .. } => {}
        }
        self.concerns.take(offset, decision);
        self.streams.apply(decision);
        self.next = Offset(offset.0 + 1);
    }

    /// A book that this build cannot read stops whoever follows the log (`kafka/control.rs`); here it is nothing that rates.
    fn publish(&mut self, hash: &str, at: Instant, book: &serde_json::Value) {
        if let Ok(book) = Book::from_canonical(book) {
            for provider in book.contracts.values().flat_map(parties) {
                self.contracted.entry(provider.to_owned()).or_insert(at);
            }
            self.numbering.publish(hash, book);
            self.newest_book = Some(hash.to_owned());
        }
    }

    /// I14: one close that counts per (provider, period, revision).
    fn close(&mut self, offset: Offset, at: Instant, close: &Close, actor: &str) {
        let is_next = close.revision == self.next_revision(&close.period);
        let is_free = close.after <= offset && !self.concerns.any_since(&close.period.provider, close.after);
        let is_free = is_free || planted(Mutation::AfterUnchecked);
        if !is_next || !is_free || self.by_rating.contains_key(&close.rating_id) {
            self.void.push(offset);
            return;
        }
        let place = self.closes.len();
        self.by_period.entry(close.period.clone()).or_default().push(place);
        self.by_rating.insert(close.rating_id.clone(), place);
        self.concerns.note(Some(close.period.provider.clone()), offset);
        self.closes.push(Closed { offset, at, close: close.clone(), actor: actor.to_owned() });
    }

    /// The first record about a draft counts; one of a close that does not count is none.
    fn issue(&mut self, offset: Offset, at: Instant, draft: &DraftKey, document: DocumentType) {
        let Some(closed) = self.rating(&draft.rating_id) else { return };
        let book = closed.close.book.clone();
        if self.drafts.contains_key(draft) && !planted(Mutation::IssuedTwice) {
            return;
        }
        let Some(numbered) = self.numbering.next(&book, &draft.contract, document, at) else { return };
        self.drafts.insert(draft.clone(), (offset, DraftState::Issued(numbered.number.clone())));
        let rating_id = draft.rating_id.clone();
        self.number(offset, at, numbered, Subject::Draft(draft.clone()), document, rating_id);
    }

    fn discard(&mut self, offset: Offset, draft: &DraftKey) {
        if self.by_rating.contains_key(&draft.rating_id) {
            self.drafts.entry(draft.clone()).or_insert((offset, DraftState::Discarded));
        }
    }

    /// Of two credit notes made at once the second is void: what is left is another amount by then.
    fn credit(&mut self, offset: Offset, at: Instant, note: &CreditNote) {
        let Some(original) = self.document(&note.number) else { return };
        let Subject::Draft(draft) = &original.subject else { return };
        if usize::try_from(note.sequence) != Ok(original.credited_by.len()) {
            return;
        }
        let (draft, rating_id) = (draft.clone(), original.rating_id.clone());
        let Some(book) = self.rating(&rating_id).map(|closed| closed.close.book.clone()) else { return };
        let document = DocumentType::CreditNote;
        let Some(numbered) = self.numbering.next(&book, &draft.contract, document, at) else { return };
        if let Some(original) = self.by_number.get(&note.number).and_then(|place| self.issued.get_mut(*place)) {
            original.credited_by.push(numbered.number.clone());
            original.decisions += 1;
        }
        self.number(offset, at, numbered, Subject::Note(note.clone()), document, rating_id);
    }

    fn number(
        &mut self,
        offset: Offset,
        at: Instant,
        numbered: Numbered,
        subject: Subject,
        document: DocumentType,
        rating_id: String,
    ) {
        self.by_number.insert(numbered.number.clone(), self.issued.len());
        let (credited_by, erp, decisions) = (Vec::new(), None, 1);
        self.issued.push(Issued { numbered, offset, at, subject, document, rating_id, credited_by, erp, decisions });
    }

    /// The revision that a close of this period would be.
    #[must_use]
    pub fn next_revision(&self, period: &PeriodKey) -> u32 {
        self.by_period.get(period).map_or(0, |revisions| u32::try_from(revisions.len()).unwrap_or(u32::MAX))
    }

    /// The closes of a period that count, by revision.
    pub fn revisions(&self, period: &PeriodKey) -> impl Iterator<Item = &Closed> {
        self.by_period.get(period).into_iter().flatten().filter_map(|place| self.closes.get(*place))
    }

    /// All closes that count, in the order of the log.
    #[must_use]
    pub fn closes(&self) -> &[Closed] {
        &self.closes
    }

    /// Offsets of closes that do not count.
    #[must_use]
    pub fn void(&self) -> &[Offset] {
        &self.void
    }

    /// The close that counts under a rating id.
    #[must_use]
    pub fn rating(&self, rating_id: &str) -> Option<&Closed> {
        self.by_rating.get(rating_id).and_then(|place| self.closes.get(*place))
    }

    /// What has become of a draft of a close that counts.
    #[must_use]
    pub fn draft(&self, draft: &DraftKey) -> DraftState {
        self.drafts.get(draft).map_or(DraftState::Waiting, |(_, state)| state.clone())
    }

    /// Whether a draft counts as nothing issued for a close that has read the log below `after`.
    #[must_use]
    pub fn discarded_below(&self, draft: &DraftKey, after: Offset) -> bool {
        self.drafts.get(draft).is_some_and(|(at, state)| *at < after && *state == DraftState::Discarded)
    }

    /// Where the last decision that concerns a provider lies: a close has to have read past it.
    #[must_use]
    pub fn last_concern(&self, provider: &str) -> Option<Offset> {
        self.concerns.last(provider)
    }

    /// All issued documents, in the order of the log.
    #[must_use]
    pub fn issued(&self) -> &[Issued] {
        &self.issued
    }

    /// The issued document of a number.
    #[must_use]
    pub fn document(&self, number: &str) -> Option<&Issued> {
        self.by_number.get(number).and_then(|place| self.issued.get(*place))
    }

    /// The holes that were accepted for a revision.
    #[must_use]
    pub fn overrides(&self, period: &PeriodKey, revision: u32) -> &[Override] {
        self.overrides.get(&(period.clone(), revision)).map_or(&[], Vec::as_slice)
    }

    /// The other price book of a revision, if there is one.
    #[must_use]
    pub fn repricing(&self, period: &PeriodKey, revision: u32) -> Option<&Repricing> {
        self.repricings.get(&(period.clone(), revision))
    }

    /// When the first stream was opened that may hold a provider's records.
    #[must_use]
    pub fn opened(&self, provider: &str) -> Option<Instant> {
        let own = self.opened.get(&Some(provider.to_owned()));
        [own, self.opened.get(&None)].into_iter().flatten().copied().min()
    }

    /// From when on the periods of a provider are closed without anybody: its first usage, its first stream, or the first book with a contract
    /// of it, since a contract without usage bills its fees, commitments and minimum all the same. What ended before is closed by hand.
    #[must_use]
    pub fn begins(&self, provider: &str, usage: Option<Instant>) -> Option<Instant> {
        let contracted = self.contracted.get(provider).copied();
        [usage, self.opened(provider), contracted].into_iter().flatten().min()
    }

    /// The newest revision of each closed period of a provider, by period.
    pub fn newest_of(&self, provider: &str) -> impl Iterator<Item = &Closed> {
        let own = self.by_period.iter().filter(move |(period, _)| period.provider == provider);
        own.filter_map(|(_, places)| self.closes.get(*places.last()?))
    }

    /// What is decided of streams.
    #[must_use]
    pub fn streams(&self) -> &StreamRegister {
        &self.streams
    }

    /// The newest published book.
    #[must_use]
    pub fn newest_book(&self) -> Option<(&str, &Book)> {
        let hash = self.newest_book.as_deref()?;
        Some((hash, self.numbering.book(hash)?))
    }

    /// A published book by its hash.
    #[must_use]
    pub fn book(&self, hash: &str) -> Option<&Book> {
        self.numbering.book(hash)
    }
}
