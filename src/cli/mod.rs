//! The command line: one file a sub-command, each a thin shell around the library.

mod actor;
mod audit;
mod bill;
mod catalog;
mod close;
mod closing;
mod collect;
mod completions;
mod config;
mod control;
mod credit;
mod demo;
mod dev;
mod doctor;
mod drafts;
mod effects;
mod engine;
mod events;
mod export;
mod failure;
#[cfg(feature = "sim")]
mod faults;
mod grant;
mod health;
mod instant;
mod invoices;
mod levels;
mod load;
mod log;
mod man;
mod margin;
mod meter_bar;
mod migrate;
mod month;
mod output;
mod patience;
mod progress;
mod prove;
mod providers;
mod quarantine;
mod quote;
mod refusal;
mod repair;
mod run;
mod sales_credits;
mod serve;
mod serving;
mod signal;
mod simulate;
mod statement;
mod stream;
mod terminal;
#[cfg(test)]
mod tests;
mod trace;
mod unclaimed;
mod unknown;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Parser, Subcommand};

use crate::config::Config;
pub use failure::told;
pub use refusal::Refused;

/// A month from nothing to a proven invoice.
const EXAMPLES: &str = "Examples:
  plimsoll dev up                                                   Kafka and ClickHouse on this machine
  plimsoll migrate                                                  the tables
  plimsoll catalog apply examples/pricebook                         the price book
  plimsoll stream open usage --shared --partitions 4                where usage is sent
  plimsoll run --all                                                fold, bill and serve, in one process
  plimsoll statement northwind-wholesale --period 2026-10           what a period comes to
  plimsoll close --provider northwind --period 2026-10 --dry-run    whether it can be closed, and why not
  plimsoll prove --all                                              every document again, from the ledger
  plimsoll doctor                                                   what is wrong here, and the mend";

/// Metering and billing for storage sold by consumption.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, propagate_version = true, after_help = EXAMPLES)]
pub struct Cli {
    /// The configuration file; else ./plimsoll.toml, else the one of `plimsoll dev up`, else defaults
    // an empty variable counts as not set
    #[arg(long, global = true, value_name = "FILE", env = "PLIMSOLL_CONFIG", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Hold what is stored against itself and against the log, and name every row that is not what it must be
    Audit(audit::Args),
    /// Close periods that are due, issue their drafts, and make documents of the log
    Bill(bill::Args),
    /// Close a period, or say in words why it cannot be closed
    Close(close::Args),
    /// Poll arrays for their usage and send it, with a spool on disk between the two
    Collect(collect::Args),
    /// Check, compare and publish price books
    #[command(
        subcommand,
        after_help = "Examples:\n  plimsoll catalog check examples/pricebook\n  plimsoll catalog plan examples/pricebook\n  plimsoll catalog history"
    )]
    Catalog(catalog::Command),
    /// Credit an issued document; grant and list credits, which come off a contract's documents
    Credit(credit::Args),
    /// Throw a draft away: it counts as nothing issued
    Discard(drafts::Discard),
    /// List drafts of closed periods that are neither issued nor discarded
    Drafts(drafts::List),
    /// Print what a shell needs to complete these commands
    Completions(completions::Args),
    /// Show the configuration in force
    #[command(
        subcommand,
        after_help = "Examples:\n  plimsoll config show\n  plimsoll config reference > plimsoll.toml"
    )]
    Config(config::Command),
    /// Show a month of usage, from arrays to statements, on real parts of its own
    Demo(demo::Args),
    /// Start, stop and show the parts for trying things out: a Kafka broker and a ClickHouse engine on this machine
    #[command(subcommand, after_help = "Examples:\n  plimsoll dev up\n  plimsoll dev status\n  plimsoll dev down")]
    Dev(dev::Command),
    /// Look at Kafka, ClickHouse, topics, clocks and limits, and say what to mend; changes nothing
    Doctor(doctor::Args),
    /// Run the ClickHouse engine in this process, on loopback
    Engine(engine::Arguments),
    /// Print what became of every record of a stream, as lines of JSON
    Events(events::Command),
    /// Write the issued documents of months or of a year as one file: FOCUS, CSV or Parquet
    Export(export::Args),
    /// Show how arrays are: ok, silent, orphaned and why, for demonstration, moved or contested
    Health(health::Args),
    /// Show partner levels: granted, attained and promised, what the next one lacks, and the line to paste
    Levels(levels::Args),
    /// List issued documents, or show one as JSON, CSV, FOCUS or a page to print
    Invoices(invoices::Args),
    /// Issue drafts: each gets the next number of its seller
    Issue(drafts::Issue),
    /// Make the ClickHouse database and its tables, or bring them up to date
    Migrate(migrate::Command),
    /// Produce synthetic usage, for measurements and tests
    Load(load::Args),
    /// Write the manual pages of all commands
    Man(man::Args),
    /// Show what a provider earns from each customer: retail, allocated wholesale, margin
    Margin(margin::Args),
    /// List, show, send again or discard quarantined records
    #[command(
        subcommand,
        after_help = "Examples:\n  plimsoll quarantine list --counts\n  plimsoll quarantine show usage-1/3/8812"
    )]
    Quarantine(quarantine::Quarantine),
    /// List late records, or bill them after all
    #[command(
        subcommand,
        after_help = "Examples:\n  plimsoll late list --counts\n  plimsoll late accept --provider northwind --reason \"the site was offline\" --dry-run"
    )]
    Late(quarantine::Late),
    /// Compute documents again from the ledger, and say what differs
    Prove(prove::Args),
    /// Show providers' scorecards: revenue, growth, arrays, customers, capacity, level, and who is dormant
    Providers(providers::Args),
    /// Price one JSON request from standard input, without Kafka, ClickHouse or a clock
    Quote(quote::Command),
    /// Store the ERP's id of an issued document
    Reference(invoices::Reference),
    /// Have the next revision of a closed period rated with another price book
    Reprice(invoices::Reprice),
    /// Mend what an audit finds: the ledger from the log, buckets from the ledger, nothing from guesses
    Repair(repair::Args),
    /// Fold usage streams into the ledger and buckets
    Run(run::Args),
    /// Show what the vendor's teams are credited for issued wholesale, and whether it is the same on either route
    SalesCredits(sales_credits::Args),
    Simulate(simulate::Args),
    /// Show the statements of a period: live and provisional while it is open
    Statement(statement::Args),
    /// Open usage streams, open them again, list them, and record what they lost or send on what is void
    #[command(
        subcommand,
        after_help = "Examples:\n  plimsoll stream open usage --provider northwind --partitions 12\n  plimsoll stream list"
    )]
    Stream(stream::Command),
    /// Show what is behind a row of a document: arrays, resources, days, hours and positions in the log
    Trace(trace::Args),
    /// Serve the HTTP API over ClickHouse, and take usage events over HTTP
    Serve(serve::Command),
    /// List usage that no customer of the price book claims: unknown tags and untagged resources
    Unclaimed(unclaimed::Args),
    /// Print metered usage as lines of JSON
    Usage(usage::Command),
}

