//! `POST /v1/quarantine/retry`, `/v1/quarantine/discard` and `/v1/late/accept`: what was put aside, resolved in bounded portions.
//!
//! Without `"dry_run": false` nothing is done. A request that was cut off is sent again as it was: what is decided stays decided, and
//! what is sent twice is billed once.

mod answer;
mod question;

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::{Extension, Json};
use utoipa::IntoResponses;

pub use answer::{Resolved, ResolvedAs, ResolvedCounts, ResolvedRecord};
pub use question::Resolve;
use question::{Asked, RECORDS, question, refusal};

use super::Api;
use super::caller::Caller;
use super::cursor;
use super::error::{ApiError, ErrorBody};
use super::record::seen_by;
use crate::clickhouse::read::aside::{AsideRow, read};
use crate::quarantine::{Outcome, Verb, Why, batch};

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
    let resolved = Resolved::of(&body, dry_run, &data, next_cursor);
    tracing::info!(credential = caller.credential, path = asked.path, dry_run, counts = ?resolved.counts, "resolved");
    Ok(Json(resolved))
}
