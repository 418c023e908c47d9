//! Scorecards.

use std::collections::BTreeSet;

use futures_util::future::try_join;

use super::stand::Stand;
use super::{Asked, ProgrammeError};
use crate::clickhouse::read::activity;
use crate::clickhouse::read::seen::HeardRow;
use crate::clickhouse::read::wholesale::{WholesaleQuery, booked, last};
use crate::clickhouse::{Client, Error};
use crate::core::book::Book;
use crate::core::programme::month::utc_day;
use crate::core::programme::revenue::take_as_issued;
use crate::core::programme::scorecard::{DORMANT_MS, Scorecard, scorecard};
use crate::core::word::Instant;

/// The scorecards of providers; `stand` is how things stand now, where something was folded. Whoever is not `told` of customers that are not
/// disclosed does not learn how many there are.
///
/// # Errors
/// A sum that does not fit, and the server's.
pub async fn scorecards(
    client: &Client,
    book: &Book,
    asked: &Asked,
    told: bool,
    stand: Option<&Stand>,
) -> Result<Vec<Scorecard>, ProgrammeError> {
    let Asked { providers, seller, at, is_past } = asked;
    let all = WholesaleQuery { providers: Some(providers.clone()), ..WholesaleQuery::default() };
    let own = WholesaleQuery { seller: seller.clone(), ..all.clone() };
    let day = utc_day(*at);
    let disclosed = |id: &&String| told || book.providers.get(*id).is_some_and(|one| one.disclose_customers);
    let disclosed: BTreeSet<String> = providers.iter().filter(disclosed).cloned().collect();
    let activities = async {
        match is_past {
            true => activity::read(client, book, providers, &disclosed, *at).await,
            false => {
                let heard = heard_now(client, providers, *at, stand);
                activity::read_now(client, book, providers, &disclosed, *at, heard).await
            }
        }
    };
    // none asks for what another gives
    let documents = try_join(booked(client, &all), last(client, &own, is_past.then_some(day)));
    let ((mut booked, mut last), mut activities) = try_join(documents, activities).await?;
    if !is_past {
        booked.values_mut().for_each(|own| take_as_issued(own, day));
    }
    let mut cards = Vec::new();
    for id in providers {
        let mut activity = activities.remove(id).unwrap_or_default();
        activity.last_invoice = last.remove(id);
        let booked = booked.get(id).map_or(&[][..], Vec::as_slice);
        cards.extend(scorecard(book, id, seller.as_deref(), booked, &activity, *at)?);
    }
    Ok(cards)
}

/// When providers were heard of, of what was put together where it was.
async fn heard_now(
    client: &Client,
    providers: &[String],
    now: Instant,
    stand: Option<&Stand>,
) -> Result<Vec<HeardRow>, Error> {
    match stand.filter(|stand| stand.is_kept()) {
        Some(stand) => stand.heard(client, providers, now.plus_ms(-DORMANT_MS)).await,
        None => activity::heard(client, providers, now).await,
    }
}
