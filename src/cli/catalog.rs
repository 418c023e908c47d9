//! `plimsoll catalog`: checks and publishes price books.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;

use super::stream::{default_actor, ensure_control, follow};
use crate::config::Config;
use crate::core::book::{self, Book};
use crate::core::decision::Decision;
use crate::core::word::Offset;
use crate::kafka::control::{ControlFollower, append};
use crate::kafka::topic::Topics;

/// Most bytes of a book: it has to fit into one decision.
const MAX_BOOK_BYTES: u64 = 8 << 20;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a directory of *.toml files as one price book; nothing is published
    Check {
        /// The directory
        directory: PathBuf,
    },
    /// Check it and publish it: from then on ratings use it
    Apply {
        /// The directory
        directory: PathBuf,
        /// Who publishes it, for the record
        #[arg(long, default_value_t = default_actor(), value_name = "WHO")]
        actor: String,
    },
    /// Print the newest published book in its canonical form
    Show,
    /// List the published books
    History,
}

impl Command {
    /// Checking needs neither Kafka nor configuration.
    pub(super) fn needs_config(&self) -> bool {
        !matches!(self, Command::Check { .. })
    }

    pub(super) fn check_only(self) -> anyhow::Result<ExitCode> {
        let Command::Check { directory } = self else { bail!("this command needs the configuration") };
        let Some(book) = read(&directory)? else { return Ok(ExitCode::from(2)) };
        println!("{}", summary(&book)?);
        Ok(ExitCode::SUCCESS)
    }

    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        match self {
            Command::Check { .. } => self.check_only(),
            Command::Apply { directory, actor } => apply(config, &directory, actor).await,
            Command::Show => {
                let Some((_, _, book)) = newest(&follow(config)?) else {
                    bail!("no price book is published: plimsoll catalog apply DIR")
                };
                println!("{}", serde_json::to_string_pretty(&book)?);
                Ok(ExitCode::SUCCESS)
            }
            Command::History => {
                for record in follow(config)?.records(Offset(0)) {
                    if let Decision::PriceBookPublished { hash, actor, .. } = &record.decision {
                        println!("{:>8}  {}  {hash}  {actor}", record.offset.0, record.append_time);
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// Publishes the book of a directory, unless it is the newest one already.
pub(super) async fn apply(config: &Config, directory: &Path, actor: String) -> anyhow::Result<ExitCode> {
    let Some(book) = read(directory)? else { return Ok(ExitCode::from(2)) };
    ensure_control(config, &Topics::new(&config.kafka)?).await?;
    let control = follow(config)?;
    let hash = book.hash()?;
    if let Some((_, newest, published)) = newest(&control) {
        if newest == hash {
            println!("{hash} is published already");
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(meter) = changed_meter(&Book::from_canonical(&published)?, &book) {
            eprintln!(
                "plimsoll: meter {meter} is published already with another definition, and a meter is set once: give the new one \
                 another name"
            );
            return Ok(ExitCode::from(2));
        }
    }
    let decision = Decision::PriceBookPublished { hash: hash.clone(), book: book.canonical()?, actor };
    let offset = append(&config.kafka, &decision).await?;
    println!("{}\n{hash} is published at {} of {}", summary(&book)?, offset.0, config.kafka.control_topic);
    Ok(ExitCode::SUCCESS)
}

/// The book of a directory; none if it is refused, which is said on standard error.
fn read(directory: &Path) -> anyhow::Result<Option<Book>> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut bytes = 0;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            bytes += path.metadata()?.len();
            if bytes > MAX_BOOK_BYTES {
                bail!("the book has more than {MAX_BOOK_BYTES} bytes: it has to fit into one record");
            }
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.push((path.display().to_string(), text));
        }
    }
    files.sort();
    match book::parse(&files) {
        Ok(book) => Ok(Some(book)),
        Err(found) => {
            for diagnostic in &found {
                eprintln!("{diagnostic}\n");
            }
            eprintln!("plimsoll: the price book is refused: {} faults", found.len());
            Ok(None)
        }
    }
}

fn summary(book: &Book) -> anyhow::Result<String> {
    let warnings: String = book.warnings().iter().map(|warning| format!("warning: {warning}\n")).collect();
    let (contracts, cards, customers) = (book.contracts.len(), book.cards.len(), book.customers.len());
    let hash = book.hash()?;
    Ok(format!("{warnings}{contracts} contracts, {cards} cards, {customers} customers; {hash}"))
}

/// The newest published book: its offset, hash and canonical form.
pub(super) fn newest(control: &ControlFollower) -> Option<(Offset, String, serde_json::Value)> {
    control.records(Offset(0)).into_iter().rev().find_map(|record| match record.decision {
        Decision::PriceBookPublished { hash, book, .. } => Some((record.offset, hash, book)),
        _ => None,
    })
}

/// The first meter that both books define, but not alike.
fn changed_meter(published: &Book, book: &Book) -> Option<String> {
    let both = published.meters.iter().filter_map(|(name, old)| Some((name, old, book.meters.get(name)?)));
    both.filter(|(_, old, new)| old != new).map(|(name, ..)| name.clone()).next()
}
