//! Closed periods proved: every rating that a close made, computed again from the ledger below its cut with the price book and the versions
//! that it names, and held against what is stored.

use std::collections::BTreeMap;
use std::time::Instant as Moment;

use chrono_tz::Tz;

use super::inputs::Inputs;
use super::mirror::Mirrored;
use super::rerate::name;
use super::verdict::{Proof, Verdict};
use super::{Progress, ProveError};
use crate::clickhouse::Client;
use crate::clickhouse::read::hole;
use crate::core::billing::detail::Detail;
use crate::core::billing::document::Document;
use crate::core::billing::version::RateVersion;
use crate::core::closing::record;
use crate::core::closing::register::Register;
use crate::core::closing::{blocked, draft};
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
    /// Proves the ratings of the close: all of them, or those of the given places. Documents are made in memory, at most as many as a close
    /// has; stored rows are read a page at a time.
    ///
    /// # Errors
    /// The server's; a price book or a version that is not there.
    pub async fn prove(&self, only: Option<&[Place]>, progress: Progress<'_>) -> Result<Proof, ProveError> {
        let started = Moment::now();
        let inputs = self.inputs()?;
        let mut earlier = self.earlier(only).await?;
        let known = self.known(&earlier);
        let credits = self.credits(&inputs, &known);
        let rerating = self.rerating(&inputs, &credits);
        let mut made = MadeByPlace::new();
        let read = rerating
            .each::<ProveError>(only, progress, |place, rerated| {
                let before = earlier.remove(place).unwrap_or_default();
                let rated = rerated.map(|rerated| Some((rerated.document, rerated.detail)));
                made.insert(place.clone(), self.made(&inputs, place, &before, rated)?);
                Ok(())
            })
            .await?;
        // of whom the ledger has nothing any more, all is given back
        for (place, before) in earlier {
            made.insert(place.clone(), self.made(&inputs, &place, &before, Ok(None))?);
        }
        let mut proof = Proof { effort: read.effort, altered: read.altered, ..Proof::default() };
        proof.verdicts = self.verdicts(&made, only).await?;
        let before = proof.effort;
        let told = |effort| progress(before.plus(effort));
        proof.effort = before.plus(self.allocated((&inputs, &made), only, &mut proof.verdicts, &told).await?);
        if !proof.is_proven() {
            proof.holes = hole::read(self.client, &self.close.cut).await?;
        }
        proof.seconds = started.elapsed().as_secs_f64();
        Ok(proof)
    }

    /// What the close has to have of a place.
    fn made(
        &self,
        inputs: &Inputs,
        place: &Place,
        before: &[Document],
        rated: Result<Option<(Document, Detail)>, StatementError>,
    ) -> Result<Made, ProveError> {
        let (open, detail) = match rated {
            Ok(rated) => rated.map_or((None, Detail::default()), |(open, detail)| (Some(open), detail)),
            Err(error) => return Ok(Made::Refused(error.to_string())),
        };
        let document = draft::draft(&inputs_of(self.close), &self.close.rating_id, open, before);
        let document = document.map_err(|error| ProveError::Document { place: name(place), error })?;
        let Some(document) = document else { return Ok(Made::Nothing) };
        let (book, customer) = (&inputs.basis.book, place.customer.as_deref());
        let contract = book.contracts.get(&place.contract);
        let blocked = contract.and_then(|contract| blocked::blocked(book, contract, &document, customer));
        Ok(Made::Draft(Box::new(Draft { document, detail, blocked })))
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
}

/// What a close has to have of a place.
pub(super) enum Made {
    /// This draft.
    Draft(Box<Draft>),
    /// No document: nothing differs from those before it.
    Nothing,
    /// It cannot be rated, for this reason.
    Refused(String),
}

/// A draft, and what is stored beside it.
pub(super) struct Draft {
    /// The document, state closed.
    pub document: Document,
    /// What the printed page shows beside it.
    pub detail: Detail,
    /// Why it cannot be issued; none if it can.
    pub blocked: Option<String>,
}

/// What a close has to have, by contract and customer.
pub(super) type MadeByPlace = BTreeMap<Place, Made>;

/// What a close says that its ratings are functions of.
fn inputs_of(close: &Close) -> record::Inputs {
    record::Inputs {
        period: close.period.clone(),
        revision: close.revision,
        cause: close.cause,
        cut: close.cut.clone(),
        after: close.after,
        versions: close.versions,
        book: close.book.clone(),
    }
}
