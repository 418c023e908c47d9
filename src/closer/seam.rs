//! The seams between the closer and the world: the control log, the database. The simulator replaces them; nothing else does.
//!
//! Calls block: a closer is one thread, and everything that it decides is in the core.

use std::sync::Arc;

use super::error::CloseError;
use crate::core::billing::detail::Detail;
use crate::core::billing::document::Document;
use crate::core::billing::version::RateVersion;
use crate::core::closing::basis::Basis;
use crate::core::closing::hole::Hole;
pub use crate::core::closing::invoice::NewInvoice;
use crate::core::closing::period::ProviderPeriod;
use crate::core::closing::record::Inputs;
use crate::core::closing::stand::Ends;
use crate::core::cut::{CutPoint, Stand};
use crate::core::decision::Decision;
use crate::core::decision::closing::PeriodKey;
use crate::core::ledger::rules::StreamRules;
use crate::core::pricing::credit::Credit;
use crate::core::word::{Instant, Offset};
use crate::fold::error::SeamError;
use crate::statement::{Place, StatementError};

/// The control log, the ends of the usage logs, and the topic of issued documents.
pub trait BillLog {
    /// Hands over the decisions from an offset on, to the end that the broker names now.
    ///
    /// # Errors
    /// Retryable while the broker is away; permanent if a record is not understood.
    fn read(&mut self, from: Offset, visit: &mut dyn FnMut(Offset, Instant, &Decision)) -> Result<(), SeamError>;

    /// Appends a decision.
    ///
    /// # Errors
    /// Retryable: it may be there or not, so the log is read before anything else is done.
    fn append(&mut self, decision: &Decision) -> Result<(), SeamError>;

    /// Where the partitions of streams end now.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    fn ends(&mut self, streams: &[Arc<StreamRules>]) -> Result<Ends, SeamError>;

    /// Tells whoever follows the topic of documents of a new one, or of the same once more.
    ///
    /// # Errors
    /// Retryable while the broker is away.
    fn publish(&mut self, number: &str, document: &str) -> Result<(), SeamError>;

    /// What the decisions below `after` say, with the book of this hash.
    ///
    /// # Errors
    /// As [`Self::read`]; a book that is not there.
    fn basis(&mut self, after: Offset, book: &str) -> Result<Basis, CloseError> {
        let mut decisions: Vec<(Offset, Decision)> = Vec::new();
        self.read(Offset(0), &mut |offset, _, decision| {
            if offset < after && concerns_basis(decision) {
                decisions.push((offset, decision.clone()));
            }
        })?;
        Ok(Basis::below(decisions.iter().map(|(offset, decision)| (*offset, decision)), after, book)?)
    }
}

/// Whether a decision is one of those that a [`Basis`] is made of; there are many more of other kinds.
fn concerns_basis(decision: &Decision) -> bool {
    matches!(
        decision,
        Decision::StreamOpened { .. }
            | Decision::OffsetsLost { .. }
            | Decision::PriceBookPublished { .. }
            | Decision::CreditGranted { .. }
    )
}

/// What is asked of the database for one period.
pub struct Asked<'a> {
    /// The period.
    pub period: &'a ProviderPeriod,
    /// Up to where each partition counts.
    pub cut: &'a [CutPoint],
    /// Up to which decision, exclusive, the control log counts.
    pub after: Offset,
    /// What decisions below `after` say.
    pub basis: &'a Basis,
    /// Whether usage is metered again from the ledger: where the cut is an old one, buckets count more than it.
    pub is_old_cut: bool,
    /// The code.
    pub version: RateVersion,
    /// What is left of each place's credits, in minor units of a currency of so many places.
    pub credits: &'a (dyn Fn(&Place, u32) -> Vec<Credit> + Sync),
}

/// What one place comes to.
pub type Rated = (Place, Result<(Document, Detail), StatementError>);

/// What buckets gave.
pub enum Usage {
    /// They count just what lies below the cut.
    AtCut(Vec<Rated>),
    /// Some of them count more: a newer cut has to be taken.
    Moved,
}

/// A draft as it is stored with its header.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDraft {
    /// Whose.
    pub place: Place,
    /// The document, state closed.
    pub document: Document,
    /// What the printed page shows beside it.
    pub detail: Detail,
    /// Why it cannot be issued; none if it can.
    pub blocked: Option<String>,
}

/// The rating of a close, as it is to be stored.
pub struct NewRating<'a> {
    /// Its id.
    pub rating_id: &'a str,
    /// What it is a function of.
    pub inputs: &'a Inputs,
    /// Its drafts.
    pub drafts: &'a [StoredDraft],
}

/// The database.
pub trait BillStore {
    /// The newest checkpoint of each partition.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn stands(&mut self) -> Result<Vec<Stand>, CloseError>;

    /// What was put aside or is not audited of a provider's arrays and keeps a period from closing at a cut.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn holes(&mut self, period: &PeriodKey, cut: &[CutPoint]) -> Result<Vec<Hole>, CloseError>;

    /// Rates everything that has a document in a period, by contract and customer.
    ///
    /// # Errors
    /// Retryable while the store is away; what cannot be rated of one place stands in its stead.
    fn rate(&mut self, asked: &Asked<'_>) -> Result<Usage, CloseError>;

    /// The drafts that are stored under a rating id with their headers, by contract and customer.
    ///
    /// # Errors
    /// Retryable while the store is away; a draft that is not what was written.
    fn drafts(&mut self, rating_id: &str) -> Result<Vec<StoredDraft>, CloseError>;

    /// Makes the rows of a rating durable, and what of them falls on whom. The same rows may come again and collapse. False if buckets
    /// count more than the cut by now, so that nothing could be allocated by them.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn insert_rows(&mut self, asked: &Asked<'_>, rating: &NewRating<'_>) -> Result<bool, CloseError>;

    /// Makes the headers of a rating durable, which its rows have to be already.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn insert_headers(&mut self, rating: &NewRating<'_>) -> Result<(), CloseError>;

    /// Of each of these numbers that is stored, how many decisions its newest row reflects.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn reflected(&mut self, numbers: &[String]) -> Result<Vec<(String, u64)>, CloseError>;

    /// Makes issued documents durable. The same ones may come again.
    ///
    /// # Errors
    /// Retryable while the store is away.
    fn insert_invoices(&mut self, invoices: &[NewInvoice]) -> Result<(), CloseError>;
}
