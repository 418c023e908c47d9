//! Statements of one period that are rated with one book: the newest, or that of a closed period.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ProveError;
use super::open::{Open, newest_version};
use super::rerate::{Rerating, Source, name};
use crate::core::billing::document::Document;
use crate::core::book::Book;
use crate::core::closing::credit::{self, Known};
use crate::core::decision::closing::PeriodKey;
use crate::core::ledger::rules::FOLD_VERSION;
use crate::core::pricing::credit::Credit;
use crate::core::pricing::period::Period;
use crate::core::word::Offset;
use crate::statement::standing::{Standing, key, runs};
use crate::statement::{Place, StatementError};

/// One of them.
pub struct OpenPeriod<'o> {
    open: &'o Open,
    key: PeriodKey,
    period: Period,
    standing: Option<Arc<Standing>>,
    /// Whose statements they are.
    pub places: Vec<Place>,
}

/// The period with a label of each of these places, together where one rating can be made of them.
///
/// # Errors
/// A contract that the book lacks, a label that is none, and the server's.
pub async fn periods<'o>(open: &'o Open, places: &[Place], label: &str) -> Result<Vec<OpenPeriod<'o>>, ProveError> {
    let refused = |error: StatementError| ProveError::Statement(Box::new(error));
    let (book, register) = (&open.book, &open.register);
    let runs = runs(&open.client, register, book, places, label).await.map_err(refused)?;
    let mut periods: BTreeMap<(PeriodKey, bool), OpenPeriod<'o>> = BTreeMap::new();
    for run in runs {
        for place in run.places {
            let (key, period) = key(book, &place.contract, label).map_err(refused)?;
            let standing = run.standing.clone();
            let of = periods.entry((key.clone(), standing.is_some()));
            let own = || OpenPeriod { open, key, period, standing, places: Vec::new() };
            of.or_insert_with(own).places.push(place);
        }
    }
    Ok(periods.into_values().collect())
}

impl OpenPeriod<'_> {
    fn book(&self) -> (&Book, &str) {
        match &self.standing {
            Some(standing) => (&standing.book, &standing.hash),
            None => (&self.open.book, &self.open.hash),
        }
    }

    /// What is left of a place's credits.
    pub fn credits(&self) -> impl Fn(&Place, u32) -> Vec<Credit> + Sync + '_ {
        |place, places| {
            let (open, after) = (self.open, Offset(self.open.after));
            let known = self.standing.as_ref().map_or(Known::first(after), |standing| standing.known(place, after));
            let whose = (&*place.contract, place.customer.as_deref());
            credit::left(&open.register, &open.grants, &self.key, whose, known, places)
        }
    }

    /// Everything to rate them with from the ledger.
    #[must_use]
    pub fn rerating<'a>(&'a self, credits: &'a (dyn Fn(&Place, u32) -> Vec<Credit> + Sync)) -> Rerating<'a> {
        let open = self.open;
        Rerating {
            client: &open.client,
            provider: &self.key.provider,
            span: self.period.span(),
            cut: &open.cut,
            streams: &open.streams,
            after: Offset(open.after),
            book: self.book(),
            meters: &open.meters,
            source: Source::Ledger,
            fold_version: FOLD_VERSION,
            version: newest_version(),
            only_named: false,
            credits,
        }
    }

    /// A rating as its statement shows it.
    pub(super) fn shown(&self, place: &Place, rated: Document) -> Result<Document, ProveError> {
        match &self.standing {
            Some(standing) => {
                standing.shown(place, rated).map_err(|error| ProveError::Document { place: name(place), error })
            }
            None => Ok(rated),
        }
    }
}
