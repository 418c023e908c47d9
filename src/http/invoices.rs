//! `GET /v1/invoices`: issued documents, their headers.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::caller::Caller;
use super::cursor;
use super::error::{ApiError, ErrorBody};
use super::params::Params;
use crate::clickhouse::read::invoices::{InvoiceQuery, ListedRow, list};
use crate::clickhouse::read::window::{parse_instant, parse_zone};
use crate::core::billing::document::DocumentState;
use crate::core::programme::month::Month;

/// Which documents are asked for: those that fit all of these.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InvoicesParams {
    /// Of this seller.
    seller: Option<String>,
    /// To this buyer.
    buyer: Option<String>,
    /// Of periods that begin in this month, such as 2026-10.
    period: Option<String>,
    /// In this state: issued, partly_credited or credited.
    state: Option<String>,
    /// Issued at this time or later: an instant in RFC 3339, or a date (UTC).
    issued_since: Option<String>,
    /// Of this provider's periods.
    provider: Option<String>,
    /// That correct the document with this number.
    corrects: Option<String>,
    /// Documents on a page.
    limit: Option<usize>,
    /// `next_cursor` of the page before; the other parameters unchanged.
    cursor: Option<String>,
}

/// A page of issued documents, in the order in which they were issued.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvoicesPage {
    /// Their headers.
    pub data: Vec<InvoiceHeader>,
    /// For the next page; null after the last.
    pub next_cursor: Option<String>,
}

/// The header of an issued document.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvoiceHeader {
    /// Its number.
    number: String,
    /// invoice, adjustment or credit_note.
    #[serde(rename = "type")]
    kind: String,
    /// issued, partly_credited or credited.
    state: String,
    /// Local date of issue.
    issue_date: String,
    /// Local date on which it is due.
    due_date: String,
    /// Who sells.
    seller: String,
    /// Who buys.
    buyer: String,
    /// Whose period it is of.
    provider: String,
    /// The contract.
    contract: String,
    /// The month in which its period begins.
    period: String,
    /// ISO 4217.
    currency: String,
    /// Its total.
    total: String,
    /// Numbers of the documents that it corrects.
    corrects: Vec<String>,
    /// The ERP's id of it.
    erp: Option<String>,
}

/// Issued documents that the caller may read. A filter that names somebody else finds nothing.
#[utoipa::path(get, path = "/v1/invoices", tag = "invoices", params(InvoicesParams), responses(
    (status = 200, description = "A page of headers", body = InvoicesPage),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "A producer sends events and reads nothing", body = ErrorBody),
    (status = 404, description = "Another's provider", body = ErrorBody),
))]
pub async fn invoices(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Params { values: params, question }: Params<InvoicesParams>,
) -> Result<Json<InvoicesPage>, ApiError> {
    caller.refuse_foreign(params.provider.as_deref())?;
    let limit = api.page_size(params.limit)?;
    let since = |text: &str| Ok::<i64, ApiError>(parse_instant(text, parse_zone(None)?)?.0);
    let query = InvoiceQuery {
        seen_by: caller.seen_by(),
        provider: params.provider,
        seller: params.seller,
        buyer: params.buyer,
        period: params.period.map(month).transpose()?,
        state: params.state.map(known).transpose()?,
        issued_since: params.issued_since.as_deref().map(since).transpose()?,
        corrects: params.corrects,
        after: params.cursor.as_deref().map(|text| cursor::key(&question, text)).transpose()?,
        limit: Some(limit + 1),
    };
    let (mut rows, mut data) = (list(&api.client, &query)?, Vec::with_capacity(limit));
    let mut next_cursor = None;
    let mut last = 0;
    while let Some(row) = rows.next().await? {
        if data.len() == limit {
            next_cursor = Some(cursor::after(&question, &last)?);
            break;
        }
        last = row.decision;
        data.push(shown(row));
    }
    Ok(Json(InvoicesPage { data, next_cursor }))
}

fn known(state: String) -> Result<String, ApiError> {
    let states = [DocumentState::Issued, DocumentState::PartlyCredited, DocumentState::Credited];
    match states.iter().any(|known| known.as_str() == state) {
        true => Ok(state),
        false => Err(ApiError::BadRequest(format!(
            "no `state` is called `{state}`: use issued, partly_credited or credited"
        ))),
    }
}

fn shown(row: ListedRow) -> InvoiceHeader {
    let (issue_date, due_date, total) = (row.issue_date().to_string(), row.due_date().to_string(), row.shown_total());
    InvoiceHeader {
        number: row.number,
        kind: row.document_type,
        state: row.state,
        issue_date,
        due_date,
        seller: row.seller,
        buyer: row.buyer,
        provider: row.provider,
        contract: row.contract,
        period: row.label,
        currency: row.currency,
        total,
        corrects: row.corrects,
        erp: Some(row.erp).filter(|erp| !erp.is_empty()),
    }
}
/// The month that a text names.
fn month(text: String) -> Result<String, ApiError> {
    match Month::parse(&text) {
        Some(_) => Ok(text),
        None => Err(ApiError::BadRequest("`period` is a month such as 2026-10".to_owned())),
    }
}
