//! The gateway's listener: usage events over HTTP, apart from the API so that neither takes the other's connections or time.

mod body;
pub mod events;
mod failure;
mod sender;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};

use events::PATH;

use super::error::ApiError;
use super::gate::RequestIds;
use super::listener::{Listener, Shutdown};
use crate::config::{self, Config, Credential, Producer};
use crate::gateway::{Allowances, Intake};
use crate::metrics::Metrics;

/// What all requests share.
pub struct Gateway {
    limits: config::Gateway,
    credentials: Vec<Credential>,
    producers: Vec<Producer>,
    is_open: bool,
    intake: Arc<Intake>,
    allowances: Allowances,
    metrics: Arc<Metrics>,
    request_ids: RequestIds,
}

impl Gateway {
    /// The gateway before a log.
    #[must_use]
    pub fn new(config: &Config, intake: Arc<Intake>, metrics: Arc<Metrics>) -> Arc<Self> {
        if config.is_open() {
            tracing::warn!("no [[credential]] is configured: whoever reaches gateway.listen sends for every provider");
        }
        let limits = config.gateway.clone();
        let held = Arc::clone(&intake);
        metrics.at_scrape(move |metrics| {
            metrics.gateway.in_flight_bytes.set(i64::try_from(held.budget().held_bytes()).unwrap_or(i64::MAX));
        });
        Arc::new(Self {
            allowances: Allowances::new(limits.events_per_second, limits.bytes_per_second, limits.burst_seconds),
            limits,
            credentials: config.credentials.clone(),
            producers: config.producers.clone(),
            is_open: config.is_open(),
            intake,
            metrics,
            request_ids: RequestIds::default(),
        })
    }

    fn router(self: &Arc<Self>) -> Router {
        let no_method = |State(gateway): State<Arc<Self>>| async move {
            ApiError::MethodNotAllowed.answer(&gateway.request_ids.next())
        };
        let nothing =
            |State(gateway): State<Arc<Self>>| async move { ApiError::NotFound.answer(&gateway.request_ids.next()) };
        Router::new()
            .route(PATH, post(events::events))
            .route(super::openapi::PATH, get(super::openapi::serve))
            .fallback(nothing)
            .method_not_allowed_fallback(no_method)
            .with_state(Arc::clone(self))
    }
}

/// The gateway's listener, bound.
pub struct GatewayServer {
    gateway: Arc<Gateway>,
    listener: Listener,
}

impl GatewayServer {
    /// Binds an address.
    ///
    /// # Errors
    /// The system's, most often an address in use.
    pub async fn bind(gateway: Arc<Gateway>, address: SocketAddr) -> io::Result<Self> {
        let listener = Listener::bind(address, gateway.limits.connections, gateway.limits.header_timeout).await?;
        Ok(Self { gateway, listener })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.address()
    }

    /// Serves until `shutdown`, then lets requests under way end.
    pub async fn run(self, shutdown: Shutdown) {
        let router = self.gateway.router();
        self.listener.serve(router, shutdown).await;
    }
}
