//! `plimsoll trace`: what is behind a row of a document, as lines of JSON.

use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};

use super::meter_bar::MeterBar;
use crate::clickhouse::Client;
use crate::config::Config;
use crate::core::pricing::breakdown;
use crate::prove::ProveError;
use crate::prove::documents::Documents;
use crate::prove::open::Open;
use crate::prove::open_period::periods;
use crate::statement::{Place, StatementError};
use crate::trace::{Item, Trace, TraceError, TraceQuery, document, trace};

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Prints the row, then its pieces with the positions of their events, then their sum held against what was priced.\n\nExamples:\n  plimsoll trace EG-2026-000118 1\n  plimsoll trace --statement northwind-wholesale --period 2026-10 --row 1\n  plimsoll trace --statement northwind-wholesale --period 2026-10 --row 1 --by hour --array 66aa2c13-0d81-433f-bb31-5fc33e76fa5f"
)]
pub(super) struct Args {
    /// The number of an issued document
    #[arg(required_unless_present = "statement", conflicts_with = "statement", requires = "no")]
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
    #[arg(long, value_name = "YYYY-MM", requires = "statement")]
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
            Ok(Some(trace)) => print(&trace).await,
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

    async fn trace(&self, client: &Client, bar: &MeterBar) -> Result<Option<Trace>, TraceError> {
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
        TraceError::NoRow { .. } => true,
        TraceError::Prove(ProveError::Statement(error)) => {
            matches!(**error, StatementError::Rate(_) | StatementError::NoContract(_))
        }
        _ => false,
    }
}

async fn print(trace: &Trace) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut line = |item: &Item| -> anyhow::Result<()> { Ok(writeln!(out, "{}", serde_json::to_string(item)?)?) };
    match trace {
        Trace::Contract { row, from } => line(&Item::Row { row: serde_json::to_value(row)?, from: from.clone() })?,
        Trace::Rows { row, from, rows } => {
            line(&Item::Row { row: serde_json::to_value(row)?, from: from.clone() })?;
            for row in rows {
                let (line_id, amount) = (row.line.clone(), row.amount.clone());
                line(&Item::Source { no: row.no, line: line_id, kind: row.kind.as_str(), amount })?;
            }
        }
        Trace::Usage(usage) => {
            let from = "usage of its line: the pieces below, whole; bands and commitment split their sum".to_owned();
            line(&Item::Row { row: serde_json::to_value(usage.row())?, from })?;
            usage.windows().iter().try_for_each(&mut line)?;
            for page in 0..usage.pages() {
                usage.page(page).await?.iter().try_for_each(&mut line)?;
            }
            line(&Item::Sum(usage.sum().clone()))?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
