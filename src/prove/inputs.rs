//! What the decisions before a close say: everything that its ratings are functions of, but for the ledger.

use super::ProveError;
use super::closed::Closed;
use super::rerate::{Rerating, Source};
use super::usage::Streams;
use crate::core::billing::version::{RateVersion, version};
use crate::core::closing::basis::Basis;
use crate::core::closing::credit;
use crate::core::ledger::rules::FOLD_VERSION;
use crate::core::pricing::credit::Credit;
use crate::core::pricing::period::Span;
use crate::statement::Place;

/// What the decisions before a close say.
pub struct Inputs {
    pub(super) basis: Basis,
    pub(super) streams: Streams,
    version: RateVersion,
}

impl Closed<'_> {
    /// What the decisions before the close say.
    ///
    /// # Errors
    /// A price book or a version that is not there.
    pub fn inputs(&self) -> Result<Inputs, ProveError> {
        let close = self.close;
        let decisions = self.decisions.iter().map(|mirrored| (mirrored.offset, &mirrored.decision));
        let basis = Basis::below(decisions, close.after, &close.book)?;
        let missing = || ProveError::Version { fold: close.versions.fold, rate: close.versions.rate };
        let version = version(self.versions, close.versions.rate).ok_or_else(missing)?;
        if close.versions.fold != FOLD_VERSION {
            return Err(missing());
        }
        let streams = Streams::of(basis.streams.clone());
        Ok(Inputs { basis, streams, version })
    }

    /// What is left of a place's credits.
    pub fn credits<'c>(&'c self, inputs: &'c Inputs) -> impl Fn(&Place, u32) -> Vec<Credit> + Sync + 'c {
        |Place { contract, customer }, places| {
            let (close, whose) = (self.close, (&**contract, customer.as_deref()));
            credit::left(self.register, &inputs.basis.grants, &close.period, whose, close.after, places)
        }
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
            book: (&inputs.basis.book, &close.book),
            meters: &inputs.basis.meters,
            source: Source::Ledger,
            fold_version: close.versions.fold,
            version: inputs.version,
            only_named: true,
            credits,
        }
    }
}
