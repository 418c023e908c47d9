//! `plimsoll collect`: polls arrays and sends their usage.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args as ClapArgs, ValueEnum};
use futures_util::FutureExt as _;
use tokio::sync::watch;

use super::output::{refused, say};
use super::{block_on, log, signal};
use crate::collect::{self, CollectConfig, Family};
use crate::http::Probes;
use crate::metrics::Metrics;

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "It needs the arrays, a directory and Kafka, and no database. --config is needed: config/collect.toml is the reference. Any process may be killed at any time; a second one on the same spool is refused.\n\nExamples:\n  plimsoll collect flasharray --config collect.toml --dry-run\n  plimsoll collect flasharray --config collect.toml"
)]
pub(super) struct Args {
    /// What is polled
    #[arg(value_enum)]
    kind: Kind,
    /// The collector's own file, never plimsoll.toml
    #[arg(long, value_name = "FILE", env = "PLIMSOLL_CONFIG", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    config: Option<PathBuf>,
    /// Print the configuration in force, secrets as ***, and exit
    #[arg(long)]
    print: bool,
    /// Poll each array once for the newest instant and print the events, without keeping or sending them
    #[arg(long, conflicts_with = "print")]
    dry_run: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "lower")]
enum Kind {
    /// Pure Storage FlashArray, REST API 2.x
    FlashArray,
    /// Pure Storage FlashBlade, REST API 2.x
    FlashBlade,
    /// Any OpenMetrics or Prometheus endpoint; by default the FlashArray exporter's
    OpenMetrics,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let family = match self.kind {
            Kind::FlashArray => Family::FlashArray,
            Kind::FlashBlade => Family::FlashBlade,
            Kind::OpenMetrics => Family::OpenMetrics,
        };
        let Some(path) = self.config.filter(|path| !path.as_os_str().is_empty()) else {
            return refused(
                "collect has a file of its own: name it with --config, config/collect.toml is the reference",
            );
        };
        let config = CollectConfig::load(&path, family)?;
        if self.print {
            say(format_args!("# file: {}\n", path.display()))?;
            say(format_args!("{}", toml::to_string(config.redacted())?.trim_end()))?;
            return Ok(ExitCode::SUCCESS);
        }
        log::start(&config.site.log)?;
        match self.dry_run {
            true => block_on(dry_run(&config)),
            false => block_on(follow(config)),
        }
    }
}

async fn dry_run(config: &CollectConfig) -> anyhow::Result<ExitCode> {
    let mut failed = 0;
    for collect::Look { array, event } in collect::look(config).await? {
        match event {
            Ok(event) => say(format_args!("{}", String::from_utf8_lossy(&event)))?,
            Err(error) => {
                failed += 1;
                tracing::error!(array, %error, "no event");
            }
        }
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn follow(config: CollectConfig) -> anyhow::Result<ExitCode> {
    let metrics = Arc::new(Metrics::new()?);
    let (end, stop) = watch::channel(false);
    if let Some(address) = config.site.metrics.listen {
        // it works as long as it runs: what is away is waited for
        let ready = Arc::new(|| async { Ok::<(), String>(()) }.boxed());
        match Probes::bind(address, Arc::clone(&metrics), ready).await {
            Ok(probes) => {
                tracing::info!(address = %probes.address()?, "metrics listen");
                tokio::spawn(probes.run(stop.clone()));
            }
            // beside another role on one machine it collects all the same
            Err(error) => tracing::warn!(%address, %error, "no metrics: set metrics.listen to another address"),
        }
    }
    let collecting = tokio::spawn(collect::run(config, metrics.collect()?, stop));
    let asked = async {
        signal::asked_to_stop().await;
        tracing::info!("stopping: what Kafka does not have yet stays in the spool");
        end.send_replace(true);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        done = collecting => done??,
        () = asked => {}
    }
    Ok(ExitCode::SUCCESS)
}
