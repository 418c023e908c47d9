//! `GET /v1/quarantine/{stream}/{partition}/{offset}`: one record that was put aside, whole.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::caller::Caller;
use super::error::{ApiError, ErrorBody};
use crate::clickhouse::read::aside::{AsideQuery, AsideRow, SeenBy, read};
use crate::clickhouse::read::stream;
use crate::config::Principal;
use crate::core::word::{Instant, Offset, Partition, StreamId};
use crate::quarantine::explanation::{explain, explain_whole};

/// Bytes of a value that are shown with the record; the whole of it has an address of its own.
pub const SHOWN_BYTES: usize = 64 << 10;

/// One record that was put aside.
#[derive(Debug, Serialize, ToSchema)]
pub struct Record {
    /// STREAM/PARTITION/OFFSET.
    position: String,
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
    /// By what decisions name it: a hash of its value and its CloudEvents headers, in hex.
    raw_hash: String,
    /// The key, as text.
    key: String,
    /// The headers in their order.
    headers: Vec<RecordHeader>,
    /// How long the value is.
    bytes: u64,
    /// The value as text: its first 64 KiB, what is no UTF-8 replaced. Byte for byte it is under `/value`.
    value: String,
    /// Whether that is all of it, unchanged.
    is_whole: bool,
}

/// A header of a record.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordHeader {
    /// Its name.
    name: String,
    /// Its value, as text.
    value: String,
}

/// A record that was put aside, with its key, headers and value.
#[utoipa::path(get, path = "/v1/quarantine/{stream}/{partition}/{offset}", tag = "quarantine",
    params(("stream" = String, Path, description = "The stream's id"), ("partition" = u32, Path, description = "The partition"),
           ("offset" = u64, Path, description = "The offset")), responses(
    (status = 200, description = "The record", body = Record),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "A producer sends events and reads nothing", body = ErrorBody),
    (status = 404, description = "No such record was put aside, or it is another's", body = ErrorBody),
))]
pub async fn record(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(position): Path<(String, u32, u64)>,
) -> Result<Json<Record>, ApiError> {
    let (row, late) = find(&api, &caller, position).await?;
    let detail = explain_whole(&api.client, &row).await?;
    Ok(Json(Record { detail, ..shown(row, late) }))
}

/// The value of a record that was put aside, byte for byte.
#[utoipa::path(get, path = "/v1/quarantine/{stream}/{partition}/{offset}/value", tag = "quarantine",
    params(("stream" = String, Path, description = "The stream's id"), ("partition" = u32, Path, description = "The partition"),
           ("offset" = u64, Path, description = "The offset")), responses(
    (status = 200, description = "The value", content_type = "application/octet-stream"),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "A producer sends events and reads nothing", body = ErrorBody),
    (status = 404, description = "No such record was put aside, or it is another's", body = ErrorBody),
))]
pub async fn value(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(position): Path<(String, u32, u64)>,
) -> Result<Response, ApiError> {
    let (row, _) = find(&api, &caller, position).await?;
    let mut response = row.raw.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    Ok(response)
}

async fn find(api: &Api, caller: &Caller, position: (String, u32, u64)) -> Result<(AsideRow, bool), ApiError> {
    let seen_by = seen_by(api, caller).await?;
    let (stream, partition, offset) = position;
    let positions = Some(vec![(StreamId(stream.clone()), Partition(partition), Offset(offset))]);
    for late in [false, true] {
        let (positions, seen_by, stream) = (positions.clone(), seen_by.clone(), Some(stream.clone()));
        let query = AsideQuery { late, positions, seen_by, stream, whole: true, ..AsideQuery::default() };
        if let Some(row) = read(&api.client, &query).await?.next().await? {
            return Ok((row, late));
        }
    }
    Err(ApiError::NotFound)
}

/// What of the quarantine a caller may look into: an operator all, a provider what is its own, others nothing at all.
pub(super) async fn seen_by(api: &Api, caller: &Caller) -> Result<Option<SeenBy>, ApiError> {
    match &caller.principal {
        Principal::Operator => Ok(None),
        Principal::Provider(provider) => {
            let streams = stream::bound_to(&api.client, provider).await?;
            Ok(Some(SeenBy { provider: provider.clone(), streams }))
        }
        Principal::Vendor(_) | Principal::Customer { .. } => Err(ApiError::NotFound),
    }
}

fn shown(row: AsideRow, late: bool) -> Record {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let first = &row.raw[..row.raw.len().min(SHOWN_BYTES)];
    Record {
        position: row.label(),
        append_time: Instant(row.appended).rfc3339(),
        disposition: if late { "late" } else { "quarantined" }.to_owned(),
        reason: some(&row.reason),
        detail: explain(&row),
        provider: some(&row.provider),
        array: some(&row.array),
        raw_hash: format!("{:032x}", row.raw_hash),
        key: text(&row.key),
        headers: row
            .header_names
            .iter()
            .zip(&row.header_values)
            .map(|(name, value)| RecordHeader { name: name.clone(), value: text(value) })
            .collect(),
        bytes: row.bytes,
        value: text(first),
        is_whole: first.len() == row.raw.len() && std::str::from_utf8(first).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_up_to_its_limit() {
        for (bytes, whole) in [(SHOWN_BYTES - 1, true), (SHOWN_BYTES, true), (SHOWN_BYTES + 1, false)] {
            let record = shown(AsideRow { raw: vec![b'x'; bytes], ..AsideRow::default() }, false);
            assert_eq!((record.value.len(), record.is_whole), (bytes.min(SHOWN_BYTES), whole));
        }
        assert!(!shown(AsideRow { raw: vec![0xff], ..AsideRow::default() }, true).is_whole);
    }
}
