//! `POST /v1/providers/{provider}/periods/{label}/close`: a period closed by the operator, or why it cannot be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::caller::Caller;
use super::error::{ApiError, ErrorBody};
use super::patience::{Patience, Waited};
use super::period_close::{PeriodClose, why_not};
use super::reason::{body, words};
use crate::closer::CloseError;
use crate::closer::close::Mode;
use crate::closer::real::RealCloser;
use crate::config::Principal;
use crate::core::closing::hole::Hole;
use crate::core::closing::period::labelled;
use crate::core::word::Instant;

const TOO_LONG_A_DRY_RUN: &str = "it takes longer than a request may: `plimsoll close --dry-run` has no such limit";

/// Whether it is meant.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosePeriod {
    /// Only say what would be closed; true if it is left out.
    dry_run: Option<bool>,
    /// Close in spite of the holes that can be accepted, with this reason on record. Not with a dry run.
    #[serde(rename = "override")]
    overridden: Option<String>,
}

/// What came of it: contracts whose periods have other bounds close on their own.
#[derive(Debug, Serialize, ToSchema)]
pub struct Closes {
    /// Whether nothing was done.
    dry_run: bool,
    /// Each close.
    closes: Vec<PeriodClose>,
}

/// A close for which nobody waits any more.
#[derive(Debug, Serialize, ToSchema)]
pub struct CloseGoesOn {
    /// A dry run does not go on.
    dry_run: bool,
    /// goes_on.
    outcome: &'static str,
    /// How to learn what comes of it.
    message: &'static str,
}

/// Closes a period of a provider, or the next revision of it. For the operator.
#[utoipa::path(post, path = "/v1/providers/{provider}/periods/{label}/close", tag = "closes", request_body = ClosePeriod,
    params(("provider" = String, Path, description = "The provider's id"),
           ("label" = String, Path, description = "The period by the month in which it begins, such as 2026-10")), responses(
    (status = 200, description = "What would be done, or what was: at least one close", body = Closes),
    (status = 202, description = "It takes longer than a request may, and goes on: `GET /v1/drafts` shows what it makes, the same request what came of it", body = CloseGoesOn),
    (status = 400, description = "The request is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Only the operator closes", body = ErrorBody),
    (status = 404, description = "No such provider, no contract of it in that month, or another's", body = ErrorBody),
    (status = 409, description = "Nothing was closed: the message says why", body = ErrorBody),
    (status = 501, description = "This process has no Kafka to write to", body = ErrorBody),
    (status = 503, description = "Kafka or the database is away: the same request may be sent again", body = ErrorBody),
))]
pub async fn close(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((provider, label)): Path<(String, String)>,
    asked: Result<Json<ClosePeriod>, JsonRejection>,
) -> Result<Response, ApiError> {
    caller.providers_asked(&*api.parties().await?, Some(&provider))?;
    if caller.principal != Principal::Operator {
        return Err(ApiError::Forbidden("only the operator closes periods".to_owned()));
    }
    let asked = body(asked)?;
    let dry_run = asked.dry_run.unwrap_or(true);
    let reason = asked.overridden.as_deref().map(|text| words("override", text)).transpose()?;
    if dry_run && reason.is_some() {
        return Err(ApiError::BadRequest(
            "a dry run accepts nothing: `override` goes with \"dry_run\": false".to_owned(),
        ));
    }
    let (of, at) = (provider.clone(), label.clone());
    let patience = Patience::of(api.limits.request_timeout);
    let begun = patience.begun();
    let closes = api.closers()?.with(&caller.credential, move |closer| {
        begun.store(true, Ordering::Release);
        let mode = match &reason {
            Some(reason) => Mode::Override(reason),
            None if dry_run => Mode::DryRun,
            None => Mode::Close,
        };
        all(closer, &of, &at, mode)
    });
    let closes = match patience.wait(closes).await {
        Waited::Answered(closes) => closes?.ok_or(ApiError::NotFound)?,
        Waited::GoesOn if dry_run => return Err(ApiError::TooLong(TOO_LONG_A_DRY_RUN)),
        Waited::GoesOn => return Ok(goes_on(&caller.credential, &provider, &label)),
        Waited::NotBegun => return Err(ApiError::Overloaded),
    };
    let outcomes: Vec<&str> = closes.iter().map(|close| close.outcome).collect();
    tracing::info!(credential = caller.credential, provider, label, dry_run, ?outcomes, "close");
    match dry_run || outcomes.contains(&"closed") {
        true => Ok(Json(Closes { dry_run, closes }).into_response()),
        false => Err(ApiError::Conflict(why_not(&closes))),
    }
}

fn goes_on(credential: &str, provider: &str, label: &str) -> Response {
    tracing::info!(credential, provider, label, "the close goes on without anybody who waits for it");
    let message = "the close goes on: GET /v1/drafts shows what it makes; the same request says what came of it";
    (StatusCode::ACCEPTED, Json(CloseGoesOn { dry_run: false, outcome: "goes_on", message })).into_response()
}

/// Every close of a label; none if there is no such provider, or no contract of it then.
fn all(
    closer: &mut RealCloser,
    provider: &str,
    label: &str,
    mode: Mode<'_>,
) -> Result<Option<Vec<PeriodClose>>, CloseError> {
    closer.follow()?;
    let book = closer.register().newest_book().filter(|(_, book)| book.providers.contains_key(provider));
    let Some((_, book)) = book else { return Ok(None) };
    let periods = labelled(book, provider, label)?;
    let mut closes = Vec::new();
    for period in &periods {
        let now = Instant(chrono::Utc::now().timestamp_millis());
        let outcome = closer.close(period, now, mode)?;
        closes.push(PeriodClose::of(period, &outcome)?);
    }
    Ok(Some(closes).filter(|closes| !closes.is_empty()))
}

/// What keeps the period of a contract open, by a dry run; nothing once it is closed.
pub(super) fn open_holes(
    closer: &mut RealCloser,
    provider: &str,
    contract: &str,
    label: &str,
) -> Result<Vec<Hole>, CloseError> {
    closer.follow()?;
    let Some((_, book)) = closer.register().newest_book() else { return Ok(Vec::new()) };
    let periods = labelled(book, provider, label)?;
    let Some(period) = periods.iter().find(|period| period.contracts.iter().any(|own| own == contract)) else {
        return Ok(Vec::new());
    };
    let now = Instant(chrono::Utc::now().timestamp_millis());
    Ok(closer.close(period, now, Mode::DryRun)?.holes().to_vec())
}
