//! `POST /v1/quarantine/retry`, `/v1/quarantine/discard` and `/v1/late/accept`: what was put aside, resolved in bounded portions.
//!
//! Without `"dry_run": false` nothing is done. A request that was cut off is sent again as it was: what is decided stays decided, and
//! what is sent twice is billed once.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoResponses, ToSchema};

use super::Api;
use super::caller::Caller;
use super::cursor;
use super::error::{ApiError, ErrorBody};
use super::filter;
use super::quarantine::appended;
use super::record::seen_by;
use crate::clickhouse::read::aside::{AsideQuery, AsideRow, read};
use crate::core::event::MAX_ID_BYTES;
use crate::core::word::{Offset, Partition, StreamId};
use crate::quarantine::{Outcome, Verb, Why, batch};

/// Most records of one request.
pub const RECORDS_MAX: usize = 500;
/// Records of a request that states no limit.
const RECORDS: usize = 100;
/// Longest reason in bytes.
pub const REASON_MAX_BYTES: usize = 1_000;

/// Which records, why, and whether it is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// These records, each as STREAM/PARTITION/OFFSET; either these or a filter.
    positions: Option<Vec<String>>,
    /// All records that fit; either a filter or positions.
    filter: Option<Filter>,
    /// Why, for the record. Up to 1,000 bytes.
    reason: String,
    /// Only say what would be done; true if it is left out.
    dry_run: Option<bool>,
    /// Records of this request at most, 1 to 500; 100 if it is left out.
    limit: Option<usize>,
    /// `next_cursor` of the answer before; positions and filter unchanged.
    cursor: Option<String>,
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

/// What was done, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct Resolved {
    /// Whether nothing was done.
    dry_run: bool,
    /// By outcome.
    counts: ResolvedCounts,
    /// Record by record, by position.
    data: Vec<ResolvedRecord>,
    /// For the next portion; null after the last.
    next_cursor: Option<String>,
}

/// How many records had which outcome.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct ResolvedCounts {
    decided: usize,
    sent_again: usize,
    resolved_before: usize,
    accepted_already: usize,
    not_found: usize,
}

/// One record's outcome.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResolvedRecord {
    /// STREAM/PARTITION/OFFSET.
    position: String,
    /// What was done, or would be.
    outcome: ResolvedAs,
}

/// What is done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ResolveOutcome)]
pub enum ResolvedAs {
    /// It is decided now, and sent if that is the decision.
    Decided,
    /// It was decided before and not met by a worker yet: it is sent once more under the same decision.
    SentAgain,
    /// It was resolved before.
    ResolvedBefore,
    /// An event of its identity is accepted already: it is left alone.
    AcceptedAlready,
    /// No such record was put aside, or it is another's.
    NotFound,
}

/// What the three routes answer.
#[derive(IntoResponses)]
#[allow(dead_code)] // read by the macro alone: answers are made of the bodies themselves
enum ResolveAnswer {
    /// What was done, or would be
    #[response(status = 200)]
    Done(Resolved),
    /// The request is wrong
    #[response(status = 400)]
    Wrong(ErrorBody),
    /// No valid token
    #[response(status = 401)]
    NoToken(ErrorBody),
    /// A producer sends events and decides nothing
    #[response(status = 403)]
    Producer(ErrorBody),
    /// Not for this principal
    #[response(status = 404)]
    NotFound(ErrorBody),
    /// The body is larger than http.body_max_kbytes
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// This process has no Kafka to write to
    #[response(status = 501)]
    NoKafka(ErrorBody),
    /// Kafka or the database is away: the same request may be sent again
    #[response(status = 503)]
    Away(ErrorBody),
}

/// Sends quarantined records again, rightly routed, each under a recorded decision.
#[utoipa::path(post, path = "/v1/quarantine/retry", tag = "quarantine", request_body = Resolve, responses(ResolveAnswer))]
pub async fn retry(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Result<Json<Resolve>, JsonRejection>,
) -> Result<Json<Resolved>, ApiError> {
    resolve(&api, &caller, body, Asked { path: "retry", late: false, verb: Verb::Resend }).await
}

/// Records that quarantined records are nothing that has to be billed.
#[utoipa::path(post, path = "/v1/quarantine/discard", tag = "quarantine", request_body = Resolve, responses(ResolveAnswer))]
pub async fn discard(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Result<Json<Resolve>, JsonRejection>,
) -> Result<Json<Resolved>, ApiError> {
    resolve(&api, &caller, body, Asked { path: "discard", late: false, verb: Verb::Discard }).await
}

