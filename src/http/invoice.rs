//! `GET /v1/invoices/{number}`: one issued document, in any of its forms.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::Api;
use super::caller::Caller;
use super::error::{ApiError, ErrorBody};
use super::form::Form;
use super::sides::Sides;
use crate::clickhouse::read::invoices::{DocumentRow, one};
use crate::core::billing::detail::Detail;
use crate::core::billing::document::Document;

impl DocumentRow {
    pub(super) fn sides(&self) -> Sides<'_> {
        Sides { seller: &self.seller, buyer: &self.buyer, provider: &self.provider }
    }
}

/// An issued document. Numbers are letters, digits and `-`: what follows the first dot is the form, JSON if there is none.
#[utoipa::path(get, path = "/v1/invoices/{number}", tag = "invoices",
    params(("number" = String, Path, description = "The number, as it is or with .json, .csv, .focus.csv or .html after it"),
           ("If-None-Match" = Option<String>, Header, description = "The ETag of an answer before")), responses(
    (status = 200, description = "The document; its ETag changes with every decision that names it", content(
        (Object = "application/json"), (String = "text/csv"), (String = "text/html"))),
    (status = 304, description = "It is what the caller has"),
    (status = 401, description = "No valid token", body = ErrorBody),
    (status = 403, description = "A producer sends events and reads nothing", body = ErrorBody),
    (status = 404, description = "No such document, or another's", body = ErrorBody),
))]
pub async fn invoice(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (number, form) = match name.contains('.') {
        true => Form::split(&name).ok_or(ApiError::NotFound)?,
        false => (&*name, Form::Json),
    };
    let row = find(&api, &caller, number).await?;
    // what people decide of a document afterwards, a credit note or a reference, is outside its digest
    let tag = format!("\"{}-{}\"", row.digest, row.version);
    let tag = HeaderValue::from_str(&tag).map_err(|error| ApiError::Internal(format!("{number}: {error}")))?;
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| is_named(value, &tag));
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => in_form(form, row, number)?,
    };
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// A document that the caller may read.
pub(super) async fn find(api: &Api, caller: &Caller, number: &str) -> Result<DocumentRow, ApiError> {
    let row = one(&api.client, number).await?;
    row.filter(|row| caller.may_read(row.sides())).ok_or(ApiError::NotFound)
}

fn in_form(form: Form, row: DocumentRow, number: &str) -> Result<Response, ApiError> {
    // byte for byte what is stored and what the topic says
    if form == Form::Json {
        return Ok(form.of_text(row.document, number));
    }
    let wrong = |error: &dyn std::fmt::Display| ApiError::Internal(format!("document {number}: {error}"));
    let document = Document::from_json(&row.document).map_err(|error| wrong(&error))?;
    let detail: Detail = serde_json::from_str(&row.detail).map_err(|error| wrong(&error))?;
    form.answer(&document, Some(&detail), number)
}

/// Whether `If-None-Match` names a tag: weakly compared (RFC 9110 §13.1.2).
fn is_named(value: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(value), Ok(tag)) = (value.to_str(), tag.to_str()) else { return false };
    value.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_among_others() {
        let tag = HeaderValue::from_static("\"sha256:ab-1\"");
        for (value, found) in [
            ("\"sha256:ab-1\"", true),
            ("W/\"sha256:ab-1\"", true),
            ("\"x\", \"sha256:ab-1\"", true),
            ("*", true),
            ("\"sha256:ab-2\"", false),
            ("sha256:ab-1", false),
            ("", false),
        ] {
            assert_eq!(is_named(&HeaderValue::from_static(value), &tag), found, "{value}");
        }
    }
}
