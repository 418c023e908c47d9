//! `GET /v1/quarantine`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::caller::Caller;
use super::cursor;
use super::error::{ApiError, ErrorBody};
use super::filter;
use super::params::Params;
use crate::clickhouse::read::quarantine::{QuarantineQuery, QuarantineRow, read};
use crate::clickhouse::read::window::{parse_instant, parse_zone};
use crate::config::Principal;
use crate::core::word::Instant;
use crate::quarantine::explanation::meaning;

/// Which records are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct QuarantineParams {
    /// This provider's only, and what belongs to every provider of its streams.
    provider: Option<String>,
    /// This array's only.
    array: Option<String>,
    /// This reason code only; `late` for late events.
    reason: Option<String>,
    /// This stream id only.
    stream: Option<String>,
    /// Appended at this time or later: an instant in RFC 3339, or a date (UTC).
    from: Option<String>,
    /// Appended before this time.
    to: Option<String>,
    /// Rows on a page.
    limit: Option<usize>,
    /// `next_cursor` of the page before; the other parameters unchanged.
    cursor: Option<String>,
}

/// A page of records that were put aside, by position.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantinePage {
    /// The records.
    pub data: Vec<Quarantined>,
    /// For the next page; null after the last.
    pub next_cursor: Option<String>,
}

/// A record that was put aside: kept byte for byte, not billed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quarantined {
    /// The stream's id.
    stream: String,
    /// The partition.
    partition: u32,
    /// The offset, a whole number.
    offset: String,
    /// When Kafka took it.
    append_time: String,
    /// quarantined or late.
    disposition: String,
    /// The reason code; null for a late one.
    reason: Option<String>,
    /// What a person should know.
    detail: String,
    /// Whose it is; null where nobody can tell.
    provider: Option<String>,
    /// The array that its key names.
    array: Option<String>,
    /// How long it is.
    bytes: u64,
    /// Whether somebody has decided what becomes of it: it was sent again, or discarded.
    decided: bool,
}

/// Records that were put aside: quarantined and late.
#[utoipa::path(get, path = "/v1/quarantine", tag = "quarantine", params(QuarantineParams), responses(
    (status = 200, description = "A page of records", body = QuarantinePage),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "No such provider, or another's", body = ErrorBody),
))]
pub async fn quarantine(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Params { values: params, question }: Params<QuarantineParams>,
) -> Result<Json<QuarantinePage>, ApiError> {
    let provider = match &caller.principal {
        Principal::Operator => params.provider,
        Principal::Provider(own) if params.provider.as_ref().is_none_or(|asked| asked == own) => Some(own.clone()),
        Principal::Provider(_) => return Err(ApiError::NotFound),
        Principal::Vendor(_) | Principal::Customer { .. } => return Err(caller.never("the quarantine")),
    };
    let limit = api.page_size(params.limit)?;
    for (name, value) in [("provider", &provider), ("array", &params.array), ("stream", &params.stream)] {
        filter::id(name, value.as_ref())?;
    }
    filter::reason("reason", params.reason.as_ref(), &[filter::LATE])?;
    let query = QuarantineQuery {
        provider,
        array: params.array,
        reason: params.reason,
        stream: params.stream,
        from: params.from.as_deref().map(appended).transpose()?,
        to: params.to.as_deref().map(appended).transpose()?,
        after: params.cursor.as_deref().map(|text| cursor::key(&question, text)).transpose()?,
        limit: limit + 1,
    };
    let mut rows = read(&api.client, &query).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let place = |row: &QuarantineRow| cursor::after(&question, &(&row.stream, row.partition, row.offset));
    let next_cursor = rows.last().filter(|_| more).map(place).transpose()?;
    Ok(Json(QuarantinePage { data: rows.into_iter().map(shown).collect(), next_cursor }))
}

/// An append time that a request names.
pub(super) fn appended(text: &str) -> Result<Instant, ApiError> {
    Ok(parse_instant(text, parse_zone(None)?)?)
}

fn shown(row: QuarantineRow) -> Quarantined {
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let meaning = meaning(&row.reason);
    Quarantined {
        stream: row.stream,
        partition: row.partition,
        offset: row.offset.to_string(),
        append_time: Instant(row.appended).rfc3339(),
        disposition: row.disposition,
        reason: some(row.reason),
        detail: if row.detail.is_empty() { meaning.to_owned() } else { row.detail },
        provider: some(row.provider),
        array: some(row.array),
        bytes: row.bytes,
        decided: row.decided == 1,
    }
}
