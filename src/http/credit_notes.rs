//! `POST /v1/invoices/{number}/credit` and `/reference`: what is decided of an issued document. It itself never changes.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Api;
use super::caller::Caller;
use super::drafts::made;
use super::error::{ApiError, ErrorBody};
use super::invoice::find;
use super::reason::{body, reason, words};
use crate::closer::credit::Credited;

/// Rows of one credit note at most; a note over all that is left names none.
pub const CREDITED_MAX_ROWS: usize = 10_000;

/// What is credited and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credit {
    /// Rows, in whole or in part; everything that is left if it is left out.
    rows: Option<Vec<CreditRow>>,
    /// Why: it stands on the note. Up to 2,000 characters.
    reason: String,
}

/// A row that is credited.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditRow {
    /// Its number.
    no: usize,
    /// A part of it, without tax; all that is left of it if it is left out.
    amount: Option<String>,
}

/// A credit note.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditNoteNumber {
    /// Its number.
    number: String,
    /// The document that it is over.
    corrects: String,
}

/// The ERP's id of a document.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// One text; the newest counts. Up to 2,000 characters.
    erp: String,
}

/// What is stored of the ERP's id.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReferenceStored {
    /// The id by which the document is known from now on.
    erp: String,
    /// The other one by which it was known until now; null if there was none.
    replaced: Option<String>,
}

/// Makes a credit note over an issued document: a document of its own, with the next number. For the operator and for who sells.
#[utoipa::path(post, path = "/v1/invoices/{number}/credit", tag = "invoices", request_body = Credit,
    params(("number" = String, Path, description = "The document's number")), responses(
    (status = 200, description = "The note", body = CreditNoteNumber),
    (status = 400, description = "The request is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Only who sells credits", body = ErrorBody),
    (status = 404, description = "No such document, or another's", body = ErrorBody),
    (status = 409, description = "It cannot be credited by so much: the message says why", body = ErrorBody),
    (status = 501, description = "This process has no Kafka to write to", body = ErrorBody),
    (status = 503, description = "Kafka or the database is away: look what became of it before it is sent again", body = ErrorBody),
))]
pub async fn credit(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
    asked: Result<Json<Credit>, JsonRejection>,
) -> Result<Json<CreditNoteNumber>, ApiError> {
    may_decide(&api, &caller, &number).await?;
    let asked = body(asked)?;
    let why = reason(&asked.reason)?;
    let credited = credited(asked.rows)?;
    let over = number.clone();
    let note = api.closers()?.with(&caller.credential, move |closer| {
        let note = closer.credit(&over, &credited, &why)?;
        made(closer);
        Ok(note)
    });
    let note = note.await?;
    tracing::info!(credential = caller.credential, number, note, "credited");
    Ok(Json(CreditNoteNumber { number: note, corrects: number }))
}

/// Stores the ERP's id of an issued document. For the operator and for who sells.
#[utoipa::path(post, path = "/v1/invoices/{number}/reference", tag = "invoices", request_body = Reference,
    params(("number" = String, Path, description = "The document's number")), responses(
    (status = 200, description = "It is stored, and what it replaces", body = ReferenceStored),
    (status = 400, description = "The request is wrong", body = ErrorBody),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "Only who sells refers", body = ErrorBody),
    (status = 404, description = "No such document, or another's", body = ErrorBody),
    (status = 501, description = "This process has no Kafka to write to", body = ErrorBody),
    (status = 503, description = "Kafka or the database is away: the same request may be sent again", body = ErrorBody),
))]
pub async fn reference(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
    asked: Result<Json<Reference>, JsonRejection>,
) -> Result<Json<ReferenceStored>, ApiError> {
    may_decide(&api, &caller, &number).await?;
    let erp = words("erp", &body(asked)?.erp)?;
    let (over, text) = (number.clone(), erp.clone());
    let stored = api.closers()?.with(&caller.credential, move |closer| {
        let before = closer.reference(&over, &text)?;
        made(closer);
        Ok(before)
    });
    let replaced = stored.await?.filter(|before| *before != erp);
    tracing::info!(credential = caller.credential, number, "referenced");
    Ok(Json(ReferenceStored { erp, replaced }))
}

fn credited(rows: Option<Vec<CreditRow>>) -> Result<Credited, ApiError> {
    match rows {
        None => Ok(Credited::Whole),
        Some(rows) if (1..=CREDITED_MAX_ROWS).contains(&rows.len()) => {
            Ok(Credited::Rows(rows.into_iter().map(|row| (row.no, row.amount)).collect()))
        }
        Some(_) => Err(ApiError::BadRequest(format!("`rows` must name 1 to {CREDITED_MAX_ROWS} rows"))),
    }
}

async fn may_decide(api: &Api, caller: &Caller, number: &str) -> Result<(), ApiError> {
    let row = find(api, caller, number).await?;
    match caller.may_decide(row.sides()) {
        true => Ok(()),
        false => Err(ApiError::Forbidden("only who sells decides about a document".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_names_rows_up_to_their_limit() {
        for (rows, fine) in [(0, false), (1, true), (CREDITED_MAX_ROWS, true), (CREDITED_MAX_ROWS + 1, false)] {
            let rows = (0..rows).map(|no| CreditRow { no, amount: None }).collect();
            assert_eq!(credited(Some(rows)).is_ok(), fine);
        }
        assert_eq!(credited(None).unwrap(), Credited::Whole);
    }
}
