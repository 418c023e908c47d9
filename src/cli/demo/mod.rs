//! `plimsoll demo`: a month of two providers, from arrays to statements, on real parts of its own.

mod month_end;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use chrono::{Datelike, Months, NaiveDate};
use clap::Args as ClapArgs;
use tokio::runtime::Runtime;

use super::month::label;
use super::output::say;
use super::run::Fold;
use super::serving::Serving;
use super::{catalog, stream};
use crate::clickhouse::{Client, migrate};
use crate::config::Config;
use crate::core::book::local_midnight;
use crate::core::word::Instant;
use crate::dev::{Dev, Progress};
use crate::load::{DemoMonth, Summary, publish};
use crate::metrics::Metrics;
use crate::run::worker::RunEnd;
use crate::statement::Rater;
use crate::statement::table::table;

/// The project's own example, compiled in so that the demo needs no checkout.
const BOOK: [(&str, &str); 2] = [
    ("northwind.toml", include_str!("../../../examples/pricebook/northwind.toml")),
    ("fjordcloud.toml", include_str!("../../../examples/pricebook/fjordcloud.toml")),
];
const TOPIC: &str = "usage";
const PARTITIONS: u32 = 4;
const SEED: u64 = 2026;

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The parts, their data and the configuration file stay in the directory: a second run uses what is there.\n\nExamples:\n  plimsoll demo\n  plimsoll demo --month 2026-10 --dir /tmp/demo"
)]
pub(super) struct Args {
    /// Where the demo keeps its parts' data; else demo beside the directory of `plimsoll dev`
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The month; else the last complete one
    #[arg(long, value_name = "YYYY-MM", value_parser = label)]
    month: Option<String>,
}

impl Args {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let dir = match self.dir {
            Some(dir) => dir,
            None => Dev::default_directory()?.with_file_name("demo"),
        };
        let label = self.month.unwrap_or_else(last_month);
        let dev = Dev::new(&dir).with_progress(Progress::for_terminal());
        let marker = dir.join("month");
        let produced = std::fs::read_to_string(&marker).ok();
        if dir.exists() && produced.as_deref() != Some(&label) {
            // another month, or one that was cut off while it was produced: begin with empty parts
            dev.down(None)?;
            std::fs::remove_dir_all(&dir).with_context(|| format!("cannot empty {}", dir.display()))?;
        }
        let status = dev.up(None)?;
        let config = Config::load(Some(&status.config))?;
        super::log::start(&config.log)?;
        let ended = show(&config, &dir, &label, produced.as_deref() == Some(&label));
        dev.down(None)?;
        ended
    }
}

fn show(config: &Config, dir: &Path, label: &str, produced: bool) -> anyhow::Result<ExitCode> {
    let runtime = Runtime::new()?;
    runtime.block_on(prepare(config, dir))?;
    if produced {
        say(format_args!("{label} was produced by an earlier run; it is used again"))?;
    } else {
        let summary = produce(config, label)?;
        say(format_args!("produced {label}: {summary}"))?;
        std::fs::write(dir.join("month"), label)?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let metrics = Arc::new(Metrics::new()?);
    let serving = runtime.block_on(Serving::start(config, &metrics, true))?;
    let fold = Fold { config, runtime: &runtime, stop: &stop, metrics };
    fold.fold(RunEnd::CaughtUp)?;
    runtime.block_on(statements(config, label))?;
    // a worker goes on beside: closes wait until it has taken in what is decided
    let closed = std::thread::scope(|scope| {
        let folding = scope.spawn(|| fold.fold(RunEnd::Asked));
        let closed = month_end::close(config, dir, label);
        stop.store(true, Ordering::Release);
        let folded = folding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        closed.and(folded)
    });
    closed?;
    let metrics_at =
        config.metrics.listen.map_or_else(String::new, |listen| format!("   metrics http://{listen}/metrics"));
    let at = config.http.listen;
    say(format_args!("console http://{at}/console/   API http://{at}/v1/invoices{metrics_at}"))?;
    say(format_args!(
        "try: plimsoll --config {}/plimsoll.toml statement northwind-wholesale --period {label} --format json",
        dir.display()
    ))?;
    if std::io::stdout().is_terminal() {
        say(format_args!("everything stays up until Ctrl-C, and what is sent or decided meanwhile is taken in"))?;
        stop.store(false, Ordering::Release);
        std::thread::scope(|scope| {
            let folding = scope.spawn(|| fold.fold(RunEnd::Asked));
            runtime.block_on(super::signal::asked_to_stop());
            stop.store(true, Ordering::Release);
            folding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
    } else {
        say(format_args!(
            "without a terminal the parts stop now; to start them again: plimsoll dev up --dir {}",
            dir.display()
        ))?;
    }
    runtime.block_on(serving.end());
    Ok(ExitCode::SUCCESS)
}

/// Tables, the stream, the price book.
async fn prepare(config: &Config, dir: &Path) -> anyhow::Result<()> {
    migrate::apply(&Client::new(&config.clickhouse)).await?;
    stream::open_shared(config, TOPIC, PARTITIONS, 400 * 86_400_000).await?;
    let books = dir.join("pricebook");
    std::fs::create_dir_all(&books)?;
    for (name, text) in BOOK {
        std::fs::write(books.join(name), text)?;
    }
    catalog::apply(config, &books, None, "demo".to_owned()).await?;
    Ok(())
}

fn produce(config: &Config, label: &str) -> anyhow::Result<Summary> {
    let (start, end) = bounds(label)?;
    let mut month = DemoMonth::new(start, end, SEED);
    let stream = super::load::find(config, TOPIC)?;
    let total = month.total();
    let records = month.by_ref().map(|event| (&*stream, event.record));
    let published = publish(&config.kafka, records, total, None)?;
    tracing::info!("produced {published}");
    Ok(month.summary().clone())
}

async fn statements(config: &Config, label: &str) -> anyhow::Result<()> {
    let rater = Rater::newest(&Client::new(&config.clickhouse)).await?;
    let providers: Vec<String> = rater.book().providers.keys().cloned().collect();
    for provider in providers.iter().rev() {
        let places = rater.places(&rater.contracts_of(provider), label).await?;
        let shown = rater.shown(&places, label, |_, document, standing| {
            say(format_args!("{}", table(&document?, standing)?))?;
            Ok::<(), anyhow::Error>(())
        });
        shown.await?;
    }
    Ok(())
}

/// The label of the last complete month in the providers' zone.
fn last_month() -> String {
    let today = chrono::Utc::now().with_timezone(&chrono_tz::Europe::Berlin).date_naive();
    let before = today.checked_sub_months(Months::new(1)).unwrap_or(today);
    format!("{:04}-{:02}", before.year(), before.month())
}

/// Local midnights at both ends of a month.
fn bounds(label: &str) -> anyhow::Result<(Instant, Instant)> {
    let first = NaiveDate::parse_from_str(&format!("{label}-01"), "%Y-%m-%d");
    let first = first.with_context(|| format!("--month is no month: write it as 2026-10, not {label}"))?;
    let next = first.checked_add_months(Months::new(1)).unwrap_or(first);
    let midnight = |day| local_midnight(chrono_tz::Europe::Berlin, day);
    match (midnight(first), midnight(next)) {
        (Some(start), Some(end)) => Ok((start, end)),
        _ => bail!("--month is out of range: {label}"),
    }
}
