//! A row of an issued document traced: at the cut and with the price book of the close that made it, and of an adjustment also at those of
//! the close before, since it is the difference of both ratings.

use std::collections::BTreeSet;

use super::item::{Difference, Trace};
use super::traced::{Behind, Traced};
use super::{TraceError, TraceQuery, row};
use crate::core::billing::document::Document;
use crate::core::billing::row::DocumentRow;
use crate::core::closing::register::Subject;
use crate::core::decision::closing::CreditNote;
use crate::core::pricing::error::RateError;
use crate::prove::documents::Documents;
use crate::prove::rerate::Detail;
use crate::prove::{Progress, ProveError};
use crate::statement::{Place, StatementError};

/// Traces a row of the document of a number; none if there is no such number. A row of a credit note is the one that it takes back.
///
/// # Errors
/// A row that is not there, one that the ledger does not give any more, an array of which there is nothing behind it, and what cannot be read.
pub async fn document(
    documents: &Documents,
    number: &str,
    query: &TraceQuery,
    progress: Progress<'_>,
) -> Result<Option<Traced>, TraceError> {
    let Some((close, place)) = documents.draft_of(number) else { return Ok(None) };
    let before = documents.before(close);
    let Some(closed) = documents.closed(close, &before) else { return Ok(None) };
    let mut stored = closed.numbered(Some(std::slice::from_ref(&place))).await?;
    let stored = stored.remove(&place).ok_or(TraceError::Differs)?;
    let note = match documents.register().document(number).map(|issued| &issued.subject) {
        Some(Subject::Note(note)) => Some(note_row(closed.stored_note(number).await?, note, query.row)?),
        _ => None,
    };
    let no = note.as_ref().map_or(query.row, |(no, _)| *no);
    let asked = stored.rows.iter().find(|row| row.no == no);
    let asked = asked.ok_or(TraceError::NoRow { rows: stored.rows.len(), asked: query.row })?;
    let reader = Reader { documents, place: &place, query, progress };
    let traced = match is_whole(&stored) {
        true => reader.whole(close, asked).await?,
        false => reader.difference(close, asked).await?,
    };
    let mut traced = traced.of_asked(query)?;
    if let Some((no, row)) = note {
        let of = stored.number.clone().unwrap_or_default();
        traced.from = format!("it takes back of row {no} of {of}; what is behind that row follows");
        (traced.row, traced.is_note) = (row, true);
    }
    Ok(Some(traced))
}

/// A row of a credit note as it is stored, and which row of its document it takes back, as the decision says.
fn note_row(stored: Option<Document>, note: &CreditNote, row: usize) -> Result<(usize, DocumentRow), TraceError> {
    // a note has its rows in the order of its document's (`billing/credit_note`)
    let corrected: BTreeSet<usize> = note.rows.iter().map(|row| row.no).collect();
    let found = row.checked_sub(1).and_then(|index| corrected.iter().nth(index)).copied();
    let found = found.ok_or(TraceError::NoRow { rows: corrected.len(), asked: row })?;
    let own = stored.and_then(|stored| stored.rows.into_iter().find(|own| own.no == row));
    let own = own.filter(|own| own.corrects == Some(found));
    Ok((found, own.ok_or(TraceError::Differs)?))
}

/// Whether a document is a whole rating, and not the difference of two.
fn is_whole(document: &Document) -> bool {
    document.cause.is_none()
}

/// Whether rows are of the same thing: adjustments are keyed by it (PRICING §14).
fn is_same(one: &DocumentRow, other: &DocumentRow) -> bool {
    (&one.line, one.kind, &one.band, &one.period) == (&other.line, other.kind, &other.band, &other.period)
}

/// What is traced.
struct Reader<'a> {
    documents: &'a Documents,
    place: &'a Place,
    query: &'a TraceQuery,
    progress: Progress<'a>,
}

