//! `plimsoll statement`: the live, provisional rating of an open period.

use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};

use crate::clickhouse::Client;
use crate::config::Config;
use crate::core::billing::document::Document;
use crate::core::pricing::error::RateError;
use crate::statement::table::table;
use crate::statement::{Rater, StatementError};

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  plimsoll statement northwind-wholesale --period 2026-10\n  plimsoll statement northwind-customers --customer globex --period 2026-10 --format json\n  plimsoll statement --all --provider northwind --period 2026-10 --format json"
)]
pub(super) struct Args {
    /// The contract
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    contract: Option<String>,
    /// The period by the month in which it begins: 2026-10
    #[arg(long, value_name = "YYYY-MM")]
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
        match self.documents(&rater).await {
            Ok(documents) => {
                for document in &documents {
                    match self.format {
                        Format::Table => println!("{}", table(document)),
                        Format::Json => println!("{}", serde_json::to_string(document)?),
                    }
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(
                error @ (StatementError::NoContract(_) | StatementError::CustomerNeeded(_) | StatementError::Rate(_)),
            ) => {
                eprintln!("plimsoll: {error}");
                Ok(ExitCode::from(2))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn documents(&self, rater: &Rater) -> Result<Vec<Document>, StatementError> {
        let (Some(contract), customer) = (&self.contract, &self.customer) else {
            return self.of_provider(rater).await;
        };
        match customer {
            Some(customer) => Ok(vec![rater.statement(contract, Some(customer), &self.period).await?]),
            None => rater.statements(contract, &self.period).await,
        }
    }

    async fn of_provider(&self, rater: &Rater) -> Result<Vec<Document>, StatementError> {
        let mut documents = Vec::new();
        for contract in rater.contracts_of(self.provider.as_deref().unwrap_or_default()) {
            match rater.statements(&contract, &self.period).await {
                Ok(more) => documents.extend(more),
                // a contract that begins later or has ended has no statement of this period
                Err(StatementError::Rate(RateError::NotInForce { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(documents)
    }
}
