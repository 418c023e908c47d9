//! What a request with events is answered when they are not taken.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::core::event::batch::BatchError;
use crate::core::word::Reason;
use crate::gateway::{Away, GatewayError, Refusal};
use crate::http::error::{ErrorBody, EventError};

/// When a client may come again that found no room, in seconds.
const AGAIN_SECONDS: u64 = 5;

/// Why events are not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// No token, or one that nobody was given.
    #[error("a valid token is needed: send `Authorization: Bearer TOKEN`")]
    Unauthorized,
    /// A token of somebody who reads.
    #[error("this token sends no events: use one of producer:PROVIDER or provider:PROVIDER")]
    Forbidden,
    /// More than the principal's rate.
    #[error("more than this principal may send: wait {} s, then send larger batches less often", seconds(*.0))]
    TooFast(Duration),
    /// A body that does not come.
    #[error("the body did not come within {} s", .0.as_secs())]
    Slow(Duration),
    /// The client went away while it sent.
    #[error("the body ended before its end")]
    Gone,
    /// The events themselves, or the log.
    #[error(transparent)]
    Intake(#[from] GatewayError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Intake(refusal.into())
    }
}

/// Whole seconds, none too few.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

impl Failure {
    /// The answer's status, and the word for programs and metrics: one of `metrics::gateway::REASONS`.
    pub(super) fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Failure::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Failure::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Failure::TooFast(_) => (StatusCode::TOO_MANY_REQUESTS, "too_fast"),
            Failure::Slow(_) => (StatusCode::REQUEST_TIMEOUT, "slow"),
            Failure::Gone => (StatusCode::BAD_REQUEST, "gone"),
            Failure::Intake(GatewayError::Refused(refusal)) => match refusal {
                Refusal::Form(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unread"),
                Refusal::Attribute(_) | Refusal::Encoding(_) | Refusal::Batch(BatchError::Unread(_)) => {
                    (StatusCode::BAD_REQUEST, "malformed")
                }
                Refusal::TooLarge { .. } | Refusal::Batch(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
                Refusal::Events { first, .. } if first.reason == Reason::ForeignProvider.as_str() => {
                    (StatusCode::FORBIDDEN, "foreign_provider")
                }
                Refusal::Events { .. } => (StatusCode::BAD_REQUEST, "refused_events"),
                Refusal::Stream(_) => (StatusCode::CONFLICT, "no_stream"),
            },
            Failure::Intake(GatewayError::Away(Away::Full)) => (StatusCode::SERVICE_UNAVAILABLE, "full"),
            Failure::Intake(GatewayError::Away(Away::Kafka(_))) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    /// What the log keeps and the client is not told.
    pub(super) fn cause(&self) -> Option<&str> {
        match self {
            Failure::Intake(GatewayError::Away(Away::Kafka(cause))) => Some(cause),
            _ => None,
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Failure::TooFast(wait) => Some(seconds(*wait)),
            Failure::Intake(GatewayError::Away(_)) => Some(AGAIN_SECONDS),
            _ => None,
        }
    }

    /// The whole answer.
    pub(super) fn answer(&self, request_id: &str) -> Response {
        let (status, code) = self.code();
        let mut body = ErrorBody::of(code, self.to_string(), request_id);
        if let Failure::Intake(GatewayError::Refused(Refusal::Events { told, .. })) = self {
            let told = told.iter();
            body.error.events = told
                .map(|event| EventError { index: event.index, reason: event.reason, detail: event.detail.clone() })
                .collect();
        }
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // whose body was not read to its end cannot send another request after it
        if matches!(self, Failure::Slow(_) | Failure::Gone) || status == StatusCode::PAYLOAD_TOO_LARGE {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::gateway::REASONS;

    #[test]
    fn each_failure_is_counted_under_a_word_that_there_is() {
        let event =
            |reason: Reason| crate::gateway::EventRefusal { index: 0, reason: reason.as_str(), detail: "d".to_owned() };
        let events = |first: Reason| Refusal::Events { count: 1, of: 1, first: event(first), told: vec![event(first)] };
        let refusals = [
            (Refusal::Form("f".to_owned()), 415),
            (Refusal::Encoding("e".to_owned()), 400),
            (Refusal::TooLarge { most: 1, how: "h" }, 413),
            (Refusal::Attribute("a".to_owned()), 400),
            (Refusal::Batch(BatchError::TooMany { count: 2, most: 1 }), 413),
            (events(Reason::Schema), 400),
            (events(Reason::ForeignProvider), 403),
            (Refusal::Stream("s".to_owned()), 409),
        ];
        let refusals = refusals.into_iter().map(|(refusal, status)| (Failure::from(refusal), status));
        let others = [
            (Failure::Unauthorized, 401),
            (Failure::Forbidden, 403),
            (Failure::TooFast(Duration::from_millis(1_001)), 429),
            (Failure::Slow(Duration::from_secs(1)), 408),
            (Failure::Gone, 400),
            (Failure::Intake(Away::Full.into()), 503),
            (Failure::Intake(Away::Kafka("k".to_owned()).into()), 503),
        ];
        let mut words = Vec::new();
        for (failure, status) in refusals.chain(others) {
            assert_eq!(failure.code().0.as_u16(), status, "{failure}");
            assert!(REASONS.contains(&failure.code().1), "{failure}");
            words.push(failure.code().1);
            let answer = failure.answer("id");
            let again = answer.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap());
            let expected = match status {
                429 => Some("2"),
                503 => Some("5"),
                _ => None,
            };
            assert_eq!(again, expected, "{failure}");
        }
        assert!(REASONS.iter().all(|reason| words.contains(reason)), "{words:?}");
    }
}
