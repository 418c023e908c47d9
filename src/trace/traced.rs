//! A row as a document has it, with what is behind it: one rating, or of an adjustment the two that it is the difference of.

use super::item::{Compared, Difference, Item, Side, SideRow, Trace};
use super::{TraceError, TraceQuery};
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::billing::row::DocumentRow;

/// A row of an issued document traced.
#[derive(Debug)]
pub struct Traced {
    /// The row as the document has it.
    pub row: DocumentRow,
    /// Where it comes from, in words.
    pub from: String,
    /// Whether the document is a credit note: then what it takes back is behind the row.
    pub is_note: bool,
    /// What is behind it.
    pub behind: Behind,
}

/// What is behind a row.
#[derive(Debug)]
pub enum Behind {
    /// One rating.
    Rating(Trace),
    /// Two of them, of which a row that one of both has not is none, and the row as they are to give it.
    Difference(Option<Box<Trace>>, Option<Box<Trace>>, Box<Difference>),
}

impl Traced {
    /// Something that is a row of one rating.
    #[must_use]
    pub fn of(trace: Trace) -> Self {
        let (row, from) = (trace.row().clone(), trace.from().to_owned());
        Self { row, from, is_note: false, behind: Behind::Rating(trace) }
    }

    /// Refuses an array that was asked for and of which there is nothing behind the row.
    pub(super) fn of_asked(self, query: &TraceQuery) -> Result<Self, TraceError> {
        let has_pieces = match &self.behind {
            Behind::Rating(trace) => trace.has_pieces(),
            Behind::Difference(after, before, _) => [after, before].into_iter().flatten().any(|side| side.has_pieces()),
        };
        match &query.array {
            Some(array) if !has_pieces => Err(TraceError::NoArray { array: array.clone(), row: self.row.no }),
            _ => Ok(self),
        }
    }

    /// Which rows are behind it, each with its trace.
    #[must_use]
    pub fn sides(&self) -> Vec<(Option<Side>, Option<&Trace>)> {
        match &self.behind {
            Behind::Rating(trace) => vec![(self.is_note.then_some(Side::Credited), Some(trace))],
            Behind::Difference(after, before, _) => {
                vec![(Some(Side::After), after.as_deref()), (Some(Side::Before), before.as_deref())]
            }
        }
    }

    /// The row held against both ratings, if there are two.
    #[must_use]
    pub fn difference(&self) -> Option<&Difference> {
        if let Behind::Difference(_, _, difference) = &self.behind { Some(difference) } else { None }
    }
}

impl Side {
    /// The row of a side, as one line of the output.
    ///
    /// # Errors
    /// None that a row can cause.
    pub fn item(self, trace: Option<&Trace>) -> Result<Item, serde_json::Error> {
        let row = trace.map(|trace| serde_json::to_value(trace.row())).transpose()?;
        let none = match self {
            Side::Before => "the rating before has no such row",
            Side::After | Side::Credited => "the rating after has no such row: it was taken back whole",
        };
        let from = trace.map_or(none, Trace::from).to_owned();
        Ok(Item::Side(SideRow { side: self, row, from }))
    }
}

impl Difference {
    /// A row held against those of the ratings after and before.
    ///
    /// # Errors
    /// Figures that are none.
    pub fn of(
        row: &DocumentRow,
        after: Option<&DocumentRow>,
        before: Option<&DocumentRow>,
    ) -> Result<Self, DocumentError> {
        let quantity = |row: Option<&DocumentRow>| row.and_then(|row| row.quantity.clone());
        let amount = |row: Option<&DocumentRow>| row.map(|row| row.amount.clone());
        let has_quantity = [Some(row), after, before].into_iter().any(|row| quantity(row).is_some());
        let compared = |of: &dyn Fn(Option<&DocumentRow>) -> Option<String>| {
            let figure = |row| Figure::sum(of(row).as_deref());
            let (row, after, before) = (figure(Some(row))?, figure(after)?, figure(before)?);
            let difference = after.minus(before)?;
            let equal = difference == row;
            let [after, before, difference, row] = [after, before, difference, row].map(|figure| figure.to_string());
            Ok::<_, DocumentError>(Compared { after, before, difference, row, equal })
        };
        let quantity = if has_quantity { Some(compared(&quantity)?) } else { None };
        Ok(Self { quantity, amount: compared(&amount)? })
    }

    /// Whether the row is what the ratings give.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.amount.equal && self.quantity.as_ref().is_none_or(|quantity| quantity.equal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::billing::sample::northwind_invoice;

    #[test]
    fn a_row_is_held_against_both_ratings_or_against_one_that_has_none() {
        let row = |quantity: Option<&str>, amount: &str| DocumentRow {
            quantity: quantity.map(str::to_owned),
            amount: amount.to_owned(),
            ..northwind_invoice().rows[0].clone()
        };
        let (after, before) = (row(Some("130"), "3825.00"), row(Some("128.75"), "3790.62"));
        let held = |asked: &DocumentRow, after, before| Difference::of(asked, after, before).unwrap();
        let difference = held(&row(Some("1.25"), "34.38"), Some(&after), Some(&before));
        assert!(difference.is_equal(), "{difference:?}");
        assert_eq!(difference.quantity.unwrap().difference, "1.25");
        assert!(held(&row(Some("-128.75"), "-3790.62"), None, Some(&before)).is_equal());
        assert!(held(&row(Some("130"), "3825.00"), Some(&after), None).is_equal());
        let wrong = held(&row(Some("1.26"), "34.38"), Some(&after), Some(&before));
        assert!(!wrong.is_equal() && wrong.amount.equal, "{wrong:?}");
        assert!(!held(&row(Some("1.25"), "34.39"), Some(&after), Some(&before)).is_equal());
        assert_eq!(held(&row(None, "1.00"), Some(&row(None, "1.00")), None).quantity, None);
    }
}
