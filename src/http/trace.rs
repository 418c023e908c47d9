//! `GET /v1/invoices/{number}/rows/{no}/trace`: what is behind a row, down to positions in the log.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::caller::Caller;
use super::cursor;
use super::error::{ApiError, ErrorBody};
use super::invoice::find;
use super::params::Params;
use crate::config::Principal;
use crate::core::pricing::breakdown;
use crate::trace::{Difference, Item, SideRow, Sum, TraceError, TraceQuery, Traced, document};

/// Into what a row is broken down.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TraceParams {
    /// What the pieces are: arrays, resources, days of the contract's zone, or UTC hours. A vendor sees no resources.
    by: Option<ByParam>,
    /// Pieces of this array only.
    array: Option<String>,
    /// Of an adjustment, whose row is the difference of two ratings: the pieces of the rating after it (the default) or before it.
    side: Option<SideParam>,
    /// `next_cursor` of the page before; the other parameters unchanged.
    cursor: Option<String>,
}

/// Which of two ratings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = TraceSide)]
pub enum SideParam {
    /// That of the adjustment's close.
    #[default]
    After,
    /// That of the close before.
    Before,
}

/// What the pieces are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = TraceBy)]
pub enum ByParam {
    /// Arrays.
    #[default]
    Array,
    /// Resources on them.
    Resource,
    /// Local days.
    Day,
    /// UTC hours.
    Hour,
}

/// A row and a page of what is behind it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowTrace {
    /// The row as the document has it.
    #[schema(value_type = Object)]
    row: serde_json::Value,
    /// Where it comes from, in words.
    from: String,
    /// Of an adjustment or a credit note: the row whose pieces follow, `{side, row, from}` with side `after`, `before` or `credited`; its row is
    /// null if that rating has none. Null of any other document.
    #[schema(value_type = Option<Object>)]
    side: Option<SideRow>,
    /// Of an adjustment: quantity and amount of the ratings after and before, and whether their difference is what the row says.
    #[schema(value_type = Option<Object>)]
    difference: Option<Difference>,
    /// Of a line with a commitment: days with what was used, committed and over. On the first page.
    #[schema(value_type = Vec<Object>)]
    windows: Vec<Item>,
    /// The pieces, each with the spans of positions of its events; or the rows that this one is computed from.
    #[schema(value_type = Vec<Object>)]
    data: Vec<Item>,
    /// The sum of the pieces of all pages, held against what was priced. Whole numbers are strings, like decimals.
    #[schema(value_type = Option<Object>)]
    sum: Option<Sum>,
    /// For the next page; null after the last.
    next_cursor: Option<String>,
}

/// Pieces of usage that add up to a row's quantity. Computed from the ledger when it is asked for.
#[utoipa::path(get, path = "/v1/invoices/{number}/rows/{no}/trace", tag = "invoices",
    params(("number" = String, Path, description = "The document's number"), ("no" = usize, Path, description = "The row's number"), TraceParams), responses(
    (status = 200, description = "The row and a page of pieces", body = RowTrace),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "No such document or row, or another's", body = ErrorBody),
    (status = 409, description = "The document cannot be computed again from the ledger as it is", body = ErrorBody),
    (status = 503, description = "Too many proofs at once, or one that takes too long", body = ErrorBody),
))]
pub async fn trace(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((number, no)): Path<(String, usize)>,
    Params { values: params, question }: Params<TraceParams>,
) -> Result<Json<RowTrace>, ApiError> {
    // whose it is comes first: of another's document nobody hears what may be asked of it
    find(&api, &caller, &number).await?;
    if matches!(caller.principal, Principal::Customer { .. }) {
        return Err(caller.never("what is behind a row"));
    }
    let is_vendor = matches!(caller.principal, Principal::Vendor(_));
    let by = params.by.unwrap_or_default();
    if is_vendor && by == ByParam::Resource {
        return Err(caller.never("resources: ask for by=array, day or hour"));
    }
    let page: usize =
        params.cursor.as_deref().map(|text| cursor::key(&question, text)).transpose()?.unwrap_or_default();
    let _place = api.proof_place().await?;
    let query = TraceQuery { row: no, by: by.into(), array: params.array };
    let documents = api.documents.newest(&api.client).await.map_err(TraceError::from)?;
    let found = document(&documents, &number, &query, &|_| {}).await?.ok_or(ApiError::NotFound)?;
    let mut shown = shown(&found, params.side, page, &question).await?;
    if is_vendor {
        shown.data.iter_mut().for_each(without_resource);
    }
    Ok(Json(shown))
}

async fn shown(found: &Traced, side: Option<SideParam>, page: usize, question: &str) -> Result<RowTrace, ApiError> {
    let wrong = |error| ApiError::Internal(format!("trace: {error}"));
    if side.is_some() && found.difference().is_none() {
        return Err(ApiError::BadRequest("side is of adjustments alone: this row is of one rating".to_owned()));
    }
    let sides = found.sides();
    let (own, trace) = sides.get(usize::from(side == Some(SideParam::Before))).copied().unwrap_or_default();
    let side = match own.map(|side| side.item(trace)).transpose().map_err(wrong)? {
        Some(Item::Side(side)) => Some(side),
        _ => None,
    };
    let (mut windows, mut data, mut next_cursor) = (Vec::new(), Vec::new(), None);
    if let Some(trace) = trace {
        windows = if page == 0 { trace.windows() } else { windows };
        data = trace.page(page).await?;
        next_cursor = if page + 1 < trace.pages() { Some(cursor::after(question, &(page + 1))?) } else { None };
    }
    Ok(RowTrace {
        row: serde_json::to_value(&found.row).map_err(wrong)?,
        from: found.from.clone(),
        side,
        difference: found.difference().cloned(),
        windows,
        data,
        sum: trace.and_then(|trace| trace.sum()).cloned(),
        next_cursor,
    })
}

/// Resources bear names that a provider gave them, of its customers for one.
fn without_resource(item: &mut Item) {
    if let Item::Piece { resource, .. } = item {
        *resource = None;
    }
}

impl From<ByParam> for breakdown::By {
    fn from(by: ByParam) -> Self {
        match by {
            ByParam::Array => Self::Array,
            ByParam::Resource => Self::Resource,
            ByParam::Day => Self::Day,
            ByParam::Hour => Self::Hour,
        }
    }
}

impl From<TraceError> for ApiError {
    fn from(error: TraceError) -> Self {
        match error {
            TraceError::NoRow { .. } => ApiError::NotFound,
            TraceError::NoArray { .. } => ApiError::BadRequest(error.to_string()),
            TraceError::Differs => ApiError::Conflict(error.to_string()),
            TraceError::Prove(error) => error.into(),
            TraceError::Rate(_) => ApiError::Internal(error.to_string()),
        }
    }
}
