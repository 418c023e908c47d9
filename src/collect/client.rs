//! HTTP to an array: one answer at a time, none beyond its bytes or its time. Redirects are not followed, so a token goes nowhere else.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_tls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::error::{CollectError, PollError};
use crate::config::Secret;

/// Connections that are kept to an array.
const IDLE_MAX: usize = 1;

/// What bounds an answer.
#[derive(Clone, Copy, Debug)]
pub struct AnswerLimits {
    /// Of the body.
    pub bytes: usize,
    /// From the connection to the last byte.
    pub time: Duration,
}

/// A client of one array.
pub struct Client {
    pool: Pool<HttpsConnector<HttpConnector>, Full<Bytes>>,
    limits: AnswerLimits,
}

/// An answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The header `x-auth-token` of a login.
    pub(crate) session: Option<Secret>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

impl Client {
    /// Connects when the first question is asked. With a file of authorities these alone are trusted, else the system's.
    ///
    /// # Errors
    /// If the authorities are not usable.
    pub fn new(limits: &AnswerLimits, authorities: Option<&Path>) -> Result<Self, CollectError> {
        let mut tls = native_tls::TlsConnector::builder();
        if let Some(path) = authorities {
            let unusable = |text: String| CollectError::Authority { path: path.to_owned(), text };
            let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
            let certificates =
                native_tls::Certificate::stack_from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
            if certificates.is_empty() {
                return Err(unusable("it holds none".to_owned()));
            }
            tls.disable_built_in_roots(true);
            for certificate in certificates {
                tls.add_root_certificate(certificate);
            }
        }
        let tls = tls.build().map_err(|error| CollectError::Tls(error.to_string()))?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new())
            .pool_max_idle_per_host(IDLE_MAX)
            .build(HttpsConnector::from((http, tls.into())));
        Ok(Self { pool, limits: *limits })
    }

    /// Asks, and reads the whole answer. `secret` is a header's name, in small letters, and its value.
    pub(crate) async fn ask(
        &self,
        method: Method,
        uri: &str,
        secret: Option<(&'static str, &Secret)>,
    ) -> Result<Answer, PollError> {
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = uri.parse().map_err(|_| PollError::Unreachable("no address of that form".to_owned()))?;
        if method == Method::POST {
            request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        *request.method_mut() = method;
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("plimsoll"));
        if let Some((name, secret)) = secret {
            let mut value = HeaderValue::from_str(secret.reveal())
                .map_err(|_| PollError::Token("the token holds characters that no header may".to_owned()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        let answered = tokio::time::timeout(self.limits.time, self.exchange(request)).await;
        answered.map_err(|_| PollError::Timeout(self.limits.time))?
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, PollError> {
        let answer = self.pool.request(request).await.map_err(|error| PollError::Unreachable(chain(&error)))?;
        let (head, body) = answer.into_parts();
        let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let session = text("x-auth-token").map(|token| Secret::new(token.to_owned()));
        let retry_after = text("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let body = Limited::new(body, self.limits.bytes).collect().await.map_err(|error| {
            match error.downcast_ref::<LengthLimitError>() {
                Some(_) => PollError::TooLarge(self.limits.bytes),
                None => PollError::Unreachable(chain(&*error)),
            }
        })?;
        Ok(Answer { status: head.status, session, retry_after, body: body.to_bytes() })
    }
}

/// An error with its causes. hyper's name addresses and faults, never headers.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (**error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
