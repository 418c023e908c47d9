//! Drafts and documents as rows of tables, and back.

use chrono::NaiveDate;

use crate::clickhouse::invoice::InvoiceRow;
use crate::clickhouse::rated_line::RatedLineRow;
use crate::clickhouse::rating::RatingRow;
use crate::closer::error::CloseError;
use crate::closer::seam::{NewInvoice, NewRating, StoredDraft};
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::closing::record::{digest_of, short_id};
use crate::core::pricing::row::statistic_name;
use crate::statement::Place;

/// Places of decimals in tables.
const TABLE_PLACES: u32 = 9;

/// The rows of drafts.
pub fn lines(rating_id: &str, drafts: &[StoredDraft]) -> Result<Vec<RatedLineRow>, CloseError> {
    let mut rows = Vec::new();
    for StoredDraft { place, document, .. } in drafts {
        for row in &document.rows {
            // more places than the column has are in `body` alone
            let nano = |text: &Option<String>| text.as_deref().and_then(|text| billionths(text).ok());
            rows.push(RatedLineRow {
                rating_id: rating_id.to_owned(),
                contract: place.contract.clone(),
                customer: place.customer.clone().unwrap_or_default(),
                no: u32::try_from(row.no).unwrap_or(u32::MAX),
                line: row.line.clone().unwrap_or_default(),
                kind: row.kind.as_str().to_owned(),
                description: row.description.clone(),
                meter: row.meter.clone().unwrap_or_default(),
                statistic: row.statistic.map(statistic_name).unwrap_or_default().to_owned(),
                quantity: nano(&row.quantity),
                unit: row.unit.clone().unwrap_or_default(),
                list_price: nano(&row.list_price),
                price: nano(&row.price),
                amount: amount(place, &row.amount)?,
                body: json(place, row)?,
            });
        }
    }
    Ok(rows)
}

/// The headers of drafts.
pub fn headers(rating: &NewRating<'_>, drafts: &[StoredDraft]) -> Result<Vec<RatingRow>, CloseError> {
    let header = |draft: &StoredDraft| {
        let StoredDraft { place, document, detail, blocked } = draft;
        let key = place.draft(rating.rating_id);
        let period = &rating.inputs.period;
        Ok(RatingRow {
            rating_id: rating.rating_id.to_owned(),
            contract: place.contract.clone(),
            customer: place.customer.clone().unwrap_or_default(),
            provider: period.provider.clone(),
            period_start: period.start.0,
            period_end: period.end.0,
            revision: rating.inputs.revision,
            draft: short_id(&key).map_err(|error| named(place, error))?,
            document_type: document.kind.as_str().to_owned(),
            seller: document.seller.id.clone(),
            buyer: document.buyer.id.clone(),
            currency: document.currency.clone(),
            total: amount(place, &document.total)?,
            rows: u32::try_from(document.rows.len()).unwrap_or(u32::MAX),
            digest: digest_of(document).map_err(|error| named(place, error))?,
            blocked: blocked.clone().unwrap_or_default(),
            document: json(place, document)?,
            detail: json(place, detail)?,
        })
    };
    drafts.iter().map(header).collect()
}

/// A draft as its header holds it: the one that was written (I9).
pub fn draft(row: RatingRow) -> Result<StoredDraft, CloseError> {
    let place = Place { contract: row.contract, customer: Some(row.customer).filter(|customer| !customer.is_empty()) };
    let document = Document::from_json(&row.document).map_err(|error| named(&place, error))?;
    let detail = serde_json::from_str(&row.detail).map_err(|error| named(&place, error.into()))?;
    let blocked = Some(row.blocked).filter(|blocked| !blocked.is_empty());
    Ok(StoredDraft { place, document, detail, blocked })
}

/// An issued document.
pub fn invoice(invoice: &NewInvoice) -> Result<InvoiceRow, CloseError> {
    let document = &invoice.document;
    let place = Place { contract: document.contract.clone(), customer: invoice.customer.clone() };
    Ok(InvoiceRow {
        number: document.number.clone().unwrap_or_default(),
        version: invoice.decisions,
        document_type: document.kind.as_str().to_owned(),
        state: document.state.as_str().to_owned(),
        seller: document.seller.id.clone(),
        buyer: document.buyer.id.clone(),
        provider: invoice.period.provider.clone(),
        contract: document.contract.clone(),
        customer: invoice.customer.clone().unwrap_or_default(),
        period_start: invoice.period.start.0,
        period_end: invoice.period.end.0,
        label: document.period.label.clone(),
        revision: invoice.revision,
        decision: invoice.decision.0,
        issued_at: invoice.at.0,
        issue_date: days(document.issue_date.as_deref()),
        due_date: days(document.due_date.as_deref()),
        currency: document.currency.clone(),
        total: amount(&place, &document.total)?,
        net: amount(&place, &document.net)?,
        corrects: document.references.corrects.clone(),
        rating_id: invoice.rating_id.clone(),
        digest: document.proof.digest.clone().unwrap_or_default(),
        erp: document.references.erp.clone().unwrap_or_default(),
        document: json(&place, document)?,
        detail: json(&place, &invoice.detail)?,
    })
}

/// Days since 1970, the first and last of them where a table has no other.
fn days(date: Option<&str>) -> u16 {
    let date = date.and_then(|date| date.parse::<NaiveDate>().ok());
    let days = date.map_or(0, |date| date.signed_duration_since(NaiveDate::default()).num_days());
    u16::try_from(days.max(0)).unwrap_or(u16::MAX)
}

fn amount(place: &Place, text: &str) -> Result<i128, CloseError> {
    billionths(text).map_err(|error| named(place, error))
}

/// A figure as a Decimal(38, 9) holds it.
fn billionths(text: &str) -> Result<i128, DocumentError> {
    Figure::parse(text)?.minor(TABLE_PLACES)
}

fn json(place: &Place, value: &impl serde::Serialize) -> Result<String, CloseError> {
    serde_json::to_string(value).map_err(|error| named(place, error.into()))
}

fn named(place: &Place, error: DocumentError) -> CloseError {
    CloseError::document(&place.contract)(error)
}
