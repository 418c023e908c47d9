//! `GET /v1/sales-credits`: for the vendor, whose teams they are, and the operator.

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
use super::levels::seller;
use super::params::Params;
use crate::clickhouse::read::wholesale::WholesaleQuery;
use crate::config::Principal;
use crate::core::programme::group::{Group, keys};
use crate::core::programme::month::Months;
use crate::core::programme::neutrality::Check;
use crate::programme::ProgrammeError;
use crate::programme::sales::{Documents, Line, page};

/// What is grouped by where nothing is asked for.
const BY: &str = "route,team";

/// Which sales credits are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SalesCreditsParams {
    /// Only this provider's.
    provider: Option<String>,
    /// Only what counts in these months, both included: 2026-08..2026-10, or one. An invoice counts in the month in which its period begins,
    /// what corrects one in the month of issue.
    periods: Option<String>,
    /// Sales credits on a page.
    limit: Option<usize>,
    /// `next_cursor` of the page before; the other parameters unchanged.
    cursor: Option<String>,
}

/// What is put together.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SummaryParams {
    /// Only this provider's.
    provider: Option<String>,
    /// Only what counts in these months, both included: 2026-08..2026-10, or one.
    periods: Option<String>,
    /// By what, of route, team, role, provider, customer, month, deal, number, no; default `route,team`. Always apart by currency.
    by: Option<String>,
}

/// A page of sales credits, by document, row and customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct SalesCreditsPage {
    /// One for each row, customer, team and role.
    pub data: Vec<Line>,
    /// For the next page; null after the last.
    pub next_cursor: Option<String>,
}

/// Sales credits put together.
#[derive(Debug, Serialize, ToSchema)]
pub struct SalesCreditsSummary {
    /// The groups.
    pub data: Vec<Group>,
    /// Whether account teams get the same for a unit at list on either route, by currency.
    pub neutrality: Vec<Check>,
}

async fn query(
    api: &Api,
    caller: &Caller,
    provider: Option<&str>,
    periods: Option<&str>,
) -> Result<WholesaleQuery, ApiError> {
    if matches!(caller.principal, Principal::Provider(_) | Principal::Customer { .. }) {
        return Err(caller.never("sales credits"));
    }
    let providers = match caller.providers_asked(&*api.parties().await?, provider)? {
        Providers::All => None,
        Providers::These(these) => Some(these.into_iter().collect()),
    };
    let months = periods.map(Months::parse).transpose().map_err(ApiError::BadRequest)?;
    Ok(WholesaleQuery { providers, seller: seller(caller), months, ..WholesaleQuery::default() })
}

/// Sales credits, one by one.
#[utoipa::path(get, path = "/v1/sales-credits", tag = "programme", params(SalesCreditsParams), responses(
    (status = 200, description = "A page of sales credits", body = SalesCreditsPage),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "No such provider, or another's", body = ErrorBody),
))]
pub async fn sales_credits(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Params { values: params, question }: Params<SalesCreditsParams>,
) -> Result<Json<SalesCreditsPage>, ApiError> {
    let query = query(&api, &caller, params.provider.as_deref(), params.periods.as_deref()).await?;
    let limit = api.page_size(params.limit)?;
    let from = params.cursor.as_deref().map(|text| cursor::key(&question, text)).transpose()?;
    let (data, next) = page(&api.client, query, from.unwrap_or_default(), limit).await?;
    let next_cursor = next.map(|next| cursor::after(&question, &next)).transpose()?;
    Ok(Json(SalesCreditsPage { data, next_cursor }))
}

/// Sales credits put together, with the neutrality check.
#[utoipa::path(get, path = "/v1/sales-credits/summary", tag = "programme", params(SummaryParams), responses(
    (status = 200, description = "Sums and the neutrality check", body = SalesCreditsSummary),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "No such provider, or another's", body = ErrorBody),
    (status = 413, description = "More groups than an answer may have", body = ErrorBody),
))]
pub async fn summary(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Params { values: params, .. }: Params<SummaryParams>,
) -> Result<Json<SalesCreditsSummary>, ApiError> {
    let query = query(&api, &caller, params.provider.as_deref(), params.periods.as_deref()).await?;
    let keys = keys(params.by.as_deref().unwrap_or(BY)).map_err(ProgrammeError::from)?;
    let summary = Documents::new(&api.client, query, None).summary(keys).await?;
    let neutrality = summary.neutrality.checks().map_err(ProgrammeError::from)?;
    Ok(Json(SalesCreditsSummary { data: summary.groups.groups().collect(), neutrality }))
}
