//! What is behind a row: usage, other rows, or the contract alone.

use super::item::Trace;
use super::line::{LineTrace, Subject};
use super::traced::Traced;
use super::{TraceError, TraceQuery};
use crate::core::billing::row::DocumentRow;
use crate::core::book::model::{Card, Charge, Contract};
use crate::core::pricing::breakdown::Terms;
use crate::core::pricing::party;
use crate::core::pricing::row_kind::RowKind;
use crate::prove::rerate::{Detail, Rerating, of_lines};
use crate::prove::{Ledger, Progress};
use crate::statement::Place;

/// Traces a row of the document that a rating gives. The document is made anew from the ledger; whoever asks about a stored one holds the
/// row against it.
///
/// # Errors
/// A row that is not there, and what cannot be rated or read.
pub async fn trace(
    rerating: &Rerating<'_>,
    place: &Place,
    query: &TraceQuery,
    progress: Progress<'_>,
) -> Result<Traced, TraceError> {
    let detail = rerating.one(place, progress).await?;
    Traced::of(of_detail(rerating, place, &detail, query, progress).await?).of_asked(query)
}

/// The same of a document that has been made.
pub(super) async fn of_detail(
    rerating: &Rerating<'_>,
    place: &Place,
    detail: &Detail,
    query: &TraceQuery,
    progress: Progress<'_>,
) -> Result<Trace, TraceError> {
    let rows = &detail.rerated.document.rows;
    let row = query.row.checked_sub(1).and_then(|place| rows.get(place)).cloned();
    let row = row.ok_or(TraceError::NoRow { rows: rows.len(), asked: query.row })?;
    let (book, _) = rerating.book;
    let contract = party::contract(book, &place.contract)?;
    match row.kind {
        RowKind::Fee => {
            let from =
                "a fee of the contract, by the seconds of its part of the period; no usage is behind it".to_owned();
            Ok(Trace::Contract { row, from })
        }
        RowKind::Share => {
            let of = shared(contract, book.cards.get(&contract.card), row.line.as_deref());
            let is_of = |other: &&DocumentRow| other.line.as_ref().is_some_and(|line| of.contains(&line));
            let rows = rows.iter().filter(is_of).cloned().collect();
            Ok(Trace::Rows { from: row.description.clone(), row, rows })
        }
        RowKind::Minimum | RowKind::Maximum => {
            let rows = rows.iter().filter(|other| other.no != row.no).cloned().collect();
            let from = format!("the contract's {} of the period less the sum of all other rows", row.kind.as_str());
            Ok(Trace::Rows { row, from, rows })
        }
        _ => usage(rerating, place, detail, row, query, progress).await,
    }
}

async fn usage(
    rerating: &Rerating<'_>,
    place: &Place,
    detail: &Detail,
    row: DocumentRow,
    query: &TraceQuery,
    progress: Progress<'_>,
) -> Result<Trace, TraceError> {
    let of_line =
        detail.selections.iter().zip(&detail.usages).find(|(selection, _)| Some(&selection.id) == row.line.as_ref());
    let (selection, usage) = of_line.ok_or(TraceError::Differs)?;
    let terms = Terms::of(rerating.book.0, &place.contract, selection, detail.period.span().ms())?;
    let meters = of_lines(rerating.meters, std::slice::from_ref(selection));
    let Rerating { client, cut, streams, provider, .. } = *rerating;
    let ledger = Ledger { client, cut, streams, meters: &meters, provider };
    let subject = Subject { ledger, terms, selection, row };
    Ok(Trace::Usage(Box::new(LineTrace::of(subject, query, usage, progress).await?)))
}

/// The lines of which a line is a share.
fn shared<'book>(contract: &Contract, card: Option<&'book Card>, line: Option<&str>) -> Vec<&'book String> {
    let rate = contract.lines.iter().find(|own| Some(own.id.as_str()) == line).map(|own| &own.rate);
    let rates = card.into_iter().flat_map(|card| &card.rates).filter(|own| Some(&own.id) == rate);
    let of = rates.filter_map(|rate| match &rate.charge {
        Charge::Share { of, .. } => Some(of),
        Charge::Usage(_) | Charge::Fee(_) => None,
    });
    of.flatten().collect()
}
