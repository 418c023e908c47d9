//! `plimsoll catalog`: checks, compares and publishes price books.

mod plan;
use super::output::{refused, say};
pub(in crate::cli) mod published;
pub(super) mod source;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};

use super::actor::default_actor;
use super::control::{ensure_control, follow};
use crate::config::Config;
use crate::core::book::Book;
use crate::core::book::change::changes;
use crate::core::book::succession;
use crate::core::decision::Decision;
use crate::kafka::control_writer::ControlWriter;
use crate::kafka::topic::Topics;
use plan::Reopened;
pub(super) use plan::new_meters;
use published::{At, History, at, history};

/// The exit code of a refused book.
pub(super) const REFUSED: u8 = 2;

/// How a command answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a directory of *.toml files as one price book; nothing is published
    #[command(after_help = "Examples:\n  plimsoll catalog check examples/pricebook")]
    Check {
        /// The directory
        directory: PathBuf,
    },
    /// Tell what publishing it would change: terms in words, warnings, and statements of open periods with now, then, difference
    #[command(
        after_help = "Examples:\n  plimsoll catalog plan examples/pricebook\n  plimsoll catalog plan examples/pricebook --format json | jq '.effects[] | select(.moves)'\n\nAmounts are totals of statements, tax included. Exit code 2: `catalog apply` would refuse it."
    )]
    Plan {
        /// The directory
        directory: PathBuf,
        /// For people or for programs
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Check it, tell what changes and publish it: from then on ratings use it
    #[command(
        after_help = "A book that would change a closed period is refused. If the old prices were wrong, --reprice says so: what is closed is corrected by a document of its own, at its own cut.\n\nExamples:\n  plimsoll catalog apply examples/pricebook --actor eva\n  plimsoll catalog apply examples/pricebook --reprice \"band of 20 TiB was agreed in August\""
    )]
    Apply {
        /// The directory
        directory: PathBuf,
        /// Re-price the closed periods that it changes, with this reason on record
        #[arg(long, value_name = "REASON")]
        reprice: Option<String>,
        /// Who publishes it, for the record [default: the user, by USER or LOGNAME, else unknown]
        #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
        actor: String,
    },
    /// Print the published book in its canonical form
    #[command(
        after_help = "Examples:\n  plimsoll catalog show\n  plimsoll catalog show --at 2026-10-01T00:00:00Z\n  plimsoll catalog show --at 17"
    )]
    Show {
        /// The newest at this instant (RFC 3339, or a date: midnight UTC) or offset of the control log
        #[arg(long, value_name = "INSTANT|OFFSET")]
        at: Option<At>,
    },
    /// List the published books: offset, time, hash, actor
    #[command(
        after_help = "Examples:\n  plimsoll catalog history\n  plimsoll catalog history --format json | jq -r .actor"
    )]
    History {
        /// For people or for programs (JSON, one book a line)
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

impl Command {
    /// Checking needs neither Kafka nor configuration.
    pub(super) fn needs_config(&self) -> bool {
        !matches!(self, Command::Check { .. })
    }

    pub(super) fn check_only(self) -> anyhow::Result<ExitCode> {
        let Command::Check { directory } = self else { bail!("this command needs the configuration") };
        let Some(book) = source::read(&directory)? else { return Ok(ExitCode::from(REFUSED)) };
        say(format_args!("{}", summary(&book)?))?;
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        match self {
            Command::Check { .. } => return self.check_only(),
            Command::Plan { directory, format } => return plan::run(config, &directory, format).await,
            Command::Apply { directory, reprice, actor } => {
                return apply(config, &directory, reprice.as_deref(), actor).await;
            }
            Command::Show { at: when } => {
                let history = history(&follow(config)?);
                let Some(shown) = at(&history, when) else {
                    return refused("no price book was published by then; `plimsoll catalog history` lists them");
                };
                say(format_args!("{}", serde_json::to_string_pretty(&shown.book)?))?;
            }
            Command::History { format } => {
                for published in history(&follow(config)?) {
                    match format {
                        Format::Table => say(format_args!("{published}"))?,
                        Format::Json => say(format_args!("{}", serde_json::to_string(&published)?))?,
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Publishes the book of a directory, unless it is the newest one already.
pub(super) async fn apply(
    config: &Config,
    directory: &Path,
    reprice: Option<&str>,
    actor: String,
) -> anyhow::Result<ExitCode> {
    let Some(book) = source::read(directory)? else { return Ok(ExitCode::from(REFUSED)) };
    ensure_control(config, &Topics::new(&config.kafka)?).await?;
    let control = follow(config)?;
    let history = history(&control);
    let hash = book.hash()?;
    if history.last().is_some_and(|newest| newest.hash == hash) {
        if reprice.is_some() {
            return refused(format!(
                "{hash} is published already, so nothing is re-priced by publishing it: say which closed period is to be rated with it, \
                 plimsoll reprice --provider P --period YYYY-MM --reason REASON"
            ));
        }
        say(format_args!("{hash} is published already"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut refusals = refusals(&history, &book)?;
    refusals.extend(plan::rebound(&control, &book));
    if reprice.is_some_and(|reason| reason.trim().is_empty()) {
        refusals.push("--reprice must say why".to_owned());
    }
    let reopened = if refusals.is_empty() { plan::reopened(config, &control, &book).await? } else { Vec::new() };
    if reprice.is_none() {
        refusals.extend(reopened.iter().flat_map(|one| one.told.clone()));
    }
    for refusal in &refusals {
        eprintln!("plimsoll: {refusal}");
    }
    if !refusals.is_empty() {
        return Ok(ExitCode::from(REFUSED));
    }
    let changes =
        history.last().map(|newest| changes(&newest.read()?, &book).map_err(anyhow::Error::from)).transpose()?;
    let writer = ControlWriter::new(&config.kafka)?;
    let decision = Decision::PriceBookPublished { hash: hash.clone(), book: book.canonical()?, actor: actor.clone() };
    let offset = writer.append(&decision).await.context("read `plimsoll catalog history` before trying again")?;
    for Reopened { period, revision, .. } in &reopened {
        let (reason, actor) = (reprice.unwrap_or_default().trim().to_owned(), actor.clone());
        let (period, revision) = (period.clone(), *revision);
        let decision = Decision::PeriodRepriced { period, revision, book: hash.clone(), reason, actor };
        writer.append(&decision).await.context("say it with `plimsoll reprice` for periods that are missing")?;
    }
    // told when it is done: an output that nobody reads must not keep a book from being published
    for change in changes.into_iter().flatten() {
        say(format_args!("{change}"))?;
    }
    for Reopened { period, revision, .. } in &reopened {
        say(format_args!("revision {revision} of {} from {} will be rated with it", period.provider, period.start))?;
    }
    say(format_args!("{}\n{hash} is published at {} of {}", summary(&book)?, offset.0, config.kafka.control_topic))?;
    say(format_args!("statements and the API follow as soon as `plimsoll run` or `plimsoll bill` has taken it in"))?;
    Ok(ExitCode::SUCCESS)
}

/// Why a book that is right in itself cannot follow those that are published.
fn refusals(history: &History, book: &Book) -> anyhow::Result<Vec<String>> {
    let meters = published::changed_meters(history, book)?;
    let refusal = |meter: &String| {
        format!(
            "meter {meter} is published already with another definition, and a meter is set once: give the new one another name"
        )
    };
    let mut refusals: Vec<String> = meters.iter().map(refusal).collect();
    for published in history {
        refusals.extend(succession::clashes(&published.read()?, book));
    }
    refusals.extend(succession::clashes(book, book));
    refusals.sort();
    refusals.dedup();
    Ok(refusals)
}

fn summary(book: &Book) -> anyhow::Result<String> {
    let warnings: String = book.warnings().iter().map(|warning| format!("warning: {warning}\n")).collect();
    let (contracts, cards, customers) = (book.contracts.len(), book.cards.len(), book.customers.len());
    let hash = book.hash()?;
    Ok(format!("{warnings}{contracts} contracts, {cards} cards, {customers} customers; {hash}"))
}
