//! `GET /v1/usage`.

mod question;

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::caller::Caller;
use super::cursor;
use super::error::{ApiError, ErrorBody};
use super::params::Params;
use crate::clickhouse::read::usage::{Page, UsageQuery};
use crate::clickhouse::read::usage_key::Key;
use crate::clickhouse::read::usage_row::UsageRow;
use question::UsageParams;

/// A page of usage, sorted by the keys of `by`, then by meter and start.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsagePage {
    /// The rows.
    pub data: Vec<Usage>,
    /// For the next page; null after the last.
    pub next_cursor: Option<String>,
}

/// What was metered under one key in one part of the range. Keys that are not grouped by are left out; a tag that is absent is null.
/// Levels and sums are whole numbers as strings. A gauge has integral, observed_ms, min, max, last; a delta sum and count; a counter increase.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Usage {
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    array: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    /// The tenant tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    customer: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    tier: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    site: Option<Option<String>>,
    /// Always there: meters are never added to each other.
    meter: String,
    /// When the part of the range starts.
    start: String,
    /// How long it really is.
    seconds: u32,
    /// Level times milliseconds, summed.
    #[serde(skip_serializing_if = "Option::is_none")]
    integral: Option<String>,
    /// Milliseconds for which the level is known, summed over resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_ms: Option<u64>,
    /// The least level of any resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<String>,
    /// The greatest level of any resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<String>,
    /// The level in the newest cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    /// The sum of amounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<String>,
    /// How many amounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    /// By how much the total grew.
    #[serde(skip_serializing_if = "Option::is_none")]
    increase: Option<String>,
}

/// Metered usage: sums of cells.
#[utoipa::path(get, path = "/v1/usage", tag = "usage", params(UsageParams), responses(
    (status = 200, description = "A page of usage", body = UsagePage),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "No such provider, or another's", body = ErrorBody),
    (status = 413, description = "More rows than one question may group", body = ErrorBody),
))]
pub async fn usage(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Params { values: params, question }: Params<UsageParams>,
) -> Result<Json<UsagePage>, ApiError> {
    let query = question::of(&api, &caller, &params).await?;
    for meter in query.meters(&api.client).await? {
        query.window.check_cells(meter.cell_minutes)?;
    }
    let limit = api.page_size(params.limit)?;
    let after = params.cursor.as_deref().map(|text| cursor::key(&question, text)).transpose()?;
    if after.as_ref().is_some_and(|(keys, _): &(Vec<String>, u32)| keys.len() != query.order_len()) {
        return Err(ApiError::BadRequest("`cursor` is not one of this request's".to_owned()));
    }
    let page = Page { after, limit: limit + 1, groups_max: api.limits.usage_rows_max };
    let mut rows: Vec<UsageRow> = api.client.fetch_all(query.page(&api.client, &page)).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|row| cursor::after(&question, &row.place(&query))).transpose()?;
    let edges = query.window.edges();
    let data = rows.iter().map(|row| shown(row, &query, row.seconds(&query.window, &edges))).collect();
    Ok(Json(UsagePage { data, next_cursor }))
}

fn shown(row: &UsageRow, query: &UsageQuery, seconds: u32) -> Usage {
    let key = |key: Key| query.by.contains(&key).then(|| row.text(key).to_owned());
    let tag = |tag: Key| key(tag).map(|text| Some(text).filter(|text| !text.is_empty()));
    let figures = row.figures();
    let figure = |name: &str| figures.iter().find(|(known, _)| *known == name).map(|(_, figure)| figure.to_string());
    let number = |name: &str| {
        figures.iter().find(|(known, _)| *known == name).and_then(|(_, figure)| u64::try_from(*figure).ok())
    };
    Usage {
        provider: key(Key::Provider),
        array: key(Key::Array),
        kind: key(Key::Kind),
        resource: key(Key::Resource),
        customer: tag(Key::Customer),
        tier: tag(Key::Tier),
        site: tag(Key::Site),
        meter: row.text(Key::Meter).to_owned(),
        start: row.start().rfc3339(),
        seconds,
        integral: figure("integral"),
        observed_ms: number("observed_ms"),
        min: figure("min"),
        max: figure("max"),
        last: figure("last"),
        sum: figure("sum"),
        count: number("count"),
        increase: figure("increase"),
    }
}
