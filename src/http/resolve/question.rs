//! Which of what was put aside is meant, in the request's body.

use axum::extract::rejection::JsonRejection;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clickhouse::read::aside::AsideQuery;
use crate::core::event::MAX_ID_BYTES;
use crate::core::word::{Offset, Partition, StreamId};
use crate::http::cursor;
use crate::http::error::ApiError;
use crate::http::filter;
use crate::http::quarantine::appended;
use crate::quarantine::Verb;

/// Most records of one request.
pub const RECORDS_MAX: usize = 500;
/// Records of a request that states no limit.
pub(super) const RECORDS: usize = 100;
/// Longest reason in bytes.
pub const REASON_MAX_BYTES: usize = 1_000;

/// Which records, why, and whether it is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// These records, each as STREAM/PARTITION/OFFSET; either these or a filter.
    pub(super) positions: Option<Vec<String>>,
    /// All records that fit; either a filter or positions.
    filter: Option<Filter>,
    /// Why, for the record. Up to 1,000 bytes.
    pub(super) reason: String,
    /// Only say what would be done; true if it is left out.
    pub(super) dry_run: Option<bool>,
    /// Records of this request at most, 1 to 500; 100 if it is left out.
    pub(super) limit: Option<usize>,
    /// `next_cursor` of the answer before; positions and filter unchanged.
    pub(super) cursor: Option<String>,
}

/// Which records: those that fit all of these.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Of this provider.
    provider: Option<String>,
    /// Whose key names this array.
    array: Option<String>,
    /// Quarantined for this reason code.
    reason: Option<String>,
    /// In this stream.
    stream: Option<String>,
    /// Appended at this time or later: an instant in RFC 3339, or a date (UTC).
    from: Option<String>,
    /// Appended before this time.
    to: Option<String>,
}

impl Filter {
    /// Refuses names that nothing can have.
    fn check(&self) -> Result<(), ApiError> {
        let ids = [("provider", &self.provider), ("array", &self.array), ("stream", &self.stream)];
        ids.iter().try_for_each(|(name, value)| filter::id(&format!("filter.{name}"), value.as_ref()))?;
        filter::reason("filter.reason", self.reason.as_ref(), &[])
    }
}

/// Which of the three.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) path: &'static str,
    pub(super) late: bool,
    pub(super) verb: Verb,
}

/// What is asked for, checked, and the text that a cursor of it is good for.
pub(super) fn question(body: &Resolve, asked: Asked) -> Result<(AsideQuery, String), ApiError> {
    let wrong = |text: String| Err(ApiError::BadRequest(text));
    let reason = body.reason.trim();
    if reason.is_empty() || reason.len() > REASON_MAX_BYTES {
        return wrong(format!("`reason` must say why, in 1 to {REASON_MAX_BYTES} bytes"));
    }
    let limit = body.limit.unwrap_or(if body.positions.is_some() { RECORDS_MAX } else { RECORDS });
    if !(1..=RECORDS_MAX).contains(&limit) {
        return wrong(format!("`limit` must be from 1 to {RECORDS_MAX}"));
    }
    let mut query = AsideQuery { late: asked.late, limit: Some(limit), ..AsideQuery::default() };
    match (&body.positions, &body.filter) {
        (Some(positions), None) if (1..=RECORDS_MAX).contains(&positions.len()) => {
            query.positions = Some(positions.iter().map(|text| position(text)).collect::<Result<_, _>>()?);
        }
        (Some(_), None) => return wrong(format!("`positions` must name 1 to {RECORDS_MAX} records")),
        (None, Some(filter)) => {
            if asked.late && filter.reason.is_some() {
                return wrong("late records have no reason code: leave `filter.reason` out".to_owned());
            }
            filter.check()?;
            (query.provider, query.array) = (filter.provider.clone(), filter.array.clone());
            (query.reason, query.stream) = (filter.reason.clone(), filter.stream.clone());
            query.from = filter.from.as_deref().map(appended).transpose()?;
            query.to = filter.to.as_deref().map(appended).transpose()?;
        }
        _ => return wrong("name either `positions` or a `filter`; an empty filter means all".to_owned()),
    }
    let question = serde_json::to_string(&(asked.path, &body.positions, &body.filter));
    let question = question.map_err(|error| ApiError::Internal(format!("cursor: {error}")))?;
    query.after = body.cursor.as_deref().map(|text| cursor::key(&question, text)).transpose()?;
    Ok((query, question))
}

