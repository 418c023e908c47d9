//! Issued documents and drafts proved, by number or all of them: the register says from decisions alone which closes count and which
//! numbers their drafts have.

use std::collections::BTreeMap;
use std::time::Duration;

use super::closed::{Closed, Number};
use super::mirror::{self, Mirrored};
use super::stray::{Stray, strays};
use super::verdict::{Proof, Verdict};
use super::{Progress, ProveError};
use crate::clickhouse::Client;
use crate::core::billing::version::{RateVersion, VERSIONS};
use crate::core::closing::period::of_key;
use crate::core::closing::register::{self, Register, Subject};
use crate::core::decision::closing::{Close, DraftKey};
use crate::statement::Place;

/// A document whose decision is not mirrored after this long was issued by nobody.
const MIRRORED_WITHIN: Duration = Duration::from_secs(3);

/// Which documents of closes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// Of this provider's closes only.
    pub provider: Option<String>,
    /// Of periods that begin in this month, `2026-10`, of each contract's zone.
    pub period: Option<String>,
}

impl Which {
    /// Whether a document of a provider's period with this label is asked for.
    pub(super) fn holds(&self, provider: &str, label: &str) -> bool {
        let is = |asked: &Option<String>, own: &str| asked.as_deref().is_none_or(|asked| asked == own);
        is(&self.provider, provider) && is(&self.period, label)
    }
}

/// Everything that was decided, and what follows from it.
#[derive(Clone)]
pub struct Documents {
    client: Client,
    decisions: Vec<Mirrored>,
    register: Register,
    issued: BTreeMap<DraftKey, Number>,
    versions: &'static [RateVersion],
}

impl Documents {
    /// Reads the mirror of decisions.
    ///
    /// # Errors
    /// The server's, and a mirror that is not the log.
    pub async fn read(client: &Client) -> Result<Self, ProveError> {
        let mut documents = Self::none(client);
        documents.take(documents.news().await?);
        Ok(documents)
    }

    /// Nothing read yet.
    #[must_use]
    pub fn none(client: &Client) -> Self {
        let (client, register) = (client.clone(), Register::default());
        Self { client, decisions: Vec::new(), register, issued: BTreeMap::new(), versions: VERSIONS }
    }

    /// What was mirrored behind what was taken, in the order of the log.
    ///
    /// # Errors
    /// The server's, and a mirror that does not follow from what was taken.
    pub async fn news(&self) -> Result<Vec<Mirrored>, ProveError> {
        mirror::after(&self.client, self.decisions.last()).await
    }

    /// Takes decisions that follow.
    pub fn take(&mut self, news: Vec<Mirrored>) {
        let known = self.register.issued().len();
        for Mirrored { offset, append_time, decision, .. } in &news {
            self.register.take(*offset, *append_time, decision);
        }
        let number = |issued: &register::Issued| match &issued.subject {
            Subject::Draft(draft) => {
                let numbered = issued.numbered.clone();
                let (number, zone, payment_days) = (numbered.number, numbered.zone, numbered.payment_days);
                Some((draft.clone(), Number { number, at: issued.at, zone, payment_days }))
            }
            Subject::Note(_) => None,
        };
        self.issued.extend(self.register.issued().iter().skip(known).filter_map(number));
        self.decisions.extend(news);
    }

    /// All decisions, in the order of the log.
    #[must_use]
    pub fn decisions(&self) -> &[Mirrored] {
        &self.decisions
    }

    /// The same with other versions of rating.
    #[must_use]
    pub fn with_versions(self, versions: &'static [RateVersion]) -> Self {
        Self { versions, ..self }
    }

    /// What the decisions make of closes and numbers.
    #[must_use]
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// Proves the document of a number: its draft, that it was issued under this number, and when. None if there is no such number. A
    /// credit note is proved together with the document that it credits and the other notes over it: it is made of them.
    ///
    /// # Errors
    /// The server's, and what cannot be computed at all.
    pub async fn number(&self, number: &str, progress: Progress<'_>) -> Result<Option<Proof>, ProveError> {
        let Some((place, only)) = self.draft_of(number) else { return Ok(None) };
        let mut proof = self.close(place, Some(&[only]), progress).await?;
        let found = strays(&self.client, &self.register, Some(number), &Which::default()).await?;
        proof.verdicts.extend(found.into_iter().map(Stray::verdict));
        Ok(Some(proof))
    }

