//! `GET /v1/usage`.

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
use crate::clickhouse::read::usage::{Key, Page, UsageQuery, UsageRow};
use crate::clickhouse::read::window::{Step, Window};
use crate::config::Principal;
use crate::core::word::Kind;

/// What usage is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageParams {
    /// Whose arrays; obligatory for an operator, and for a vendor with several providers.
    provider: Option<String>,
    /// The start: an instant in RFC 3339 or a date, which means its midnight in `time_zone`. On a whole cell.
    from: String,
    /// The end, which is left out.
    to: String,
    /// How the range is cut. Days are those of `time_zone`, hours are UTC hours, `period` is the whole range.
    step: Option<StepParam>,
    /// Keys of a row and its order, comma-separated; default all: provider, array, kind, resource, customer, tier, site, meter.
    /// Resources of different kinds may measure the same bytes: keep `kind`, or ask for one.
    by: Option<String>,
    /// Whose days and midnights, a name of the tz database; default UTC.
    time_zone: Option<String>,
    /// This meter only. `$observed`, one per accepted event, is left out unless it is named here.
    meter: Option<String>,
    /// This array only.
    array: Option<String>,
    /// This kind of resource only: array, volume, pod, realm, file_system or object_bucket.
    kind: Option<String>,
    /// This tenant tag only; empty for what bears none.
    customer: Option<String>,
    /// Rows on a page.
    limit: Option<usize>,
    /// `next_cursor` of the page before; the other parameters unchanged.
    cursor: Option<String>,
}

/// How a range is cut.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Step)]
pub enum StepParam {
    /// The meter's own cells of 15 or 5 minutes.
    Cell,
    /// UTC hours.
    Hour,
    /// Local days of 23 to 25 hours.
    #[default]
    Day,
    /// The whole range.
    Period,
}

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
    let query = question_of(&api, &caller, &params).await?;
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

async fn question_of(api: &Api, caller: &Caller, params: &UsageParams) -> Result<UsageQuery, ApiError> {
    let parties = api.parties().await?;
    let provider = caller.provider(&parties, params.provider.as_deref())?;
    let step = match params.step.unwrap_or_default() {
        StepParam::Cell => Step::Cell,
        StepParam::Hour => Step::Hour,
        StepParam::Day => Step::Day,
        StepParam::Period => Step::Period,
    };
    let mut query = UsageQuery {
        provider,
        window: Window::parse(&params.from, &params.to, step, params.time_zone.as_deref())?,
        by: keys(params.by.as_deref())?,
        meter: params.meter.clone(),
        array: params.array.clone(),
        kind: params.kind.as_deref().map(kind).transpose()?,
        customers: params.customer.clone().map(|tag| vec![tag]),
    };
    match &caller.principal {
        Principal::Operator | Principal::Provider(_) => {}
        Principal::Vendor(_) => wholesale_only(caller, params, &mut query)?,
        Principal::Customer { .. } => {
            if matches!(step, Step::Cell | Step::Hour) {
                return Err(caller.never("usage by the hour or cell: ask for step=day or step=period"));
            }
            let mine = caller.tags(&parties)?.unwrap_or_default();
            if query.customers.iter().flatten().any(|tag| !mine.contains(tag)) {
                return Err(ApiError::NotFound);
            }
            query.customers.get_or_insert(mine);
        }
    }
    Ok(query)
}

/// A vendor bills arrays: it reads their own readings, and no names of the provider's customers.
fn wholesale_only(caller: &Caller, params: &UsageParams, query: &mut UsageQuery) -> Result<(), ApiError> {
    let named = params.by.is_some() && query.by.contains(&Key::Customer);
    if named || params.customer.is_some() {
        return Err(caller.never("usage by customer"));
    }
    if query.kind.is_some_and(|kind| kind != Kind::Array) {
        return Err(caller.never("usage of anything but arrays: ask for kind=array"));
    }
    query.by.retain(|key| *key != Key::Customer);
    query.kind = Some(Kind::Array);
    Ok(())
}

fn keys(by: Option<&str>) -> Result<Vec<Key>, ApiError> {
    let Some(by) = by else { return Ok(Key::ALL.to_vec()) };
    let mut keys = Vec::new();
    for name in by.split(',').filter(|name| !name.is_empty()) {
        let known = || Key::ALL.map(Key::as_str).join(", ");
        let key = Key::parse(name)
            .ok_or_else(|| ApiError::BadRequest(format!("`by` knows no `{name}`; use some of {}", known())))?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

fn kind(name: &str) -> Result<Kind, ApiError> {
    let known = || Kind::ALL.map(Kind::as_str).join(", ");
    Kind::parse(name)
        .ok_or_else(|| ApiError::BadRequest(format!("no `kind` is called `{name}`; use one of {}", known())))
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