fn position(text: &str) -> Result<(StreamId, Partition, Offset), ApiError> {
    let mut parts = text.rsplitn(3, '/');
    match (parts.next().map(str::parse), parts.next().map(str::parse), parts.next()) {
        (Some(Ok(offset)), Some(Ok(partition)), Some(stream)) if (1..=MAX_ID_BYTES).contains(&stream.len()) => {
            Ok((StreamId(stream.to_owned()), Partition(partition), Offset(offset)))
        }
        _ => Err(ApiError::BadRequest("a position is STREAM/PARTITION/OFFSET: usage-1/3/8812".to_owned())),
    }
}

pub(super) fn refusal(rejection: JsonRejection) -> ApiError {
    match rejection.status().as_u16() {
        413 => ApiError::TooLarge("the request's body is too large: name fewer positions, or a filter".to_owned()),
        _ => {
            let text = rejection.body_text();
            let text = text.trim_start_matches("Failed to deserialize the JSON body into the target type: ");
            ApiError::BadRequest(text.trim_start_matches("Failed to parse the request body as JSON: ").to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(body: &serde_json::Value) -> Result<AsideQuery, String> {
        let body: Resolve = serde_json::from_value(body.clone()).map_err(|error| error.to_string())?;
        let asked = Asked { path: "retry", late: false, verb: Verb::Resend };
        question(&body, asked).map(|(query, _)| query).map_err(|error| error.to_string())
    }

    #[test]
    fn the_limits_of_a_request_are_where_they_are_stated() {
        use serde_json::json;
        let positions = |count: usize| json!({"positions": vec!["s-1/0/1"; count], "reason": "r"});
        for (count, fine) in [(0, false), (1, true), (RECORDS_MAX, true), (RECORDS_MAX + 1, false)] {
            assert_eq!(ask(&positions(count)).is_ok(), fine, "{count} positions");
        }
        for (limit, fine) in [(0, false), (1, true), (RECORDS_MAX, true), (RECORDS_MAX + 1, false)] {
            assert_eq!(ask(&json!({"filter": {}, "reason": "r", "limit": limit})).is_ok(), fine, "a limit of {limit}");
        }
        for (bytes, fine) in [(0, false), (1, true), (REASON_MAX_BYTES, true), (REASON_MAX_BYTES + 1, false)] {
            let reason = "r".repeat(bytes);
            assert_eq!(ask(&json!({"filter": {}, "reason": reason})).is_ok(), fine, "a reason of {bytes} bytes");
        }
        assert_eq!(ask(&json!({"filter": {}, "reason": "r"})).unwrap().limit, Some(RECORDS));
    }

    #[test]
    fn a_request_that_says_two_things_or_none_is_refused() {
        use serde_json::json;
        for wrong in [
            json!({"reason": "r"}),
            json!({"filter": {}, "positions": ["s-1/0/1"], "reason": "r"}),
            json!({"filter": {"colour": "red"}, "reason": "r"}),
            json!({"filter": {"from": "soon"}, "reason": "r"}),
            json!({"filter": {"reason": "misroute"}, "reason": "r"}),
            json!({"filter": {"reason": "late"}, "reason": "r"}),
            json!({"filter": {"array": "x".repeat(257)}, "reason": "r"}),
            json!({"filter": {"provider": ""}, "reason": "r"}),
            json!({"positions": [format!("{}/0/1", "x".repeat(257))], "reason": "r"}),
            json!({"positions": ["s-1/0"], "reason": "r"}),
            json!({"positions": ["/0/1"], "reason": "r"}),
            json!({"filter": {}, "reason": "r", "cursor": "00"}),
            json!({"filter": {}}),
        ] {
            assert!(ask(&wrong).is_err(), "{wrong}");
        }
    }
}
