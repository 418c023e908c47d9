//! Closed periods proved: every rating that a close made, computed again from the ledger below its cut with the price book and the versions
//! that it names, and held against what is stored.

use std::collections::BTreeMap;
use std::time::Instant as Moment;

use chrono_tz::Tz;

use super::difference::{Difference, differences};
use super::mirror::Mirrored;
use super::rerate::name;
use super::verdict::{Proof, Verdict};
use super::{Progress, ProveError};
use crate::clickhouse::Client;
use crate::clickhouse::read::hole;
use crate::core::billing::document::Document;
use crate::core::billing::issue;
use crate::core::billing::version::RateVersion;
use crate::core::closing::draft;
use crate::core::closing::record::Inputs;
use crate::core::closing::register::Register;
use crate::core::decision::closing::{Close, DraftKey};
use crate::core::word::Instant;
use crate::statement::{Place, StatementError};

/// A close, with everything that was decided before it.
pub struct Closed<'a> {
    /// The database.
    pub client: &'a Client,
    /// The close.
    pub close: &'a Close,
    /// The closes before it that count, whosever they are: what they took off credits is gone.
    pub before: &'a [&'a Close],
    /// All of them, with what became of their drafts.
    pub register: &'a Register,
    /// The numbers under which drafts were issued.
    pub issued: &'a BTreeMap<DraftKey, Number>,
    /// All decisions, in the order of the log.
    pub decisions: &'a [Mirrored],
    /// The versions of rating that there are.
    pub versions: &'a [RateVersion],
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

impl Closed<'_> {
    /// Proves the ratings of the close: all of them, or those of the given places.
    ///
    /// # Errors
    /// The server's; a price book or a version that is not there.
    pub async fn prove(&self, only: Option<&[Place]>, progress: Progress<'_>) -> Result<Proof, ProveError> {
        let started = Moment::now();
        let close = self.close;
        let inputs = self.inputs()?;
        let mut stored = self.stored(&close.rating_id, only).await?;
        let mut earlier = self.earlier(only).await?;
        let known = self.known(&earlier);
        let credits = self.credits(&inputs, &known);
        let rerating = self.rerating(&inputs, &credits);
        let numbered = self.numbered(only).await?;
        let mut proof = Proof::default();
        let read = rerating
            .each::<ProveError>(only, progress, |place, rerated| {
                let before = earlier.remove(place).unwrap_or_default();
                let rerated = rerated.map(|rerated| Some(rerated.document));
                let verdict = self.verdict(place, (&before, stored.remove(place), numbered.get(place)), rerated)?;
                proof.verdicts.extend(verdict);
                Ok(())
            })
            .await?;
        (proof.effort, proof.altered) = (read.effort, read.altered);
        // of whom the ledger has nothing any more, all is given back
        for (place, before) in earlier {
            let verdict = self.verdict(&place, (&before, stored.remove(&place), numbered.get(&place)), Ok(None))?;
            proof.verdicts.extend(verdict);
        }
        for (place, stored) in stored {
            let mut verdict = self.blank(&place);
            verdict.digest = stored.proof.digest;
            verdict.refusal = Some("it is stored, and the ledger gives no such document".to_owned());
            proof.verdicts.push(verdict);
        }
        proof.verdicts.extend(self.notes(only).await?);
        if !proof.is_proven() {
            proof.holes = hole::read(self.client, &close.cut).await?;
        }
        proof.seconds = started.elapsed().as_secs_f64();
        Ok(proof)
    }

    pub(super) fn blank(&self, place: &Place) -> Verdict {
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
        rerated: Result<Option<Document>, StatementError>,
    ) -> Result<Option<Verdict>, ProveError> {
        let mut verdict = self.blank(place);
        let draft = match rerated {
            Ok(document) => draft::draft(&inputs_of(self.close), &self.close.rating_id, document, before),
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
            let issued = self.issued_as(computed, place, number, before)?;
            verdict.computed = issued.proof.digest.clone();
            match numbered {
                Some(numbered) => {
                    // what later decisions say of it is no part of it, and its row may not show them yet; but nothing else makes a state
                    let erp = numbered.references.erp.clone();
                    let decided = self.register.document(&number.number);
                    let is_credited = decided.is_some_and(|decided| !decided.credited_by.is_empty());
                    let state = if is_credited { numbered.state } else { issued.state };
                    let issued = issue::with_state(issued, state, erp);
                    verdict.digest = numbered.proof.digest.clone();
                    verdict.differences.extend(differing(place, numbered, &issued)?);
                }
                None => verdict.refusal = Some("it is issued, and its document is not stored yet".to_owned()),
            }
        }
        verdict.proven = verdict.differences.is_empty() && verdict.refusal.is_none();
        Ok(Some(verdict))
    }
}

/// What a close says that its ratings are functions of.
fn inputs_of(close: &Close) -> Inputs {
    Inputs {
        period: close.period.clone(),
        revision: close.revision,
        cause: close.cause,
        cut: close.cut.clone(),
        after: close.after,
        versions: close.versions,
        book: close.book.clone(),
    }
}

pub(super) fn differing(place: &Place, stored: &Document, computed: &Document) -> Result<Vec<Difference>, ProveError> {
    let json =
        |document| serde_json::to_value(document).map_err(|error| ProveError::Json { place: name(place), error });
    Ok(differences(&json(stored)?, &json(computed)?, &[]))
}
