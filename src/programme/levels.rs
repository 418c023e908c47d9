//! Where providers stand in their programmes.

use std::collections::{BTreeMap, BTreeSet};

use super::ProgrammeError;
use super::outlook::Outlooks;
use super::watch::now;
use crate::clickhouse::open_revenue::{OpenRevenueRow, rated};
use crate::clickhouse::read::wholesale::{WholesaleQuery, booked};
use crate::core::billing::figure::Figure;
use crate::core::book::Book;
use crate::core::closing::register::Register;
use crate::core::pricing::error::RateError;
use crate::core::programme::error::ProgrammeError as CoreError;
use crate::core::programme::month::utc_day;
use crate::core::programme::promise::{Open, open};
use crate::core::programme::revenue::take_as_issued;
use crate::core::programme::standing::{Standing, standing};
use crate::core::word::Instant;
use crate::statement::{Place, Rater, StatementError};

/// How old an amount may be that is told in place of one of now.
const KEPT_MAX_MS: i64 = 7_200_000;

/// Who asks about whom, as things stood when.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The providers.
    pub providers: Vec<String>,
    /// Whom it is told to, if that is a seller: amounts of its own. Levels are judged by what all sell.
    pub seller: Option<String>,
    /// The instant.
    pub at: Instant,
    /// Whether that is any other than now.
    pub is_past: bool,
}

/// The next providers of the book, by id: those that `is_asked`, behind one, up to a limit.
pub fn page(book: &Book, is_asked: impl Fn(&str) -> bool, after: Option<&str>, limit: usize) -> Vec<String> {
    let ids = book.providers.keys().filter(|id| is_asked(id) && after.is_none_or(|after| id.as_str() > after));
    ids.take(limit).cloned().collect()
}

/// Where the amounts of open periods come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenAmounts {
    /// They are rated as usage stands now.
    Rated,
    /// They are what `plimsoll bill` rated lately, where it did ([`super::open`]): a list is not to wait for a million series.
    Kept,
}

/// Amounts of statements by provider, and when the oldest of each was rated that was not rated now.
#[derive(Debug, Default)]
struct Amounts {
    of: BTreeMap<String, Vec<(String, Figure)>>,
    rated_at: BTreeMap<String, i64>,
}

/// The standings of those that are in a programme, with the amounts of periods that no invoice is issued of and one is to come, as is decided
/// by now.
///
/// # Errors
/// A contract that cannot be rated, since without it the sum would be wrong; the server's.
pub async fn levels(
    rater: &Rater,
    register: &Register,
    asked: &Asked,
    from: OpenAmounts,
) -> Result<Vec<Standing>, ProgrammeError> {
    let Asked { providers, seller, at, is_past } = asked;
    let query = WholesaleQuery { providers: Some(providers.clone()), ..WholesaleQuery::default() };
    let mut booked = booked(rater.client(), &query).await?;
    if !is_past {
        booked.values_mut().for_each(|own| take_as_issued(own, utc_day(*at)));
    }
    let of = |id: &String| booked.get(id).map_or(&[][..], Vec::as_slice);
    let outlooks = Outlooks::read(rater.client(), rater.book(), register, providers).await?;
    let mut wanted: Vec<(Open, &String)> = Vec::new();
    for id in providers {
        // a month that has not begun is no revenue that came together, however far ahead somebody looks
        let open = open(rater.book(), (id, seller.as_deref()), of(id), &outlooks.of(id), (*at).min(now()));
        wanted.extend(open.into_iter().map(|open| (open, id)));
    }
    let mut amounts = Amounts::default();
    if from == OpenAmounts::Kept && !is_past {
        take_kept(rater, &mut wanted, *at, &mut amounts).await?;
    }
    rate(rater, wanted, &mut amounts.of).await?;
    let mut standings = Vec::new();
    for id in providers {
        let statements = amounts.of.get(id).map_or(&[][..], Vec::as_slice);
        let mut found = standing(rater.book(), id, seller.as_deref(), of(id), statements, *at)?;
        if let Some(promise) = found.as_mut().and_then(|one| one.promise.as_mut()) {
            promise.open_rated_at = amounts.rated_at.get(id).map(|at| Instant(*at).rfc3339());
        }
        standings.extend(found);
    }
    Ok(standings)
}

/// Takes what was rated lately; what was not stays wanted.
async fn take_kept(
    rater: &Rater,
    wanted: &mut Vec<(Open, &String)>,
    now: Instant,
    amounts: &mut Amounts,
) -> Result<(), ProgrammeError> {
    let contracts: BTreeSet<&str> = wanted.iter().map(|(open, _)| open.contract.as_str()).collect();
    let times = (now.plus_ms(-KEPT_MAX_MS), now);
    let rows = rated(rater.client(), &Vec::from_iter(contracts), rater.hash(), times).await?;
    let mut kept: BTreeMap<Open, OpenRevenueRow> = BTreeMap::new();
    for row in rows {
        kept.insert(Open { label: row.label.clone(), contract: row.contract.clone() }, row);
    }
    let mut taken = Vec::new();
    wanted.retain(|(open, id)| match kept.remove(open) {
        None => true,
        Some(row) => {
            taken.push((row, (*id).clone()));
            false
        }
    });
    for (row, id) in taken {
        let oldest = amounts.rated_at.entry(id.clone()).or_insert(row.rated_at);
        *oldest = row.rated_at.min(*oldest);
        if !row.currency.is_empty() {
            let amount = Figure::parse(&row.amount).map_err(CoreError::from)?;
            amounts.of.entry(id).or_default().push((row.currency, amount));
        }
    }
    Ok(())
}

/// The amounts of statements. Those of one month are rated together.
async fn rate(
    rater: &Rater,
    mut wanted: Vec<(Open, &String)>,
    amounts: &mut BTreeMap<String, Vec<(String, Figure)>>,
) -> Result<(), ProgrammeError> {
    wanted.sort();
    for month in wanted.chunk_by(|one, other| one.0.label == other.0.label) {
        let label = &month[0].0.label;
        let owners: BTreeMap<&str, &String> = month.iter().map(|(open, id)| (open.contract.as_str(), *id)).collect();
        let place = |(open, _): &(Open, &String)| Place { contract: open.contract.clone(), customer: None };
        let places: Vec<Place> = month.iter().map(place).collect();
        let each = rater.each(&places, label, |place, document| {
            let wrong = |error| ProgrammeError::Statement {
                contract: place.contract.clone(),
                label: label.clone(),
                error: Box::new(error),
            };
            let document = match document {
                Err(StatementError::Rate(RateError::NotInForce { .. })) => return Ok(()),
                document => document.map_err(wrong)?,
            };
            let amount = Figure::parse(&document.subtotal).map_err(|error| wrong(error.into()))?;
            if let Some(id) = owners.get(place.contract.as_str()) {
                amounts.entry((*id).clone()).or_default().push((document.currency, amount));
            }
            Ok::<(), ProgrammeError>(())
        });
        each.await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::book::model::Provider;

    #[test]
    fn pages_follow_each_other() {
        let mut book = Book::default();
        for id in ["a", "b", "c", "d"] {
            book.providers.insert(id.to_owned(), Provider::default());
        }
        assert_eq!(page(&book, |id| id != "b", None, 2), ["a", "c"]);
        assert_eq!(page(&book, |id| id != "b", Some("c"), 2), ["d"]);
    }
}
