//! The demo goes on to the end of the month: what keeps it from closing, what people decide about it, documents, what comes too late, proofs.
//! Each step is a command of the product, shown as one would type it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant as Moment};

use anyhow::{Context as _, bail};

use super::{SEED, TOPIC, bounds};
use crate::cli::output::say;
use crate::clickhouse::Client;
use crate::clickhouse::read::rating;
use crate::config::Config;
use crate::load::{DemoMonth, publish};

/// The longest wait for the worker to fold three events.
const FOLD_WAIT: Duration = Duration::from_secs(60);
/// Wholesale first: who sells and who runs arrays.
const PROVIDERS: [&str; 2] = ["northwind", "fjordcloud"];

/// Closes the month of both providers, sends what comes too late, and proves everything.
pub(super) fn close(config: &Config, dir: &Path, label: &str) -> anyhow::Result<()> {
    let shell = Shell { config: dir.join("plimsoll.toml") };
    if dir.join("closed").exists() {
        say(format_args!("\n{label} was closed by an earlier run"))?;
        shell.run(&["invoices"])?;
        return shell.must(&["prove", "--all"]);
    }
    say(format_args!(
        "\n# a record of which nobody can say whose it is belongs to everybody: it was looked at, and nothing in it has to be billed"
    ))?;
    let reason = "broken event of the demo, nothing to bill";
    shell.must(&["quarantine", "discard", "--by-reason", "undecodable", "--reason", reason])?;
    for provider in PROVIDERS {
        say(format_args!("\n=== the month of {provider} ends ==="))?;
        let close = ["close", "--provider", provider, "--period", label];
        shell.run(&[&close[..], &["--dry-run"]].concat())?;
        shell.run(&["quarantine", "list", "--provider", provider])?;
        shell.must(&["quarantine", "discard", "--provider", provider, "--reason", reason])?;
        if !shell.run(&close)? {
            shell.must(&[&close[..], &["--override", "the silent array is out of order, agreed (demo)"]].concat())?;
        }
    }
    say(format_args!("\n=== documents ==="))?;
    shell.must(&["bill", "--once"])?;
    shell.run(&["drafts"])?;
    for draft in shell.words(&["drafts"])? {
        shell.must(&["discard", &draft, "--reason", "umbrella is no customer of the book yet"])?;
    }
    shell.must(&["invoices"])?;
    printed(&shell, dir)?;
    for provider in PROVIDERS {
        shell.must(&["margin", "--provider", provider, "--period", label])?;
    }
    say(format_args!("\n=== three polls of a silent array are found on its disk, after the close ==="))?;
    late(config, label)?;
    shell.must(&["close", "--provider", "fjordcloud", "--period", label])?;
    shell.must(&["bill", "--once"])?;
    shell.must(&["invoices"])?;
    say(format_args!("\n=== every document, computed again from the ledger ==="))?;
    shell.must(&["prove", "--all"])?;
    std::fs::write(dir.join("closed"), label)?;
    Ok(())
}

/// This program, as one would call it.
struct Shell {
    config: std::path::PathBuf,
}

impl Shell {
    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--config").arg(&self.config).args(arguments).env("PLIMSOLL_METRICS__LISTEN", "");
        Ok(command)
    }

    /// Shows and runs a command that may refuse.
    fn run(&self, arguments: &[&str]) -> anyhow::Result<bool> {
        let shown: Vec<String> = arguments.iter().map(|word| shown(word)).collect();
        say(format_args!("\n$ plimsoll {}", shown.join(" ")))?;
        let status = self.command(arguments)?.status().context("cannot start a command of its own")?;
        match status.code() {
            Some(0) => Ok(true),
            Some(2) => Ok(false),
            _ => bail!("`plimsoll {}` failed ({status})", shown.join(" ")),
        }
    }

    /// The first words of the lines that a command prints.
    fn words(&self, arguments: &[&str]) -> anyhow::Result<Vec<String>> {
        let output = self.command(arguments)?.output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
    }

    /// Shows and runs a command that has to succeed.
    fn must(&self, arguments: &[&str]) -> anyhow::Result<()> {
        match self.run(arguments)? {
            true => Ok(()),
            false => bail!("the demo goes no further"),
        }
    }
}

fn shown(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}

/// Writes the first invoice as a page to print.
fn printed(shell: &Shell, dir: &Path) -> anyhow::Result<()> {
    let Some(number) = shell.words(&["invoices"])?.into_iter().next() else { return Ok(()) };
    let page = shell.command(&["invoices", &number, "--format", "html"])?.output()?;
    let path = dir.join(format!("{number}.html"));
    std::fs::write(&path, page.stdout)?;
    say(format_args!("\n{number} as a page to print: {}", path.display()))?;
    Ok(())
}

/// Sends what comes too late, and waits until it is folded.
fn late(config: &Config, label: &str) -> anyhow::Result<()> {
    let (start, end) = bounds(label)?;
    let stream = crate::cli::load::find(config, TOPIC)?;
    let events = DemoMonth::new(start, end, SEED).latecomers();
    let runtime = tokio::runtime::Runtime::new()?;
    let client = Client::new(&config.clickhouse);
    let folded = || -> anyhow::Result<u64> {
        Ok(runtime.block_on(rating::vector(&client))?.iter().map(|(_, _, next)| next.0).sum())
    };
    let due = folded()? + events.len() as u64;
    say(format_args!("{}", publish(&config.kafka, events.into_iter().map(|record| (&*stream, record)), 3, None)?))?;
    let since = Moment::now();
    while folded()? < due {
        if since.elapsed() > FOLD_WAIT {
            bail!("the worker does not fold them; look at its log");
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    Ok(())
}
