//! Wholesale documents allocated to the provider's customers.

use std::collections::BTreeMap;

use super::{ProveError, Weighed};
use crate::clickhouse::Client;
use crate::clickhouse::allocation::AllocationRow;
use crate::core::billing::allocation::{Allocated, LineWeights, allocate as split};
use crate::core::billing::document::Document;
use crate::core::book::claim;
use crate::core::book::model::{Book, Charge, Contract, Rate, Statistic};
use crate::core::book::unit::Unit;
use crate::core::pricing::currency::Currency;
use crate::core::pricing::party;
use crate::core::pricing::period::Period;
use crate::core::pricing::selection::{LineSelection, selections};
use crate::core::pricing::weight::Weights;

/// The parts of wholesale documents of one provider and period, in their order. Whoever closes has them weighed at the cut of the
/// documents, after rating and before the header: buckets move on.
///
/// # Errors
/// Lines that the book lacks, weights that no usage makes, and the server's.
pub async fn allocate(
    client: &Client,
    book: &Book,
    provider: &str,
    period: &Period,
    documents: &[Document],
    weighed: &Weighed<'_>,
) -> Result<Vec<Vec<Allocated>>, ProveError> {
    let mut wanted: Vec<LineSelection> = Vec::new();
    let mut counts = Vec::with_capacity(documents.len());
    for document in documents {
        let mut own = selections(book, &document.contract, None, period)?;
        counts.push(own.len());
        wanted.append(&mut own);
    }
    let weights = weighed.read(client, &wanted).await?;
    let owners = claim::owners(book, provider);
    let (mut wanted, mut weights) = (wanted.as_slice(), weights.as_slice());
    let mut parts = Vec::with_capacity(documents.len());
    for (document, count) in documents.iter().zip(counts) {
        let contract = party::contract(book, &document.contract)?;
        let mut lines = BTreeMap::new();
        let own =
            wanted.split_off(..count).unwrap_or_default().iter().zip(weights.split_off(..count).unwrap_or_default());
        for (line, read) in own {
            let one = one(book, contract, &document.contract, line, period)?;
            lines.insert(line.id.clone(), line_weights(read, &owners, one)?);
        }
        let error = |error| ProveError::Allocation { contract: document.contract.clone(), error };
        parts.push(split(document, &lines, &shares(book, contract)).map_err(error)?);
    }
    Ok(parts)
}

/// What is stored of the parts of documents.
///
/// # Errors
/// A currency that is none, and what does not fit.
pub fn rows(documents: &[Document], parts: &[Vec<Allocated>]) -> Result<Vec<AllocationRow>, ProveError> {
    let mut rows = Vec::new();
    for (document, parts) in documents.iter().zip(parts) {
        let scale = 10i128.pow(9u32.saturating_sub(Currency::new(&document.currency)?.places));
        for part in parts {
            rows.push(AllocationRow {
                rating_id: String::new(),
                contract: document.contract.clone(),
                no: u32::try_from(part.no).map_err(|_| overflow())?,
                line: part.line.clone().unwrap_or_default(),
                kind: part.kind.clone(),
                customer: part.customer.clone().unwrap_or_default(),
                quantity: part.quantity,
                unit: part.unit.clone().unwrap_or_default(),
                weight: part.weight,
                amount: part.amount.checked_mul(scale).ok_or_else(overflow)?,
                currency: document.currency.clone(),
                over_attributed: part.over_attributed,
            });
        }
    }
    Ok(rows)
}

/// Tags put together by the customer that they mean; a tag that nobody claims stands for itself (PRICING §1).
fn line_weights(read: &Weights, owners: &BTreeMap<String, &str>, one: i128) -> Result<LineWeights, ProveError> {
    let mut tagged: BTreeMap<String, i128> = BTreeMap::new();
    for (tag, amount) in &read.by_tag {
        let customer = owners.get(tag).copied().unwrap_or(tag);
        let sum = tagged.entry(customer.to_owned()).or_default();
        *sum = sum.checked_add(*amount).ok_or_else(overflow)?;
    }
    Ok(LineWeights { wholesale: read.wholesale, tagged, one })
}

fn overflow() -> ProveError {
    ProveError::Overflow
}

/// How much of an integral or sum is a quantity of 1 of the line's unit.
fn one(book: &Book, contract: &Contract, id: &str, line: &LineSelection, period: &Period) -> Result<i128, ProveError> {
    let missing = |what: String| ProveError::Line { contract: id.to_owned(), line: line.id.clone(), what };
    let terms = contract.lines.get(line.line).ok_or_else(|| missing("the line".to_owned()))?;
    // rates of one id differ in prices only
    let usage = rates(book, contract).find_map(|rate| match &rate.charge {
        Charge::Usage(usage) if rate.id == terms.rate => Some(usage),
        _ => None,
    });
    let usage = usage.ok_or_else(|| missing(format!("rate {}", terms.rate)))?;
    let unit = Unit::parse(&usage.unit).ok_or_else(|| missing(format!("unit {}", usage.unit)))?;
    let ms = match usage.statistic {
        Statistic::Mean | Statistic::Sum => unit.time_ms(period.span().ms()),
        // a level has no time: the excess is shown as its mean
        Statistic::Peak | Statistic::P95 => i128::from(period.span().ms()),
    };
    unit.size.checked_mul(ms).ok_or_else(|| missing(format!("unit {}", usage.unit)))
}

/// The lines of which each share is.
fn shares(book: &Book, contract: &Contract) -> BTreeMap<String, Vec<String>> {
    let of = |rate_id: &str| {
        rates(book, contract).find_map(|rate| match &rate.charge {
            Charge::Share { of, .. } if rate.id == rate_id => Some(of.clone()),
            _ => None,
        })
    };
    contract.lines.iter().filter_map(|line| Some((line.id.clone(), of(&line.rate)?))).collect()
}

fn rates<'book>(book: &'book Book, contract: &Contract) -> impl Iterator<Item = &'book Rate> {
    book.cards.get(&contract.card).into_iter().flat_map(|card| &card.rates)
}
