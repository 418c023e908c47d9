//! `GET /v1/drafts`, `POST /v1/drafts/{id}/issue` and `/discard`: drafts of closed periods and what becomes of them.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::caller::Caller;
use super::cursor;
use super::error::{ApiError, ErrorBody};
use super::params::Params;
use super::reason::{body, reason};
use super::sides::Sides;
use super::waiting::{Asked, DraftHeader};
use crate::clickhouse::read::drafts;
use crate::closer::real::RealCloser;
use crate::config::Principal;

/// Which drafts are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DraftsParams {
    /// Of this provider's periods.
    provider: Option<String>,
    /// Drafts on a page.
    limit: Option<usize>,
    /// `next_cursor` of the page before; the other parameters unchanged.
    cursor: Option<String>,
}

/// A page of drafts that wait, in the order of their closes.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftsPage {
    /// The drafts.
    pub data: Vec<DraftHeader>,
    /// For the next page; null after the last.
    pub next_cursor: Option<String>,
}

/// What became of a draft.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuedDraft {
    /// The draft.
    draft: String,
    /// Its number.
    number: String,
}

/// Why a draft is thrown away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Discard {
    /// For the record. Up to 2,000 characters.
    reason: String,
}

/// What became of a draft.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiscardedDraft {
    /// The draft.
    draft: String,
    /// Its contract.
    contract: String,
}

/// Drafts of closed periods that are neither issued nor discarded.
#[utoipa::path(get, path = "/v1/drafts", tag = "drafts", params(DraftsParams), responses(
    (status = 200, description = "A page of drafts", body = DraftsPage),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "Another's provider", body = ErrorBody),
    (status = 501, description = "This process has no Kafka to read decisions from", body = ErrorBody),
    (status = 503, description = "Kafka or the database is away", body = ErrorBody),
))]
pub async fn drafts(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Params { values: params, question }: Params<DraftsParams>,
) -> Result<Json<DraftsPage>, ApiError> {
    if matches!(caller.principal, Principal::Customer { .. }) {
        return Err(caller.never("drafts"));
    }
    caller.refuse_foreign(params.provider.as_deref())?;
    let limit = api.page_size(params.limit)?;
    let after = params.cursor.as_deref().map(|text| cursor::key(&question, text)).transpose()?;
    let asked = Asked { caller: caller.clone(), provider: params.provider, after, enough: limit + 1 };
    let mut data = api.closers()?.with(&caller.credential, move |closer| asked.waiting(closer)).await?;
    let more = data.len() > limit;
    data.truncate(limit);
    let last = data.last().filter(|_| more);
    let next_cursor = last.map(|draft| cursor::after(&question, &draft.place)).transpose()?;
    Ok(Json(DraftsPage { data, next_cursor }))
}

/// Issues a draft: it gets the next number of its seller, by the control log. For the operator and for who sells.
#[utoipa::path(post, path = "/v1/drafts/{id}/issue", tag = "drafts",
    params(("id" = String, Path, description = "The draft's id")), responses(
    (status = 200, description = "It is issued", body = IssuedDraft),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Only who sells issues", body = ErrorBody),
    (status = 404, description = "No such draft, or another's", body = ErrorBody),
    (status = 409, description = "It is issued or discarded already, or cannot be issued: the message says why", body = ErrorBody),
    (status = 501, description = "This process has no Kafka to write to", body = ErrorBody),
    (status = 503, description = "Kafka or the database is away: the same request may be sent again", body = ErrorBody),
))]
pub async fn issue(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<IssuedDraft>, ApiError> {
    may_decide(&api, &caller, &id).await?;
    let draft = id.clone();
    let issued = api.closers()?.with(&caller.credential, move |closer| {
        let number = closer.issue_draft(&draft)?;
        made(closer);
        Ok(number)
    });
    let number = issued.await?;
    tracing::info!(credential = caller.credential, draft = id, number, "issued");
    Ok(Json(IssuedDraft { draft: id, number }))
}

/// Throws a draft away: it counts as nothing issued, and the next revision of its period is the whole again. For the operator and for who
/// sells.
#[utoipa::path(post, path = "/v1/drafts/{id}/discard", tag = "drafts", request_body = Discard,
    params(("id" = String, Path, description = "The draft's id")), responses(
    (status = 200, description = "It is discarded", body = DiscardedDraft),
    (status = 400, description = "The request is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Only who sells discards", body = ErrorBody),
    (status = 404, description = "No such draft, or another's", body = ErrorBody),
    (status = 409, description = "It is issued or discarded already", body = ErrorBody),
    (status = 501, description = "This process has no Kafka to write to", body = ErrorBody),
    (status = 503, description = "Kafka or the database is away: the same request may be sent again", body = ErrorBody),
))]
pub async fn discard(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    asked: Result<Json<Discard>, JsonRejection>,
) -> Result<Json<DiscardedDraft>, ApiError> {
    may_decide(&api, &caller, &id).await?;
    let why = reason(&body(asked)?.reason)?;
    let draft = id.clone();
    let key = api.closers()?.with(&caller.credential, move |closer| closer.discard_draft(&draft, &why)).await?;
    tracing::info!(credential = caller.credential, draft = id, contract = key.contract, "discarded");
    Ok(Json(DiscardedDraft { draft: id, contract: key.contract }))
}

/// Makes documents of what was decided, so that they can be read at once. Where it fails a closer makes them in its next round.
pub(super) fn made(closer: &mut RealCloser) {
    if let Err(error) = closer.materialise() {
        tracing::warn!(%error, "decided, and its document is not made yet: `plimsoll bill` makes it");
    }
}

async fn may_decide(api: &Api, caller: &Caller, id: &str) -> Result<(), ApiError> {
    let row = drafts::one(&api.client, id).await?.ok_or(ApiError::NotFound)?;
    let sides = Sides { seller: &row.seller, buyer: &row.buyer, provider: &row.provider };
    let is_customer = matches!(caller.principal, Principal::Customer { .. });
    match (caller.may_read(sides) && !is_customer, caller.may_decide(sides)) {
        (false, _) => Err(ApiError::NotFound),
        (true, false) => Err(ApiError::Forbidden("only who sells issues or discards a draft".to_owned())),
        (true, true) => Ok(()),
    }
}
