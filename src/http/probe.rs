//! The listener for machines: `/metrics`, `/livez`, `/readyz`. No credentials, no data of anybody.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::future::BoxFuture;

use super::listener::{Listener, Shutdown};
use crate::metrics::Metrics;

/// Probes and scrapes at once.
const CONNECTIONS: usize = 32;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a readiness check may take; after that the answer is no.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether the process can do its work now; if not, why.
pub type Ready = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The listener, bound.
pub struct Probes {
    listener: Listener,
    app: Router,
}

#[derive(Clone)]
struct Probed {
    metrics: Arc<Metrics>,
    ready: Ready,
}

impl Probes {
    /// Binds `address`.
    ///
    /// # Errors
    /// The system's.
    pub async fn bind(address: SocketAddr, metrics: Arc<Metrics>, ready: Ready) -> io::Result<Self> {
        let app = Router::new()
            .route("/metrics", get(text))
            .route("/livez", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .with_state(Probed { metrics, ready });
        Ok(Self { listener: Listener::bind(address, CONNECTIONS, HEADER_TIMEOUT).await?, app })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.address()
    }

    /// Serves until `shutdown`.
    pub async fn run(self, shutdown: Shutdown) {
        self.listener.serve(self.app, shutdown).await;
    }
}

async fn text(State(probed): State<Probed>) -> Response {
    match probed.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot write the metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn readyz(State(probed): State<Probed>) -> Response {
    let ready = tokio::time::timeout(READY_TIMEOUT, (probed.ready)());
    match ready.await.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
        Ok(()) => "ok\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response(),
    }
}
