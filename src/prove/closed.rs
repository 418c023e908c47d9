//! Closed periods proved: every rating that a close made, computed again from the ledger below its cut with the price book and the versions
//! that it names, and held against what is stored.

use std::collections::BTreeMap;
use std::time::Instant as Moment;

use chrono_tz::Tz;
use clickhouse::Row;
use clickhouse::query::Query;
use serde::Deserialize;

use super::difference::{Difference, differences};
use super::mirror::Mirrored;
use super::rerate::{Rerated, Rerating, name};
use super::usage::Streams;
use super::verdict::{Proof, Verdict};
use super::{Progress, ProveError};
use crate::clickhouse::Client;
use crate::clickhouse::read::hole;
use crate::clickhouse::read::rows::Rows;
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::version::{RateVersion, version};
use crate::core::billing::{adjustment, close, issue};
use crate::core::book::Book;
use crate::core::decision::Decision;
use crate::core::decision::closing::{Close, DraftKey};
use crate::core::decision::credit::Grants;
use crate::core::decision::stream::StreamRegister;
use crate::core::ledger::rules::FOLD_VERSION;
use crate::core::metering::definition::Meters;
use crate::core::pricing::credit::Credit;
use crate::core::pricing::period::Span;
use crate::core::word::Instant;
use crate::statement::{Place, StatementError};

/// Issued documents that are asked for at once.
const NUMBERS: usize = 1_000;

/// The form in which a close keeps a rating: what it says of itself is part of it, and is proved too.
type Documents = BTreeMap<Place, Document>;

/// A close, with everything that was decided before it.
pub struct Closed<'a> {
    /// The database.
    pub client: &'a Client,
    /// The close.
    pub close: &'a Close,
    /// The closes before it that count, whosever they are: what they took off credits is gone.
    pub before: &'a [&'a Close],
    /// The numbers under which drafts were issued.
    pub issued: &'a BTreeMap<DraftKey, Number>,
    /// All decisions, in the order of the log.
    pub decisions: &'a [Mirrored],
    /// The versions of rating that there are.
    pub versions: &'a [RateVersion],
}

/// What the decisions before a close say.
pub struct Inputs {
    book: Book,
    meters: Meters,
    grants: Grants,
    streams: Streams,
    version: RateVersion,
}

/// Under which number a draft was issued, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// The number.
    pub number: String,
    /// When the broker appended the decision.
    pub at: Instant,
    /// The zone of its dates.
    pub zone: Tz,
    /// After how many days it is due.
    pub payment_days: u32,
}

#[derive(Debug, Row, Deserialize)]
struct DocumentRow {
    contract: String,
    customer: String,
    document: String,
}

