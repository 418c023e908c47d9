//! What stands of a closed period: the book of its newest revision, and the documents that were issued or wait to be. A statement of it is
//! the whole by what is known now, so what it comes to more or less than they do is what the next revision would correct.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Place, StatementError};
use crate::clickhouse::Client;
use crate::clickhouse::read::closed;
use crate::core::billing::document::{Document, DocumentState};
use crate::core::billing::error::DocumentError;
use crate::core::book::Book;
use crate::core::closing::credit::Known;
use crate::core::closing::invoice::numbered;
use crate::core::closing::register::{DraftState, Register};
use crate::core::decision::closing::PeriodKey;
use crate::core::pricing::party;
use crate::core::pricing::period::{Period, period};
use crate::core::word::Offset;

/// A closed period as it stands.
#[derive(Debug)]
pub struct Standing {
    /// The hash of the book that its next revision is rated with.
    pub hash: String,
    /// That book.
    pub book: Book,
    /// The documents of places by age, without discarded drafts.
    documents: BTreeMap<Place, Vec<Document>>,
}

/// Places that follow each other and are of one closed period, or all of open ones.
#[derive(Debug)]
pub struct Run {
    /// What stands of their period if it is closed.
    pub standing: Option<Arc<Standing>>,
    /// The places.
    pub places: Vec<Place>,
}

/// The period of a contract under a label, as closes name it.
///
/// # Errors
/// A contract that the book lacks, a label that is none.
pub fn key(book: &Book, contract: &str, label: &str) -> Result<(PeriodKey, Period), StatementError> {
    let terms = party::contract(book, contract)?;
    let own = period(terms, label)?;
    Ok((PeriodKey { provider: party::provider(terms).to_owned(), start: own.start, end: own.end }, own))
}

impl Standing {
    /// What stands of a period for some places; none if no close of it counts.
    ///
    /// # Errors
    /// The server's, and stored documents that are not understood.
    pub async fn read(
        client: &Client,
        register: &Register,
        key: &PeriodKey,
        places: &[Place],
    ) -> Result<Option<Self>, StatementError> {
        let Some(newest) = register.revisions(key).last() else { return Ok(None) };
        let repriced = register.repricing(key, register.next_revision(key));
        let hash = repriced.map_or(&newest.close.book, |decided| &decided.book);
        let Some(book) = register.book(hash).cloned() else { return Ok(None) };
        let ids: Vec<String> = register.revisions(key).map(|closed| closed.close.rating_id.clone()).collect();
        let mut documents: BTreeMap<Place, Vec<Document>> = BTreeMap::new();
        let (contracts, customers) = places.iter().map(|place| (&*place.contract, place.customer())).unzip();
        for row in closed::ratings_of(client, &ids, contracts, customers).await? {
            let customer = Some(row.customer).filter(|customer| !customer.is_empty());
            let place = Place { contract: row.contract, customer };
            let draft = place.draft(&row.rating_id);
            let document = Document::from_json(&row.document)?;
            let document = match register.draft(&draft) {
                DraftState::Discarded => continue,
                DraftState::Waiting => document,
                DraftState::Issued(number) => match register.document(&number) {
                    Some(issued) => numbered(register, issued, key, document)?,
                    None => document,
                },
            };
            documents.entry(place).or_default().push(document);
        }
        Ok(Some(Self { hash: hash.clone(), book, documents }))
    }

    /// Whether a contract was closed with the period: one of a book that came later is open in it.
    #[must_use]
    pub fn holds(&self, contract: &str, label: &str, of: &PeriodKey) -> bool {
        key(&self.book, contract, label).is_ok_and(|(own, _)| own == *of)
    }

    /// The documents of a place by age.
    #[must_use]
    pub fn documents(&self, place: &Place) -> &[Document] {
        self.documents.get(place).map_or(&[], Vec::as_slice)
    }

    /// What a rating of a place may use of credits.
    #[must_use]
    pub fn known(&self, place: &Place, after: Offset) -> Known {
        Known::behind(self.documents(place), after)
    }

    /// A rating of a place as its statement: provisional, but closed, and naming the numbers that its period has.
    ///
    /// # Errors
    /// None that a rating can cause.
    pub fn shown(&self, place: &Place, rated: Document) -> Result<Document, DocumentError> {
        let mut shown = Document { state: DocumentState::Closed, ..rated };
        shown.references.corrects =
            self.documents(place).iter().filter_map(|document| document.number.clone()).collect();
        shown.sealed()
    }
}

/// Which of the places are of periods that some record closes: the register says whether it counts.
///
/// # Errors
/// What is unknown, and the server's.
pub async fn maybe_closed(
    client: &Client,
    book: &Book,
    places: &[Place],
    label: &str,
) -> Result<BTreeMap<PeriodKey, Vec<Place>>, StatementError> {
    let mut keys: BTreeMap<PeriodKey, Vec<Place>> = BTreeMap::new();
    for place in places {
        keys.entry(key(book, &place.contract, label)?.0).or_default().push(place.clone());
    }
    let mut closed = BTreeMap::new();
    for (key, own) in keys {
        if closed::is_any_of(client, &key).await? {
            closed.insert(key, own);
        }
    }
    Ok(closed)
}

/// Puts places together by what stands of their periods, in their order.
///
/// # Errors
/// What is unknown, and the server's.
pub async fn runs(
    client: &Client,
    register: &Register,
    book: &Book,
    places: &[Place],
    label: &str,
) -> Result<Vec<Run>, StatementError> {
    let mut standings: BTreeMap<PeriodKey, Arc<Standing>> = BTreeMap::new();
    for (key, own) in maybe_closed(client, book, places, label).await? {
        if let Some(standing) = Standing::read(client, register, &key, &own).await? {
            standings.insert(key, Arc::new(standing));
        }
    }
    let mut runs: Vec<Run> = Vec::new();
    for place in places {
        let (key, _) = key(book, &place.contract, label)?;
        let standing = standings.get(&key).filter(|standing| standing.holds(&place.contract, label, &key));
        match runs.last_mut().filter(|run| run.standing.as_ref().map(Arc::as_ptr) == standing.map(Arc::as_ptr)) {
            Some(run) => run.places.push(place.clone()),
            None => runs.push(Run { standing: standing.cloned(), places: vec![place.clone()] }),
        }
    }
    Ok(runs)
}
