//! What the printed page shows beside a document (INVOICE §5). It is kept with the document and outside its digest: everything in it can
//! be computed again from the same inputs.

use serde::{Deserialize, Serialize};

use super::gap::{LineGaps, gaps};
use crate::core::book::model::Book;
use crate::core::pricing::daily::{Day, LineDays, daily};
use crate::core::pricing::decimal::Decimal;
use crate::core::pricing::error::RateError;
use crate::core::pricing::period::Period;
use crate::core::pricing::usage::LineUsage;

/// Detail of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// Lines with a commitment, in the contract's order.
    #[serde(default)]
    pub commitments: Vec<CommitmentDays>,
    /// Of wholesale: lines of which some array was not measured all the time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<LineGaps>,
}

/// A line's commitment by local day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentDays {
    /// The line.
    pub line: String,
    /// Its unit.
    pub unit: String,
    /// Whether overage is found day by day; else for the period as one.
    pub by_day: bool,
    /// In time order.
    pub days: Vec<CommitmentDay>,
}

/// A local day: levels in the line's unit, at most 6 places. `used + unused - over` is the commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentDay {
    /// Year, month and day in the contract's zone.
    pub date: String,
    /// The mean of what was used.
    pub used: String,
    /// The commitment in force.
    pub commitment: String,
    /// What of it was not used.
    pub unused: String,
    /// What lay above it.
    pub over: String,
}

/// The detail of a contract's period: the inputs are those of [`crate::core::pricing::rating::rate`].
///
/// # Errors
/// What rating refuses.
pub fn detail(
    book: &Book,
    contract_id: &str,
    customer: Option<&str>,
    period: &Period,
    usages: &[LineUsage],
) -> Result<Detail, RateError> {
    let lines = daily(book, contract_id, customer, period, usages)?;
    let gaps = gaps(book, contract_id, period, usages)?;
    Ok(Detail { commitments: lines.into_iter().map(line).collect(), gaps })
}

fn line(LineDays { line, unit, by_day, days }: LineDays) -> CommitmentDays {
    CommitmentDays { line, unit, by_day, days: days.into_iter().map(day).collect() }
}

fn day(Day { date, used, commitment, unused, over }: Day) -> CommitmentDay {
    let shown = |figure: Decimal| figure.to_string();
    CommitmentDay {
        date: date.to_string(),
        used: shown(used),
        commitment: shown(commitment),
        unused: shown(unused),
        over: shown(over),
    }
}