impl Reader<'_> {
    /// A row of a document that is all of its rating.
    async fn whole(&self, close: usize, asked: &DocumentRow) -> Result<Traced, TraceError> {
        let detail = self.rated(close).await?.ok_or(TraceError::Differs)?;
        let found = detail.rerated.document.rows.iter().find(|row| *row == asked).ok_or(TraceError::Differs)?;
        Ok(Traced::of(self.trace(close, &detail, found.no).await?))
    }

    /// A row of an adjustment: what its rating has less what the rating before had.
    async fn difference(&self, close: usize, asked: &DocumentRow) -> Result<Traced, TraceError> {
        let (after, earlier) = (self.rated(close).await?, self.close_before(close).await?);
        let before = match earlier {
            Some(earlier) => self.rated(earlier).await?.map(|detail| (earlier, detail)),
            None => None,
        };
        let rows = |detail: Option<&Detail>| -> Vec<DocumentRow> {
            let rows = detail.map(|detail| &*detail.rerated.document.rows).unwrap_or_default();
            rows.iter().filter(|row| is_same(row, asked)).cloned().collect()
        };
        let (of_after, of_before) = (rows(after.as_ref()), rows(before.as_ref().map(|(_, detail)| detail)));
        // bands of a commitment of 0 may be there twice: the one whose difference it is, or the first
        let pair = |nth: usize| (of_after.get(nth), of_before.get(nth));
        let count = of_after.len().max(of_before.len());
        let held = |nth: usize| {
            let (after, before) = pair(nth);
            Difference::of(asked, after, before).map_err(|error| self.wrong(error))
        };
        let mut place = 0;
        for nth in 0..count {
            if held(nth)?.is_equal() {
                place = nth;
                break;
            }
        }
        let (difference, (of_after, of_before)) = (held(place)?, pair(place));
        let mut sides: [Option<Box<Trace>>; 2] = [None, None];
        if let (Some(detail), Some(row)) = (&after, of_after) {
            sides[0] = Some(Box::new(self.trace(close, detail, row.no).await?));
        }
        if let (Some((earlier, detail)), Some(row)) = (&before, of_before) {
            sides[1] = Some(Box::new(self.trace(*earlier, detail, row.no).await?));
        }
        let [after, before] = sides;
        let from = "what the rating of its close has, less what the rating before it had: both follow".to_owned();
        let behind = Behind::Difference(after, before, Box::new(difference));
        Ok(Traced { row: asked.clone(), from, is_note: false, behind })
    }

    fn wrong(&self, error: crate::core::billing::error::DocumentError) -> TraceError {
        let place = self.place.contract.clone();
        ProveError::Document { place, error }.into()
    }

    /// The close of which the documents before an adjustment are the sum: the newest with a draft of the place that was not discarded.
    async fn close_before(&self, close: usize) -> Result<Option<usize>, TraceError> {
        let closes = self.documents.register().closes();
        let Some(own) = closes.get(close).map(|closed| &closed.close) else { return Ok(None) };
        for (earlier, closed) in closes.iter().enumerate().take(close).rev() {
            let key = self.place.draft(&closed.close.rating_id);
            if closed.close.period != own.period || self.documents.register().discarded_below(&key, own.after) {
                continue;
            }
            let before = self.documents.before(earlier);
            let Some(closed) = self.documents.closed(earlier, &before) else { continue };
            if closed.has_draft(self.place).await? {
                return Ok(Some(earlier));
            }
        }
        Ok(None)
    }

    /// What the place comes to by a close; none if the ledger has nothing of it.
    async fn rated(&self, close: usize) -> Result<Option<Detail>, TraceError> {
        let before = self.documents.before(close);
        let Some(closed) = self.documents.closed(close, &before) else { return Ok(None) };
        let inputs = closed.inputs()?;
        let credits = closed.credits(&inputs);
        match closed.rerating(&inputs, &credits).one(self.place, self.progress).await {
            Ok(detail) => Ok(Some(detail)),
            Err(ProveError::Statement(error))
                if matches!(*error, StatementError::Rate(RateError::NotInForce { .. })) =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn trace(&self, close: usize, detail: &Detail, row: usize) -> Result<Trace, TraceError> {
        let before = self.documents.before(close);
        let closed = self.documents.closed(close, &before).ok_or(TraceError::Differs)?;
        let inputs = closed.inputs()?;
        let credits = closed.credits(&inputs);
        let rerating = closed.rerating(&inputs, &credits);
        let query = TraceQuery { row, ..self.query.clone() };
        row::of_detail(&rerating, self.place, detail, &query, self.progress).await
    }
}
