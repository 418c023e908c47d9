//! `GET /v1/statements/{contract}`: one provisional statement in any of its forms, as of which cut, and why its period cannot close yet.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::Api;
use super::caller::Caller;
use super::closes::open_holes;
use super::error::{ApiError, ErrorBody};
use super::form::Form;
use super::hole::PeriodHole;
use super::own_cut::OwnCut;
use super::params::Params;
use super::statements::{may_read, rater};
use crate::config::Principal;
use crate::core::billing::detail::CommitmentDays;
use crate::core::billing::document::Document;
use crate::core::billing::proof::CutPoint;
use crate::core::book::Book;
use crate::core::closing::hole::Hole;
use crate::core::pricing::party;
use crate::statement::commitment::commitments;
use crate::statement::{Place, Rater};

/// Which statement of a contract is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StatementParams {
    /// The period by the month in which it begins, such as 2026-10.
    period: String,
    /// Say in `cannot_close` what keeps the period open: a dry run of its close, which rates all of it once its grace is over.
    /// In JSON only.
    closing: Option<bool>,
    /// Tell in `commitments` each line with a commitment by local day, as the invoice counts it. In JSON only.
    days: Option<bool>,
}

/// A statement: the document as it would be now, and what it is as of.
#[derive(Serialize)]
struct Statement {
    #[serde(flatten)]
    document: Document,
    as_of: AsOf,
    /// Null where it was not asked for.
    cannot_close: Option<Vec<PeriodHole>>,
    /// Null where they were not asked for.
    commitments: Option<Vec<CommitmentDays>>,
}

/// Up to where each log is in it.
#[derive(Serialize)]
struct AsOf {
    cut: Vec<CutPoint>,
    after: u64,
}

/// The statement of one contract.
#[utoipa::path(get, path = "/v1/statements/{contract}", tag = "statements",
    params(("contract" = String, Path, description = "The contract's id, as it is or with .json, .csv, .focus.csv or .html after it; a contract whose id ends so itself goes first"),
           StatementParams), responses(
    (status = 200, description = "The document, provisional; in JSON with `as_of`, `cannot_close` and `commitments`", content(
        (Object = "application/json"), (String = "text/csv"), (String = "text/html"))),
    (status = 400, description = "A parameter is wrong, or the contract is for each customer", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "A producer sends events and reads nothing", body = ErrorBody),
    (status = 404, description = "No such contract, or another's", body = ErrorBody),
    (status = 501, description = "`closing` was asked of a process that has no Kafka", body = ErrorBody),
))]
pub async fn statement(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Params { values: params, .. }: Params<StatementParams>,
) -> Result<Response, ApiError> {
    let rater = rater(&api).await?;
    let (contract, form) = match rater.book().contracts.contains_key(&name) {
        true => (&*name, Form::Json),
        false => Form::split(&name).unwrap_or((&name, Form::Json)),
    };
    if !may_read(&caller.principal, rater.book(), contract) {
        return Err(ApiError::NotFound);
    }
    let place = Place { contract: contract.to_owned(), customer: None };
    answer(&api, &caller, &rater, place, form, &params).await
}

/// The statement of one customer under a contract for each customer.
#[utoipa::path(get, path = "/v1/statements/{contract}/{customer}", tag = "statements",
    params(("contract" = String, Path, description = "The contract's id"),
           ("customer" = String, Path, description = "The customer's id, or a tag that no customer claims; with .json, .csv, .focus.csv or .html after it if need be"),
           StatementParams), responses(
    (status = 200, description = "The document, provisional; in JSON with `as_of`, `cannot_close` and `commitments`", content(
        (Object = "application/json"), (String = "text/csv"), (String = "text/html"))),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "A producer sends events and reads nothing", body = ErrorBody),
    (status = 404, description = "No such contract, or another's", body = ErrorBody),
    (status = 501, description = "`closing` was asked of a process that has no Kafka", body = ErrorBody),
))]
pub async fn customer_statement(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path((contract, name)): Path<(String, String)>,
    Params { values: params, .. }: Params<StatementParams>,
) -> Result<Response, ApiError> {
    let rater = rater(&api).await?;
    if !may_read(&caller.principal, rater.book(), &contract) {
        return Err(ApiError::NotFound);
    }
    let mut found = (&*name, Form::Json);
    // a tag may end like a form
    if let Some(split) = Form::split(&name)
        && rater.place(&contract, Some(&name), &params.period).await.is_err()
    {
        found = split;
    }
    let (customer, form) = found;
    let place = Place { customer: Some(customer.to_owned()), contract };
    answer(&api, &caller, &rater, place, form, &params).await
}

async fn answer(
    api: &Api,
    caller: &Caller,
    rater: &Rater,
    place: Place,
    form: Form,
    params: &StatementParams,
) -> Result<Response, ApiError> {
    let statement = rater.statement(&place.contract, place.customer.as_deref(), &params.period);
    let document = OwnCut::read(api).await?.document(rater.book(), statement.await?)?;
    if form != Form::Json {
        let name = format!("{}-{}-{}-provisional", document.contract, document.buyer.id, document.period.label);
        return form.answer(&document, None, &name);
    }
    let cannot_close = match params.closing.unwrap_or(false) {
        true => Some(holes(api, caller, rater.book(), &document).await?),
        false => None,
    };
    let commitments = match params.days.unwrap_or(false) {
        true => Some(commitments(rater, &place, &params.period).await?),
        false => None,
    };
    let as_of = AsOf { cut: document.proof.cut.clone(), after: document.proof.after };
    Ok(Json(Statement { document, as_of, cannot_close, commitments }).into_response())
}

async fn holes(api: &Api, caller: &Caller, book: &Book, document: &Document) -> Result<Vec<PeriodHole>, ApiError> {
    let (contract, label) = (document.contract.clone(), document.period.label.clone());
    let terms = book.contracts.get(&contract).ok_or(ApiError::NotFound)?;
    let provider = party::provider(terms).to_owned();
    let open = move |closer: &mut crate::closer::real::RealCloser| open_holes(closer, &provider, &contract, &label);
    let holes = api.closers()?.with(&caller.credential, open).await?;
    Ok(holes.iter().map(|hole| seen(hole, &caller.principal, book)).collect())
}

/// A vendor learns that something keeps a period open, and of retail and of the quarantine nothing else (PRICING §15).
fn seen(hole: &Hole, principal: &Principal, book: &Book) -> PeriodHole {
    let is_vendor = matches!(principal, Principal::Vendor(_));
    match hole {
        Hole::Quarantined { .. } | Hole::Resent { .. } if is_vendor => {
            PeriodHole::with_text(hole, "events of the provider's arrays are put aside")
        }
        Hole::DraftWaits { contract, .. } | Hole::Coverage { contract, .. } if !may_read(principal, book, contract) => {
            PeriodHole::with_text(hole, "another contract of the provider keeps it open")
        }
        hole => hole.into(),
    }
}
