//! What falls on whom of the wholesale of a close, weighed again from the ledger and held against the table `allocation`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::closed::{Closed, Made, MadeByPlace};
use super::columns::{ALLOCATION, shown};
use super::difference::MAX_LISTED;
use super::inputs::Inputs;
use super::rows::Found;
use super::usage::{Effort, Ledger};
use super::verdict::Verdict;
use super::{Progress, ProveError, Weighed, allocate, allocation_rows};
use crate::clickhouse::allocation::AllocationRow;
use crate::clickhouse::read::materialised;
use crate::core::billing::document::Document;
use crate::core::book::model::Buyer;
use crate::core::closing::period::of_key;
use crate::core::pricing::period::Period;
use crate::statement::Place;

/// Contract, row, customer.
type Key = (String, u32, String);

/// Most rows are equal: of the others alone words are made.
struct Due {
    row: AllocationRow,
    is_stored: bool,
}

/// What is wrong with the allocation of contracts.
type FoundByContract = BTreeMap<String, Found>;

impl Closed<'_> {
    /// Holds the allocation of the wholesale among what was made, or among some places, against what is stored, and says what differs in
    /// the verdicts on its documents. Returns what was read for it.
    pub(super) async fn allocated(
        &self,
        (inputs, made): (&Inputs, &MadeByPlace),
        only: Option<&[Place]>,
        verdicts: &mut Vec<Verdict>,
        progress: Progress<'_>,
    ) -> Result<Effort, ProveError> {
        let contracts: Option<BTreeSet<&str>> =
            only.map(|only| only.iter().map(|place| place.contract.as_str()).collect());
        let (due, effort) = self.due(inputs, made, progress).await?;
        let mut due: BTreeMap<Key, Due> =
            due.into_iter().map(|row| (key(&row), Due { row, is_stored: false })).collect();
        let asked: Vec<Option<&str>> = match &contracts {
            Some(contracts) => contracts.iter().map(|contract| Some(*contract)).collect(),
            None => vec![None],
        };
        let mut found = FoundByContract::new();
        for contract in asked {
            let mut rows = materialised::allocation(self.client, &self.close.rating_id, contract)?;
            while let Some(row) = rows.next().await? {
                take(&mut due, &row, &mut found);
            }
        }
        for Due { row, .. } in due.values().filter(|due| !due.is_stored) {
            found.entry(row.contract.clone()).or_default().hold(
                ("allocation", &name(row)),
                &[],
                Some(&shown(&ALLOCATION, row)),
            );
        }
        self.say(found, verdicts);
        Ok(effort)
    }

    /// What is due of the wholesale among what was made.
    async fn due(
        &self,
        inputs: &Inputs,
        made: &MadeByPlace,
        progress: Progress<'_>,
    ) -> Result<(Vec<AllocationRow>, Effort), ProveError> {
        let book = &inputs.basis.book;
        let is_bought = |place: &Place| {
            matches!(book.contracts.get(&place.contract).map(|one| &one.buyer), Some(Buyer::Provider(_)))
        };
        let bought = made.iter().filter_map(|(place, made)| match made {
            Made::Draft(draft) if is_bought(place) => Some(draft.document.clone()),
            _ => None,
        });
        let bought: Vec<Document> = bought.collect();
        if bought.is_empty() {
            return Ok((Vec::new(), Effort::default()));
        }
        let (client, key) = (self.client, &self.close.period);
        let bare = || Period { label: String::new(), start: key.start, end: key.end };
        let period = of_key(book, key).map_or_else(bare, |period| period.period());
        let (cut, meters, streams) = (&*self.close.cut, &inputs.basis.meters, &inputs.streams);
        let ledger = Ledger { client, cut, streams, meters, provider: &key.provider };
        let effort = Mutex::new(Effort::default());
        let told = |now: Effort| {
            *effort.lock().unwrap_or_else(PoisonError::into_inner) = now;
            progress(now);
        };
        let weighed = Weighed::Ledger(&ledger, &told);
        let parts = allocate(client, book, &key.provider, &period, &bought, &weighed).await?;
        let mut rows = allocation_rows(&bought, &parts)?;
        rows.iter_mut().for_each(|row| row.rating_id.clone_from(&self.close.rating_id));
        Ok((rows, effort.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Adds what was found to the verdicts on the contracts' documents.
    fn say(&self, found: FoundByContract, verdicts: &mut Vec<Verdict>) {
        for (contract, found) in found {
            let place = Place { contract, customer: None };
            let own = verdicts.iter().position(|verdict| verdict.place == place);
            let own = own.unwrap_or_else(|| {
                verdicts.push(self.blank(&place));
                verdicts.len() - 1
            });
            if let Some(verdict) = verdicts.get_mut(own) {
                verdict.proven = false;
                verdict.differences.extend(found.0);
                verdict.differences.truncate(MAX_LISTED);
            }
        }
    }
}

/// Holds a stored row against the one that is due.
fn take(due: &mut BTreeMap<Key, Due>, row: &AllocationRow, found: &mut FoundByContract) {
    let due = due.get_mut(&key(row));
    if let Some(due) = due {
        due.is_stored = true;
        if due.row == *row {
            return;
        }
        let (stored, due) = ([shown(&ALLOCATION, row)], shown(&ALLOCATION, &due.row));
        found.entry(row.contract.clone()).or_default().hold(("allocation", &name(row)), &stored, Some(&due));
    } else {
        let stored = [shown(&ALLOCATION, row)];
        found.entry(row.contract.clone()).or_default().hold(("allocation", &name(row)), &stored, None);
    }
}

fn key(row: &AllocationRow) -> Key {
    (row.contract.clone(), row.no, row.customer.clone())
}

/// A row in words.
fn name(row: &AllocationRow) -> String {
    let whose = if row.customer.is_empty() { "unallocated" } else { &row.customer };
    format!("{}, row {}, {whose}", row.contract, row.no)
}
