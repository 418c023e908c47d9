//! Both sides of a provider: wholesale allocated to customers, beside retail. The shell reads, the core splits and adds up.

mod aligned;
mod closed;
mod error;
mod open;
pub mod table;

pub use error::MarginError;

use crate::core::billing::margin::{Margin, MarginPeriod, sheets};
use crate::core::cut::CutPoint;
use crate::statement::Rater;

/// Documents of one cut, as both sides need them.
#[derive(Default)]
struct Sides {
    sales: Vec<crate::core::billing::margin::Sale>,
    purchases: Vec<crate::core::billing::margin::Purchase>,
    cut: Vec<CutPoint>,
}

/// The margin of a provider in the period with this label: of a closed period from what is stored, of an open one from statements.
///
/// # Errors
/// A provider that no contract concerns, what cannot be rated or allocated, sums that do not agree, and the server's.
pub async fn margin(rater: &Rater, provider: &str, label: &str) -> Result<Margin, MarginError> {
    let aligned = aligned::aligned(rater.book(), &rater.contracts_of(provider), label)?;
    let period = aligned.period.ok_or_else(|| MarginError::NoContract(provider.to_owned(), label.to_owned()))?;
    let closed = closed::read(rater.client(), provider, &period).await?;
    let state = if closed.is_some() { "closed" } else { "open" };
    let sides = match closed {
        Some(sides) => sides,
        None => open::rate(rater, provider, &period, &aligned.contracts).await?,
    };
    let (currencies, not_comparable) = sheets(&sides.sales, &sides.purchases)?;
    Ok(Margin {
        provider: provider.to_owned(),
        period: MarginPeriod { label: period.label.clone(), start: period.start.rfc3339(), end: period.end.rfc3339() },
        state,
        provisional: state == "open",
        cut: sides.cut,
        currencies,
        not_comparable,
        not_aligned: aligned.others,
    })
}