/// Bills late records after all, each under a recorded decision; one whose identity is accepted already is left alone.
#[utoipa::path(post, path = "/v1/late/accept", tag = "quarantine", request_body = Resolve, responses(ResolveAnswer))]
pub async fn accept(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Result<Json<Resolve>, JsonRejection>,
) -> Result<Json<Resolved>, ApiError> {
    resolve(&api, &caller, body, Asked { path: "accept", late: true, verb: Verb::Resend }).await
}

/// Which of the three.
#[derive(Clone, Copy)]
struct Asked {
    path: &'static str,
    late: bool,
    verb: Verb,
}

async fn resolve(
    api: &Api,
    caller: &Caller,
    body: Result<Json<Resolve>, JsonRejection>,
    asked: Asked,
) -> Result<Json<Resolved>, ApiError> {
    let seen_by = seen_by(api, caller).await?;
    let Json(body) = body.map_err(refusal)?;
    let (mut query, question) = question(&body, asked)?;
    let limit = query.limit.unwrap_or(RECORDS);
    let dry_run = body.dry_run.unwrap_or(true);
    (query.seen_by, query.limit) = (seen_by, Some(limit + 1));
    query.whole = asked.verb == Verb::Resend && !dry_run;
    let resolver = api.resolver.as_ref().ok_or(ApiError::NoKafka)?;
    let mut resolver = resolver.lock().await;
    let why = Why { reason: body.reason.trim(), actor: &caller.credential };
    let mut data: Vec<(AsideRow, Outcome)> = Vec::new();
    let mut rows = read(&api.client, &query).await?;
    let mut more = false;
    while !more {
        let mut portion = batch::next(&mut rows).await.map_err(ApiError::from)?;
        if portion.is_empty() {
            break;
        }
        more = data.len() + portion.len() > limit;
        portion.truncate(limit - data.len());
        let outcomes = match dry_run {
            true => resolver.plan(&portion, asked.verb).await?,
            false => resolver.resolve(&portion, asked.verb, why).await?,
        };
        let without_bytes = |row: AsideRow| AsideRow { raw: Vec::new(), header_values: Vec::new(), ..row };
        data.extend(portion.into_iter().map(without_bytes).zip(outcomes));
    }
    drop(resolver);
    let place = |(row, _): &(AsideRow, Outcome)| cursor::after(&question, &(&row.stream, row.partition, row.offset));
    let next_cursor = data.last().filter(|_| more).map(place).transpose()?;
    let resolved = answer(&body, dry_run, data, next_cursor);
    tracing::info!(credential = caller.credential, path = asked.path, dry_run, counts = ?resolved.counts, "resolved");
    Ok(Json(resolved))
}

/// What is asked for, checked, and the text that a cursor of it is good for.
fn question(body: &Resolve, asked: Asked) -> Result<(AsideQuery, String), ApiError> {
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

fn answer(body: &Resolve, dry_run: bool, data: Vec<(AsideRow, Outcome)>, next_cursor: Option<String>) -> Resolved {
    let mut records: Vec<ResolvedRecord> = data
        .iter()
        .map(|(row, outcome)| ResolvedRecord {
            position: row.label(),
            outcome: match outcome {
                Outcome::Decided => ResolvedAs::Decided,
                Outcome::SentAgain => ResolvedAs::SentAgain,
                Outcome::ResolvedBefore => ResolvedAs::ResolvedBefore,
                Outcome::AcceptedAlready => ResolvedAs::AcceptedAlready,
            },
        })
        .collect();
    // of positions that go on in another portion nobody can say yet
    if next_cursor.is_none() && body.cursor.is_none() {
        let missing =
            body.positions.iter().flatten().filter(|asked| !data.iter().any(|(row, _)| row.label() == **asked));
        let missing = missing.map(|asked| ResolvedRecord { position: asked.clone(), outcome: ResolvedAs::NotFound });
        records.extend(missing.collect::<Vec<_>>());
    }
    let mut counts = ResolvedCounts::default();
    for record in &records {
        match record.outcome {
            ResolvedAs::Decided => counts.decided += 1,
            ResolvedAs::SentAgain => counts.sent_again += 1,
            ResolvedAs::ResolvedBefore => counts.resolved_before += 1,
            ResolvedAs::AcceptedAlready => counts.accepted_already += 1,
            ResolvedAs::NotFound => counts.not_found += 1,
        }
    }
    Resolved { dry_run, counts, data: records, next_cursor }
}

fn refusal(rejection: JsonRejection) -> ApiError {
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