impl Cli {
    /// Runs the chosen sub-command.
    ///
    /// # Errors
    /// Whatever the sub-command could not do, as a text for the person at the terminal.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Audit(arguments) => block_on(async {
                let config = load(self.config)?;
                arguments.run(&config).await
            }),
            Command::Repair(arguments) => block_on(async {
                let config = load(self.config)?;
                arguments.run(&config).await
            }),
            Command::Bill(arguments) => arguments.run(&load(self.config)?),
            Command::Close(arguments) => arguments.run(&load(self.config)?),
            Command::Collect(arguments) => arguments.run(),
            Command::Catalog(command) if !command.needs_config() => command.check_only(),
            Command::Catalog(command) => {
                let config = load(self.config)?;
                block_on(command.run(&config))
            }
            Command::Completions(arguments) => arguments.run(),
            Command::Config(command) => command.run(&load(self.config)?),
            Command::Credit(arguments) => arguments.run(&load(self.config)?),
            Command::Discard(arguments) => arguments.run(&load(self.config)?),
            Command::Drafts(arguments) => arguments.run(&load(self.config)?),
            Command::Issue(arguments) => arguments.run(&load(self.config)?),
            Command::Invoices(arguments) => block_on(arguments.run(&load(self.config)?)),
            Command::Reference(arguments) => arguments.run(&load(self.config)?),
            Command::Reprice(arguments) => arguments.run(&load(self.config)?),
            Command::Demo(arguments) => arguments.run(),
            Command::Dev(command) => command.run(),
            Command::Doctor(arguments) => block_on(arguments.run(&load(self.config)?)),
            Command::Engine(arguments) => arguments.run(),
            Command::Health(arguments) => {
                let config = load(self.config)?;
                block_on(arguments.run(&config))
            }
            Command::Levels(arguments) => {
                let config = load(self.config)?;
                block_on(arguments.run(&config))
            }
            Command::Load(arguments) => arguments.run(&load(self.config)?),
            Command::Man(arguments) => arguments.run(),
            Command::Margin(arguments) => {
                let config = load(self.config)?;
                block_on(arguments.run(&config))
            }
            Command::Quarantine(command) => block_on(async {
                let config = load(self.config)?;
                command.run(&config).await
            }),
            Command::Late(command) => block_on(async {
                let config = load(self.config)?;
                command.run(&config).await
            }),
            Command::Prove(arguments) => {
                let config = load(self.config)?;
                block_on(arguments.run(&config))
            }
            Command::Providers(arguments) => {
                let config = load(self.config)?;
                block_on(arguments.run(&config))
            }
            Command::SalesCredits(arguments) => {
                let config = load(self.config)?;
                block_on(arguments.run(&config))
            }
            Command::Trace(arguments) => {
                let config = load(self.config)?;
                block_on(arguments.run(&config))
            }
            Command::Quote(command) => command.run(),
            Command::Run(arguments) => arguments.run(&load(self.config)?),
            Command::Simulate(arguments) => {
                #[cfg(feature = "sim")]
                if let Some(ended) = arguments.inject_faults() {
                    return ended;
                }
                let config = load(self.config)?;
                block_on(arguments.run(&config))
            }
            Command::Statement(arguments) => {
                let config = load(self.config)?;
                block_on(arguments.run(&config))
            }
            Command::Stream(command) => command.run(&load(self.config)?),
            Command::Events(command) => block_on(command.run(&load(self.config)?)),
            Command::Export(arguments) => block_on(arguments.run(&load(self.config)?)),
            Command::Migrate(command) => block_on(command.run(&load(self.config)?)),
            Command::Serve(command) => block_on(command.run(&load(self.config)?)),
            Command::Unclaimed(arguments) => block_on(async {
                let config = load(self.config)?;
                arguments.run(&config).await
            }),
            Command::Usage(command) => block_on(command.run(&load(self.config)?)),
        }
    }
}

/// Runs a command that waits for others, on all cores.
fn block_on<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

/// The configuration in force; logging starts as it says.
fn load(path: Option<PathBuf>) -> anyhow::Result<Config> {
    let config = Config::load(path.as_deref().filter(|path| !path.as_os_str().is_empty()))?;
    log::start(&config.log)?;
    Ok(config)
}
