//! `plimsoll statement`: the live, provisional rating of a period.

use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use clap::{ArgGroup, Args as ClapArgs, ValueEnum};

use super::month::label;
use super::output::refused;
use super::unknown;
use crate::clickhouse::Client;
use crate::config::Config;
use crate::core::billing::error::DocumentError;
use crate::core::pricing::error::RateError;
use crate::statement::table::table;
use crate::statement::{Rater, StatementError};

#[derive(Debug, ClapArgs)]
#[command(
    group = ArgGroup::new("which").args(["contract", "all"]).required(true),
    after_help = "Of a closed period it is the whole by what is known now, state closed, with the book of its newest revision, beside the documents that were issued or wait to be: what it differs by from them is what the next revision would correct.\n\nCoverage is of the whole period: that of an open one grows until it ends.\n\nExamples:\n  plimsoll statement northwind-wholesale --period 2026-10\n  plimsoll statement northwind-customers --customer globex --period 2026-10 --format json\n  plimsoll statement --all --provider northwind --period 2026-10 --format json"
)]
pub(super) struct Args {
    /// The contract
    contract: Option<String>,
    /// The period by the month in which it begins: 2026-10
    #[arg(long, value_name = "YYYY-MM", value_parser = label)]
    period: String,
    /// Of a contract for each customer: this one only, by id or by unknown tag
    #[arg(long, conflicts_with = "all")]
    customer: Option<String>,
    /// All contracts in which the provider buys or sells
    #[arg(long, requires = "provider")]
    all: bool,
    /// The provider of --all
    #[arg(long)]
    provider: Option<String>,
    /// For people or for programs (JSON, one document a line)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
}

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let rater = Rater::newest(&Client::new(&config.clickhouse)).await?;
        match self.print(&rater).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(Failure::Refused(StatementError::NoProvider(id))) if !rater.book().providers.contains_key(&id) => {
                refused(unknown::provider(&id, rater.book()))
            }
            Err(Failure::Refused(
                error @ (StatementError::NoContract(_)
                | StatementError::CustomerNeeded(_)
                | StatementError::NoReading { .. }
                | StatementError::NoProvider(_)
                | StatementError::Tag { .. }
                | StatementError::Rate(_)),
            )) => {
                eprintln!("plimsoll: {error}");
                Ok(ExitCode::from(2))
            }
            Err(Failure::Refused(error)) => Err(error.into()),
            Err(Failure::Output(error)) => Err(error.into()),
        }
    }

    /// Says why no statement is shown.
    fn tell_nothing(&self) {
        match (&self.contract, &self.provider) {
            (Some(contract), _) => eprintln!(
                "plimsoll: no statement: no customer of contract {contract} has usage in {}, as far as checkpoints reach",
                self.period
            ),
            (None, provider) => eprintln!(
                "plimsoll: no statement: no contract of {} is in force in {} with usage in it, as far as checkpoints reach",
                provider.as_deref().unwrap_or_default(),
                self.period
            ),
        }
    }

    /// Prints each statement as soon as it is rated: of a large provider there are more than memory should hold.
    async fn print(&self, rater: &Rater) -> Result<(), Failure> {
        let mut out = BufWriter::new(std::io::stdout().lock());
        let places = match (&self.contract, &self.customer) {
            (Some(contract), Some(customer)) => {
                vec![rater.place(contract, Some(customer), &self.period).await?]
            }
            (Some(contract), None) => rater.places(std::slice::from_ref(contract), &self.period).await?,
            (None, _) => {
                let provider = self.provider.as_deref().unwrap_or_default();
                let contracts = rater.contracts_of(provider);
                if contracts.is_empty() {
                    return Err(StatementError::NoProvider(provider.to_owned()).into());
                }
                rater.places(&contracts, &self.period).await?
            }
        };
        let mut shown = 0u64;
        rater
            .shown(&places, &self.period, |_, document, standing| {
                match document {
                    Ok(document) => {
                        shown += 1;
                        match self.format {
                            Format::Table => writeln!(out, "{}", table(&document, standing)?)?,
                            Format::Json => writeln!(out, "{}", serde_json::to_string(&document)?)?,
                        }
                    }
                    // a contract that begins later or has ended has no statement of this period
                    Err(StatementError::Rate(RateError::NotInForce { .. })) if self.all => {}
                    Err(error) => return Err(error.into()),
                }
                Ok::<(), Failure>(())
            })
            .await?;
        if shown == 0 {
            self.tell_nothing();
        }
        if let (true, Format::Table, Some(provider)) = (self.all, self.format, &self.provider) {
            writeln!(
                out,
                "what no customer claims: plimsoll unclaimed --provider {provider} --period {}",
                self.period
            )?;
        }
        Ok(out.flush()?)
    }
}

/// Why printing ended early.
enum Failure {
    Refused(StatementError),
    Output(std::io::Error),
}

impl From<StatementError> for Failure {
    fn from(error: StatementError) -> Self {
        Failure::Refused(error)
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        Failure::Refused(error.into())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Output(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Failure::Output(error.into())
    }
}
