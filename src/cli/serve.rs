//! `plimsoll serve`: the HTTP API over ClickHouse, the console, and the gateway before Kafka.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::sync::watch;

use super::serving::serve;
use crate::alarm;
use crate::clickhouse::{Client, wait};
use crate::config::Config;
use crate::http::{Probes, ready_with};
use crate::metrics::Metrics;
use crate::programme;

/// `plimsoll serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "With gateway.listen set it takes usage events too: POST /v1/events (docs/PRODUCERS.md).\n\nExamples:\n  plimsoll serve & curl http://127.0.0.1:8080/v1/arrays\n  and in a browser: http://127.0.0.1:8080/console/\n  PLIMSOLL_GATEWAY__LISTEN=127.0.0.1:8090 plimsoll serve"
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
        let mut tasks = serve(config, &client, &metrics, &shutdown).await?;
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
