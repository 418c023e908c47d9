//! What every request goes through: an id, a token, a place among the requests at once, a time limit, one form of errors, a line in the log.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant as Moment;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Api;
use super::caller::Caller;
use super::console;
use super::error::ApiError;
use super::openapi;

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Ids of requests: not to be guessed from one process to the next, unique within one.
#[derive(Debug, Default)]
pub struct RequestIds {
    process: RandomState,
    next: AtomicU64,
}

impl RequestIds {
    pub(super) fn next(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}-{number:x}", self.process.hash_one(number))
    }
}

/// Lets a request through, or says why not.
pub async fn gate(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let started = Moment::now();
    let id = api.request_ids.next();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let caller = authenticate(&api, &request, &route);
    let credential = caller.as_ref().map_or_else(|_| "unknown".to_owned(), |caller| caller.credential.clone());
    let response = match caller {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            in_turn(&api, next.run(request)).await
        }
        Err(error) => error.into_response(),
    };
    let (mut response, cause) = in_form(response, &id);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    let (status, took) = (response.status().as_u16(), started.elapsed());
    api.metrics.answered(&route, status, took);
    let ms = took.as_millis();
    match cause {
        Some(cause) => tracing::error!(id, credential, %method, path, status, ms, cause, "request failed"),
        None => tracing::info!(id, credential, %method, path, status, ms, "request"),
    }
    response
}

/// The OpenAPI document and the console's own files are read without a token: neither says anything of anybody.
fn authenticate(api: &Api, request: &Request, route: &str) -> Result<Caller, ApiError> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match api.is_open || route == openapi::PATH || console::is_own(route) {
        true => Ok(Caller::anybody()),
        false => Caller::authenticate(&api.credentials, &api.producers, header),
    }
}

/// Waits for a place, then serves; both within the time limit.
async fn in_turn(api: &Api, answer: impl Future<Output = Response>) -> Response {
    let served = async {
        match api.places.acquire().await {
            Ok(_place) => answer.await,
            Err(_) => ApiError::Overloaded.into_response(),
        }
    };
    let limit = api.limits.request_timeout;
    tokio::time::timeout(limit, served).await.unwrap_or_else(|_| ApiError::Overloaded.into_response())
}

/// Gives errors their one form; the cause is for the log.
fn in_form(mut response: Response, id: &str) -> (Response, Option<String>) {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return (response, None);
    }
    let error = response.extensions_mut().remove::<ApiError>().unwrap_or_else(|| ApiError::of_status(status));
    (error.answer(id), error.cause())
}
