//! `plimsoll audit`: names every row that is not what it must be.

use std::io::{BufWriter, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use clap::{Args as ClapArgs, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::control::follow;
use super::instant::instant;
use super::unknown;
use crate::audit::finding::Finding;
use crate::audit::inspection::Inspection;
use crate::audit::refold::Refold;
use crate::audit::report::{Extent, Report};
use crate::clickhouse::store::ClickHouseStore;
use crate::clickhouse::{Client, check};
use crate::config::Config;
use crate::core::word::Instant;
use crate::kafka::reader::Reader;

/// Between two lines of progress where there is no terminal.
const SAY_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Checks that every record has one row, that checkpoints count just these rows, that no event was accepted twice, that ledger and \
                  decisions are what Kafka still has, and that every bucket is what the ledger gives, by metering again and by SQL.\n\n\
                  Exit code 0: nothing was found. 2: something was; each line names a row. Workers may run meanwhile.\n\n\
                  Examples:\n  plimsoll audit --provider northwind --from 2026-10-01 --to 2026-11-01\n  plimsoll audit --format json | jq -r .table | sort | uniq -c"
)]
pub(super) struct Args {
    #[command(flatten)]
    extent: ExtentArgs,
    /// For people, or for programs (JSON, a finding a line)
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What is audited or repaired.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct ExtentArgs {
    /// This provider's arrays and streams only
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Usage from this UTC day on: a date, or an instant in it
    #[arg(long, value_name = "T", value_parser = instant)]
    from: Option<Instant>,
    /// Usage before this: a date, or an instant
    #[arg(long, value_name = "T", value_parser = instant)]
    to: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

impl ExtentArgs {
    pub(super) fn extent(&self) -> Extent {
        Extent { provider: self.provider.clone(), from: self.from, to: self.to }
    }

    /// Refuses a provider that nobody knows, once nothing of it was found.
    pub(super) async fn refuse_unknown(&self, config: &Config, report: &Report) -> anyhow::Result<()> {
        if report.days > 0 || !report.findings.is_empty() || !report.moving.is_empty() {
            return Ok(());
        }
        unknown::refuse_provider(&Client::new(&config.clickhouse), self.provider.as_deref()).await
    }
}

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let (mut inspection, _) = open(config).await?;
        let mut bar = Bar::new();
        let report = inspection.run(&self.extent.extent(), &mut |what, done, of| bar.tell(what, done, of)).await?;
        drop(bar);
        self.extent.refuse_unknown(config, &report).await?;
        print(&report.findings, self.format)?;
        tell(&report);
        Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
    }
}

/// An audit over the configured parts, and the store that a repair writes to.
pub(super) async fn open(config: &Config) -> anyhow::Result<(Inspection, ClickHouseStore)> {
    let client = Client::new(&config.clickhouse);
    check::tables(&client).await?;
    let control = tokio::task::block_in_place(|| follow(config))?;
    let runtime = tokio::runtime::Handle::current();
    let store = ClickHouseStore::new(client.clone(), runtime, Arc::new(|_, _, _| {}));
    let refold = Refold::new(store.clone(), Reader::new(&config.kafka)?, control.clone());
    Ok((Inspection::new(client, control, refold)?, store))
}

/// Findings on standard output, a line each.
pub(super) fn print(findings: &[Finding], format: Format) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for finding in findings {
        match format {
            Format::Text => writeln!(out, "{finding}")?,
            Format::Json => writeln!(out, "{}", finding.json())?,
        }
    }
    out.flush()
}

/// What was looked at, on standard error.
pub(super) fn tell(report: &Report) {
    for note in &report.notes {
        eprintln!("plimsoll: {note}");
    }
    if !report.moving.is_empty() {
        eprintln!(
            "plimsoll: {} array days are being written to and are not audited; run it again, and `plimsoll run` if no worker runs",
            report.moving.len()
        );
    }
    eprintln!(
        "plimsoll: {} array days and {} readings audited, {} findings",
        report.days,
        report.readings,
        report.findings.len()
    );
}

/// A bar on a terminal, lines of the log otherwise.
pub(super) struct Bar {
    bar: ProgressBar,
    said: Moment,
}

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}  {eta}") {
            bar.set_style(style);
        }
        Self { bar, said: Moment::now() }
    }

    pub(super) fn tell(&mut self, what: &'static str, done: u64, of: u64) {
        self.bar.set_length(of);
        self.bar.set_position(done);
        self.bar.set_message(what);
        if self.bar.is_hidden() && self.said.elapsed() >= SAY_EVERY {
            tracing::info!(what, done, of, "auditing");
            self.said = Moment::now();
        }
    }
}

impl Drop for Bar {
    /// What is printed next is to be read, not overwritten by the bar.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
