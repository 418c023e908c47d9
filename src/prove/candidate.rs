//! Who may have a document of a period: contracts whose period it is, and of those for each customer whoever is named by readings.

use std::collections::BTreeSet;

use super::rerate::{Rerating, Source};
use super::usage::Ledger;
use super::verdict::Read;
use super::{Progress, ProveError};
use crate::clickhouse::read::below::Below;
use crate::clickhouse::read::{past, rating};
use crate::core::book::claim;
use crate::core::book::model::{Buyer, Contract};
use crate::core::closing::period::concerns;
use crate::core::pricing::error::RateError;
use crate::core::pricing::period::{Period, Span, local_day, period};
use crate::statement::Place;

impl Rerating<'_> {
    /// The period of a contract, if it is the one that is rated.
    ///
    /// # Errors
    /// A contract that the book lacks.
    pub fn period(&self, contract: &str) -> Result<Option<Period>, RateError> {
        let terms = self.book.0.contracts.get(contract);
        let terms = terms.ok_or_else(|| RateError::UnknownContract(contract.to_owned()))?;
        let day = local_day(terms.time_zone, self.span.from);
        let label = day.map(|day| day.format("%Y-%m").to_string()).unwrap_or_default();
        let found = period(terms, &label)?;
        Ok((found.span() == self.span).then_some(found))
    }

    /// The contracts in which the provider buys or sells and whose period this is.
    fn contracts(&self) -> Vec<(&String, &Contract)> {
        let all = self.book.0.contracts.iter().filter(|(_, contract)| concerns(contract, self.provider));
        all.filter(|(id, _)| self.period(id).is_ok_and(|period| period.is_some())).collect()
    }

    /// Everything that may have a document: of a `"*"` contract, customers whose tags readings bear.
    pub(super) async fn candidates(&self) -> Result<Vec<Place>, ProveError> {
        let contracts = self.contracts();
        let mut customers = Vec::new();
        if contracts.iter().any(|(_, contract)| contract.buyer == Buyer::EachCustomer) {
            let hold_ms = self.meters.iter().map(|(_, meter)| meter.max_hold_ms).max().unwrap_or(0);
            let read = Span { from: self.span.from.plus_ms(-hold_ms), ..self.span };
            let below = Below { cut: Some(self.cut), void: self.streams.void() };
            let owners = claim::owners(self.book.0, self.provider);
            let tags = match self.source {
                Source::Ledger => past::tags(self.client, self.provider, read, &below).await?,
                Source::Buckets => rating::tags(self.client, self.provider, self.span.from, self.span.until).await?,
            };
            customers.extend(tags.into_iter().map(|tag| owners.get(&tag).map_or(tag, |owner| (*owner).to_owned())));
            customers.sort();
            customers.dedup();
        }
        let mut places = Vec::new();
        for (id, contract) in contracts {
            match contract.buyer {
                Buyer::EachCustomer => places.extend(
                    customers.iter().map(|customer| Place { contract: id.clone(), customer: Some(customer.clone()) }),
                ),
                _ => places.push(Place { contract: id.clone(), customer: None }),
            }
        }
        Ok(places)
    }

    /// Every customer whom readings of the period name, whatever they measure.
    pub(super) async fn named(&self, all: &mut Read, progress: Progress<'_>) -> Result<BTreeSet<String>, ProveError> {
        let Self { client, cut, streams, provider, meters, span, .. } = *self;
        let (ledger, before) = (Ledger { client, cut, streams, meters, provider }, all.effort);
        let tags = ledger
            .customers(span, |metered, now| {
                all.take(&metered.altered, before.plus(now));
                progress(all.effort);
            })
            .await?;
        Ok(self.owners(tags))
    }

    /// Who claims tags; one that nobody claims stands for itself.
    pub(super) fn owners(&self, tags: BTreeSet<Box<str>>) -> BTreeSet<String> {
        let owners = claim::owners(self.book.0, self.provider);
        tags.into_iter().map(|tag| owners.get(&*tag).map_or(tag.to_string(), |owner| (*owner).to_owned())).collect()
    }
}
