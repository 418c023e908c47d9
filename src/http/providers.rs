//! `GET /v1/providers`: scorecards.

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
use super::levels::{instant, seller};
use super::params::Params;
use crate::config::Principal;
use crate::core::programme::scorecard::Scorecard;
use crate::programme::{Asked, page, scorecards};

/// Which scorecards are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProvidersParams {
    /// This provider's only.
    provider: Option<String>,
    /// As things stood at this instant (RFC 3339, or a date: its midnight UTC); default now.
    at: Option<String>,
    /// Scorecards on a page.
    limit: Option<usize>,
    /// `next_cursor` of the page before; the other parameters unchanged.
    cursor: Option<String>,
}

/// A page of scorecards, by provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProvidersPage {
    /// The instant that is meant.
    pub at: String,
    /// The scorecards.
    pub data: Vec<Scorecard>,
    /// For the next page; null after the last.
    pub next_cursor: Option<String>,
}

/// Scorecards: revenue, growth, arrays, customers, capacity, level, and who is dormant.
#[utoipa::path(get, path = "/v1/providers", tag = "programme", params(ProvidersParams), responses(
    (status = 200, description = "A page of scorecards", body = ProvidersPage),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "No such provider, or another's", body = ErrorBody),
))]
pub async fn providers(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Params { values: params, question }: Params<ProvidersParams>,
) -> Result<Json<ProvidersPage>, ApiError> {
    if matches!(caller.principal, Principal::Customer { .. }) {
        return Err(caller.never("scorecards"));
    }
    let parties = api.parties().await?;
    let asked = caller.providers_asked(&parties, params.provider.as_deref())?;
    let (limit, at) = (api.page_size(params.limit)?, instant(params.at.as_deref())?);
    let after: Option<String> = params.cursor.as_deref().map(|text| cursor::key(&question, text)).transpose()?;
    let is_asked = |id: &str| match &asked {
        Providers::All => true,
        Providers::These(these) => these.contains(id),
    };
    let mut providers = page(parties.book(), is_asked, after.as_deref(), limit + 1);
    let more = providers.len() > limit;
    providers.truncate(limit);
    let next_cursor = providers.last().filter(|_| more).map(|last| cursor::after(&question, last)).transpose()?;
    let asked = Asked { providers, seller: seller(&caller), at, is_past: params.at.is_some() };
    let told = !matches!(caller.principal, Principal::Vendor(_));
    let stand = match asked.is_past {
        true => None,
        false => api.kept.stand(&api.client).await?,
    };
    let data = scorecards(&api.client, parties.book(), &asked, told, stand.as_ref()).await?;
    Ok(Json(ProvidersPage { at: at.rfc3339(), data, next_cursor }))
}
