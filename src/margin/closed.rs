//! Both sides of a closed period, from what its closes stored: buckets have moved on since.

use std::collections::{BTreeMap, HashMap};

use super::{MarginError, Sides};
use crate::clickhouse::Client;
use crate::clickhouse::allocation::{self, AllocationRow};
use crate::clickhouse::read::closed::{self, RatingRow};
use crate::core::billing::allocation::Allocated;
use crate::core::billing::document::Document;
use crate::core::billing::figure::Figure;
use crate::core::billing::margin::{NotIssuable, Purchase, Sale};
use crate::core::closing::register::{DraftState, Register, Subject};
use crate::core::decision::closing::{DraftKey, PeriodKey};
use crate::core::pricing::currency::Currency;
use crate::core::pricing::period::Period;

/// The sides of a period as all revisions that count say, less credit notes; discarded drafts count as nothing issued. None if it is
/// open.
///
/// # Errors
/// A stored document that is not understood, and the server's.
pub async fn read(client: &Client, provider: &str, period: &Period) -> Result<Option<Sides>, MarginError> {
    if !closed::is_any(client, provider).await? {
        return Ok(None);
    }
    let register = closed::register(client).await?;
    let key = PeriodKey { provider: provider.to_owned(), start: period.start, end: period.end };
    let Some(newest) = register.revisions(&key).last() else { return Ok(None) };
    let ids: Vec<String> = register.revisions(&key).map(|closed| closed.close.rating_id.clone()).collect();
    let mut allocated: BTreeMap<(String, String), Vec<AllocationRow>> = BTreeMap::new();
    for row in allocation::read(client, &ids).await? {
        allocated.entry((row.rating_id.clone(), row.contract.clone())).or_default().push(row);
    }
    let credited = credited(&register)?;
    let mut sides = Sides { cut: newest.close.cut.clone(), ..Sides::default() };
    for row in closed::ratings(client, &ids).await? {
        let customer = Some(row.customer.clone()).filter(|customer| !customer.is_empty());
        let draft = DraftKey { rating_id: row.rating_id.clone(), contract: row.contract.clone(), customer };
        let state = register.draft(&draft);
        if state == DraftState::Waiting && !row.blocked.is_empty() {
            sides.not_issuable.push(not_issuable(&row, draft.customer.clone())?);
        }
        if state != DraftState::Discarded {
            let parts = allocated.remove(&(draft.rating_id.clone(), draft.contract.clone())).unwrap_or_default();
            add(&mut sides, provider, &row, credited.get(&draft).copied(), parts)?;
        }
    }
    Ok(Some(sides))
}

/// What the rows of credit notes come to, by the draft that they credit.
fn credited(register: &Register) -> Result<HashMap<DraftKey, Figure>, MarginError> {
    let mut credited: HashMap<DraftKey, Figure> = HashMap::new();
    for issued in register.issued() {
        let Subject::Note(note) = &issued.subject else { continue };
        let Some(Subject::Draft(draft)) = register.document(&note.number).map(|original| &original.subject) else {
            continue;
        };
        let sum = credited.entry(draft.clone()).or_default();
        *sum = sum.plus(Figure::sum(note.rows.iter().map(|row| &*row.amount))?)?;
    }
    Ok(credited)
}

fn not_issuable(row: &RatingRow, customer: Option<String>) -> Result<NotIssuable, MarginError> {
    let Document { net, currency, .. } = document(row)?;
    Ok(NotIssuable { contract: row.contract.clone(), customer, net, currency, why: row.blocked.clone() })
}

fn document(row: &RatingRow) -> Result<Document, MarginError> {
    serde_json::from_str(&row.document).map_err(|error| wrong(row, error.to_string()))
}

fn wrong(row: &RatingRow, what: String) -> MarginError {
    MarginError::Stored { rating_id: row.rating_id.clone(), contract: row.contract.clone(), what }
}

fn add(
    sides: &mut Sides,
    provider: &str,
    row: &RatingRow,
    credited: Option<Figure>,
    parts: Vec<AllocationRow>,
) -> Result<(), MarginError> {
    let document = document(row)?;
    let currency = Currency::new(&document.currency)?;
    let (subtotal, net) = (Figure::parse(&document.subtotal)?, Figure::parse(&document.net)?);
    // the note that takes back the last of a document gives back its credits too, so nothing is left of it (`billing/credit_note`)
    let left = match credited {
        // a document of credits alone has no rows, and no note takes anything back
        None => net,
        Some(credited) if credited == subtotal => Figure::ZERO,
        Some(credited) => net.minus(credited)?,
    };
    let (subtotal, net) = (subtotal.minor(currency.places)?, left.minor(currency.places)?);
    let contract = row.contract.clone();
    if document.seller.id == provider {
        sides.sales.push(Sale { contract, customer: document.buyer.id, name: document.buyer.name, currency, net });
        return Ok(());
    }
    let scale = 10i128.pow(9u32.saturating_sub(currency.places));
    if parts.iter().any(|part| part.amount % scale != 0) {
        return Err(wrong(row, format!("its allocation has parts of a minor unit of {}", currency.code)));
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
