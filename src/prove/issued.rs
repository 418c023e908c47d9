//! Issued documents proved: made again of drafts and of what the control log says of numbers, credit notes and references, and held against
//! the rows of `invoice` and `invoice_header` in every column.

use std::collections::BTreeMap;

use super::ProveError;
use super::closed::{Closed, Draft, Made, MadeByPlace};
use super::columns::{Columns, INVOICE, INVOICE_HEADER, shown};
use super::rows::Found;
use super::verdict::Verdict;
use crate::clickhouse::invoice::InvoiceRow;
use crate::clickhouse::invoice_header::InvoiceHeaderRow;
use crate::clickhouse::read::materialised;
use crate::core::billing::document::Document;
use crate::core::closing::invoice::{self, NewInvoice, Whole};
use crate::core::closing::register::Issued;
use crate::statement::Place;

/// Issued documents whose rows are in memory at once.
const NUMBERS: usize = 1_000;

/// The rows of numbers, in their newest state.
#[derive(Default)]
struct StoredNumbers {
    invoices: BTreeMap<String, Vec<InvoiceRow>>,
    headers: BTreeMap<u64, Vec<InvoiceHeaderRow>>,
}

impl Closed<'_> {
    /// Goes on with verdicts on drafts: those that have a number are held against their documents. The verdicts on the credit notes over
    /// them are others.
    pub(super) async fn issued_page(
        &self,
        made: &MadeByPlace,
        mut verdicts: Vec<Verdict>,
    ) -> Result<(Vec<Verdict>, Vec<Verdict>), ProveError> {
        let of = |verdict: &Verdict| verdict.number.as_ref().and_then(|number| self.register.document(number));
        let documents = verdicts.iter().filter_map(of);
        let all: Vec<&Issued> = documents
            .flat_map(|issued| {
                let notes = issued.credited_by.iter().filter_map(|number| self.register.document(number));
                std::iter::once(issued).chain(notes)
            })
            .collect();
        let stored = self.stored_numbers(&all).await?;
        let mut notes = Vec::new();
        for verdict in &mut verdicts {
            let Some(issued) = of(verdict) else { continue };
            let place = verdict.place.clone();
            let Some(Made::Draft(draft)) = made.get(&place) else {
                let why = "the document that it credits is not given by the ledger";
                notes.extend(self.refused(&place, issued, why));
                continue;
            };
            match invoice::whole(self.register, issued, &self.close.period, draft.document.clone()) {
                Ok(Whole { document, notes: of_document }) => {
                    self.number_held(verdict, (issued, document), draft, &stored)?;
                    for note in of_document {
                        notes.extend(self.note(&place, note, draft, &stored)?);
                    }
                }
                // the draft is another than the one that was credited
                Err(error) => {
                    (verdict.proven, verdict.refusal) = (false, Some(error.to_string()));
                    notes.extend(self.refused(&place, issued, &error.to_string()));
                }
            }
        }
        Ok((verdicts, notes))
    }

    async fn stored_numbers(&self, issued: &[&Issued]) -> Result<StoredNumbers, ProveError> {
        let mut stored = StoredNumbers::default();
        for issued in issued.chunks(NUMBERS) {
            let numbers: Vec<String> = issued.iter().map(|issued| issued.numbered.number.clone()).collect();
            let decisions: Vec<u64> = issued.iter().map(|issued| issued.offset.0).collect();
            for row in materialised::invoices(self.client, &numbers).await? {
                stored.invoices.entry(row.number.clone()).or_default().push(row);
            }
            for row in materialised::headers(self.client, &decisions).await? {
                stored.headers.entry(row.decision).or_default().push(row);
            }
        }
        // rows of states before lie there until they are merged, and nobody reads them
        for rows in stored.invoices.values_mut() {
            let newest = rows.iter().map(|row| row.version).max();
            rows.retain(|row| Some(row.version) == newest);
        }
        for rows in stored.headers.values_mut() {
            let newest = rows.iter().map(|row| row.version).max();
            rows.retain(|row| Some(row.version) == newest);
        }
        Ok(stored)
    }

    /// Holds the rows of a number against its document.
    fn number_held(
        &self,
        verdict: &mut Verdict,
        (issued, document): (&Issued, Document),
        draft: &Draft,
        stored: &StoredNumbers,
    ) -> Result<(), ProveError> {
        let number = &issued.numbered.number;
        let customer = verdict.place.customer.as_deref();
        verdict.computed.clone_from(&document.proof.digest);
        let new = NewInvoice::of(issued, self.close, customer, document, draft.detail.clone());
        let row = InvoiceRow::of(&new).map_err(|error| ProveError::Document { place: number.clone(), error })?;
        let header = InvoiceHeaderRow::from(&row);
        let invoices = stored.invoices.get(number).map(Vec::as_slice).unwrap_or_default();
        let headers = stored.headers.get(&issued.offset.0).map(Vec::as_slice).unwrap_or_default();
        let mut found = Found(std::mem::take(&mut verdict.differences));
        let held: Vec<Columns> = invoices.iter().map(|row| shown(&INVOICE, row)).collect();
        found.hold(("invoice", number), &held, Some(&shown(&INVOICE, &row)));
        let held: Vec<Columns> = headers.iter().map(|row| shown(&INVOICE_HEADER, row)).collect();
        found.hold(("invoice_header", number), &held, Some(&shown(&INVOICE_HEADER, &header)));
        verdict.differences = found.0;
        match invoices.first() {
            Some(stored) => {
                verdict.digest = Some(stored.digest.clone());
                verdict.refusal = verdict.refusal.take().or_else(|| stale(stored.version, issued.decisions));
            }
            None => verdict.refusal = Some("it is issued, and its document is not stored yet".to_owned()),
        }
        verdict.proven = verdict.differences.is_empty() && verdict.refusal.is_none();
        Ok(())
    }

    /// The verdict on a credit note.
    fn note(
        &self,
        place: &Place,
        note: Document,
        draft: &Draft,
        stored: &StoredNumbers,
    ) -> Result<Option<Verdict>, ProveError> {
        let issued = note.number.as_ref().and_then(|number| self.register.document(number));
        let Some(issued) = issued else { return Ok(None) };
        let (number, period) = (note.number.clone(), note.period.label.clone());
        let mut verdict = Verdict { number, period, ..self.blank(place) };
        self.number_held(&mut verdict, (issued, note), draft, stored)?;
        Ok(Some(verdict))
    }

    /// All notes over a document of which none can be made again.
    fn refused(&self, place: &Place, issued: &Issued, why: &str) -> Vec<Verdict> {
        let refusal = Some(why.to_owned());
        let refused =
            |number: &String| Verdict { number: Some(number.clone()), refusal: refusal.clone(), ..self.blank(place) };
        issued.credited_by.iter().map(refused).collect()
    }
}

/// Why a row that shows another number of decisions may do so, and what mends it.
fn stale(shown: u64, decided: u64) -> Option<String> {
    match shown.cmp(&decided) {
        std::cmp::Ordering::Less => Some(format!(
            "its row shows {shown} of the {decided} decisions that name it: a closer that starts makes it again, `plimsoll bill --once` for one"
        )),
        std::cmp::Ordering::Greater => Some(format!(
            "its row shows {shown} decisions that name it, and {decided} are mirrored: `plimsoll run` mirrors what was decided"
        )),
        std::cmp::Ordering::Equal => None,
    }
}
