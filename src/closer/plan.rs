//! A close in the making: its inputs, and the drafts that ratings at its cut give.

use std::collections::BTreeMap;

use super::close::Closing;
use super::drafts::of_close;
use super::error::CloseError;
use super::seam::{Asked, BillLog, BillStore, Rated, StoredDraft, Usage};
use super::state::Closer;
use crate::core::billing::detail::Detail;
use crate::core::billing::document::Document;
use crate::core::billing::version::{RateVersion, version};
use crate::core::closing::basis::Basis;
use crate::core::closing::blocked::blocked;
use crate::core::closing::credit::{self, Known};
use crate::core::closing::draft::{draft, uncovered};
use crate::core::closing::hole::Hole;
use crate::core::closing::invoice;
use crate::core::closing::period::{ProviderPeriod, of_key};
use crate::core::closing::record::{Inputs, short_id};
use crate::core::closing::register::{Closed, DraftState};
use crate::core::closing::stand::Footing;
use crate::core::cut::Versions;
use crate::core::decision::closing::{Cause, DraftKey};
use crate::core::ledger::rules::FOLD_VERSION;
use crate::core::pricing::credit::Credit;
use crate::core::pricing::error::RateError;
use crate::core::word::Offset;
use crate::mutation::{Mutation, planted};
use crate::prove::ProveError;
use crate::statement::{Place, StatementError};

/// Documents of one close, held in memory: some 5 KB each.
pub const CLOSE_MAX_DOCUMENTS: usize = 200_000;

/// A close that only has to be written.
pub(super) struct Plan {
    pub(super) period: ProviderPeriod,
    pub(super) inputs: Inputs,
    pub(super) rating_id: String,
    pub(super) basis: Basis,
    pub(super) version: RateVersion,
    pub(super) drafts: Vec<StoredDraft>,
}

/// The documents of earlier revisions by age, with those that are drafts still.
#[derive(Default)]
struct Before {
    documents: Vec<Document>,
    waiting: Option<DraftKey>,
}

impl Plan {
    pub(super) fn closing(self, waived: Vec<Hole>) -> Closing {
        Closing { revision: self.inputs.revision, rating_id: self.rating_id, waived, drafts: self.drafts }
    }

    /// Whether it stays at the cut of what it corrects: re-pricing changes prices and nothing else (PRICING §14).
    pub(super) fn is_old_cut(&self) -> bool {
        self.inputs.cause == Cause::Reprice
    }
}

impl<L: BillLog, S: BillStore> Closer<L, S> {
    /// Plans the next revision. A re-pricing that alters nothing at the old cut is none: usage that was accepted since is corrected, with the
    /// book that was decided. Otherwise nothing of the period could ever be corrected again.
    pub(super) fn plan_next(
        &mut self,
        period: &ProviderPeriod,
        newest: Option<&Closed>,
        footing: &Footing,
        after: Offset,
    ) -> Result<Option<(Plan, Vec<Hole>)>, CloseError> {
        let revision = self.register.next_revision(&period.key);
        if newest.is_some() && self.register.repricing(&period.key, revision).is_some() {
            let planned = self.plan(period.clone(), newest, (footing, Cause::Reprice), after)?;
            let is_empty = planned.as_ref().is_some_and(|(plan, _)| plan.drafts.is_empty());
            if !is_empty || planted(Mutation::EmptyRepricingStays) {
                return Ok(planned);
            }
        }
        self.plan(period.clone(), newest, (footing, Cause::Adjustment), after)
    }

    /// Rates the period at the cut, with holes that only ratings show; none if buckets moved meanwhile.
    fn plan(
        &mut self,
        period: ProviderPeriod,
        newest: Option<&Closed>,
        (footing, cause): (&Footing, Cause),
        after: Offset,
    ) -> Result<Option<(Plan, Vec<Hole>)>, CloseError> {
        let version = self.version(newest)?;
        let inputs = self.inputs(&period, newest, (footing, cause), after, version.number);
        let rating_id = inputs.rating_id().map_err(CloseError::document(&period.key.provider))?;
        let basis = self.log.basis(after, &inputs.book)?;
        // a re-pricing may put other contracts into the period
        let period = of_key(&basis.book, &period.key).unwrap_or(period);
        let mut plan = Plan { period, inputs, rating_id, basis, version, drafts: Vec::new() };
        let mut before = self.before(&plan)?;
        let (register, earlier) = (&self.register, &before);
        let credits = |place: &Place, places: u32| {
            let whose = (&*place.contract, place.customer.as_deref());
            let known = Known::behind(earlier.get(place).map_or(&[], |before| &*before.documents), after);
            credit::left(register, &plan.basis.grants, &plan.inputs.period, whose, known, places)
        };
        let asked = asked(&plan, &credits);
        let Usage::AtCut(rated) = self.store.rate(&asked)? else { return Ok(None) };
        let (mut drafts, mut holes) = (Vec::new(), Vec::new());
        for (place, rated) in all(rated, &before, &plan)? {
            let mut before = before.remove(&place).unwrap_or_default();
            if planted(Mutation::LastDocumentOnly) {
                before.documents.drain(..before.documents.len().saturating_sub(1));
            }
            if let Some((document, detail)) = &rated
                && let Some(contract) = plan.basis.book.contracts.get(&place.contract)
            {
                holes.extend(uncovered(contract, document, detail)?);
            }
            if let Some(made) = made(&plan, place, rated, &before.documents)? {
                let waiting = before.waiting.filter(|_| !planted(Mutation::WaitingCorrected));
                holes.extend(waiting.map(|draft| waits(&draft)).transpose()?);
                drafts.push(made);
            }
        }
        plan.drafts = drafts;
        Ok(Some((plan, holes)))
    }

