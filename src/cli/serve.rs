//! `plimsoll serve`: the HTTP API over ClickHouse, and the console.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::alarm;
use crate::clickhouse::{Client, wait};
use crate::closer::kafka::ensure_topic;
use crate::closer::real::closer;
use crate::config::Config;
use crate::core::word::Partition;
use crate::http::{Api, Closers, Decider, LogPlace, LogPlaces, Probes, Server, ready_with};
use crate::kafka::control::ControlFollower;
use crate::kafka::reader::Reader;
use crate::kafka::topic::Topics;
use crate::metrics::Metrics;
use crate::programme;
use crate::quarantine::Resolver;

/// Where the API's decisions go: to Kafka, if somebody has said where that is. It may be away; only who decides waits for it.
pub(super) fn decider(config: &Config, client: &Client) -> anyhow::Result<Option<Decider>> {
    if !config.kafka.is_configured {
        tracing::info!("kafka.bootstrap_servers is not set: everything can be read, and nothing decided");
        return Ok(None);
    }
    let control = ControlFollower::start(&config.kafka)?;
    let resolver = Resolver::new(&config.kafka, client.clone(), control.clone())?;
    Ok(Some(Decider { resolver, closers: closers(config, client, control)?, log: log(config)? }))
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

/// `plimsoll serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  plimsoll serve & curl http://127.0.0.1:8080/v1/arrays\n  and in a browser: http://127.0.0.1:8080/console/"
)]
pub struct Command {}

impl Command {
    /// Serves until SIGINT or SIGTERM. Listens at once; waits for a ClickHouse that is away, and answers 503 until then.
    ///
    /// # Errors
    /// An address that cannot be listened on, and tables that do not fit this build.
    pub async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let client = Client::new(&config.clickhouse);
        let metrics = Arc::new(Metrics::new()?);
        let (end, shutdown) = watch::channel(false);
        let decider = decider(config, &client)?;
        let server = Server::bind(Api::new(config, client.clone(), Arc::clone(&metrics), decider)).await?;
        tracing::info!(address = %server.address()?, "API listens");
        let mut tasks = vec![tokio::spawn(server.run(shutdown.clone()))];
        if let Some(address) = config.metrics.listen {
            let probes = Probes::bind(address, Arc::clone(&metrics), ready_with(client.clone())).await?;
            tracing::info!(address = %probes.address()?, "metrics listen");
            tasks.push(tokio::spawn(probes.run(shutdown.clone())));
        }
        let checked = wait::until_checked(&client, config.run.retry_max);
        let stopped = super::signal::asked_to_stop();
        let mut stopped = std::pin::pin!(stopped);
        tokio::select! {
            checked = checked => {
                checked.context("the API cannot read its tables")?;
                tasks.push(tokio::spawn(alarm::follow(client.clone(), Arc::clone(&metrics), shutdown.clone())));
                if config.metrics.listen.is_some() {
                    tasks.push(tokio::spawn(programme::watch::watch(client.clone(), metrics, shutdown)));
                }
                stopped.await;
            }
            () = stopped.as_mut() => {}
        }
        end.send_replace(true);
        for task in tasks {
            task.await?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
