//! `POST /v1/events`: CloudEvents to the log.

use std::sync::Arc;
use std::time::Instant as Moment;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Gateway;
use super::body;
use super::failure::Failure;
use super::sender::Sender;
use crate::gateway::{Body, Form};
use crate::http::error::ErrorBody;
use crate::http::gate::REQUEST_ID;

/// Where events are taken.
pub const PATH: &str = "/v1/events";

/// Events that Kafka has on all in-sync replicas.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    /// How many.
    pub accepted: usize,
}

/// Takes usage events as CloudEvents 1.0.
///
/// It is on the gateway's own listener (gateway.listen). The body is one event, its data alone with ce-* headers, or a batch; it may be
/// gzip. Either all are in the log or none is, and 202 is said once Kafka has all of them. After anything else the same request may be
/// sent again: an event is counted once, by its provider, array, source and id.
#[utoipa::path(post, path = "/v1/events", tag = "events",
    request_body(description = "An event (schemas/usage-event.schema.json), its data alone with ce-* headers, or a list of events", content(
        (Object = "application/cloudevents+json"),
        (Vec<Object> = "application/cloudevents-batch+json"),
        (Object = "application/json")
    )),
    responses(
        (status = 202, description = "Kafka has them all", body = Accepted),
        (status = 400, description = "Events that can never be usage: which and why; none was sent", body = ErrorBody),
        (status = 401, description = "No valid token", body = ErrorBody),
        (status = 403, description = "Not for this principal, or events of another provider", body = ErrorBody),
        (status = 408, description = "The body did not come in time", body = ErrorBody),
        (status = 409, description = "No stream takes this provider's events", body = ErrorBody),
        (status = 413, description = "Too many bytes or events", body = ErrorBody),
        (status = 415, description = "No form or encoding that is read", body = ErrorBody),
        (status = 429, description = "Above the principal's rate: Retry-After says when", body = ErrorBody),
        (status = 503, description = "Kafka did not acknowledge, or too much waits for it: Retry-After says when", body = ErrorBody),
    )
)]
pub async fn events(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let started = Moment::now();
    let id = gateway.request_ids.next();
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sender = Sender::authenticate(&gateway, authorization);
    let credential = sender.as_ref().map_or_else(|_| "unknown".to_owned(), |sender| sender.credential.clone());
    let taken = match sender {
        Ok(sender) => take(&gateway, sender, request).await,
        Err(failure) => Err(failure),
    };
    let took = started.elapsed();
    let ms = took.as_millis();
    let mut response = match taken {
        Ok(accepted) => {
            gateway.metrics.gateway.accepted(&credential, accepted, took);
            tracing::debug!(id, credential, accepted, ms, "events");
            (StatusCode::ACCEPTED, Json(Accepted { accepted })).into_response()
        }
        Err(failure) => {
            let (status, reason) = failure.code();
            gateway.metrics.gateway.refused(reason);
            let (status, cause) = (status.as_u16(), failure.cause().unwrap_or_default());
            tracing::info!(id, credential, status, reason, ms, cause, "no events: {failure}");
            failure.answer(&id)
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    response
}

async fn take(gateway: &Arc<Gateway>, sender: Sender, request: Request) -> Result<usize, Failure> {
    gateway.allowances.admit(&sender.principal, Moment::now()).map_err(Failure::TooFast)?;
    let (head, body) = request.into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let form = Form::of(headers)?;
    let is_gzip = body::is_gzip(&head.headers)?;
    let mut held = gateway.intake.budget().hold();
    let (most, time) = (gateway.limits.body_max_bytes, gateway.limits.body_timeout);
    let bytes = body::read(body, &head.headers, most, time, &mut held).await?;
    gateway.allowances.spend(&sender.principal, (0, bytes.len()), Moment::now());
    let (paying, principal) = (Arc::clone(gateway), sender.principal);
    let count = move |events| paying.allowances.spend(&principal, (events, 0), Moment::now());
    Ok(gateway.intake.take(Body { bytes, is_gzip, form, held }, sender.sends, count).await?)
}
