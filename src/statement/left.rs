//! How much is left of the credits that were granted on a contract.

use super::StatementError;
use super::place::Place;
use super::standing::{Standing, key};
use crate::core::book::Book;
use crate::core::closing::credit::{self, Known};
use crate::core::closing::register::Register;
use crate::core::decision::credit::Grants;
use crate::core::pricing::credit::Credit;
use crate::core::word::Offset;

/// What says how much is left of credits.
pub(super) struct Left<'r> {
    /// None where none was granted.
    pub(super) register: Option<&'r Register>,
    /// Of a closed period.
    pub(super) standing: Option<&'r Standing>,
}

impl Left<'_> {
    /// The credits that a document may use, by the decisions below `after`.
    pub(super) fn credits(
        &self,
        (book, grants, after): (&Book, &Grants, u64),
        place: &Place,
        label: &str,
        places: u32,
    ) -> Result<Vec<Credit>, StatementError> {
        let Some(register) = self.register else { return Ok(Vec::new()) };
        let (key, after) = (key(book, &place.contract, label)?.0, Offset(after));
        let known = self.standing.map_or(Known::first(after), |standing| standing.known(place, after));
        let whose = (&*place.contract, place.customer.as_deref());
        Ok(credit::left(register, grants, &key, whose, known, places))
    }
}
