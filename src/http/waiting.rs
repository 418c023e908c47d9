//! Drafts that wait, a page at a time.

use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::sides::Sides;
use crate::closer::CloseError;
use crate::closer::issue::Waiting;
use crate::closer::real::RealCloser;
use crate::config::Principal;
use crate::core::closing::blocked::Newest;
use crate::core::closing::register::Closed;

/// A draft: its amounts are frozen, it has no number.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Draft)]
pub struct DraftHeader {
    /// By which it is named.
    draft: String,
    /// invoice, adjustment or credit_note.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Who sells.
    seller: String,
    /// Who buys.
    buyer: String,
    /// Whose period it is of.
    provider: String,
    /// The contract.
    contract: String,
    /// Of a contract for each customer: whose.
    customer: Option<String>,
    /// The month in which its period begins.
    period: String,
    /// ISO 4217.
    currency: String,
    /// Its total.
    total: String,
    /// Whether it is issued by itself: its contract says so, and nothing blocks it.
    issued_by_itself: bool,
    /// Why it cannot be issued; null if it can.
    blocked: Option<String>,
    /// Where it stands: the close's record, contract, customer.
    #[serde(skip)]
    pub(super) place: DraftPlace,
}

/// Where a draft stands: the close's record, contract, customer.
pub(super) type DraftPlace = (u64, String, Option<String>);

/// What a page is asked for.
pub(super) struct Asked {
    pub caller: Caller,
    pub provider: Option<String>,
    pub after: Option<DraftPlace>,
    pub enough: usize,
}

impl Asked {
    /// The page, and one more if there is one. Closes are read one at a time from the one where the page before ended, and no further than
    /// the page needs.
    pub(super) fn waiting(&self, closer: &mut RealCloser) -> Result<Vec<DraftHeader>, CloseError> {
        closer.follow()?;
        let closes = closer.register().closes().iter().filter(|closed| self.may_hold(closed));
        let closes: Vec<Closed> = closes.cloned().collect();
        let mut data = Vec::new();
        for closed in closes {
            let waiting = closer.waiting_of(&closed.close.rating_id)?;
            let mut newest = closer.newest();
            let headers = waiting.into_iter().map(|waiting| header(&closed, waiting, &mut newest));
            data.extend(headers.filter(|draft| self.shows(draft)));
            if data.len() >= self.enough {
                break;
            }
        }
        data.sort_by(|one, other| one.place.cmp(&other.place));
        data.truncate(self.enough);
        Ok(data)
    }

    /// Whether a draft of a close may be on the page, as far as its record tells.
    fn may_hold(&self, closed: &Closed) -> bool {
        let provider = &closed.close.period.provider;
        let is_foreign = matches!(&self.caller.principal, Principal::Provider(own) if own != provider);
        !is_foreign
            && self.provider.as_ref().is_none_or(|asked| asked == provider)
            && self.after.as_ref().is_none_or(|(offset, ..)| closed.offset.0 >= *offset)
    }

    fn shows(&self, draft: &DraftHeader) -> bool {
        let sides = Sides { seller: &draft.seller, buyer: &draft.buyer, provider: &draft.provider };
        self.caller.may_read(sides) && self.after.as_ref().is_none_or(|after| draft.place > *after)
    }
}

fn header(closed: &Closed, waiting: Waiting, newest: &mut Newest<'_>) -> DraftHeader {
    let blocked = waiting.why_blocked(newest);
    let issued_by_itself = waiting.is_issued_by_itself();
    let document = waiting.draft.document;
    DraftHeader {
        draft: waiting.id,
        kind: document.kind.as_str(),
        seller: document.seller.id,
        buyer: document.buyer.id,
        provider: closed.close.period.provider.clone(),
        contract: waiting.key.contract.clone(),
        customer: waiting.key.customer.clone(),
        period: document.period.label,
        currency: document.currency,
        total: document.total,
        issued_by_itself,
        blocked,
        place: (closed.offset.0, waiting.key.contract, waiting.key.customer),
    }
}
