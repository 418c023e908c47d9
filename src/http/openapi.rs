//! The API's own description, generated from the code and checked in as docs/openapi.json.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    arrays, catalog, closes, credit_notes, drafts, gateway, invoice, invoices, levels, margin, pipeline, proof,
    providers, quarantine, record, resolve, sales_credits, statement, statements, trace, unclaimed, usage, whoami,
};

/// Where it is served, to anybody.
pub const PATH: &str = "/v1/openapi.json";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Plimsoll",
        description = "Metered and rated usage of storage sold by consumption.\n\nQuantities and amounts are JSON strings, exact to the last digit. Times are RFC 3339 in UTC. A token stands for one principal (operator, vendor, provider or customer) and shows what that one may read; an id of another's is 404, as one that does not exist. Usage of a period that is still open is provisional. Every answer that is no success has the form of Error; only what is no HTTP request, or has too long a head (400, 414, 431), is answered with its status alone.",
    ),
    paths(
        gateway::events::events,
        statements::statements,
        statement::statement,
        statement::customer_statement,
        usage::usage,
        arrays::arrays,
        quarantine::quarantine,
        record::record,
        record::value,
        resolve::retry,
        resolve::discard,
        resolve::accept,
        margin::margin,
        unclaimed::unclaimed,
        catalog::catalog,
        whoami::caller,
        pipeline::pipeline,
        invoices::invoices,
        invoice::invoice,
        credit_notes::credit,
        credit_notes::reference,
        trace::trace,
        proof::proof,
        drafts::drafts,
        drafts::issue,
        drafts::discard,
        closes::close,
        levels::levels,
        providers::providers,
        sales_credits::sales_credits,
        sales_credits::summary
    ),
    components(schemas(resolve::Resolved, resolve::ResolvedCounts, resolve::ResolvedRecord, resolve::ResolvedAs)),
    modifiers(&Bearer),
    security(("token" = [])),
)]
struct Document;

/// Every request bears a token.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The configuration holds its SHA-256"))
            .build();
        openapi.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(scheme));
        // Of the operator that runs it, not of the crate's authors.
        openapi.info.contact = None;
    }
}

/// The document as it is checked in.
///
/// # Errors
/// A document that cannot be written as JSON, which is a fault of this module.
pub fn document() -> Result<String, serde_json::Error> {
    Ok(Document::openapi().to_pretty_json()? + "\n")
}

/// `GET /v1/openapi.json`.
pub async fn serve() -> Response {
    match document() {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => super::error::ApiError::Internal(error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every route refuses whoever has no token, and a token of another kind: `POST /v1/events` a customer's, all others a producer's.
    #[test]
    fn each_route_lists_how_it_refuses_a_token() {
        let document: serde_json::Value = serde_json::from_str(&document().unwrap()).unwrap();
        let mut routes = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                for status in ["401", "403"] {
                    assert!(
                        operation["responses"][status].is_object(),
                        "{method} {path} answers {status} and does not list it"
                    );
                }
                routes += 1;
            }
        }
        assert!(routes >= 30, "{routes}");
    }

    /// `UPDATE_GOLDEN=1 cargo test openapi` writes the file anew.
    #[test]
    fn the_checked_in_document_is_the_codes() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
        let document = document().unwrap();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &document).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), document, "run UPDATE_GOLDEN=1 cargo test openapi");
    }
}
