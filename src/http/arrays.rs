//! `GET /v1/arrays`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::access::Providers;
use super::caller::Caller;
use super::cursor;
use super::error::{ApiError, ErrorBody};
use super::params::Params;
use crate::clickhouse::read::arrays::ArrayQuery;
use crate::clickhouse::read::window::{parse_instant, parse_zone};
use crate::config::Principal;
use crate::programme::Stand;
use crate::programme::health::{Array, page};

/// Which arrays are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ArraysParams {
    /// This provider's only.
    provider: Option<String>,
    /// As things stood at this instant (RFC 3339, or a date: its midnight UTC); default the log's own time.
    at: Option<String>,
    /// Arrays on a page.
    limit: Option<usize>,
    /// `next_cursor` of the page before; the other parameters unchanged.
    cursor: Option<String>,
}

/// A page of arrays, by provider and id.
#[derive(Debug, Serialize, ToSchema)]
pub struct ArraysPage {
    /// The instant that is meant; null before the first record.
    pub at: Option<String>,
    /// The arrays.
    pub data: Vec<Array>,
    /// For the next page; null after the last.
    pub next_cursor: Option<String>,
}

/// Arrays with their health.
#[utoipa::path(get, path = "/v1/arrays", tag = "arrays", params(ArraysParams), responses(
    (status = 200, description = "A page of arrays", body = ArraysPage),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "No such provider, or another's", body = ErrorBody),
))]
pub async fn arrays(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Params { values: params, question }: Params<ArraysParams>,
) -> Result<Json<ArraysPage>, ApiError> {
    if matches!(caller.principal, Principal::Customer { .. }) {
        return Err(caller.never("arrays"));
    }
    let parties = api.parties().await?;
    let providers = match caller.providers_asked(&parties, params.provider.as_deref())? {
        Providers::All => None,
        Providers::These(these) => Some(these),
    };
    let limit = api.page_size(params.limit)?;
    let at = params.at.as_ref().map(|text| parse_instant(text, parse_zone(None)?)).transpose()?;
    let stand = match at {
        Some(_) => Stand::read(&api.client, at).await?,
        None => api.kept.stand(&api.client).await?,
    };
    let Some(stand) = stand else {
        return Ok(Json(ArraysPage { at: None, data: Vec::new(), next_cursor: None }));
    };
    let at = stand.at;
    let after = params.cursor.as_deref().map(|text| cursor::key(&question, text)).transpose()?;
    let query = ArrayQuery { providers, at, after, limit };
    let (data, more) = page(&api.client, parties.book(), &stand, &query).await?;
    let last = data.last().filter(|_| more);
    let next_cursor = last.map(|row| cursor::after(&question, &(&row.provider, &row.array))).transpose()?;
    Ok(Json(ArraysPage { at: Some(at.rfc3339()), data, next_cursor }))
}
