//! Issued documents against the drafts that have their numbers.

use super::super::world::{Broken, World};
use super::register::{Log, Number};
use crate::core::billing::document::Document;
use crate::statement::Place;

/// Every number has a row in its newest state, with the draft's own rows, and was told.
pub(super) fn documents(world: &World, log: &Log<'_>) {
    let (database, billing) = (world.database.borrow(), world.billing.borrow());
    for number in &log.numbers {
        let key = (number.text.clone(), number.decisions);
        let Some(stored) = database.bill.invoices.get(&key) else {
            world.fail(Broken::Lost, format!("{number:?} has no row that reflects all its decisions"));
            continue;
        };
        let draft = database.bill.headers.get(&(number.draft.rating_id.clone(), Place::of(&number.draft)));
        let Some(draft) = draft.map(|stored| &stored.row.draft.document) else {
            world.fail(Broken::Lost, format!("{number:?} is of a draft that is not there"));
            continue;
        };
        is_of(world, number, &stored.row.document, draft);
        let told: Vec<Document> = billing
            .told
            .get(&number.text)
            .into_iter()
            .flatten()
            .filter_map(|json| Document::from_json(json).ok())
            .collect();
        if told.is_empty() {
            world.fail(Broken::Lost, format!("nobody was told of {number:?}"));
        }
        told.iter().for_each(|document| is_of(world, number, document, draft));
    }
    let is_known = |text: &String| log.numbers.iter().any(|number| number.text == *text);
    if let Some(((text, _), _)) = database.bill.invoices.iter().find(|((text, _), _)| !is_known(text)) {
        world.fail(Broken::Doubled, format!("{text} has a row, and the log gives nobody that number"));
    }
}

/// A document is its draft under a number; a note takes at most what its document comes to.
fn is_of(world: &World, number: &Number, document: &Document, draft: &Document) {
    let is_own = document.number.as_deref() == Some(&*number.text) && document.contract == draft.contract;
    let is_same = match number.over {
        None => document.rows == draft.rows && document.total == draft.total && document.credits == draft.credits,
        Some(_) => document.rows.len() <= draft.rows.len(),
    };
    if !is_own || !is_same {
        let (told, due) = (&document.total, &draft.total);
        world.fail(Broken::Wrong, format!("{number:?} is {told} of {:?}; its draft is {due}", document.number));
    }
}
