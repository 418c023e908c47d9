//! Credit notes proved: each is made again of the draft that it credits and of the decisions about it, and held against what is stored.
//! Their originals are proved beside them, so a note that is made of them is as right as they are.

use std::collections::BTreeMap;

use clickhouse::Row;
use serde::Deserialize;

use super::ProveError;
use super::closed::{Closed, differing};
use super::stored::{NUMBERS, as_stored};
use super::verdict::Verdict;
use crate::core::billing::document::Document;
use crate::core::billing::issue;
use crate::core::closing::invoice;
use crate::core::closing::register::Issued;
use crate::statement::Place;

#[derive(Debug, Row, Deserialize)]
struct NoteRow {
    number: String,
    document: String,
}

impl Closed<'_> {
    /// The verdicts on all credit notes over documents of the close, or over those of some places.
    pub(super) async fn notes(&self, only: Option<&[Place]>) -> Result<Vec<Verdict>, ProveError> {
        let mut credited: Vec<(Place, &Issued)> = Vec::new();
        for (draft, number) in self.issued.iter().filter(|(draft, _)| draft.rating_id == self.close.rating_id) {
            let place = Place::of(draft);
            let issued = self.register.document(&number.number).filter(|issued| !issued.credited_by.is_empty());
            credited
                .extend(issued.filter(|_| only.is_none_or(|only| only.contains(&place))).map(|issued| (place, issued)));
        }
        let places: Vec<Place> = credited.iter().map(|(place, _)| place.clone()).collect();
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let mut drafts = self.stored(&self.close.rating_id, Some(&places)).await?;
        let stored = self.stored_notes(credited.iter().flat_map(|(_, issued)| &issued.credited_by)).await?;
        let mut verdicts = Vec::new();
        for (place, issued) in credited {
            match drafts.remove(&place) {
                Some(draft) => verdicts.extend(self.notes_of(&place, issued, draft, &stored)?),
                None => {
                    let why = "the draft of the document that it credits is not stored";
                    verdicts.extend(self.refused(&place, issued, why));
                }
            }
        }
        Ok(verdicts)
    }

    /// All notes over a document of which none can be made again.
    fn refused(&self, place: &Place, issued: &Issued, why: &str) -> Vec<Verdict> {
        let refusal = Some(why.to_owned());
        let refused =
            |number: &String| Verdict { number: Some(number.clone()), refusal: refusal.clone(), ..self.blank(place) };
        issued.credited_by.iter().map(refused).collect()
    }

    /// The notes over one document.
    fn notes_of(
        &self,
        place: &Place,
        issued: &Issued,
        draft: Document,
        stored: &BTreeMap<String, Document>,
    ) -> Result<Vec<Verdict>, ProveError> {
        let whole = match invoice::whole(self.register, issued, &self.close.period, draft) {
            Ok(whole) => whole,
            // the draft is another than the one that was credited
            Err(error) => return Ok(self.refused(place, issued, &error.to_string())),
        };
        let mut verdicts = Vec::new();
        for computed in whole.notes {
            let number = computed.number.clone();
            let mut verdict = Verdict { number, period: computed.period.label.clone(), ..self.blank(place) };
            verdict.computed = computed.proof.digest.clone();
            match verdict.number.as_ref().and_then(|number| stored.get(number)) {
                Some(stored) => {
                    // what an ERP calls it may be newer in the log than in the row
                    let state = computed.state;
                    let computed = issue::with_state(computed, state, stored.references.erp.clone());
                    verdict.digest = stored.proof.digest.clone();
                    verdict.differences = differing(place, stored, &computed)?;
                }
                None => verdict.refusal = Some("it is issued, and its document is not stored yet".to_owned()),
            }
            verdict.proven = verdict.differences.is_empty() && verdict.refusal.is_none();
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    async fn stored_notes(
        &self,
        numbers: impl Iterator<Item = &String>,
    ) -> Result<BTreeMap<String, Document>, ProveError> {
        let numbers: Vec<&String> = numbers.collect();
        let sql =
            "SELECT toString(number) AS number, document FROM invoice FINAL WHERE has({numbers:Array(String)}, number)";
        let mut notes = BTreeMap::new();
        for numbers in numbers.chunks(NUMBERS) {
            let rows: Vec<NoteRow> = self.client.fetch_all(self.client.select(sql).param("numbers", numbers)).await?;
            for NoteRow { number, document } in rows {
                let read = as_stored(&document);
                let read = read.map_err(|error| ProveError::Document { place: number.clone(), error })?;
                notes.insert(number, read);
            }
        }
        Ok(notes)
    }
}
