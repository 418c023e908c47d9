//! The table `rating`: headers of closed ratings, with their drafts.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::{Client, Error};
use crate::core::billing::detail::Detail;
use crate::core::billing::document::Document;
use crate::core::billing::error::DocumentError;
use crate::core::billing::figure::Figure;
use crate::core::closing::record::{digest_of, short_id};
use crate::core::decision::closing::{DraftKey, PeriodKey};

/// A row of it. Decimals are billionths, instants milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct RatingRow {
    /// The rating.
    pub rating_id: String,
    /// The contract.
    pub contract: String,
    /// Of a contract for each customer: whose; else empty.
    pub customer: String,
    /// Whose period.
    pub provider: String,
    /// Its first instant.
    pub period_start: i64,
    /// The first instant after it.
    pub period_end: i64,
    /// 0, then 1, 2, ... for what corrects it.
    pub revision: u32,
    /// The short id by which people name the draft.
    pub draft: String,
    /// Invoice, adjustment or credit note.
    pub document_type: String,
    /// Who sells.
    pub seller: String,
    /// Who buys.
    pub buyer: String,
    /// ISO 4217.
    pub currency: String,
    /// Its total.
    pub total: i128,
    /// How many rows it has.
    pub rows: u32,
    /// Of rows, cut and book.
    pub digest: String,
    /// Why it cannot be issued; empty if it can.
    pub blocked: String,
    /// The document's JSON, state closed.
    pub document: String,
    /// JSON: what the printed page shows beside it.
    pub detail: String,
}

/// A draft of a close, with what is stored beside it.
#[derive(Clone, Copy, Debug)]
pub struct NewHeader<'a> {
    /// Which draft.
    pub draft: &'a DraftKey,
    /// Of which period.
    pub period: &'a PeriodKey,
    /// Of which revision.
    pub revision: u32,
    /// The document, state closed.
    pub document: &'a Document,
    /// What the printed page shows beside it.
    pub detail: &'a Detail,
    /// Why it cannot be issued; none if it can.
    pub blocked: Option<&'a str>,
}

impl RatingRow {
    /// The header of a draft.
    ///
    /// # Errors
    /// Figures that are none.
    pub fn of(new: &NewHeader<'_>) -> Result<Self, DocumentError> {
        let NewHeader { draft, period, revision, document, detail, blocked } = *new;
        Ok(Self {
            rating_id: draft.rating_id.clone(),
            contract: draft.contract.clone(),
            customer: draft.customer.clone().unwrap_or_default(),
            provider: period.provider.clone(),
            period_start: period.start.0,
            period_end: period.end.0,
            revision,
            draft: short_id(draft)?,
            document_type: document.kind.as_str().to_owned(),
            seller: document.seller.id.clone(),
            buyer: document.buyer.id.clone(),
            currency: document.currency.clone(),
            total: Figure::parse(&document.total)?.billionths()?,
            rows: u32::try_from(document.rows.len()).unwrap_or(u32::MAX),
            digest: digest_of(document)?,
            blocked: blocked.unwrap_or_default().to_owned(),
            document: serde_json::to_string(document)?,
            detail: serde_json::to_string(detail)?,
        })
    }
}

/// Writes headers; the same ones again collapse with the first.
///
/// # Errors
/// The server's.
pub async fn insert(client: &Client, rows: &[RatingRow]) -> Result<(), Error> {
    client.insert_rows("rating", rows).await
}

/// The headers of a rating, by contract and customer.
///
/// # Errors
/// The server's.
pub async fn read(client: &Client, rating_id: &str) -> Result<Vec<RatingRow>, Error> {
    let sql = "SELECT rating_id, toString(contract) AS contract, customer, toString(provider) AS provider, \
               toUnixTimestamp64Milli(period_start) AS period_start, toUnixTimestamp64Milli(period_end) AS period_end, revision, draft, \
               toString(document_type) AS document_type, toString(seller) AS seller, buyer, toString(currency) AS currency, total, rows, \
               digest, blocked, document, detail FROM rating FINAL WHERE rating_id = {rating:String} ORDER BY contract, customer";
    client.fetch_all(client.select(sql).param("rating", rating_id)).await
}
