//! `GET /v1/providers/{provider}/margin`: both sides of a provider's period.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::caller::Caller;
use super::error::{ApiError, ErrorBody};
use super::own_cut::OwnCut;
use super::params::Params;
use super::statements::rater;
use crate::core::billing::margin::Margin;
use crate::margin::{MarginError, margin as of_provider};

/// Which period is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MarginParams {
    /// The period by the month in which it begins, such as 2026-10.
    period: String,
}

/// Retail, allocated wholesale and what is between them, by customer. For the provider itself and the operator.
#[utoipa::path(get, path = "/v1/providers/{provider}/margin", tag = "margin",
    params(("provider" = String, Path, description = "The provider's id"), MarginParams), responses(
    (status = 200, description = "The margin: a sheet for each currency, what is not comparable, what is not aligned", body = Object),
    (status = 400, description = "A parameter is wrong, or a contract cannot be rated", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "A producer sends events and reads nothing", body = ErrorBody),
    (status = 404, description = "No such provider in this period, or not the caller's", body = ErrorBody),
))]
pub async fn margin(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(provider): Path<String>,
    Params { values: params, .. }: Params<MarginParams>,
) -> Result<Json<Margin>, ApiError> {
    // PRICING §15: to all others it looks as if there were none
    if !caller.reads_customers_of(&provider) {
        return Err(ApiError::NotFound);
    }
    let rater = rater(&api).await?;
    let mut margin = of_provider(&rater, &provider, &params.period).await.map_err(no_margin)?;
    OwnCut::read(&api).await?.keep(&provider, &mut margin.cut);
    Ok(Json(margin))
}

fn no_margin(error: MarginError) -> ApiError {
    match error {
        MarginError::NoContract(..) => ApiError::NotFound,
        MarginError::Rate(error) => ApiError::BadRequest(error.to_string()),
        MarginError::Book(error) | MarginError::Statement { error, .. } => error.into(),
        MarginError::ClickHouse(error) => error.into(),
        MarginError::Allocated(error) => (*error).into(),
        MarginError::Stored { .. } | MarginError::Amount(_) | MarginError::Sums(_) => {
            ApiError::Internal(error.to_string())
        }
    }
}
