//! Where providers stand in their programmes.

use std::collections::BTreeMap;

use super::ProgrammeError;
use crate::clickhouse::read::wholesale::{WholesaleQuery, booked};
use crate::core::billing::figure::Figure;
use crate::core::book::Book;
use crate::core::pricing::error::RateError;
use crate::core::programme::promise::{Open, open};
use crate::core::programme::standing::{Standing, standing};
use crate::core::word::Instant;
use crate::statement::{Place, Rater, StatementError};

/// Who asks about whom, as things stood when.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The providers.
    pub providers: Vec<String>,
    /// Only what this seller sells them.
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

/// The standings of those that are in a programme. Periods that no invoice is issued of are rated, as usage stands now.
///
/// # Errors
/// A contract that cannot be rated, since without it the sum would be wrong; the server's.
pub async fn levels(rater: &Rater, asked: &Asked) -> Result<Vec<Standing>, ProgrammeError> {
    let Asked { providers, seller, at, .. } = asked;
    let query =
        WholesaleQuery { providers: Some(providers.clone()), seller: seller.clone(), months: None, records: None };
    let booked = booked(rater.client(), &query).await?;
    let of = |id: &String| booked.get(id).map_or(&[][..], Vec::as_slice);
    let mut wanted: Vec<(Open, &String)> = Vec::new();
    for id in providers {
        let open = open(rater.book(), id, seller.as_deref(), of(id), *at);
        wanted.extend(open.into_iter().map(|open| (open, id)));
    }
    let statements = rate(rater, wanted).await?;
    let mut standings = Vec::new();
    for id in providers {
        let statements = statements.get(id).map_or(&[][..], Vec::as_slice);
        standings.extend(standing(rater.book(), id, of(id), statements, *at)?);
    }
    Ok(standings)
}

/// The amounts of statements, by provider. Those of one month are rated together.
async fn rate(
    rater: &Rater,
    mut wanted: Vec<(Open, &String)>,
) -> Result<BTreeMap<String, Vec<(String, Figure)>>, ProgrammeError> {
    wanted.sort();
    let mut amounts: BTreeMap<String, Vec<(String, Figure)>> = BTreeMap::new();
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
    Ok(amounts)
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
