//! The HTTP API: everything that is read, bound to who reads it, and what people decide: of records that were put aside, of periods, drafts
//! and documents. It reads ClickHouse only (of drafts the control log too), and appends decisions to the control log.

mod access;
mod arrays;
mod caller;
mod catalog;
mod cause;
pub mod closers;
mod closes;
mod console;
mod credit_notes;
mod cursor;
mod documents;
mod drafts;
mod error;
mod filter;
mod form;
mod fresh;
mod gate;
pub mod gateway;
mod heads;
mod hole;
mod invoice;
mod invoices;
mod kept;
mod levels;
pub mod listener;
mod log_place;
mod margin;
pub mod openapi;
mod own_cut;
mod params;
mod partition;
mod patience;
mod period_close;
pub mod pipeline;
pub mod probe;
mod proof;
mod providers;
mod quarantine;
mod reason;
mod record;
mod resolve;
mod sales_credits;
mod sides;
mod statement;
mod statements;
mod trace;
mod unclaimed;
mod usage;
mod waiting;
mod whoami;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

pub use access::{Parties, Providers};
pub use caller::Caller;
pub use closers::Closers;
pub use error::ApiError;
pub use gateway::{Gateway, GatewayServer};
pub use listener::{Listener, Shutdown};
pub use log_place::{LogPlace, LogPlaces};
pub use probe::{Probes, Ready};

use documents::KeptDocuments;
use kept::Kept;

use crate::clickhouse::{Client, wait};
use crate::config::{Config, Credential, Http, Producer};
use crate::metrics::Metrics;
use crate::quarantine::Resolver;

/// Connections per request that may run at once: browsers and proxies keep some open without using them.
const CONNECTIONS_PER_REQUEST: usize = 4;
/// Documents proved or traced at once: each reads a part of the ledger and meters it again.
const PROOFS_MAX: usize = 2;

/// Where decisions go.
pub struct Decider {
    /// About records that were put aside.
    pub resolver: Resolver,
    /// About periods, drafts and documents.
    pub closers: Closers,
    /// Where logs end, for whoever wants to know how far behind things are.
    pub log: LogPlaces,
}

/// What all routes share.
pub struct Api {
    client: Client,
    limits: Http,
    config_hash: String,
    credentials: Vec<Credential>,
    producers: Vec<Producer>,
    is_open: bool,
    metrics: Arc<Metrics>,
    places: Semaphore,
    request_ids: gate::RequestIds,
    kept: Kept,
    proofs: Semaphore,
    documents: KeptDocuments,
    /// One request resolves at a time, the others wait their turn.
    resolver: Option<Mutex<Resolver>>,
    closers: Option<Closers>,
    log: Option<LogPlaces>,
}

impl Api {
    /// The API over a database; without a `decider` things are read and nothing is decided.
    #[must_use]
    pub fn new(config: &Config, client: Client, metrics: Arc<Metrics>, decider: Option<Decider>) -> Arc<Self> {
        if config.is_open() {
            tracing::warn!(listen = %config.http.listen, "no [[credential]] is configured: whoever reaches this address reads everything");
        }
        let log = decider.as_ref().map(|decider| Arc::clone(&decider.log));
        let (resolver, closers) = decider.map(|decider| (decider.resolver, decider.closers)).unzip();
        Arc::new(Self {
            client,
            places: Semaphore::new(config.http.concurrent_requests),
            limits: config.http.clone(),
            config_hash: config.hash(),
            credentials: config.credentials.clone(),
            producers: config.producers.clone(),
            is_open: config.is_open(),
            metrics,
            request_ids: gate::RequestIds::default(),
            kept: Kept::default(),
            proofs: Semaphore::new(PROOFS_MAX),
            documents: KeptDocuments::default(),
            resolver: resolver.map(Mutex::new),
            closers,
            log,
        })
    }

