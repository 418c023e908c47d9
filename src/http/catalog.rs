//! `GET /v1/catalog`: the price book in force.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::caller::Caller;
use super::error::{ApiError, ErrorBody};
use crate::clickhouse::read::book;
use crate::config::Principal;

/// The newest published price book that was taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Catalog {
    /// SHA-256 over its canonical JSON: documents name it.
    hash: String,
    /// The offset of the decision that published it.
    offset: u64,
    /// Its canonical form, which `plimsoll catalog show` prints.
    #[schema(value_type = Object)]
    book: serde_json::Value,
}

/// The price book in force. For the operator alone: it has everybody's prices, customers and teams.
#[utoipa::path(get, path = "/v1/catalog", tag = "catalog", responses(
    (status = 200, description = "The price book", body = Catalog),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "No price book is published yet", body = ErrorBody),
))]
pub async fn catalog(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Catalog>, ApiError> {
    if caller.principal != Principal::Operator {
        return Err(caller.never("the price book"));
    }
    let offset = book::newest_offset(&api.client).await?.ok_or(ApiError::NotFound)?;
    let published = book::read(&api.client, offset).await?;
    Ok(Json(Catalog { hash: published.hash, offset, book: published.book }))
}
