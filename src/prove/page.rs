//! Verdicts on the drafts of a close: a page of what was made at a time, held against all rows that lie there, whoever they are of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ProveError;
use super::closed::{Closed, Draft, Made, MadeByPlace};
use super::columns::{Columns, RATED_LINE, RATING, shown};
use super::rerate::name;
use super::rows::Found;
use super::verdict::Verdict;
use crate::clickhouse::rated_line::RatedLineRow;
use crate::clickhouse::rating::{NewHeader, RatingRow};
use crate::clickhouse::read::materialised::{At, Page, Part};
use crate::core::billing::error::DocumentError;
use crate::statement::Place;

/// Drafts of which stored rows are in memory at once.
const PAGE: usize = 500;

/// What is stored of one draft.
#[derive(Default)]
struct Stored {
    headers: Vec<RatingRow>,
    lines: Vec<RatedLineRow>,
}

type StoredByPlace = BTreeMap<Place, Stored>;

impl Closed<'_> {
    /// The verdicts on the drafts of all places, or of some, on their documents and on the notes over them.
    pub(super) async fn verdicts(
        &self,
        made: &MadeByPlace,
        only: Option<&[Place]>,
    ) -> Result<Vec<Verdict>, ProveError> {
        let places: Vec<&Place> = match only {
            Some(only) => only.iter().collect::<BTreeSet<_>>().into_iter().collect(),
            None => made.keys().collect(),
        };
        let (mut verdicts, mut notes) = (Vec::new(), Vec::new());
        // of a close without documents there must be no rows either
        let pages = places.len().div_ceil(PAGE).max(1);
        for page in 0..pages {
            let own = places.get(page * PAGE..((page + 1) * PAGE).min(places.len())).unwrap_or_default();
            let stored = match only {
                Some(_) => self.stored_of(own).await?,
                None => {
                    let from = own.first().filter(|_| page > 0).map(|place| at(place));
                    let below = places.get((page + 1) * PAGE).map(|place| at(place));
                    self.read(Part::Between(from, below)).await?
                }
            };
            let found = self.page(made, own, stored)?;
            let (mut of_page, mut of_notes) = self.issued_page(made, found).await?;
            verdicts.append(&mut of_page);
            notes.append(&mut of_notes);
        }
        verdicts.append(&mut notes);
        Ok(verdicts)
    }

    /// What is stored of these places, each asked for by its key: a proof of one document reads no other's rows.
    async fn stored_of(&self, places: &[&Place]) -> Result<StoredByPlace, ProveError> {
        let mut stored = StoredByPlace::new();
        for place in places {
            stored.append(&mut self.read(Part::Of(at(place))).await?);
        }
        Ok(stored)
    }

    async fn read(&self, part: Part<'_>) -> Result<StoredByPlace, ProveError> {
        let page = Page { rating_id: &self.close.rating_id, part };
        let mut stored = StoredByPlace::new();
        for row in page.ratings(self.client).await? {
            stored.entry(place(&row.contract, &row.customer)).or_default().headers.push(row);
        }
        for row in page.lines(self.client).await? {
            stored.entry(place(&row.contract, &row.customer)).or_default().lines.push(row);
        }
        Ok(stored)
    }

    /// A verdict on each draft of a page that is due or that has rows.
    fn page(&self, made: &MadeByPlace, own: &[&Place], mut stored: StoredByPlace) -> Result<Vec<Verdict>, ProveError> {
        for place in own {
            stored.entry((*place).clone()).or_default();
        }
        let mut verdicts = Vec::new();
        for (place, stored) in stored {
            let verdict = match made.get(&place) {
                Some(Made::Draft(draft)) => Some(self.held(&place, draft, &stored)?),
                Some(Made::Refused(why)) => Some(Verdict { refusal: Some(why.clone()), ..self.blank(&place) }),
                Some(Made::Nothing) => {
                    self.surplus(&place, &stored, "it is stored, and the ledger gives no difference to correct")
                }
                None => self.surplus(&place, &stored, "it is stored, and the ledger gives no such document"),
            };
            verdicts.extend(verdict);
        }
        Ok(verdicts)
    }

    /// Rows that are due, against those that are there.
    fn held(&self, place: &Place, draft: &Draft, stored: &Stored) -> Result<Verdict, ProveError> {
        let mut verdict = self.blank(place);
        let Draft { document, detail, blocked } = draft;
        let wrong = |error: DocumentError| ProveError::Document { place: name(place), error };
        let key = place.draft(&self.close.rating_id);
        let (period, revision) = (&self.close.period, self.close.revision);
        let new = NewHeader { draft: &key, period, revision, document, detail, blocked: blocked.as_deref() };
        let header = shown(&RATING, &RatingRow::of(&new).map_err(wrong)?);
        let lines = RatedLineRow::of(&key, document).map_err(wrong)?;
        verdict.period.clone_from(&document.period.label);
        verdict.computed.clone_from(&document.proof.digest);
        verdict.digest = stored.headers.first().and_then(|row| digest(&row.document));
        let mut found = Found::default();
        let stored_headers: Vec<Columns> = stored.headers.iter().map(|row| shown(&RATING, row)).collect();
        found.hold(("rating", &name(place)), &stored_headers, Some(&header));
        found.lines(place, &stored.lines, &lines);
        if stored.headers.is_empty() {
            verdict.refusal = Some("the ledger gives this document, and none is stored for the close".to_owned());
        }
        verdict.differences = found.0;
        verdict.proven = verdict.differences.is_empty() && verdict.refusal.is_none();
        Ok(verdict)
    }

    /// Rows of what must not be there; nothing if there are none.
    fn surplus(&self, place: &Place, stored: &Stored, why: &str) -> Option<Verdict> {
        if stored.headers.is_empty() && stored.lines.is_empty() {
            return None;
        }
        let mut verdict = self.blank(place);
        let mut found = Found::default();
        let headers: Vec<Columns> = stored.headers.iter().map(|row| shown(&RATING, row)).collect();
        found.hold(("rating", &name(place)), &headers, None);
        found.lines(place, &stored.lines, &[]);
        verdict.digest = stored.headers.first().and_then(|row| digest(&row.document));
        (verdict.differences, verdict.refusal) = (found.0, Some(why.to_owned()));
        Some(verdict)
    }
}

impl Found {
    /// The rows of a draft by their number.
    fn lines(&mut self, place: &Place, stored: &[RatedLineRow], computed: &[RatedLineRow]) {
        let mut by_no: BTreeMap<u32, (Vec<Columns>, Option<Columns>)> = BTreeMap::new();
        for row in stored {
            by_no.entry(row.no).or_default().0.push(shown(&RATED_LINE, row));
        }
        for row in computed {
            by_no.entry(row.no).or_default().1 = Some(shown(&RATED_LINE, row));
        }
        for (no, (stored, computed)) in by_no {
            self.hold(("rated_line", &format!("{}, row {no}", name(place))), &stored, computed.as_ref());
        }
    }
}

fn at(place: &Place) -> At<'_> {
    (&place.contract, place.customer.as_deref().unwrap_or_default())
}

fn place(contract: &str, customer: &str) -> Place {
    let customer = Some(customer).filter(|customer| !customer.is_empty()).map(str::to_owned);
    Place { contract: contract.to_owned(), customer }
}

/// The digest that a stored document claims to have.
fn digest(document: &str) -> Option<String> {
    let document: Value = serde_json::from_str(document).ok()?;
    document.get("proof")?.get("digest")?.as_str().map(str::to_owned)
}