    /// The routes, every one behind the gate.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/statements", get(statements::statements))
            .route("/v1/statements/{contract}", get(statement::statement))
            .route("/v1/statements/{contract}/{customer}", get(statement::customer_statement))
            .route("/v1/usage", get(usage::usage))
            .route("/v1/arrays", get(arrays::arrays))
            .route("/v1/levels", get(levels::levels))
            .route("/v1/providers", get(providers::providers))
            .route("/v1/sales-credits", get(sales_credits::sales_credits))
            .route("/v1/sales-credits/summary", get(sales_credits::summary))
            .route("/v1/providers/{provider}/margin", get(margin::margin))
            .route("/v1/quarantine", get(quarantine::quarantine))
            .route("/v1/quarantine/{stream}/{partition}/{offset}", get(record::record))
            .route("/v1/quarantine/{stream}/{partition}/{offset}/value", get(record::value))
            .route("/v1/quarantine/retry", post(resolve::retry))
            .route("/v1/quarantine/discard", post(resolve::discard))
            .route("/v1/late/accept", post(resolve::accept))
            .route("/v1/invoices", get(invoices::invoices))
            .route("/v1/invoices/{number}", get(invoice::invoice))
            .route("/v1/invoices/{number}/credit", post(credit_notes::credit))
            .route("/v1/invoices/{number}/reference", post(credit_notes::reference))
            .route("/v1/invoices/{number}/rows/{no}/trace", get(trace::trace))
            .route("/v1/invoices/{number}/proof", get(proof::proof))
            .route("/v1/drafts", get(drafts::drafts))
            .route("/v1/drafts/{id}/issue", post(drafts::issue))
            .route("/v1/drafts/{id}/discard", post(drafts::discard))
            .route("/v1/providers/{provider}/periods/{label}/close", post(closes::close))
            .route("/v1/providers/{provider}/unclaimed", get(unclaimed::unclaimed))
            .route("/v1/catalog", get(catalog::catalog))
            .route("/v1/caller", get(whoami::caller))
            .route("/v1/pipeline", get(pipeline::pipeline))
            .route(console::ROOT, get(console::root))
            .route(console::BARE, get(console::root))
            .route(console::HOME, get(console::home))
            .route(console::FILES, get(console::file))
            .route(openapi::PATH, get(openapi::serve))
            .fallback(|| async { ApiError::NotFound })
            .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
            .layer(DefaultBodyLimit::max(self.limits.body_max_bytes))
            .layer(from_fn_with_state(Arc::clone(self), gate::gate))
            .with_state(Arc::clone(self))
    }

    /// A place among the documents that are proved or traced at once; whoever comes then waits as long as a request may take.
    async fn proof_place(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.proofs.acquire().await.map_err(|_| ApiError::Overloaded)
    }

    /// The closers, where this process has Kafka.
    fn closers(&self) -> Result<&Closers, ApiError> {
        self.closers.as_ref().ok_or(ApiError::NoKafka)
    }

    /// How many rows a page has.
    fn page_size(&self, asked: Option<usize>) -> Result<usize, ApiError> {
        let most = self.limits.page_size_max;
        match asked {
            None => Ok(self.limits.page_size),
            Some(asked) if (1..=most).contains(&asked) => Ok(asked),
            Some(_) => Err(ApiError::BadRequest(format!("`limit` must be from 1 to {most}"))),
        }
    }

    /// Who trades with whom in the newest price book; nobody before the first.
    async fn parties(&self) -> Result<Arc<Parties>, ApiError> {
        self.kept.parties(&self.client).await
    }
}

/// The API's listener, bound.
pub struct Server {
    api: Arc<Api>,
    listener: Listener,
}

impl Server {
    /// Binds the address of the configuration.
    ///
    /// # Errors
    /// The system's, most often an address in use.
    pub async fn bind(api: Arc<Api>) -> io::Result<Self> {
        let connections = api.limits.concurrent_requests.saturating_mul(CONNECTIONS_PER_REQUEST);
        let listener = Listener::bind(api.limits.listen, connections, api.limits.header_timeout).await?;
        Ok(Self { api, listener })
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
        let (router, api) = (self.api.router(), self.api);
        // the first reader does not wait for what all of them are told of; what cannot be read now is read when somebody asks
        tokio::spawn(async move { tokio::join!(api.parties(), api.kept.stand(&api.client)) });
        self.listener.serve(router, shutdown).await;
    }
}

/// Ready while ClickHouse answers.
#[must_use]
pub fn ready_with(client: Client) -> Ready {
    Arc::new(move || {
        let client = client.clone();
        Box::pin(async move { wait::ping(&client).await.map_err(|error| error.to_string()) })
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Source;

    #[tokio::test]
    async fn so_many_documents_are_proved_at_once_and_the_next_one_waits() {
        let config = Config::from_parts(Source::Defaults, "", []).unwrap();
        let api = Api::new(&config, Client::new(&config.clickhouse), Arc::new(Metrics::new().unwrap()), None);
        let mut places = Vec::new();
        for _ in 0..PROOFS_MAX {
            places.push(api.proof_place().await.unwrap());
        }
        let waits = async || tokio::time::timeout(Duration::from_millis(50), api.proof_place()).await.is_err();
        assert!(waits().await);
        places.pop();
        assert!(!waits().await);
    }
}
