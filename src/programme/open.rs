//! What open periods come to, rated beforehand where much usage would keep who asks waiting.

use std::collections::VecDeque;
use std::time::{Duration, Instant as Moment};

use super::ProgrammeError;
use super::levels::page;
use super::outlook::Outlooks;
use crate::clickhouse::Client;
use crate::clickhouse::open_revenue::{OpenRevenueRow, has_more_buckets, insert};
use crate::clickhouse::read::closed::follow;
use crate::clickhouse::read::wholesale::{WholesaleQuery, booked};
use crate::core::closing::register::Register;
use crate::core::pricing::error::RateError;
use crate::core::pricing::period::period;
use crate::core::programme::promise::{Open, open};
use crate::core::word::Instant;
use crate::statement::{Place, Rater, StatementError};

/// A provider with no more buckets than this in a period is rated when it is asked for: that takes some hundredths of a second, and is of now.
pub const KEPT_FROM_BUCKETS: u64 = 100_000;
/// Between two times that all of them are gone through, at least.
const CYCLE_EVERY: Duration = Duration::from_secs(60);
/// How long periods are rated in a round before the rest waits for the next: closes are not to wait for it.
const ROUND_MAX: Duration = Duration::from_secs(5);
/// Providers whose documents are read together.
const PROVIDERS_PAGE: usize = 100;

/// What rates them, in turn.
#[derive(Debug, Default)]
pub struct OpenKeeper {
    /// What is decided, read on from round to round.
    register: Register,
    waiting: VecDeque<(Open, String)>,
    begun: Option<Moment>,
}

impl OpenKeeper {
    /// Rates as many as a round has time for.
    ///
    /// # Errors
    /// The server's, and a price book that is not understood.
    pub async fn round(&mut self, client: &Client, now: Instant) -> Result<(), ProgrammeError> {
        if self.waiting.is_empty() && self.begun.is_some_and(|begun| begun.elapsed() < CYCLE_EVERY) {
            return Ok(());
        }
        let rater = match Rater::newest(client).await {
            Err(StatementError::NoBook) => return Ok(()),
            rater => rater?,
        };
        if self.waiting.is_empty() {
            follow(client, &mut self.register).await?;
            self.waiting = all(&rater, &self.register, now).await?;
            self.begun = Some(Moment::now());
        }
        let since = Moment::now();
        while since.elapsed() < ROUND_MAX
            && let Some((open, provider)) = self.waiting.pop_front()
        {
            keep(&rater, &open, &provider, KEPT_FROM_BUCKETS).await?;
        }
        Ok(())
    }
}

/// The open periods of all providers of which an invoice is to come.
///
/// # Errors
/// The server's.
pub async fn all(rater: &Rater, register: &Register, now: Instant) -> Result<VecDeque<(Open, String)>, ProgrammeError> {
    let (mut waiting, mut after): (VecDeque<(Open, String)>, Option<String>) = Default::default();
    loop {
        let providers = page(rater.book(), |_| true, after.as_deref(), PROVIDERS_PAGE);
        let Some(last) = providers.last() else { return Ok(waiting) };
        after = Some(last.clone());
        let query = WholesaleQuery { providers: Some(providers.clone()), ..WholesaleQuery::default() };
        let booked = booked(rater.client(), &query).await?;
        let outlooks = Outlooks::read(rater.client(), rater.book(), register, &providers).await?;
        for id in &providers {
            let booked = booked.get(id).map_or(&[][..], Vec::as_slice);
            let open = open(rater.book(), (id, None), booked, &outlooks.of(id), now);
            waiting.extend(open.into_iter().map(|open| (open, id.clone())));
        }
    }
}

/// Rates a period and writes what it comes to, if its provider has more than so many buckets in it. What cannot be rated is left to who
/// asks for it, and is told why.
///
/// # Errors
/// The server's.
pub async fn keep(rater: &Rater, open: &Open, provider: &str, from_buckets: u64) -> Result<(), ProgrammeError> {
    let Some(contract) = rater.book().contracts.get(&open.contract) else { return Ok(()) };
    let Ok(period) = period(contract, &open.label) else { return Ok(()) };
    if !has_more_buckets(rater.client(), provider, (period.start, period.end), from_buckets).await? {
        return Ok(());
    }
    // before it is rated: usage that comes meanwhile may be in it or not
    let rated_at = super::watch::now().0;
    let place = [Place { contract: open.contract.clone(), customer: None }];
    let (mut currency, mut amount) = (String::new(), String::new());
    let each = rater.each(&place, &open.label, |_, document| {
        match document {
            Ok(document) => (currency, amount) = (document.currency, document.subtotal),
            Err(StatementError::Rate(RateError::NotInForce { .. })) => amount = "0".to_owned(),
            Err(error @ StatementError::ClickHouse(_)) => return Err(error),
            // in place of what it came to while it could be rated
            Err(_) => {}
        }
        Ok(())
    });
    each.await?;
    let (contract, label, book) = (open.contract.clone(), open.label.clone(), rater.hash().to_owned());
    insert(rater.client(), &OpenRevenueRow { contract, label, book, currency, amount, rated_at }).await?;
    Ok(())
}
