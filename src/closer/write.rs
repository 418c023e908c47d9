//! Writing a close: rows, then headers, then the decision, each of which may be the last thing that this process does.

use super::close::{Attempt, Outcome};
use super::drafts::digest;
use super::error::CloseError;
use super::plan::{Plan, asked};
use super::seam::{BillLog, BillStore, NewRating, StoredDraft};
use super::state::Closer;
use crate::core::billing::error::DocumentError;
use crate::core::closing::hole::Hole;
use crate::core::closing::record;
use crate::core::decision::Decision;
use crate::core::decision::closing::Close;
use crate::mutation::{Mutation, planted};

impl<L: BillLog, S: BillStore> Closer<L, S> {
    /// Records that these holes are accepted; the next attempt closes in spite of them.
    pub(super) fn waive(&mut self, plan: &Plan, holes: &[Hole], reason: &str) -> Result<Attempt, CloseError> {
        let mut waived: Vec<String> = holes.iter().map(|hole| hole.kind().to_owned()).collect();
        waived.sort();
        waived.dedup();
        let (period, revision) = (plan.inputs.period.clone(), plan.inputs.revision);
        let (reason, actor) = (reason.to_owned(), self.actor.clone());
        self.decide(&Decision::CloseOverridden { period, revision, waived, reason, actor })?;
        Ok(Attempt::Again)
    }

    /// Writes a close. Whether it counts is what the log says afterwards.
    pub(super) fn write(&mut self, plan: Plan, waived: Vec<Hole>) -> Result<Attempt, CloseError> {
        let close = close_of(&plan).map_err(CloseError::document(&plan.inputs.period.provider))?;
        let rating = NewRating { rating_id: &plan.rating_id, inputs: &plan.inputs, drafts: &plan.drafts };
        if planted(Mutation::HeaderBeforeRows) {
            self.store.insert_headers(&rating)?;
        }
        // nothing is rated any more
        if !self.store.insert_rows(&asked(&plan, &|_, _| Vec::new()), &rating)? {
            return Ok(Attempt::Again);
        }
        self.store.insert_headers(&rating)?;
        let actor = self.actor.clone();
        let appended = self.log.append(&Decision::PeriodClosed { close: Box::new(close), actor });
        // whatever was heard of the append, the log knows
        self.follow()?;
        let is_believed = planted(Mutation::AckBelieved) && appended.is_ok();
        if is_believed || self.register.rating(&plan.rating_id).is_some() {
            return Ok(Attempt::Ended(Outcome::Closed(plan.closing(waived))));
        }
        appended?;
        Ok(Attempt::Again)
    }
}

/// What the control log says of a close.
fn close_of(plan: &Plan) -> Result<Close, DocumentError> {
    let mut credits = Vec::new();
    for StoredDraft { place, document, .. } in &plan.drafts {
        credits.extend(record::credits(document, place.customer.as_deref())?);
    }
    let inputs = plan.inputs.clone();
    Ok(Close {
        period: inputs.period,
        revision: inputs.revision,
        cause: inputs.cause,
        cut: inputs.cut,
        after: inputs.after,
        versions: inputs.versions,
        book: inputs.book,
        rating_id: plan.rating_id.clone(),
        digest: digest(&plan.drafts)?,
        credits,
    })
}
