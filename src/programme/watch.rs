//! What of the programme wants somebody's attention, as metrics: looked at every few minutes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::sales::Documents;
use super::stand::Stand;
use super::{Asked, ProgrammeError, health, page, scorecards};
use crate::clickhouse::Client;
use crate::clickhouse::read::arrays::ArrayQuery;
use crate::clickhouse::read::wholesale::WholesaleQuery;
use crate::core::book::Book;
use crate::core::programme::certification::tracks;
use crate::core::programme::health::State;
use crate::core::programme::month::{Month, Months, utc_day};
use crate::core::word::Instant;
use crate::metrics::Metrics;
use crate::statement::{Rater, StatementError};

/// Between two looks.
const LOOK_WAIT: Duration = Duration::from_secs(300);
/// After one that failed: tables that are not made yet, a database that is away, no price book yet.
const AGAIN_WAIT: Duration = Duration::from_secs(30);
/// Arrays in memory at once.
const ARRAYS_PAGE: usize = 1_000;
/// Providers looked at together.
const PROVIDERS_PAGE: usize = 100;

/// Looks until asked to stop. What cannot be read is told in the log and looked at again.
pub async fn watch(client: Client, metrics: Arc<Metrics>, mut stop: watch::Receiver<bool>) {
    let looks = async {
        loop {
            let found = look(&client, &metrics, now()).await;
            if let Err(error) = &found {
                let again_in_s = AGAIN_WAIT.as_secs();
                tracing::warn!(%error, again_in_s, "levels, arrays and sales credits cannot be looked at");
            }
            tokio::time::sleep(wait(&found)).await;
        }
    };
    tokio::select! {
        _ = stop.wait_for(|asked| *asked) => {}
        () = looks => {}
    }
}

fn wait<E>(found: &Result<bool, E>) -> Duration {
    if matches!(found, Ok(true)) { LOOK_WAIT } else { AGAIN_WAIT }
}

/// The instant that a look without another means.
#[must_use]
pub fn now() -> Instant {
    Instant(chrono::Utc::now().timestamp_millis())
}

/// Looks once: arrays by state, at the log's own time; dormant providers, providers below their level and certifications that end, and
/// whether sales credits are neutral of documents that count in this month and the last or were issued in them, at `at`. Whether there is a
/// price book to look by.
///
/// # Errors
/// The server's, and documents that are not what was issued.
pub async fn look(client: &Client, metrics: &Metrics, at: Instant) -> Result<bool, ProgrammeError> {
    let rater = match Rater::newest(client).await {
        Err(StatementError::NoBook) => return Ok(false),
        rater => rater?,
    };
    let stand = Stand::read(client, None).await?;
    arrays(client, rater.book(), metrics, stand.as_ref()).await?;
    providers(client, rater.book(), metrics, at, stand.as_ref()).await?;
    let last = Month::of(utc_day(at));
    let months = Some(Months { first: last.plus(-1), last });
    // what is issued late counts in a month that nobody looks at any more
    let query = WholesaleQuery { months, or_issued: true, ..WholesaleQuery::default() };
    let summary = Documents::new(client, query, None).summary(Vec::new()).await?;
    let is_neutral = summary.neutrality.checks()?.iter().all(|check| check.equal != Some(false));
    metrics.sales_credits_unequal.set(i64::from(!is_neutral));
    Ok(true)
}

async fn arrays(client: &Client, book: &Book, metrics: &Metrics, stand: Option<&Stand>) -> Result<(), ProgrammeError> {
    let mut counts: BTreeMap<State, i64> = State::ALL.into_iter().map(|state| (state, 0)).collect();
    if let Some(stand) = stand {
        let mut query = ArrayQuery { providers: None, at: stand.at, after: None, limit: ARRAYS_PAGE };
        loop {
            let (arrays, more) = health::page(client, book, stand, &query).await?;
            for array in &arrays {
                *counts.entry(array.state).or_default() += 1;
            }
            query.after = arrays.last().map(|array| (array.provider.clone(), array.array.clone()));
            if !more {
                break;
            }
        }
    }
    for (state, count) in counts {
        metrics.arrays.with_label_values(&[state.as_str()]).set(count);
    }
    Ok(())
}

async fn providers(
    client: &Client,
    book: &Book,
    metrics: &Metrics,
    at: Instant,
    stand: Option<&Stand>,
) -> Result<(), ProgrammeError> {
    let (mut dormant, mut below, mut expiring) = (0, 0, 0);
    let mut after = None;
    loop {
        let providers = page(book, |_| true, after.as_deref(), PROVIDERS_PAGE);
        let Some(last) = providers.last() else { break };
        after = Some(last.clone());
        let asked = Asked { providers, seller: None, at, is_past: false };
        for card in scorecards(client, book, &asked, false, stand).await? {
            let Some(provider) = book.providers.get(&card.provider) else { continue };
            let programme = provider.programme.as_ref().and_then(|name| book.programmes.get(name));
            let rank = |level: &Option<String>| {
                programme.and_then(|one| one.levels.iter().position(|rung| Some(&rung.name) == level.as_ref()))
            };
            dormant += i64::from(card.dormant);
            below += i64::from(rank(&card.attained) < rank(&card.granted));
            expiring += tracks(provider, at).iter().map(|track| i64::from(track.expiring)).sum::<i64>();
        }
    }
    metrics.providers_dormant.set(dormant);
    metrics.providers_below_level.set(below);
    metrics.certifications_expiring.set(expiring);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_price_book_it_looks_again_soon() {
        let found: [Result<bool, ()>; 3] = [Ok(true), Ok(false), Err(())];
        assert_eq!(found.each_ref().map(wait), [LOOK_WAIT, AGAIN_WAIT, AGAIN_WAIT]);
    }
}
