//! `plimsoll run`: folds usage streams into the ledger and buckets.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args as ClapArgs;
use indicatif::ProgressBar;
use tokio::runtime::Runtime;

use super::control::ensure_control;
use super::patience::{patiently, tables};
use super::serving::Serving;
use crate::clickhouse::Client;
use crate::clickhouse::store::ClickHouseStore;
use crate::closer::worker::BillEnd;
use crate::config::Config;
use crate::fold::error::SeamError;
use crate::kafka::control::ControlFollower;
use crate::kafka::topic::{Purpose, Topics};
use crate::load::rate;
use crate::metrics::Metrics;
use crate::run::figures;
use crate::run::mirror::{mirror, mirror_new};
use crate::run::retention::Retention;
use crate::run::status::Board;
use crate::run::worker::{RunEnd, Worker};

/// Between two lines of progress where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  plimsoll run                          a worker; start as many as you like\n  plimsoll run --all                    all of a small site in one process: run, bill, serve\n  plimsoll run --all --until-caught-up  fold what is there, make a checkpoint, exit 0"
)]
pub(super) struct Args {
    /// Close, issue and serve in the same process: what `plimsoll bill` and `plimsoll serve` do
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
        let end = if self.until_caught_up { RunEnd::CaughtUp } else { RunEnd::Asked };
        let run = Fold { config, runtime: &runtime, stop: &stop, metrics: Arc::new(Metrics::new()?) };
        let serving = runtime.block_on(Serving::start(config, &run.metrics, self.all))?;
        let ended = match self.all && end == RunEnd::Asked {
            true => run.fold_and_bill(),
            false => run.fold(end),
        };
        runtime.block_on(serving.end());
        ended?;
        Ok(ExitCode::SUCCESS)
    }
}

/// One worker and what it needs.
pub(super) struct Fold<'a> {
    pub(super) config: &'a Config,
    pub(super) runtime: &'a Runtime,
    pub(super) stop: &'a Arc<AtomicBool>,
    pub(super) metrics: Arc<Metrics>,
}

impl Fold<'_> {
    /// Folds, and closes and issues beside it. Whichever of both cannot go on ends the other, so that somebody sees it.
    fn fold_and_bill(&self) -> anyhow::Result<()> {
        std::thread::scope(|scope| {
            let billing = scope.spawn(|| {
                let billed = super::bill::work(self.config, self.runtime, self.stop, &self.metrics, BillEnd::Asked);
                self.stop.store(true, Ordering::Release);
                billed
            });
            let folded = self.fold(RunEnd::Asked);
            self.stop.store(true, Ordering::Release);
            let billed =
                billing.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the closer's thread ended by a panic")));
            folded.and(billed)
        })
    }

    /// Waits for the parts, folds, and mirrors decisions, until the end asked for.
    pub(super) fn fold(&self, end: RunEnd) -> anyhow::Result<()> {
        let (config, runtime) = (self.config, self.runtime);
        let client = Client::new(&config.clickhouse);
        if !runtime.block_on(tables(config, &client, self.stop))? {
            return Ok(());
        }
        let Some((control, retention)) = runtime.block_on(start_control(config, self.stop))? else { return Ok(()) };
        let metrics = Arc::clone(&self.metrics);
        let observer = Arc::new(move |table: &'static str, rows: u64, took: Duration| {
            metrics.inserted(table, rows, took, chrono::Utc::now().timestamp());
        });
        let store = ClickHouseStore::new(client.clone(), runtime.handle().clone(), observer);
        let board = Board::default();
        figures::show(&self.metrics, board.clone(), retention.clone());
        let done = Arc::new(AtomicBool::new(false));
        runtime.spawn(retention.follow(Topics::new(&config.kafka)?, control.clone(), Arc::clone(&done)));
        let mirroring = {
            let (client, control, done) = (client.clone(), control.clone(), Arc::clone(&done));
            runtime.spawn(async move { mirror(client, control, &done).await })
        };
        let progress = {
            let (board, done) = (board.clone(), Arc::clone(&done));
            std::thread::spawn(move || show_progress(&board, &done, end == RunEnd::CaughtUp))
        };
        let ended = Worker::new(config.clone(), store, control.clone(), board, end).run(self.stop);
        done.store(true, Ordering::Release);
        control.stop();
        let _ = progress.join();
        runtime.block_on(async {
            let _ = mirroring.await;
            match mirror_new(&client, &control, &mut None).await {
                // any other process mirrors the same rows
                Err(error) if error.is_retryable() && end == RunEnd::Asked => {
                    tracing::warn!(%error, "the last decisions are not mirrored");
                    Ok(())
                }
                mirrored => mirrored,
            }
        })?;
        Ok(ended?)
    }
}

/// The control log, once Kafka is there and the topics of all streams are as they must be. None if asked to stop meanwhile.
async fn start_control(config: &Config, stop: &AtomicBool) -> anyhow::Result<Option<(ControlFollower, Retention)>> {
    let topics = Topics::new(&config.kafka)?;
    patiently(config, stop, async || try_control(config, &topics).await).await
}

async fn try_control(config: &Config, topics: &Topics) -> anyhow::Result<(ControlFollower, Retention)> {
    ensure_control(config, topics).await?;
    let control = ControlFollower::start(&config.kafka)?;
    let retention = Retention::default();
    let checked = async {
        control.read_to_end()?;
        for rules in control.streams() {
            topics.check(&rules.topic, rules.partitions, Purpose::Usage).await?;
        }
        retention.look(topics, &control).await?;
        Ok::<(), SeamError>(())
    };
    if let Err(error) = checked.await {
        control.stop();
        return Err(error.into());
    }
    Ok((control, retention))
}

/// A bar on a terminal, lines otherwise.
fn show_progress(board: &Board, done: &AtomicBool, shown: bool) {
    let bar = if shown { ProgressBar::new(0) } else { ProgressBar::hidden() };
    if let Some(style) = rate::style("{bar:40} {pos}/{len} records  {rate}  {msg}") {
        bar.set_style(style);
    }
    let mut said = Instant::now();
    while !done.load(Ordering::Acquire) {
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
