//! A request's parameters: unknown and malformed ones are refused in words.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// The query string as a struct that denies unknown fields.
#[derive(Debug)]
pub struct Params<T> {
    /// The parameters.
    pub values: T,
    /// The query string without its cursor: what a cursor is good for.
    pub question: String,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let Query(values) = query.map_err(|rejection| {
            let text = rejection.body_text();
            ApiError::BadRequest(text.trim_start_matches("Failed to deserialize query string: ").to_owned())
        })?;
        let text = parts.uri.query().unwrap_or_default();
        let question: Vec<&str> =
            text.split('&').filter(|pair| !pair.starts_with("cursor=") && !pair.starts_with("limit=")).collect();
        Ok(Self { values, question: format!("{}?{}", parts.uri.path(), question.join("&")) })
    }
}
