//! Statements of open periods proved: what SQL sums up of stored buckets now, held against the ledger at the same cut.

use std::collections::BTreeMap;
use std::time::Instant as Moment;

use super::difference::differences;
use super::open_period::periods;
use super::rerate::name;
use super::usage::Streams;
use super::verdict::{Proof, Verdict};
use super::{Progress, ProveError};
use crate::clickhouse::Client;
use crate::clickhouse::read::{book, closed, credits, hole, rating, void};
use crate::core::billing::document::Document;
use crate::core::billing::version::{RateVersion, VERSIONS};
use crate::core::book::Book;
use crate::core::closing::register::Register;
use crate::core::cut::CutPoint;
use crate::core::decision::credit::Grants;
use crate::core::metering::definition::Meters;
use crate::core::word::Offset;
use crate::remeter::Definitions;
use crate::statement::{Place, Rater, StatementError};

/// How often a statement is rated anew where usage is folded meanwhile.
const TRIES: usize = 3;

/// What open statements are computed from: the newest book and checkpoints.
#[derive(Debug)]
pub struct Open {
    pub(super) client: Client,
    pub(super) book: Book,
    pub(super) hash: String,
    pub(super) cut: Vec<CutPoint>,
    pub(super) streams: Streams,
    pub(super) after: u64,
    pub(super) grants: Grants,
    pub(super) meters: Meters,
    pub(super) register: Register,
}

impl Open {
    /// As things stand now.
    ///
    /// # Errors
    /// If no book is published; the server's.
    pub async fn newest(client: &Client) -> Result<Self, ProveError> {
        let vector = rating::vector(client).await?.into_iter();
        let cut = vector.map(|(stream, partition, offset)| CutPoint { stream, partition, offset }).collect();
        let after = rating::next_decision(client).await?;
        let streams = Streams::of(void::register(client).await?);
        let refused = |error: StatementError| ProveError::Statement(Box::new(error));
        let offset = book::newest_offset(client).await?.ok_or_else(|| refused(StatementError::NoBook))?;
        let published = book::read(client, offset).await?;
        let book = Book::from_canonical(&published.book).map_err(|error| refused(StatementError::Book(error)))?;
        let grants = credits::read(client, after).await?;
        let meters = Definitions::read(client).await?.below(Offset(after));
        let (client, hash) = (client.clone(), published.hash);
        let register = closed::register(&client).await?;
        Ok(Self { client, book, hash, cut, streams, after, grants, meters, register })
    }

    /// The same at the cut of a document.
    #[must_use]
    pub fn at(mut self, cut: &[CutPoint]) -> Self {
        self.cut = cut.to_vec();
        self
    }
}

/// The version that rates what is not closed yet.
pub(super) fn newest_version() -> RateVersion {
    VERSIONS[VERSIONS.len() - 1]
}

/// Proves the statements of a provider's contracts (or of one, and one customer) in a period.
///
/// # Errors
/// What is unknown, what cannot be priced, and the server's.
pub async fn prove(
    client: &Client,
    places: &[Place],
    label: &str,
    progress: Progress<'_>,
) -> Result<Proof, ProveError> {
    let started = Moment::now();
    let mut proof = Proof::default();
    for _ in 0..TRIES {
        let stored = stored(client, places, label).await?;
        let cuts = stored.values().flatten().map(|document| &document.proof.cut);
        let Some(cut) = cuts.max().cloned() else { break };
        let open = Open::newest(client).await?.at(&cut);
        proof = held_against(&open, &stored, label, progress).await?;
        if !proof.is_proven() {
            proof.holes = hole::read(client, &cut).await?;
        }
        // buckets that are newer than the vector would look like a difference
        if proof.is_proven() || open.cut == Open::newest(client).await?.cut {
            break;
        }
    }
    proof.seconds = started.elapsed().as_secs_f64();
    Ok(proof)
}

/// Statements as they are rated from buckets, or why there are none.
type Stored = BTreeMap<Place, Result<Document, String>>;

async fn stored(client: &Client, places: &[Place], label: &str) -> Result<Stored, ProveError> {
    let refused = |error: StatementError| ProveError::Statement(Box::new(error));
    let rater = Rater::newest(client).await.map_err(refused)?;
    let mut stored = Stored::new();
    let each = rater.shown(places, label, |place, document, _| {
        stored.insert(place.clone(), document.map_err(|error| error.to_string()));
        Ok::<(), StatementError>(())
    });
    each.await.map_err(refused)?;
    Ok(stored)
}

async fn held_against(open: &Open, stored: &Stored, label: &str, progress: Progress<'_>) -> Result<Proof, ProveError> {
    let mut proof = Proof::default();
    let places: Vec<Place> = stored.keys().cloned().collect();
    for period in periods(open, &places, label).await? {
        let credits = period.credits();
        let rerating = period.rerating(&credits);
        let before = proof.effort;
        let told = |effort| progress(before.plus(effort));
        let read = rerating
            .each::<ProveError>(Some(&period.places), &told, |place, rerated| {
                let rerated = match rerated {
                    Ok(rerated) => Ok(period.shown(place, rerated.document)?),
                    Err(error) => Err(error),
                };
                let found = stored.get(place).map(|stored| verdict(place, label, stored, rerated));
                proof.verdicts.extend(found.transpose()?);
                Ok(())
            })
            .await?;
        proof.effort = before.plus(read.effort);
        proof.altered(read.altered);
    }
    Ok(proof)
}

fn verdict(
    place: &Place,
    label: &str,
    stored: &Result<Document, String>,
    rerated: Result<Document, StatementError>,
) -> Result<Verdict, ProveError> {
    let mut verdict = Verdict {
        place: place.clone(),
        period: label.to_owned(),
        number: None,
        proven: false,
        digest: None,
        computed: None,
        differences: Vec::new(),
        refusal: None,
    };
    match (stored, rerated) {
        (Ok(stored), Ok(document)) => {
            verdict.digest = stored.proof.digest.clone();
            verdict.computed = document.proof.digest.clone();
            let json = |document: &Document| {
                serde_json::to_value(document).map_err(|error| ProveError::Json { place: name(place), error })
            };
            verdict.differences = differences(&json(stored)?, &json(&document)?, &[]);
            verdict.proven = verdict.differences.is_empty() && verdict.digest == verdict.computed;
        }
        // refused both ways is no difference
        (Err(stored), Err(computed)) => {
            verdict.proven = *stored == computed.to_string();
            verdict.refusal = Some(computed.to_string());
        }
        (Err(refusal), Ok(_)) => verdict.refusal = Some(refusal.clone()),
        (Ok(_), Err(refusal)) => verdict.refusal = Some(refusal.to_string()),
    }
    Ok(verdict)
}
