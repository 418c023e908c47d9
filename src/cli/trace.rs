//! `plimsoll trace`: what is behind a row of a document.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::{ArgGroup, Args as ClapArgs, ValueEnum};

use super::meter_bar::MeterBar;
use super::month::label;
use crate::clickhouse::Client;
use crate::config::Config;
use crate::core::pricing::breakdown;
use crate::prove::ProveError;
use crate::prove::documents::Documents;
use crate::prove::open::Open;
use crate::prove::open_period::periods;
use crate::statement::{Place, StatementError};
use crate::trace::{Item, TraceError, TraceQuery, Traced, document, table, trace};

#[derive(Debug, ClapArgs)]
#[command(
    group = ArgGroup::new("which").args(["number", "statement"]).required(true),
    after_help = "Prints the row, then its pieces with the positions of their events, then their sum held against what was priced. Of an adjustment's row that is done for the rating after it and for the one before it, and the row is held against both.\n\nExit code: 2 if there is no such document or row, or nothing of the array behind it.\n\nExamples:\n  plimsoll trace EG-2026-000118 1\n  plimsoll trace EG-2026-000118 1 --by day --format json\n  plimsoll trace --statement northwind-wholesale --period 2026-10 --row 1\n  plimsoll trace --statement northwind-wholesale --period 2026-10 --row 1 --by hour \\\n      --array 66aa2c13-0d81-433f-bb31-5fc33e76fa5f"
)]
pub(super) struct Args {
    /// The number of an issued document
    #[arg(requires = "no")]
    number: Option<String>,
    /// Its row, by its number
    #[arg(value_name = "ROW")]
    no: Option<usize>,
    /// The statement of this contract in an open period
    #[arg(long, value_name = "CONTRACT", requires = "period", requires = "row")]
    statement: Option<String>,
    /// Of a contract for each customer: whose
    #[arg(long, requires = "statement")]
    customer: Option<String>,
    /// The period by the month in which it begins: 2026-10
    #[arg(long, value_name = "YYYY-MM", value_parser = label, requires = "statement")]
    period: Option<String>,
    /// The statement's row, by its number
    #[arg(long, value_name = "NO", requires = "statement")]
    row: Option<usize>,
    /// What the pieces are: arrays, resources, days of the contract's zone, or UTC hours
    #[arg(long, value_enum, default_value_t = By::Array)]
    by: By,
    /// Pieces of this array only
    #[arg(long, value_name = "ID")]
    array: Option<String>,
    /// For people or for programs (JSON, one object a line)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Array,
    Resource,
    Day,
    Hour,
}

impl From<By> for breakdown::By {
    fn from(by: By) -> Self {
        match by {
            By::Array => Self::Array,
            By::Resource => Self::Resource,
            By::Day => Self::Day,
            By::Hour => Self::Hour,
        }
    }
}

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let bar = MeterBar::new();
        let found = self.trace(&Client::new(&config.clickhouse), &bar).await;
        drop(bar);
        match found {
            Ok(Some(traced)) => print(&traced, self.format).await,
            Ok(None) => {
                eprintln!("plimsoll: no such document is issued; `plimsoll run` mirrors what was decided");
                Ok(ExitCode::from(2))
            }
            Err(error) if is_unknown(&error) => {
                eprintln!("plimsoll: {error}");
                Ok(ExitCode::from(2))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn trace(&self, client: &Client, bar: &MeterBar) -> Result<Option<Traced>, TraceError> {
        let row = self.no.or(self.row).unwrap_or_default();
        let query = TraceQuery { row, by: self.by.into(), array: self.array.clone() };
        let told = |effort| bar.metered(effort);
        if let Some(number) = &self.number {
            return document(&Documents::read(client).await?, number, &query, &told).await;
        }
        let (statement, label) = (self.statement.clone().unwrap_or_default(), self.period.clone().unwrap_or_default());
        let open = Open::newest(client).await?;
        let place = Place { contract: statement, customer: self.customer.clone() };
        let Some(period) = periods(&open, std::slice::from_ref(&place), &label).await?.pop() else { return Ok(None) };
        let credits = period.credits();
        trace(&period.rerating(&credits), &place, &query, &told).await.map(Some)
    }
}

fn is_unknown(error: &TraceError) -> bool {
    match error {
        TraceError::NoRow { .. } | TraceError::NoArray { .. } => true,
        TraceError::Prove(ProveError::Statement(error)) => {
            matches!(**error, StatementError::Rate(_) | StatementError::NoContract(_))
        }
        _ => false,
    }
}

/// Where lines go, for people or for programs.
struct Output<W> {
    out: W,
    format: Format,
}

impl<W: Write> Output<W> {
    fn items(&mut self, items: &[Item]) -> anyhow::Result<()> {
        match self.format {
            Format::Table => write!(self.out, "{}", table::text(items))?,
            Format::Json => {
                for item in items {
                    writeln!(self.out, "{}", serde_json::to_string(item)?)?;
                }
            }
        }
        Ok(())
    }
}

async fn print(traced: &Traced, format: Format) -> anyhow::Result<ExitCode> {
    let mut output = Output { out: BufWriter::new(std::io::stdout().lock()), format };
    output.items(&[Item::Row { row: serde_json::to_value(&traced.row)?, from: traced.from.clone() }])?;
    for (side, trace) in traced.sides() {
        if let Some(side) = side {
            output.items(&[side.item(trace)?])?;
        }
        let Some(trace) = trace else { continue };
        output.items(&trace.windows())?;
        for page in 0..trace.pages() {
            output.items(&trace.page(page).await?)?;
        }
        if let Some(sum) = trace.sum() {
            output.items(&[Item::Sum(sum.clone())])?;
        }
    }
    if let Some(difference) = traced.difference() {
        output.items(&[Item::Difference(difference.clone())])?;
    }
    output.out.flush()?;
    Ok(ExitCode::SUCCESS)
}
