//! `plimsoll margin`: both sides of a provider's period.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};

use super::month::label;
use super::output::refused;
use super::unknown;
use crate::clickhouse::Client;
use crate::config::Config;
use crate::margin::table::{csv, table};
use crate::margin::{MarginError, margin};
use crate::statement::Rater;

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Wholesale rows are split by what bears each customer's tags on the arrays of their line; the rest is unallocated. An open period is live and provisional; a closed one is as its closes stored it.\n\nExamples:\n  plimsoll margin --provider northwind --period 2026-10\n  plimsoll margin --provider northwind --period 2026-10 --format csv > margin.csv"
)]
pub(super) struct Args {
    /// Whose margin
    #[arg(long, value_name = "ID")]
    provider: String,
    /// The period by the month in which it begins: 2026-10
    #[arg(long, value_name = "YYYY-MM", value_parser = label)]
    period: String,
    /// For people, for programs or for spreadsheets
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let rater = Rater::newest(&Client::new(&config.clickhouse)).await?;
        let margin = match margin(&rater, &self.provider, &self.period).await {
            Ok(margin) => margin,
            Err(MarginError::NoContract(..)) if !rater.book().providers.contains_key(&self.provider) => {
                return refused(unknown::provider(&self.provider, rater.book()));
            }
            Err(error @ (MarginError::NoContract(..) | MarginError::Rate(_) | MarginError::Statement { .. })) => {
                eprintln!("plimsoll: {error}");
                return Ok(ExitCode::from(2));
            }
            Err(error) => return Err(error.into()),
        };
        let text = match self.format {
            Format::Table => table(&margin),
            Format::Json => serde_json::to_string(&margin)? + "\n",
            Format::Csv => csv(&margin),
        };
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush().map(|()| ExitCode::SUCCESS)?)
    }
}
