//! Both sides of a closed period, from what its closes stored: buckets have moved on since.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{MarginError, Sides};
use crate::clickhouse::Client;
use crate::clickhouse::allocation::{self, AllocationRow};
use crate::clickhouse::read::closed::{self, RatingRow};
use crate::core::billing::allocation::Allocated;
use crate::core::billing::amount::minor;
use crate::core::billing::margin::{Purchase, Sale};
use crate::core::decision::closing::{DraftKey, PeriodKey};
use crate::core::pricing::currency::Currency;
use crate::core::pricing::period::Period;

/// What is read of a stored document; it may have been written by an earlier version.
#[derive(Deserialize)]
struct Stored {
    buyer: Party,
    seller: Party,
    currency: String,
    subtotal: String,
    net: String,
}

#[derive(Deserialize)]
struct Party {
    id: String,
    name: String,
}

/// The sides of a period as all revisions that count say, but for discarded drafts, which count as nothing issued; none if it is open.
///
/// # Errors
/// A stored document that is not understood, and the server's.
pub async fn read(client: &Client, provider: &str, period: &Period) -> Result<Option<Sides>, MarginError> {
    let key = PeriodKey { provider: provider.to_owned(), start: period.start, end: period.end };
    let closes = closed::closes(client, &key).await?;
    let Some(newest) = closes.counting.last() else { return Ok(None) };
    let cut = newest.cut.clone();
    let ids: Vec<String> = closes.counting.iter().map(|close| close.rating_id.clone()).collect();
    let mut allocated: BTreeMap<(String, String), Vec<AllocationRow>> = BTreeMap::new();
    for row in allocation::read(client, &ids).await? {
        allocated.entry((row.rating_id.clone(), row.contract.clone())).or_default().push(row);
    }
    let mut sides = Sides { cut, ..Sides::default() };
    for row in closed::ratings(client, &ids).await? {
        if !is_discarded(&row, &closes.discarded) {
            let parts = allocated.remove(&(row.rating_id.clone(), row.contract.clone())).unwrap_or_default();
            add(&mut sides, provider, &row, parts)?;
        }
    }
    Ok(Some(sides))
}

fn is_discarded(row: &RatingRow, discarded: &BTreeSet<DraftKey>) -> bool {
    let customer = Some(row.customer.clone()).filter(|customer| !customer.is_empty());
    discarded.contains(&DraftKey { rating_id: row.rating_id.clone(), contract: row.contract.clone(), customer })
}

fn add(sides: &mut Sides, provider: &str, row: &RatingRow, parts: Vec<AllocationRow>) -> Result<(), MarginError> {
    let wrong =
        |what: String| MarginError::Stored { rating_id: row.rating_id.clone(), contract: row.contract.clone(), what };
    let document: Stored = serde_json::from_str(&row.document).map_err(|error| wrong(error.to_string()))?;
    let currency = Currency::new(&document.currency)?;
    let (subtotal, net) = (minor(&document.subtotal, currency.places)?, minor(&document.net, currency.places)?);
    let contract = row.contract.clone();
    if document.seller.id == provider {
        let Party { id: customer, name } = document.buyer;
        sides.sales.push(Sale { contract, customer, name, currency, net });
        return Ok(());
    }
    let scale = 10i128.pow(9u32.saturating_sub(currency.places));
    if parts.iter().any(|part| part.amount % scale != 0) {
        return Err(wrong(format!("its allocation has parts of a minor unit of {}", currency.code)));
    }
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let part = |part: AllocationRow| Allocated {
        no: part.no as usize,
        line: some(part.line),
        kind: part.kind,
        customer: some(part.customer),
        quantity: part.quantity,
        unit: some(part.unit),
        weight: part.weight,
        amount: part.amount / scale,
        over_attributed: part.over_attributed,
    };
    sides.purchases.push(Purchase { contract, currency, subtotal, net, parts: parts.into_iter().map(part).collect() });
    Ok(())
}
