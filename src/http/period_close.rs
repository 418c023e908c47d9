//! One close of a period, as the API shows it: what came of it, its holes and its drafts.

use serde::Serialize;
use utoipa::ToSchema;

use super::hole::PeriodHole;
use crate::closer::CloseError;
use crate::closer::close::{Closing, Outcome};
use crate::closer::seam::StoredDraft;
use crate::core::closing::period::ProviderPeriod;
use crate::core::closing::record::short_id;
use crate::statement::Place;

/// One close.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeriodClose {
    /// The period's first instant.
    start: String,
    /// The first instant after it.
    end: String,
    /// closed, can_be_closed, refused, nothing_to_correct (it is closed, and nothing accepted since alters an amount) or contended (others
    /// kept deciding in between: try again).
    pub(super) outcome: &'static str,
    /// 0, then 1, 2, ... for what corrects it; null where nothing was rated.
    revision: Option<u32>,
    /// The rating's id; null where nothing was closed.
    rating_id: Option<String>,
    /// What keeps it open.
    holes: Vec<PeriodHole>,
    /// What was accepted.
    accepted: Vec<PeriodHole>,
    /// Its drafts.
    drafts: Vec<ClosedDraft>,
}

/// A draft of a close.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosedDraft {
    /// By which it is named; null where nothing was closed, and there is no draft.
    draft: Option<String>,
    /// The contract.
    contract: String,
    /// Of a contract for each customer: whose.
    customer: Option<String>,
    /// invoice, adjustment or credit_note.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Its total.
    total: String,
    /// ISO 4217.
    currency: String,
    /// Why it cannot be issued; null if it can.
    blocked: Option<String>,
}

impl PeriodClose {
    /// A close and what came of it.
    pub(super) fn of(period: &ProviderPeriod, outcome: &Outcome) -> Result<Self, CloseError> {
        let closing = outcome.closing();
        let drafts =
            closing.iter().flat_map(|closing| closing.drafts.iter().map(move |draft| drafted(outcome, closing, draft)));
        let drafts = drafts.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            start: period.key.start.rfc3339(),
            end: period.key.end.rfc3339(),
            outcome: outcome.as_str(),
            revision: closing.map(|closing| closing.revision),
            accepted: closing.iter().flat_map(|closing| &closing.waived).map(PeriodHole::from).collect(),
            rating_id: closing.filter(|_| outcome.has_drafts()).map(|closing| closing.rating_id.clone()),
            holes: outcome.holes().iter().map(PeriodHole::from).collect(),
            drafts,
        })
    }
}

fn drafted(outcome: &Outcome, closing: &Closing, draft: &StoredDraft) -> Result<ClosedDraft, CloseError> {
    let Place { contract, customer } = draft.place.clone();
    let id = outcome.has_drafts().then(|| short_id(&draft.place.draft(&closing.rating_id))).transpose();
    Ok(ClosedDraft {
        draft: id.map_err(CloseError::document(&contract))?,
        kind: draft.document.kind.as_str(),
        total: draft.document.total.clone(),
        currency: draft.document.currency.clone(),
        blocked: draft.blocked.clone(),
        contract,
        customer,
    })
}

/// The holes of all closes in one sentence.
pub(super) fn why_not(closes: &[PeriodClose]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for close in closes {
        let (start, end) = (&close.start, &close.end);
        match close.outcome {
            "nothing_to_correct" => {
                lines.push(format!("{start} to {end} is closed, and nothing accepted since alters an amount"));
            }
            "contended" => lines.push(format!("{start} to {end}: others kept deciding in between, try again")),
            _ => lines.extend(close.holes.iter().map(|hole| format!("{}: {}", hole.kind, hole.text))),
        }
    }
    format!("not closed: {}", lines.join("; "))
}
