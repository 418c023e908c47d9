//! What a request is answered when it is not served. The client reads a code and a text; causes stay in the log, under the same id.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clickhouse::Error as StoreError;

/// Why a request is not served.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiError {
    /// The request itself is wrong: it says what to change.
    #[error("{0}")]
    BadRequest(String),
    /// No token, or one that nobody was given.
    #[error("a valid token is needed: send `Authorization: Bearer TOKEN`")]
    Unauthorized,
    /// The principal never reads this (PRICING §15).
    #[error("{0}")]
    Forbidden(String),
    /// There is none, or it is another's: the two look the same.
    #[error("not found")]
    NotFound,
    /// It exists and is in a state in which this cannot be done: the text says why.
    #[error("{0}")]
    Conflict(String),
    /// A path without this method.
    #[error("this path does not take this method")]
    MethodNotAllowed,
    /// More than a limit of the configuration allows.
    #[error("{0}")]
    TooLarge(String),
    /// Too many requests at once, or one that takes too long.
    #[error("too busy: try again later or ask for less")]
    Overloaded,
    /// It takes longer than a request may: the text says where it has no such limit.
    #[error("{0}")]
    TooLong(&'static str),
    /// The database is away.
    #[error("the database does not answer: try again later")]
    Unavailable(Arc<StoreError>),
    /// Kafka is away, or the database while something is decided. What was decided stands.
    #[error("Kafka or the database does not answer: send the same request again later, nothing is done twice")]
    Unresolved(String),
    /// This process has no Kafka to write decisions to.
    #[error("this process follows and writes no decisions: set kafka.bootstrap_servers where `plimsoll serve` runs")]
    NoKafka,
    /// A fault of ours.
    #[error("internal error")]
    Internal(String),
}

impl ApiError {
    /// The answer's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            ApiError::BadRequest(_) => StatusCode::BAD_REQUEST,
            ApiError::Unauthorized => StatusCode::UNAUTHORIZED,
            ApiError::Forbidden(_) => StatusCode::FORBIDDEN,
            ApiError::NotFound => StatusCode::NOT_FOUND,
            ApiError::Conflict(_) => StatusCode::CONFLICT,
            ApiError::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            ApiError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            ApiError::Overloaded | ApiError::TooLong(_) | ApiError::Unavailable(_) | ApiError::Unresolved(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ApiError::NoKafka => StatusCode::NOT_IMPLEMENTED,
            ApiError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            ApiError::BadRequest(_) => "bad_request",
            ApiError::Unauthorized => "unauthorized",
            ApiError::Forbidden(_) => "forbidden",
            ApiError::NotFound => "not_found",
            ApiError::Conflict(_) => "conflict",
            ApiError::MethodNotAllowed => "method_not_allowed",
            ApiError::TooLarge(_) => "too_large",
            ApiError::Overloaded | ApiError::TooLong(_) => "overloaded",
            ApiError::Unavailable(_) | ApiError::Unresolved(_) => "unavailable",
            ApiError::NoKafka => "not_configured",
            ApiError::Internal(_) => "internal",
        }
    }

    /// What the log keeps and the client is not told.
    #[must_use]
    pub fn cause(&self) -> Option<String> {
        match self {
            ApiError::Unavailable(error) => Some(error.to_string()),
            ApiError::Internal(text) | ApiError::Unresolved(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The error that a status stands for, where axum answered by itself.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => ApiError::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => ApiError::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge("the request's body is too large".to_owned()),
            // parameters and bodies are refused in their own words: what is left is a part of the path
            status if status.is_client_error() => ApiError::BadRequest(
                "a part of the path is not understood: numbers are written as digits, names in UTF-8 (%C3%A9 is é)"
                    .to_owned(),
            ),
            status => ApiError::Internal(format!("answered {status} by itself")),
        }
    }

    /// The whole answer.
    #[must_use]
    pub fn answer(&self, request_id: &str) -> Response {
        let body = ErrorBody::of(self.code(), self.to_string(), request_id);
        let mut response = (self.status(), Json(body)).into_response();
        match self {
            ApiError::Unauthorized => {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ApiError::Overloaded | ApiError::Unavailable(_) | ApiError::Unresolved(_) => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}

/// The gate gives the answer its form, since only the gate knows the request's id.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Every answer that is no success.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

impl ErrorBody {
    /// An error of the whole request.
    pub(super) fn of(code: &'static str, message: String, request_id: &str) -> Self {
        Self { error: ErrorDetail { code, message, request_id: request_id.to_owned(), events: Vec::new() } }
    }
}

/// Why one event of a request is refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventError {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// The reason code under which the pipeline would put it aside.
    #[schema(value_type = String)]
    pub reason: &'static str,
    /// Where and what.
    pub detail: String,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// A word for programs.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// What the log has it under; also in the header `x-request-id`.
    pub request_id: String,
    /// Of `POST /v1/events`: why which events are refused, the first 100 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventError>,
}
