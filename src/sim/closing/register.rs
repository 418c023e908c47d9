//! What the control log says, by brute force: which closes count, what became of drafts, and who has which number. For each record
//! everything before it is looked through again.

use std::collections::BTreeMap;

use chrono::Datelike as _;

use super::super::broker::Broker;
use super::{ClosingPlan, PROVIDER};
use crate::core::decision::Decision;
use crate::core::decision::closing::{Close, CreditNote, DocumentType, DraftKey};

/// A close that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted<'b> {
    pub(super) offset: u64,
    pub(super) real_ms: i64,
    pub(super) close: &'b Close,
}

/// A number with what it stands for: a draft, or a note over another number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) text: String,
    pub(super) draft: DraftKey,
    pub(super) over: Option<String>,
    /// How many decisions name it.
    pub(super) decisions: u64,
}

/// What a note that has a number takes back of which rows, in cents.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) offset: u64,
    pub(super) over: String,
    pub(super) rows: Vec<(usize, i128)>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Log<'b> {
    pub(super) closes: Vec<Counted<'b>>,
    /// Drafts that were decided about: where, and whether they were issued.
    pub(super) drafts: BTreeMap<DraftKey, (u64, bool)>,
    pub(super) numbers: Vec<Number>,
    pub(super) notes: Vec<Note>,
}

impl<'b> Log<'b> {
    pub(super) fn of(plan: &ClosingPlan, broker: &'b Broker) -> Self {
        let mut log = Self::default();
        for (offset, record) in (0..).zip(&broker.control) {
            match &record.decision {
                Decision::PeriodClosed { close, .. } if log.counts(broker, offset, close) => {
                    log.closes.push(Counted { offset, real_ms: record.real_ms, close });
                }
                Decision::InvoiceIssued { issue, .. } => {
                    let is_free = log.is_known(&issue.draft) && !log.drafts.contains_key(&issue.draft);
                    if is_free {
                        log.drafts.insert(issue.draft.clone(), (offset, true));
                        let is_note = issue.document == DocumentType::CreditNote;
                        log.number(plan, record.append_ms, (issue.draft.clone(), is_note), None);
                    }
                }
                Decision::DraftDiscarded { draft, .. } if log.is_known(draft) => {
                    log.drafts.entry(draft.clone()).or_insert((offset, false));
                }
                Decision::CreditNoteIssued { note, .. } => log.credit(plan, (offset, record.append_ms), note),
                Decision::DocumentReferenced { number, .. } => {
                    log.numbers.iter_mut().filter(|own| own.text == *number).for_each(|own| own.decisions += 1);
                }
                _ => {}
            }
        }
        log
    }

    /// Whether a close counts: it is the next one, and nothing that concerns the provider lies between what it read and itself.
    fn counts(&self, broker: &Broker, offset: u64, close: &Close) -> bool {
        let before = self.closes.iter().filter(|other| other.close.period == close.period).count();
        let is_between = |at: &u64| *at >= close.after.0 && *at < offset;
        let own = self.closes.iter().map(|other| other.offset).find(is_between);
        let others = (0..).zip(&broker.control).filter(|(at, record)| is_between(at) && concerns(&record.decision));
        before == close.revision as usize
            && close.after.0 <= offset
            && own.is_none()
            && others.count() == 0
            && !self.closes.iter().any(|other| other.close.rating_id == close.rating_id)
    }

    fn is_known(&self, draft: &DraftKey) -> bool {
        self.closes.iter().any(|closed| closed.close.rating_id == draft.rating_id)
    }

    fn credit(&mut self, plan: &ClosingPlan, (offset, append_ms): (u64, i64), note: &CreditNote) {
        let over = self.numbers.iter().filter(|own| own.over.as_ref() == Some(&note.number)).count();
        let original = self.numbers.iter_mut().find(|own| own.text == note.number && own.over.is_none());
        let Some(original) = original.filter(|_| over == note.sequence as usize) else { return };
        original.decisions += 1;
        let draft = original.draft.clone();
        let rows = note.rows.iter().map(|row| (row.no, cents(&row.amount))).collect();
        self.notes.push(Note { offset, over: note.number.clone(), rows });
        self.number(plan, append_ms, (draft, true), Some(note.number.clone()));
    }

    /// The next number: one more than there are of its kind.
    fn number(&mut self, plan: &ClosingPlan, append_ms: i64, (draft, is_note): (DraftKey, bool), over: Option<String>) {
        let year = chrono::DateTime::from_timestamp_millis(append_ms).map_or(0, |time| time.year());
        let letter = if is_note && plan.separate_notes { "C" } else { "" };
        let series = if draft.contract == "w" { format!("{letter}V-") } else { format!("{letter}P-{year}-") };
        let before = self.numbers.iter().filter(|own| own.text.starts_with(&series)).count();
        self.numbers.push(Number { text: format!("{series}{}", before + 1), draft, over, decisions: 1 });
    }

    /// Whether notes below an offset took back every row of a draft's document.
    pub(super) fn is_taken_back(&self, draft: &DraftKey, rows: &BTreeMap<usize, i128>, below: u64) -> bool {
        let Some(own) = self.numbers.iter().find(|own| own.draft == *draft && own.over.is_none()) else { return false };
        let notes: Vec<&Note> = self.notes.iter().filter(|note| note.over == own.text && note.offset < below).collect();
        let mut left = rows.clone();
        for (no, amount) in notes.iter().flat_map(|note| &note.rows) {
            *left.entry(*no).or_default() -= amount;
        }
        !notes.is_empty() && left.values().all(|left| *left == 0)
    }

    /// Whether a draft had been discarded before an offset.
    pub(super) fn is_discarded(&self, draft: &DraftKey, below: u64) -> bool {
        self.drafts.get(draft).is_some_and(|(offset, is_issued)| !is_issued && *offset < below)
    }

    /// Whether anything had been decided of a draft before an offset.
    pub(super) fn is_settled(&self, draft: &DraftKey, below: u64) -> bool {
        self.drafts.get(draft).is_some_and(|(offset, _)| *offset < below)
    }
}

/// An amount with any number of decimals up to two, in cents.
fn cents(text: &str) -> i128 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{decimals:0<2}").parse().unwrap_or(i128::MIN)
}

/// Whether a decision that is no close concerns the provider: every stream of a schedule may hold its records.
fn concerns(decision: &Decision) -> bool {
    match decision {
        Decision::StreamOpened { .. }
        | Decision::OffsetsLost { .. }
        | Decision::RecordResent { .. }
        | Decision::RecordDiscarded { .. }
        | Decision::PriceBookPublished { .. }
        | Decision::CreditGranted { .. } => true,
        Decision::PeriodRepriced { period, .. } => period.provider == PROVIDER,
        _ => false,
    }
}

/// The kinds of holes that somebody had waived for a revision before an offset.
pub(super) fn waived(broker: &Broker, close: &Close, below: u64) -> Vec<String> {
    let before = (0..).zip(&broker.control).filter(|(offset, _)| *offset < below);
    let of = |(_, record): (u64, &super::super::broker::ControlRecord)| match &record.decision {
        Decision::CloseOverridden { period, revision, waived, .. }
            if *period == close.period && *revision == close.revision =>
        {
            waived.clone()
        }
        _ => Vec::new(),
    };
    before.flat_map(of).collect()
}