    /// The version that rates: of a correction that of what it corrects.
    fn version(&self, newest: Option<&Closed>) -> Result<RateVersion, CloseError> {
        let last = self.versions.last().map_or(0, |version| version.number);
        let (fold, rate) =
            newest.map_or((FOLD_VERSION, last), |closed| (closed.close.versions.fold, closed.close.versions.rate));
        match version(self.versions, rate).filter(|_| fold == FOLD_VERSION) {
            Some(version) => Ok(version),
            None => Err(ProveError::Version { fold, rate }.into()),
        }
    }

    fn inputs(
        &self,
        period: &ProviderPeriod,
        newest: Option<&Closed>,
        (footing, cause): (&Footing, Cause),
        after: Offset,
        rate: u32,
    ) -> Inputs {
        let revision = self.register.next_revision(&period.key);
        let repricing = self.register.repricing(&period.key, revision).filter(|_| newest.is_some());
        let newest_book = self.register.newest_book().map(|(hash, _)| hash);
        let before = newest.map(|closed| &*closed.close.book).filter(|_| !planted(Mutation::NewestBookCorrects));
        let book = repricing.map(|decided| &*decided.book).or(before).or(newest_book).unwrap_or_default();
        let cut = match (cause, newest) {
            (Cause::Reprice, Some(closed)) if !planted(Mutation::RepricedAtNewCut) => closed.close.cut.clone(),
            _ => footing.cut.clone(),
        };
        Inputs {
            period: period.key.clone(),
            revision,
            cause,
            cut,
            after,
            versions: Versions { fold: FOLD_VERSION, rate },
            book: book.to_owned(),
        }
    }

    /// The documents of earlier revisions, as issued or as drafts. What was discarded counts as nothing issued (PRICING §14).
    fn before(&mut self, plan: &Plan) -> Result<BTreeMap<Place, Before>, CloseError> {
        let mut before: BTreeMap<Place, Before> = BTreeMap::new();
        let key = &plan.inputs.period;
        let revisions: Vec<String> =
            self.register.revisions(key).map(|closed| closed.close.rating_id.clone()).collect();
        for rating_id in revisions {
            for StoredDraft { place, document, .. } in of_close(&mut self.store, &self.register, &rating_id)? {
                let draft = place.draft(&rating_id);
                let is_discarded = self.register.discarded_below(&draft, plan.inputs.after);
                if is_discarded && !planted(Mutation::DiscardedCounts) {
                    continue;
                }
                let own = before.entry(place).or_default();
                let document = match self.register.draft(&draft) {
                    DraftState::Issued(number) => match self.register.document(&number) {
                        Some(issued) => invoice::numbered(&self.register, issued, key, document)
                            .map_err(CloseError::document(&draft.contract))?,
                        None => document,
                    },
                    DraftState::Waiting | DraftState::Discarded => {
                        own.waiting.get_or_insert(draft);
                        document
                    }
                };
                own.documents.push(document);
            }
        }
        Ok(before)
    }
}

/// What the database is asked for by a plan.
pub(super) fn asked<'a>(plan: &'a Plan, credits: &'a (dyn Fn(&Place, u32) -> Vec<Credit> + Sync)) -> Asked<'a> {
    Asked {
        period: &plan.period,
        cut: &plan.inputs.cut,
        after: plan.inputs.after,
        basis: &plan.basis,
        is_old_cut: plan.is_old_cut(),
        version: plan.version,
        credits,
    }
}

/// One place, and what it comes to; nothing if the ledger has nothing of it any more.
type Found = (Place, Option<(Document, Detail)>);

/// Everything that has a document, and everything that had one.
fn all(rated: Vec<Rated>, before: &BTreeMap<Place, Before>, plan: &Plan) -> Result<Vec<Found>, CloseError> {
    let mut found: BTreeMap<Place, Option<(Document, Detail)>> =
        before.keys().map(|place| (place.clone(), None)).collect();
    for (place, rated) in rated {
        match rated {
            Ok(rated) => {
                found.insert(place, Some(rated));
            }
            // a contract gave the whole period to others
            Err(StatementError::Rate(RateError::NotInForce { .. })) => {}
            Err(error) => {
                let place = place
                    .customer
                    .map_or(place.contract.clone(), |customer| format!("{} for {customer}", place.contract));
                return Err(CloseError::Place { place, error: Box::new(error) });
            }
        }
    }
    match found.len() <= CLOSE_MAX_DOCUMENTS {
        true => Ok(found.into_iter().collect()),
        false => {
            let provider = plan.inputs.period.provider.clone();
            Err(CloseError::TooMany { provider, most: CLOSE_MAX_DOCUMENTS })
        }
    }
}

/// The draft of one place; none if nothing differs.
fn made(
    plan: &Plan,
    place: Place,
    rated: Option<(Document, Detail)>,
    before: &[Document],
) -> Result<Option<StoredDraft>, CloseError> {
    let (open, detail) = rated.map_or((None, Detail::default()), |(open, detail)| (Some(open), detail));
    let Some(document) =
        draft(&plan.inputs, &plan.rating_id, open, before).map_err(CloseError::document(&place.contract))?
    else {
        return Ok(None);
    };
    let contract = plan.basis.book.contracts.get(&place.contract);
    let blocked =
        contract.and_then(|contract| blocked(&plan.basis.book, contract, &document, place.customer.as_deref()));
    Ok(Some(StoredDraft { place, document, detail, blocked }))
}

fn waits(draft: &DraftKey) -> Result<Hole, CloseError> {
    let id = short_id(draft).map_err(CloseError::document(&draft.contract))?;
    Ok(Hole::DraftWaits { contract: draft.contract.clone(), draft: id })
}
