//! The tables of ratings and documents. Rows of one key and version have to be equal when they arrive, and a header has its rows already
//! (I9).

use std::collections::{BTreeMap, BTreeSet};

use super::super::database::{Stored, same};
use crate::closer::seam::{NewInvoice, StoredDraft};
use crate::core::billing::row::DocumentRow;
use crate::core::closing::record::Inputs;
use crate::statement::Place;

/// What reaches these tables at once.
#[derive(Clone, Debug)]
pub(in crate::sim) enum BillPart {
    /// The rows of one draft of a rating.
    Lines(String, Place, Vec<DocumentRow>),
    /// What of a rating falls on whom.
    Allocation(String),
    /// One draft with its header.
    Header(String, Box<Header>),
    /// An issued document.
    Invoice(Box<NewInvoice>),
}

/// A draft as it is stored, and what its rating is a function of.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sim) struct Header {
    pub(in crate::sim) draft: StoredDraft,
    pub(in crate::sim) inputs: Inputs,
}

/// All of them.
#[derive(Debug, Default)]
pub(in crate::sim) struct BillTables {
    pub(super) lines: BTreeMap<(String, Place), Stored<Vec<DocumentRow>>>,
    pub(super) allocated: BTreeSet<String>,
    pub(super) headers: BTreeMap<(String, Place), Stored<Header>>,
    /// By number and the decisions that a row reflects.
    pub(super) invoices: BTreeMap<(String, u64), Stored<NewInvoice>>,
}

impl BillTables {
    /// Brings a part in. An error says which rows should be equal and are not.
    pub(in crate::sim) fn land(&mut self, part: BillPart, insert: u64) -> Result<(), String> {
        match part {
            BillPart::Lines(rating_id, place, row) => {
                let stored =
                    self.lines.entry((rating_id, place)).or_insert_with(|| Stored { row: row.clone(), insert });
                same(&stored.row, &row)
            }
            BillPart::Allocation(rating_id) => {
                self.allocated.insert(rating_id);
                Ok(())
            }
            BillPart::Header(rating_id, row) => {
                let key = (rating_id, row.draft.place.clone());
                if !self.lines.contains_key(&key) {
                    return Err(format!("I9: the header of {key:?} is there before its rows"));
                }
                let stored = self.headers.entry(key).or_insert_with(|| Stored { row: (*row).clone(), insert });
                same(&stored.row, &row)
            }
            BillPart::Invoice(row) => {
                let key = (row.document.number.clone().unwrap_or_default(), row.decisions);
                let stored = self.invoices.entry(key).or_insert_with(|| Stored { row: (*row).clone(), insert });
                same(&stored.row, &row)
            }
        }
    }

    /// The drafts of a rating among inserts below `shown`.
    pub(super) fn drafts(&self, rating_id: &str, shown: u64) -> Vec<StoredDraft> {
        let all = self.headers.iter().filter(|((id, _), stored)| id == rating_id && stored.insert < shown);
        all.map(|(_, stored)| stored.row.draft.clone()).collect()
    }

    /// How many decisions the newest row of a number reflects, among inserts below `shown`.
    pub(super) fn reflected(&self, number: &str, shown: u64) -> Option<u64> {
        let all = self.invoices.iter().filter(|((own, _), stored)| own == number && stored.insert < shown);
        all.map(|((_, decisions), _)| *decisions).max()
    }
}
