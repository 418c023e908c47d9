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
use crate::clickhouse::read::arrays::{ArrayQuery, ArrayRow, log_time, read, shapes};
use crate::clickhouse::read::window::{parse_instant, parse_zone};
use crate::config::Principal;
use crate::core::book::Book;
use crate::core::pricing::orphan::{Shape, orphaned};
use crate::core::word::Instant;

/// An array whose newest accepted time lies further back than this is silent (DESIGN §3): 24 hours.
const SILENT_MS: i64 = 86_400_000;

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

/// How an array is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ArrayState)]
pub enum Health {
    /// Heard of within a day, and somebody is billed for it.
    Ok,
    /// Not heard of for more than a day.
    Silent,
    /// It reports, or did, and nobody is billed for it.
    Orphaned,
}

/// One array of which something was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Array {
    provider: String,
    array: String,
    name: Option<String>,
    site: Option<String>,
    /// ok, silent or orphaned; orphaned goes before silent.
    state: Health,
    /// Whether its newest accepted time lies more than 24 hours back.
    silent: bool,
    /// Why nobody is billed for it; null if somebody is.
    orphaned: Option<String>,
    /// Whether it stands there for demonstration: metered, charged nothing.
    demo: bool,
    /// The first accepted time.
    first_reading: String,
    /// The newest accepted time.
    last_reading: String,
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
    let at = match &params.at {
        Some(text) => Some(parse_instant(text, parse_zone(None)?)?),
        None => log_time(&api.client).await?,
    };
    let Some(at) = at else { return Ok(Json(ArraysPage { at: None, data: Vec::new(), next_cursor: None })) };
    let after = params.cursor.as_deref().map(|text| cursor::key(&question, text)).transpose()?;
    let query = ArrayQuery { providers, at, after, limit: limit + 1 };
    let mut rows = read(&api.client, &query).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|row| cursor::after(&question, &(&row.provider, &row.array))).transpose()?;
    let mut shapes = shapes(&api.client, &rows).await?;
    let health = |row: ArrayRow| {
        let shapes = shapes.remove(&(row.provider.clone(), row.array.clone())).unwrap_or_default();
        shown(row, parties.book(), at, &shapes)
    };
    Ok(Json(ArraysPage { at: Some(at.rfc3339()), data: rows.into_iter().map(health).collect(), next_cursor }))
}

fn shown(row: ArrayRow, book: &Book, at: Instant, shapes: &[Shape]) -> Array {
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let silent = row.newest < at.0 - SILENT_MS;
    let orphaned = orphaned(book, &row.provider, &row.array, at, shapes);
    let state = match (orphaned.is_some(), silent) {
        (true, _) => Health::Orphaned,
        (false, true) => Health::Silent,
        (false, false) => Health::Ok,
    };
    let demo =
        book.arrays.get(&row.array).is_some_and(|known| known.demo && known.until.is_none_or(|until| at < until));
    Array {
        name: some(row.name),
        site: some(row.site),
        provider: row.provider,
        array: row.array,
        state,
        silent,
        orphaned,
        demo,
        first_reading: Instant(row.first).rfc3339(),
        last_reading: Instant(row.newest).rfc3339(),
    }
}
