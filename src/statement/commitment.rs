//! A statement's commitments by day: what a console draws of an open period, counted as its invoice counts it.

use super::{Place, Rater, StatementError};
use crate::clickhouse::read::line_usage;
use crate::core::billing::detail::{CommitmentDays, detail};
use crate::core::pricing::period::period;
use crate::core::pricing::selection::selections;

/// Each line of a place that has a commitment of a level, by local day, with the arrays that this line meters and no others.
///
/// # Errors
/// What is unknown, what cannot be priced, and the server's.
pub async fn commitments(rater: &Rater, place: &Place, label: &str) -> Result<Vec<CommitmentDays>, StatementError> {
    let Place { contract, customer } = place;
    let (book, customer) = (rater.book(), customer.as_deref());
    let terms = book.contracts.get(contract).ok_or_else(|| StatementError::NoContract(contract.clone()))?;
    let period = period(terms, label)?;
    let usages = line_usage::read(rater.client(), &selections(book, contract, customer, &period)?).await?;
    Ok(detail(book, contract, customer, &period, &usages)?.commitments)
}