impl Closed<'_> {
    /// Proves the ratings of the close: all of them, or those of the given places.
    ///
    /// # Errors
    /// The server's; a price book or a version that is not there.
    pub async fn prove(&self, only: Option<&[Place]>, progress: Progress<'_>) -> Result<Proof, ProveError> {
        let started = Moment::now();
        let close = self.close;
        let inputs = self.inputs()?;
        let credits = self.credits(&inputs);
        let rerating = self.rerating(&inputs, &credits);
        let mut stored = self.stored(&close.rating_id, only).await?;
        let earlier = self.earlier(only).await?;
        let numbered = self.numbered(only).await?;
        let mut proof = Proof::default();
        let read = rerating
            .each::<ProveError>(only, progress, |place, rerated| {
                let before = earlier.get(place).map_or(&[][..], Vec::as_slice);
                let verdict = self.verdict(place, (before, stored.remove(place), numbered.get(place)), rerated)?;
                proof.verdicts.extend(verdict);
                Ok(())
            })
            .await?;
        (proof.effort, proof.altered) = (read.effort, read.altered);
        for (place, stored) in stored {
            let mut verdict = self.blank(&place);
            verdict.digest = stored.proof.digest;
            verdict.refusal = Some("it is stored, and the ledger gives no such document".to_owned());
            proof.verdicts.push(verdict);
        }
        if !proof.is_proven() {
            proof.holes = hole::read(self.client, &close.cut).await?;
        }
        proof.seconds = started.elapsed().as_secs_f64();
        Ok(proof)
    }

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

    /// The drafts of a rating as they are stored.
    async fn stored(&self, rating_id: &str, only: Option<&[Place]>) -> Result<Documents, ProveError> {
        let sql = "SELECT toString(contract) AS contract, customer, document FROM rating FINAL WHERE rating_id = {rating:String}";
        self.documents(self.client.select(sql).param("rating", rating_id), only).await
    }

    /// The issued documents of the close as they are stored.
    pub(crate) async fn numbered(&self, only: Option<&[Place]>) -> Result<Documents, ProveError> {
        let own = self.issued.iter().filter(|(draft, _)| draft.rating_id == self.close.rating_id);
        let numbers: Vec<&str> = own.map(|(_, number)| number.number.as_str()).collect();
        let sql = "SELECT toString(contract) AS contract, customer, document FROM invoice FINAL WHERE has({numbers:Array(String)}, number)";
        let mut documents = Documents::new();
        for numbers in numbers.chunks(NUMBERS) {
            documents.extend(self.documents(self.client.select(sql).param("numbers", numbers), only).await?);
        }
        Ok(documents)
    }

    async fn documents(&self, query: Query, only: Option<&[Place]>) -> Result<Documents, ProveError> {
        let mut rows: Rows<DocumentRow> = Rows::of(self.client, query)?;
        let mut documents = Documents::new();
        while let Some(row) = rows.next().await? {
            let customer = Some(row.customer).filter(|customer| !customer.is_empty());
            let place = Place { contract: row.contract, customer };
            if only.is_none_or(|only| only.contains(&place)) {
                let document = match Document::from_json(&row.document) {
                    // what was altered in it will be named: it cannot be what is computed
                    Err(DocumentError::Digest { .. }) => {
                        serde_json::from_str(&row.document).map_err(DocumentError::from)
                    }
                    document => document,
                };
                let document = document.map_err(|error| ProveError::Document { place: name(&place), error })?;
                documents.insert(place, document);
            }
        }
        Ok(documents)
    }

    /// The documents of the revisions before, by age, under the numbers that they were given. They are proved on their own.
    async fn earlier(&self, only: Option<&[Place]>) -> Result<BTreeMap<Place, Vec<Document>>, ProveError> {
        let mut earlier: BTreeMap<Place, Vec<Document>> = BTreeMap::new();
        for close in self.before.iter().filter(|close| close.period == self.close.period) {
            for (place, draft) in self.stored(&close.rating_id, only).await? {
                let before = earlier.entry(place.clone()).or_default();
                let document = match self.number(close, &place) {
                    Some(number) => self.issued(draft, &place, number, before)?,
                    None => draft,
                };
                before.push(document);
            }
        }
        Ok(earlier)
    }

    fn number(&self, close: &Close, place: &Place) -> Option<&Number> {
        let Place { contract, customer } = place.clone();
        self.issued.get(&DraftKey { rating_id: close.rating_id.clone(), contract, customer })
    }

    fn issued(
        &self,
        draft: Document,
        place: &Place,
        number: &Number,
        before: &[Document],
    ) -> Result<Document, ProveError> {
        let corrects = before.iter().filter_map(|document| document.number.clone()).collect();
        let Number { number, at, zone, payment_days } = number.clone();
        let issued = issue::issued(draft, number, at, zone, payment_days, corrects);
        issued.map_err(|error| ProveError::Document { place: name(place), error })
    }

    fn blank(&self, place: &Place) -> Verdict {
        Verdict {
            place: place.clone(),
            period: self.close.period.start.rfc3339(),
            number: self.number(self.close, place).map(|number| number.number.clone()),
            proven: false,
            digest: None,
            computed: None,
            differences: Vec::new(),
            refusal: None,
        }
    }

    /// Holds the draft, and the issued document if there is one, against what was computed. None if nothing is stored and nothing is due.
    fn verdict(
        &self,
        place: &Place,
        (before, stored, numbered): (&[Document], Option<Document>, Option<&Document>),
        rerated: Result<Rerated, StatementError>,
    ) -> Result<Option<Verdict>, ProveError> {
        let mut verdict = self.blank(place);
        let draft = match rerated {
            Ok(Rerated { document, .. }) => self.draft(document, before),
            Err(error) => {
                verdict.refusal = Some(error.to_string());
                return Ok(Some(verdict));
            }
        };
        let draft = draft.map_err(|error| ProveError::Document { place: name(place), error })?;
        let (stored, computed) = match (stored, draft) {
            (Some(stored), Some(computed)) => (stored, computed),
            (None, None) => return Ok(None),
            (None, Some(computed)) => {
                verdict.computed = computed.proof.digest;
                verdict.refusal = Some("the ledger gives this document, and none is stored for the close".to_owned());
                return Ok(Some(verdict));
            }
            (Some(stored), None) => {
                verdict.digest = stored.proof.digest;
                verdict.refusal = Some("it is stored, and the ledger gives no difference to correct".to_owned());
                return Ok(Some(verdict));
            }
        };
        verdict.period = computed.period.label.clone();
        verdict.differences = differing(place, &stored, &computed)?;
        (verdict.digest, verdict.computed) = (stored.proof.digest, computed.proof.digest.clone());
        if let Some(number) = self.number(self.close, place) {
            let issued = self.issued(computed, place, number, before)?;
            verdict.computed = issued.proof.digest.clone();
            match numbered {
                Some(numbered) => {
                    // what later decisions say of it is no part of it
                    let erp = numbered.references.erp.clone();
                    let issued = issue::with_state(issued, numbered.state, erp);
                    verdict.digest = numbered.proof.digest.clone();
                    verdict.differences.extend(differing(place, numbered, &issued)?);
                }
                None => verdict.refusal = Some("it is issued, and its document is not stored yet".to_owned()),
            }
        }
        verdict.proven = verdict.differences.is_empty() && verdict.refusal.is_none();
        Ok(Some(verdict))
    }

    /// The draft of a rating: of a later revision what it differs by from the documents before it.
    fn draft(&self, open: Document, before: &[Document]) -> Result<Option<Document>, DocumentError> {
        let whole = close::closed(open, &self.close.rating_id)?;
        adjustment::difference(Some(&whole), before, self.close.cause)
    }
}

fn differing(place: &Place, stored: &Document, computed: &Document) -> Result<Vec<Difference>, ProveError> {
    let json =
        |document| serde_json::to_value(document).map_err(|error| ProveError::Json { place: name(place), error });
    Ok(differences(&json(stored)?, &json(computed)?, &[]))
}
