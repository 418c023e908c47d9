//! What the decisions before a close say: everything that its ratings are functions of, but for the ledger.

use super::ProveError;
use super::closed::Closed;
use super::mirror::Mirrored;
use super::rerate::Rerating;
use super::usage::Streams;
use crate::core::billing::version::{RateVersion, version};
use crate::core::book::Book;
use crate::core::decision::Decision;
use crate::core::decision::credit::Grants;
use crate::core::decision::stream::StreamRegister;
use crate::core::ledger::rules::FOLD_VERSION;
use crate::core::metering::definition::Meters;
use crate::core::pricing::credit::Credit;
use crate::core::pricing::period::Span;
use crate::statement::Place;

/// What the decisions before a close say.
pub struct Inputs {
    book: Book,
    meters: Meters,
    grants: Grants,
    streams: Streams,
    version: RateVersion,
}

impl Closed<'_> {
    /// What the decisions before the close say.
    ///
    /// # Errors
    /// A price book or a version that is not there.
    pub fn inputs(&self) -> Result<Inputs, ProveError> {
        let close = self.close;
        let (book, meters) = self.book_and_meters()?;
        let missing = || ProveError::Version { fold: close.versions.fold, rate: close.versions.rate };
        let version = version(self.versions, close.versions.rate).ok_or_else(missing)?;
        if close.versions.fold != FOLD_VERSION {
            return Err(missing());
        }
        Ok(Inputs { book, meters, grants: self.grants(), streams: self.streams(), version })
    }

    /// What is left of a place's credits.
    pub fn credits<'c>(&'c self, inputs: &'c Inputs) -> impl Fn(&Place, u32) -> Vec<Credit> + Sync + 'c {
        |place, places| self.left(&inputs.grants, place, places)
    }

    /// Everything to rate the period with from the ledger.
    #[must_use]
    pub fn rerating<'c>(
        &'c self,
        inputs: &'c Inputs,
        credits: &'c (dyn Fn(&Place, u32) -> Vec<Credit> + Sync),
    ) -> Rerating<'c> {
        let close = self.close;
        Rerating {
            client: self.client,
            provider: &close.period.provider,
            span: Span { from: close.period.start, until: close.period.end },
            cut: &close.cut,
            streams: &inputs.streams,
            after: close.after,
            book: (&inputs.book, &close.book),
            meters: &inputs.meters,
            fold_version: close.versions.fold,
            version: inputs.version,
            credits,
        }
    }

    fn below(&self) -> impl Iterator<Item = &Mirrored> {
        self.decisions.iter().filter(|decision| decision.offset < self.close.after)
    }

    /// The book that the close names, and the meters that decisions before it define.
    fn book_and_meters(&self) -> Result<(Book, Meters), ProveError> {
        let (mut named, mut meters) = (None, Meters::default());
        for decision in self.below() {
            let Decision::PriceBookPublished { hash, book, .. } = &decision.decision else { continue };
            let wrong = |error| ProveError::Decision { offset: decision.offset.0, error };
            let book = Book::from_canonical(book).map_err(wrong)?;
            book.meters().for_each(|(name, definition)| meters.define(name, definition));
            if *hash == self.close.book {
                named = Some(book);
            }
        }
        let book = named.ok_or_else(|| ProveError::NoBook { hash: self.close.book.clone() })?;
        Ok((book, meters))
    }

    /// What decisions before the close say of streams.
    fn streams(&self) -> Streams {
        let mut streams = StreamRegister::default();
        self.below().for_each(|decision| streams.apply(&decision.decision));
        Streams::of(streams)
    }

    fn grants(&self) -> Grants {
        let grant = |decision: &Mirrored| match &decision.decision {
            Decision::CreditGranted { grant, actor } => Some((decision.offset, grant.clone(), actor.clone())),
            _ => None,
        };
        Grants::new(self.below().filter_map(grant).collect())
    }

    /// What is left of a place's credits, in minor units of a currency of so many places.
    fn left(&self, grants: &Grants, place: &Place, places: u32) -> Vec<Credit> {
        let mut credits = grants.of(&place.contract, place.customer.as_deref(), places);
        for used in self.before.iter().flat_map(|close| &close.credits) {
            let is_own = used.contract == place.contract && used.customer == place.customer;
            let Some(credit) = credits.iter_mut().find(|credit| is_own && credit.id == used.id) else { continue };
            // an amount that is none was refused when it was decided
            credit.amount = credit.amount.saturating_sub(used.applied.parse().unwrap_or(0));
        }
        credits.retain(|credit| credit.amount > 0);
        credits
    }
}
