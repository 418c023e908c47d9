//! Which contracts of a provider close together: those whose period has the same bounds (PRICING §3).

use crate::core::billing::margin::NotAligned;
use crate::core::book::model::Book;
use crate::core::pricing::error::RateError;
use crate::core::pricing::period::{Period, Span, period};
use crate::core::word::Instant;

/// Contracts by their bounds.
pub struct Aligned {
    /// The bounds that count; none if no contract is in force.
    pub period: Option<Period>,
    /// The contracts that have them.
    pub contracts: Vec<String>,
    /// Those that have others.
    pub others: Vec<NotAligned>,
}

/// The contracts in force with the bounds of the first one; they come wholesale first, so those of the wholesale count.
///
/// # Errors
/// A label that is none.
pub fn aligned(book: &Book, contracts: &[String], label: &str) -> Result<Aligned, RateError> {
    let mut aligned = Aligned { period: None, contracts: Vec::new(), others: Vec::new() };
    for id in contracts {
        let Some(contract) = book.contracts.get(id) else { continue };
        let own = period(contract, label)?;
        let until = contract.until.unwrap_or(Instant(i64::MAX));
        if own.span().meet(Span { from: contract.from, until }).is_none() {
            continue;
        }
        let bounds = aligned.period.get_or_insert_with(|| own.clone());
        if (own.start, own.end) == (bounds.start, bounds.end) {
            aligned.contracts.push(id.clone());
        } else {
            let (start, end) = (own.start.rfc3339(), own.end.rfc3339());
            aligned.others.push(NotAligned { contract: id.clone(), start, end });
        }
    }
    Ok(aligned)
}
