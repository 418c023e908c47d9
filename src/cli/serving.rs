//! The listeners of a process: `/metrics`, and where it serves the API and the gateway.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::alarm;
use crate::clickhouse::Client;
use crate::closer::kafka::ensure_topic;
use crate::closer::real::closer;
use crate::config::Config;
use crate::core::word::Partition;
use crate::gateway::Intake;
use crate::http::{
    Api, Closers, Decider, Gateway, GatewayServer, LogPlace, LogPlaces, Probes, Server, Shutdown, ready_with,
};
use crate::kafka::control::ControlFollower;
use crate::kafka::reader::Reader;
use crate::kafka::topic::Topics;
use crate::metrics::Metrics;
use crate::programme;
use crate::quarantine::Resolver;

/// Listeners that serve until they are ended.
pub(super) struct Serving {
    end: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Serving {
    /// Starts the listeners of the configuration: `/metrics` always, API and gateway if asked for.
    pub(super) async fn start(config: &Config, metrics: &Arc<Metrics>, api: bool) -> anyhow::Result<Self> {
        let client = Client::new(&config.clickhouse);
        let (end, shutdown) = watch::channel(false);
        let mut tasks = Vec::new();
        if api {
            tasks = serve(config, &client, metrics, &shutdown).await?;
            tasks.push(tokio::spawn(alarm::follow(client.clone(), Arc::clone(metrics), shutdown.clone())));
        }
        if let Some(address) = config.metrics.listen {
            match Probes::bind(address, Arc::clone(metrics), ready_with(client.clone())).await {
                Ok(probes) => {
                    tracing::info!(address = %probes.address()?, "metrics listen");
                    tasks.push(tokio::spawn(probes.run(shutdown.clone())));
                    if api {
                        tasks.push(tokio::spawn(programme::watch::watch(client, Arc::clone(metrics), shutdown)));
                    }
                }
                // a second worker on one machine folds all the same
                Err(error) => tracing::warn!(%address, %error, "no metrics: set metrics.listen to another address"),
            }
        }
        Ok(Self { end, tasks })
    }

    /// Takes no more requests, and waits for those under way.
    pub(super) async fn end(self) {
        self.end.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a listener ended by itself");
            }
        }
    }
}

/// Starts the API, and the gateway where it has an address.
pub(super) async fn serve(
    config: &Config,
    client: &Client,
    metrics: &Arc<Metrics>,
    shutdown: &Shutdown,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let control = match config.kafka.is_configured {
        true => Some(ControlFollower::start(&config.kafka)?),
        false => {
            tracing::info!("kafka.bootstrap_servers is not set: everything can be read, and nothing decided");
            None
        }
    };
    let decider = control.as_ref().map(|control| decider(config, client, control)).transpose()?;
    let server = Server::bind(Api::new(config, client.clone(), Arc::clone(metrics), decider)).await?;
    tracing::info!(address = %server.address()?, "API listens");
    let mut tasks = vec![tokio::spawn(server.run(shutdown.clone()))];
    if let Some(address) = config.gateway.listen {
        let control = control.context("gateway.listen needs kafka.bootstrap_servers: set it too")?;
        let intake = Intake::new(&config.kafka, &config.gateway, control)?;
        let gateway = Gateway::new(config, intake, Arc::clone(metrics));
        let server = GatewayServer::bind(gateway, address).await?;
        tracing::info!(address = %server.address()?, "gateway listens");
        tasks.push(tokio::spawn(server.run(shutdown.clone())));
    }
    Ok(tasks)
}

/// Where the API's decisions go. Kafka may be away; only who decides waits for it.
fn decider(config: &Config, client: &Client, control: &ControlFollower) -> anyhow::Result<Decider> {
    let resolver = Resolver::new(&config.kafka, client.clone(), control.clone())?;
    Ok(Decider { resolver, closers: closers(config, client, control.clone())?, log: log(config)? })
}

/// Asks Kafka where a partition's log ends and what is committed of it.
fn log(config: &Config) -> anyhow::Result<LogPlaces> {
    let reader = Reader::new(&config.kafka)?;
    Ok(Arc::new(move |topic, partition| {
        let ends = reader.ends(topic, Partition(partition)).map_err(|error| error.to_string())?;
        let committed = reader.committed(topic, Partition(partition)).map_err(|error| error.to_string())?;
        Ok(LogPlace { end: ends.end.0, committed: committed.map(|offset| offset.0) })
    }))
}

fn closers(config: &Config, client: &Client, control: ControlFollower) -> anyhow::Result<Closers> {
    let (config, client, control, runtime) = (config.clone(), client.clone(), Arc::new(control), Handle::current());
    let topics = Topics::new(&config.kafka)?;
    Ok(Closers::new(Arc::new(move || {
        runtime.block_on(ensure_topic(&config.kafka, &topics))?;
        closer(&config, &client, &control, &runtime, "plimsoll serve".to_owned())
    })))
}
