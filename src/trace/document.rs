//! A row of an issued document traced: at the cut and with the price book of the close that made it.

use std::collections::BTreeSet;

use super::{Trace, TraceError, TraceQuery, row};
use crate::core::billing::document::Document;
use crate::core::billing::row::DocumentRow;
use crate::core::closing::register::Subject;
use crate::prove::Progress;
use crate::prove::documents::Documents;

/// Traces a row of the document of a number; none if there is no such number. A row of an adjustment is what its whole rating has less the
/// documents before it: the row of the whole rating is traced.
///
/// # Errors
/// A row that is not there, one that the ledger does not give any more, and what cannot be read.
pub async fn document(
    documents: &Documents,
    number: &str,
    query: &TraceQuery,
    progress: Progress<'_>,
) -> Result<Option<Trace>, TraceError> {
    let Some((close, place)) = documents.draft_of(number) else { return Ok(None) };
    let asked = original(documents, number, query.row)?;
    let before = documents.before(close);
    let Some(closed) = documents.closed(close, &before) else { return Ok(None) };
    let mut stored = closed.numbered(Some(std::slice::from_ref(&place))).await?;
    let stored = stored.remove(&place).ok_or(TraceError::Differs)?;
    let asked = stored.rows.iter().find(|row| row.no == asked);
    let asked = asked.ok_or(TraceError::NoRow { rows: stored.rows.len(), asked: query.row })?;
    let inputs = closed.inputs()?;
    let known = closed.known(&closed.earlier(Some(std::slice::from_ref(&place))).await?);
    let credits = closed.credits(&inputs, &known);
    let rerating = closed.rerating(&inputs, &credits);
    let detail = rerating.one(&place, progress).await?;
    let whole = &detail.rerated.document;
    let found = whole.rows.iter().find(|row| is_same(row, asked)).ok_or(TraceError::Differs)?;
    if is_whole(&stored) && found != asked {
        return Err(TraceError::Differs);
    }
    let query = TraceQuery { row: found.no, ..query.clone() };
    row::of_detail(&rerating, &place, &detail, &query, progress).await.map(Some)
}

/// The row of the document itself: that of a credit note names the row that it corrects.
fn original(documents: &Documents, number: &str, row: usize) -> Result<usize, TraceError> {
    let issued = documents.register().document(number);
    let Some(Subject::Note(note)) = issued.map(|issued| &issued.subject) else { return Ok(row) };
    // a note has its rows in the order of its document's (`billing/credit_note`)
    let corrected: BTreeSet<usize> = note.rows.iter().map(|row| row.no).collect();
    let found = row.checked_sub(1).and_then(|index| corrected.iter().nth(index)).copied();
    found.ok_or(TraceError::NoRow { rows: corrected.len(), asked: row })
}

/// Whether a document is a whole rating, and not the difference of two.
fn is_whole(document: &Document) -> bool {
    document.cause.is_none()
}

/// Whether rows are of the same thing: adjustments are keyed by it (PRICING §14).
fn is_same(one: &DocumentRow, other: &DocumentRow) -> bool {
    (&one.line, one.kind, &one.band, &one.period) == (&other.line, other.kind, &other.band, &other.period)
}
