//! `plimsoll run`: folds usage streams into the ledger and buckets.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args as ClapArgs;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;

use super::stream::ensure_control;
use crate::clickhouse::store::ClickHouseStore;
use crate::clickhouse::{Client, check, wait};
use crate::config::Config;
use crate::fold::error::SeamError;
use crate::kafka::control::ControlFollower;
use crate::kafka::topic::{Purpose, Topics};
use crate::run::mirror::{mirror, mirror_new};
use crate::run::status::Board;
use crate::run::worker::{RunEnd, Worker};

/// Between two lines of progress where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Serve the API and /metrics in the same process
    #[arg(long)]
    all: bool,
    /// Fold what is in the topics now, make a checkpoint and exit
    #[arg(long)]
    until_caught_up: bool,
}

impl Args {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let runtime = Runtime::new()?;
        let stop = Arc::new(AtomicBool::new(false));
        runtime.spawn(super::signal::stop_on_signal(Arc::clone(&stop)));
        let client = Client::new(&config.clickhouse);
        runtime.block_on(wait::until_ready(&client, config.run.retry_max))?;
        runtime.block_on(check::tables(&client))?;
        let control = runtime.block_on(start_control(config, &stop))?;
        let Some(control) = control else { return Ok(ExitCode::SUCCESS) };
        let observer = Arc::new(|_: &'static str, _: u64, _: Duration| {});
        let store = ClickHouseStore::new(client.clone(), runtime.handle().clone(), observer);
        let board = Board::default();
        let mirroring = {
            let (client, control, stop) = (client.clone(), control.clone(), Arc::clone(&stop));
            runtime.spawn(async move { mirror(client, control, &stop).await })
        };
        let progress = {
            let (board, stop) = (board.clone(), Arc::clone(&stop));
            let shown = self.until_caught_up;
            std::thread::spawn(move || show_progress(&board, &stop, shown))
        };
        let end = if self.until_caught_up { RunEnd::CaughtUp } else { RunEnd::Asked };
        let worker = Worker::new(config.clone(), store, control.clone(), board, end);
        let ended = worker.run(&stop);
        stop.store(true, Ordering::Release);
        control.stop();
        let _ = progress.join();
        runtime.block_on(async {
            let _ = mirroring.await;
            mirror_new(&client, &control, &mut None).await
        })?;
        ended?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The control log, once Kafka is there and the topics of all streams are as they must be. None if asked to stop meanwhile.
async fn start_control(config: &Config, stop: &AtomicBool) -> anyhow::Result<Option<ControlFollower>> {
    let topics = Topics::new(&config.kafka)?;
    let mut pause = Duration::from_millis(100);
    loop {
        match try_control(config, &topics).await {
            Ok(control) => return Ok(Some(control)),
            Err(error) if error.downcast_ref::<SeamError>().is_some_and(|e| matches!(e, SeamError::Retryable(_))) => {
                tracing::warn!(error = format!("{error:#}"), again_in_ms = pause.as_millis(), "Kafka is away, waiting");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(config.run.retry_max);
            }
            Err(error) => return Err(error),
        }
        if stop.load(Ordering::Acquire) {
            return Ok(None);
        }
    }
}

async fn try_control(config: &Config, topics: &Topics) -> anyhow::Result<ControlFollower> {
    ensure_control(config, topics).await?;
    let control = ControlFollower::start(&config.kafka)?;
    control.read_to_end()?;
    for rules in control.streams() {
        topics.check(&rules.topic, rules.partitions, Purpose::Usage).await?;
    }
    Ok(control)
}

/// A bar on a terminal, lines otherwise.
fn show_progress(board: &Board, stop: &AtomicBool, shown: bool) {
    let bar = if shown { ProgressBar::new(0) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} records  {per_sec}  {msg}") {
        bar.set_style(style);
    }
    let mut said = Instant::now();
    while !stop.load(Ordering::Acquire) {
        let partitions = board.partitions();
        let folded: u64 = partitions.values().map(|status| status.next.0).sum();
        let end: u64 = partitions.values().map(|status| status.target.map_or(0, |target| target.0)).sum();
        bar.set_length(end);
        bar.set_position(folded.min(end));
        bar.set_message(format!("{} partitions", partitions.len()));
        if shown && bar.is_hidden() && said.elapsed() >= SAY_EVERY {
            tracing::info!(records = folded, of = end, partitions = partitions.len(), "folding");
            said = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}
