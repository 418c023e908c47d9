//! What is left of credits for a close: a function of the control log alone (PRICING §13).

use super::register::Register;
use crate::core::decision::closing::{DraftKey, PeriodKey};
use crate::core::decision::credit::Grants;
use crate::core::pricing::credit::Credit;
use crate::core::word::Offset;
use crate::mutation::{Mutation, planted};

/// What is left of the credits of a contract (and customer) for a period, in minor units of a currency of so many places, to a close that
/// has read the log below `after`: what was granted, less what documents of other periods took. The period's own earlier revisions took
/// nothing: a revision is the whole less what they were, credits included. A discarded draft took nothing either.
#[must_use]
pub fn left(
    register: &Register,
    grants: &Grants,
    period: &PeriodKey,
    (contract, customer): (&str, Option<&str>),
    after: Offset,
    places: u32,
) -> Vec<Credit> {
    let mut credits = grants.of(contract, customer, places);
    if credits.is_empty() || planted(Mutation::CreditsNotUsedUp) {
        return credits;
    }
    let closes = register.closes().iter().filter(|closed| closed.offset < after && closed.close.period != *period);
    for close in closes.map(|closed| &closed.close) {
        let own = close.credits.iter().filter(|used| used.contract == contract && used.customer.as_deref() == customer);
        let draft = || DraftKey {
            rating_id: close.rating_id.clone(),
            contract: contract.to_owned(),
            customer: customer.map(str::to_owned),
        };
        for used in own {
            if register.discarded_below(&draft(), after) {
                break;
            }
            if let Some(credit) = credits.iter_mut().find(|credit| credit.id == used.id) {
                // an amount that is none was never written by a closer
                credit.amount = credit.amount.saturating_sub(used.applied.parse().unwrap_or(0));
            }
        }
    }
    credits.retain(|credit| credit.amount > 0);
    credits
}
