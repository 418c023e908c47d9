//! A trace as it is printed: the row, what it consists of, and the sum.

use serde::Serialize;
use serde_json::Value;

use crate::clickhouse::read::position::Positions;
use crate::clickhouse::read::whole::Whole;
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
        amount: Whole,
        /// How much of it is estimated.
        held: Whole,
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
        amount: Whole,
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
    /// Last: the sum of the pieces, held against the line.
    Sum(Sum),
}

/// The sum of all pieces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// How many.
    pub pieces: usize,
    /// What they add up to.
    pub amount: Whole,
    /// What was priced: of a peak its window, of a percentile the slot of its rank.
    pub priced: Whole,
    /// So much is a quantity of 1.
    pub one: Whole,
    /// The line's quantity, before its bands.
    pub quantity: String,
    /// Whether the pieces are all of it. Never so where one array was asked for and there are others.
    pub equal: bool,
}
