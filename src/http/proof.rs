//! `GET /v1/invoices/{number}/proof`: what a document was computed from; with `run=true`, computed again.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::caller::Caller;
use super::error::{ApiError, ErrorBody};
use super::invoice::find;
use super::params::Params;
use crate::clickhouse::read::hole::Hole;
use crate::config::Principal;
use crate::core::billing::document::Document;
use crate::core::billing::proof::DocumentProof;
use crate::prove::{Altered, ProveError, Verdict};

/// Whether it is proved now.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProofParams {
    /// Compute the document again from the ledger, and say what differs. For the operator and the provider.
    run: Option<bool>,
}

/// What a document was computed from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Proof)]
pub struct StoredProof {
    /// Its number.
    number: String,
    /// Rating, cut, `after`, versions, price book, digest.
    #[schema(value_type = Object)]
    proof: DocumentProof,
    /// What was found when it was computed again; null if that was not asked for.
    run: Option<ProofRun>,
}

/// What was found when a document was computed again.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProofRun {
    /// Whether everything is equal.
    proven: bool,
    /// The document with the credit notes over it, or of a note the one that it is over with all its notes, and what differs.
    #[schema(value_type = Vec<Object>)]
    documents: Vec<Verdict>,
    /// Where the ledger lacks rows that a checkpoint counted.
    #[schema(value_type = Vec<Object>)]
    holes: Vec<Hole>,
    /// Rows of the ledger that do not say any more what was accepted.
    #[schema(value_type = Vec<Object>)]
    altered: Vec<Altered>,
    /// Events that were read.
    events: u64,
    /// Readings that were metered.
    readings: u64,
}

/// The proof of an issued document.
#[utoipa::path(get, path = "/v1/invoices/{number}/proof", tag = "invoices",
    params(("number" = String, Path, description = "The document's number"), ProofParams), responses(
    (status = 200, description = "What it was computed from, and what came of computing it again", body = StoredProof),
    (status = 400, description = "A parameter is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Not for this principal", body = ErrorBody),
    (status = 404, description = "No such document, or another's", body = ErrorBody),
    (status = 503, description = "Too many proofs at once, or one that takes too long: `plimsoll prove` has no such limit", body = ErrorBody),
))]
pub async fn proof(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
    Params { values: params, .. }: Params<ProofParams>,
) -> Result<Json<StoredProof>, ApiError> {
    let row = find(&api, &caller, &number).await?;
    let document: Document = serde_json::from_str(&row.document)
        .map_err(|error| ApiError::Internal(format!("document {number}: {error}")))?;
    let run = match (params.run.unwrap_or(false), &caller.principal) {
        (false, _) => None,
        (true, Principal::Operator | Principal::Provider(_)) => Some(prove(&api, &number).await?),
        (true, Principal::Vendor(_) | Principal::Customer { .. }) => return Err(caller.never("a proof that is run")),
    };
    Ok(Json(StoredProof { number, proof: document.proof, run }))
}

async fn prove(api: &Api, number: &str) -> Result<ProofRun, ApiError> {
    let _place = api.proof_place().await?;
    let documents = api.documents.newest(&api.client).await?;
    let proof = documents.number(number, &|_| {}).await?.ok_or(ApiError::NotFound)?;
    let proven = proof.is_proven();
    let (events, readings) = (proof.effort.events, proof.effort.readings);
    Ok(ProofRun { proven, documents: proof.verdicts, holes: proof.holes, altered: proof.altered, events, readings })
}

impl From<ProveError> for ApiError {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::ClickHouse(error) => error.into(),
            ProveError::Version { .. } => ApiError::Conflict(error.to_string()),
            error => ApiError::Internal(error.to_string()),
        }
    }
}