    /// The first rows of issued documents that no decision gave, among those that are asked for.
    ///
    /// # Errors
    /// The server's.
    pub async fn strays(&mut self, which: &Which) -> Result<Vec<Verdict>, ProveError> {
        let mut found = strays(&self.client, &self.register, None, which).await?;
        if found.iter().any(|stray| stray.may_be_new(&self.register)) {
            tokio::time::sleep(MIRRORED_WITHIN).await;
            let news = self.news().await?;
            self.take(news);
            found.retain(|stray| stray.is_given_by_nothing(&self.register));
        }
        Ok(found.into_iter().map(Stray::verdict).collect())
    }

    /// The close that made the draft of a number, by its place in the register, and whose draft it is.
    #[must_use]
    pub fn draft_of(&self, number: &str) -> Option<(usize, Place)> {
        let mut found = self.register.document(number)?;
        while let Subject::Note(note) = &found.subject {
            found = self.register.document(&note.number)?;
        }
        let Subject::Draft(draft) = &found.subject else { return None };
        let place = self.register.closes().iter().position(|closed| closed.close.rating_id == draft.rating_id)?;
        Some((place, Place::of(draft)))
    }

    /// The closes that are asked for, by their place in the register.
    #[must_use]
    pub fn closes(&self, which: &Which) -> Vec<usize> {
        let is_asked = |close: &Close| {
            which.provider.as_ref().is_none_or(|provider| *provider == close.period.provider)
                && which.period.as_ref().is_none_or(|label| self.begins_in(close, label))
        };
        let closes = self.register.closes().iter().enumerate();
        closes.filter(|(_, closed)| is_asked(&closed.close)).map(|(place, _)| place).collect()
    }

    /// Whether a period begins in a month, as its provider's contracts count.
    fn begins_in(&self, close: &Close, label: &str) -> bool {
        let book = self.register.book(&close.book);
        book.and_then(|book| of_key(book, &close.period)).is_some_and(|period| period.label == label)
    }

    /// Proves the ratings of a close, by its place in the register: all of them, or those of some places.
    ///
    /// # Errors
    /// The server's, and what cannot be computed at all.
    pub async fn close(
        &self,
        place: usize,
        only: Option<&[Place]>,
        progress: Progress<'_>,
    ) -> Result<Proof, ProveError> {
        let before = self.before(place);
        match self.closed(place, &before) {
            Some(closed) => closed.prove(only, progress).await,
            None => Ok(Proof::default()),
        }
    }

    /// A close in words, by its place in the register: whose period, which one, which revision.
    #[must_use]
    pub fn name(&self, place: usize) -> String {
        let Some(close) = self.register.closes().get(place).map(|closed| &closed.close) else { return String::new() };
        let label = self.register.book(&close.book).and_then(|book| of_key(book, &close.period));
        let label = label.map_or_else(|| close.period.start.rfc3339(), |period| period.label);
        format!("revision {} of {label} of {}", close.revision, close.period.provider)
    }

    /// The closes that count before one, by its place in the register.
    #[must_use]
    pub fn before(&self, place: usize) -> Vec<&Close> {
        self.register.closes().iter().take(place).map(|closed| &closed.close).collect()
    }

    /// A close, by its place in the register, with those [`Self::before`] it.
    #[must_use]
    pub fn closed<'d>(&'d self, place: usize, before: &'d [&'d Close]) -> Option<Closed<'d>> {
        let close = &self.register.closes().get(place)?.close;
        let (client, decisions, issued, versions) = (&self.client, &*self.decisions, &self.issued, self.versions);
        Some(Closed { client, close, before, register: &self.register, issued, decisions, versions })
    }
}
