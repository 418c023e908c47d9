//! Closed periods proved: every rating that a close made, computed again from the ledger below its cut with the price book and the versions
//! that it names, and held against what is stored.

use std::collections::BTreeMap;
use std::time::Instant as Moment;

use clickhouse::Row;
use serde::Deserialize;
use serde_json::Value;

use super::difference::{Difference, differences};
use super::mirror::Mirrored;
use super::rerate::{Rerated, Rerating, name};
use super::verdict::{Proof, Verdict};
use super::{Progress, ProveError};
use crate::clickhouse::Client;
use crate::clickhouse::read::hole;
use crate::clickhouse::read::rows::Rows;
use crate::core::billing::version::{RateVersion, version};
use crate::core::book::Book;
use crate::core::decision::Decision;
use crate::core::decision::closing::Close;
use crate::core::decision::credit::Grants;
use crate::core::ledger::rules::FOLD_VERSION;
use crate::core::metering::definition::Meters;
use crate::core::pricing::credit::Credit;
use crate::core::pricing::decimal::Decimal;
use crate::core::pricing::period::Span;
use crate::statement::{Place, StatementError};

/// What a closed document says beyond its rating: what it is, what became of it, and digests that cover that too.
const BEYOND: &[&str] = &[
    "/type",
    "/state",
    "/provisional",
    "/number",
    "/issue_date",
    "/due_date",
    "/references",
    "/proof/rating_id",
    "/proof/digest",
];

/// A close, with everything that was decided before it.
pub struct Closed<'a> {
    /// The database.
    pub client: &'a Client,
    /// The close.
    pub close: &'a Close,
    /// The closes before it that count: what they took off credits is gone.
    pub before: &'a [&'a Close],
    /// All decisions, in the order of the log.
    pub decisions: &'a [Mirrored],
    /// The versions of rating that there are.
    pub versions: &'a [RateVersion],
}

#[derive(Debug, Row, Deserialize)]
struct RatingRow {
    contract: String,
    customer: String,
    digest: String,
    document: String,
}

/// A stored rating.
struct Stored {
    digest: String,
    document: Value,
}

impl Closed<'_> {
    /// Proves the ratings of the close: all of them, or those of the given places.
    ///
    /// # Errors
    /// The server's; a price book or a version that is not there.
    pub async fn prove(&self, only: Option<&[Place]>, progress: Progress<'_>) -> Result<Proof, ProveError> {
        let started = Moment::now();
        let close = self.close;
        let (book, meters) = self.book_and_meters()?;
        let missing = || ProveError::Version { fold: close.versions.fold, rate: close.versions.rate };
        let version = version(self.versions, close.versions.rate).ok_or_else(missing)?;
        if close.versions.fold != FOLD_VERSION {
            return Err(missing());
        }
        let grants = self.grants();
        let credits = |place: &Place, places: u32| self.left(&grants, place, places);
        let rerating = Rerating {
            client: self.client,
            provider: &close.period.provider,
            span: Span { from: close.period.start, until: close.period.end },
            cut: &close.cut,
            after: close.after,
            book: (&book, &close.book),
            meters: &meters,
            fold_version: close.versions.fold,
            version,
            credits: &credits,
        };
        let mut stored = self.stored(only).await?;
        let mut proof = Proof::default();
        let effort = rerating
            .each::<ProveError>(only, progress, |place, rerated| {
                proof.verdicts.push(self.verdict(place, stored.remove(place), rerated)?);
                Ok(())
            })
            .await?;
        for (place, stored) in stored {
            let mut verdict = self.blank(&place);
            (verdict.digest, verdict.refusal) =
                (Some(stored.digest), Some("it is stored, and the ledger gives no such document".to_owned()));
            proof.verdicts.push(verdict);
        }
        if !proof.is_proven() {
            proof.holes = hole::read(self.client, &close.cut).await?;
        }
        proof.effort = effort;
        proof.seconds = started.elapsed().as_secs_f64();
        Ok(proof)
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

    async fn stored(&self, only: Option<&[Place]>) -> Result<BTreeMap<Place, Stored>, ProveError> {
        let sql = "SELECT toString(contract) AS contract, customer, digest, document FROM rating FINAL WHERE rating_id = {rating:String}";
        let query = self.client.select(sql).param("rating", &self.close.rating_id);
        let mut rows: Rows<RatingRow> = Rows::of(self.client, query)?;
        let mut stored = BTreeMap::new();
        while let Some(row) = rows.next().await? {
            let customer = Some(row.customer).filter(|customer| !customer.is_empty());
            let place = Place { contract: row.contract, customer };
            if only.is_none_or(|only| only.contains(&place)) {
                let wrong = |error| ProveError::Json { place: name(&place), error };
                let document = serde_json::from_str(&row.document).map_err(wrong)?;
                stored.insert(place, Stored { digest: row.digest, document });
            }
        }
        Ok(stored)
    }

    fn blank(&self, place: &Place) -> Verdict {
        Verdict {
            place: place.clone(),
            period: self.close.period.start.rfc3339(),
            number: None,
            proven: false,
            digest: None,
            computed: None,
            differences: Vec::new(),
            refusal: None,
        }
    }

    fn verdict(
        &self,
        place: &Place,
        stored: Option<Stored>,
        rerated: Result<Rerated, StatementError>,
    ) -> Result<Verdict, ProveError> {
        let mut verdict = self.blank(place);
        match (stored, rerated) {
            (Some(Stored { digest, document: stored }), Ok(Rerated { document, .. })) => {
                let wrong = |error| ProveError::Json { place: name(place), error };
                let computed = serde_json::to_value(&document).map_err(wrong)?;
                verdict.period = document.period.label.clone();
                verdict.differences = differences(&stored, &computed, BEYOND);
                if digest != document.proof.rating_id && verdict.differences.is_empty() {
                    verdict.differences.push(Difference {
                        place: "/rating/digest".to_owned(),
                        row: None,
                        stored: Value::from(digest.clone()),
                        computed: Value::from(document.proof.rating_id.clone()),
                    });
                }
                (verdict.digest, verdict.computed) = (Some(digest), Some(document.proof.rating_id));
                verdict.proven = verdict.differences.is_empty();
            }
            (None, Ok(_)) => {
                verdict.refusal = Some("the ledger gives this document, and none is stored for the close".to_owned());
            }
            (_, Err(error)) => verdict.refusal = Some(error.to_string()),
        }
        Ok(verdict)
    }
}
