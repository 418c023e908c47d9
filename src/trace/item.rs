//! A trace as it is printed: the row, what it consists of, and the sum.

use serde::Serialize;
use serde_json::Value;

use super::TraceError;
use crate::clickhouse::read::position::Positions;
use crate::clickhouse::read::whole::Digits;
use crate::core::billing::row::DocumentRow;

/// What is behind a row.
#[derive(Debug)]
pub enum Trace {
    /// Usage of a line.
    Usage(Box<super::LineTrace>),
    /// Other rows of the document: what a share, a minimum or a maximum is computed from.
    Rows {
        /// The row.
        row: DocumentRow,
        /// In words.
        from: String,
        /// The rows.
        rows: Vec<DocumentRow>,
    },
    /// Nothing but the contract: a fee, or a flat price of the period.
    Contract {
        /// The row.
        row: DocumentRow,
        /// In words.
        from: String,
    },
}

impl Trace {
    /// The row.
    #[must_use]
    pub fn row(&self) -> &DocumentRow {
        match self {
            Trace::Usage(usage) => usage.row(),
            Trace::Rows { row, .. } | Trace::Contract { row, .. } => row,
        }
    }

    /// Where it comes from, in words.
    #[must_use]
    pub fn from(&self) -> &str {
        match self {
            Trace::Usage(_) => "usage of its line: the pieces, whole; bands and commitment split their sum",
            Trace::Rows { from, .. } | Trace::Contract { from, .. } => from,
        }
    }

    /// What it has before its pages: of a line with a commitment its windows.
    #[must_use]
    pub fn windows(&self) -> Vec<Item> {
        if let Trace::Usage(usage) = self { usage.windows() } else { Vec::new() }
    }

    /// The sum of its pieces.
    #[must_use]
    pub fn sum(&self) -> Option<&Sum> {
        if let Trace::Usage(usage) = self { Some(usage.sum()) } else { None }
    }

    /// How many pages of pieces there are, or one of other rows.
    #[must_use]
    pub fn pages(&self) -> usize {
        match self {
            Trace::Usage(usage) => usage.pages(),
            Trace::Rows { .. } => 1,
            Trace::Contract { .. } => 0,
        }
    }

    /// A page of pieces, or of other rows, from 0.
    ///
    /// # Errors
    /// The server's.
    pub async fn page(&self, page: usize) -> Result<Vec<Item>, TraceError> {
        let source = |row: &DocumentRow| {
            let (line, amount) = (row.line.clone(), row.amount.clone());
            Item::Source { no: row.no, line, kind: row.kind.as_str(), amount }
        };
        match self {
            Trace::Usage(usage) => usage.page(page).await,
            Trace::Rows { rows, .. } if page == 0 => Ok(rows.iter().map(source).collect()),
            Trace::Rows { .. } | Trace::Contract { .. } => Ok(Vec::new()),
        }
    }

    /// Whether it has pieces.
    pub(super) fn has_pieces(&self) -> bool {
        self.sum().is_some_and(|sum| sum.pieces > 0)
    }
}

/// One line of the output.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    /// First: the row.
    Row {
        /// The row as its document has it.
        row: Value,
        /// Where it comes from, in words.
        from: String,
    },
    /// Before the pieces of another row than the first: of a rating that it is the difference of, or of what a credit note takes back.
    Side(SideRow),
    /// An array, a resource, a day or an hour.
    Piece {
        /// The array.
        #[serde(skip_serializing_if = "Option::is_none")]
        array: Option<String>,
        /// The resource on it.
        #[serde(skip_serializing_if = "Option::is_none")]
        resource: Option<String>,
        /// From when.
        start: String,
        /// Until when, exclusive.
        end: String,
        /// In the meter's base unit, of a gauge times milliseconds.
        amount: Digits,
        /// How much of it is estimated.
        held: Digits,
        /// As a quantity in the row's unit, rounded on its own; only amounts add up.
        quantity: String,
        /// Where its events lie.
        positions: Vec<Positions>,
    },
    /// Of a line with a commitment: one window.
    Window {
        /// From when.
        start: String,
        /// Until when, exclusive.
        end: String,
        /// In the meter's base unit, of a gauge times milliseconds.
        amount: Digits,
        /// The mean level.
        level: String,
        /// The commitment in force.
        committed: String,
        /// What lies above it.
        over: String,
    },
    /// A row that this one is computed from.
    Source {
        /// Its number.
        no: usize,
        /// Its line.
        line: Option<String>,
        /// Its kind.
        kind: &'static str,
        /// Its amount.
        amount: String,
    },
    /// After the pieces: their sum, held against the line.
    Sum(Sum),
    /// Last, of an adjustment: the row held against the ratings before and after.
    Difference(Difference),
}

/// Whose pieces follow.
#[derive(Clone, Debug, Serialize)]
pub struct SideRow {
    /// Which side.
    pub side: Side,
    /// Its row; null where it has none.
    pub row: Option<Value>,
    /// Where it comes from, in words.
    pub from: String,
}

/// One of the rows behind a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The row that a credit note takes back.
    Credited,
    /// The row of the rating of an adjustment's close.
    After,
    /// The row of the rating before it.
    Before,
}

/// A row of an adjustment, held against the two ratings that it is the difference of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Quantities; null where none of the rows has one.
    pub quantity: Option<Compared>,
    /// Amounts.
    pub amount: Compared,
}

/// A figure of both ratings and of the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// After.
    pub after: String,
    /// Before.
    pub before: String,
    /// After less before.
    pub difference: String,
    /// What the row says.
    pub row: String,
    /// Whether the row says the difference.
    pub equal: bool,
}

/// The sum of all pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// How many.
    pub pieces: usize,
    /// What they add up to.
    pub amount: Digits,
    /// What was priced: of a peak its window, of a percentile the slot of its rank.
    pub priced: Digits,
    /// So much is a quantity of 1.
    pub one: Digits,
    /// The line's quantity, before its bands.
    pub quantity: String,
    /// Whether the pieces are all of it. Never so where one array was asked for and there are others.
    pub equal: bool,
}
