//! `plimsoll simulate`: stored usage rated under another price book; nothing is written.

use std::io::{StdoutLock, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args as ClapArgs;

use super::catalog::{Format, REFUSED, new_meters, source};
use super::effects;
use super::progress::Progress;
use crate::clickhouse::Client;
use crate::config::Config;
use crate::core::billing::effect::{Effect, Totals};
use crate::core::book::change::changed_meters;
use crate::core::pricing::calendar::months;
use crate::statement::comparison::AT_ONCE;
use crate::statement::{Comparison, ComparisonError, Rater};

/// Rate stored usage under another price book: per contract now, then and the difference; nothing is written.
///
/// Now is the newest published book, then the one of the directory. Amounts are totals of statements, tax included. A contract (or a
/// customer of a contract for each customer) that only one of the two books has shows "-" on the other side.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  plimsoll simulate examples/pricebook --periods 2026-08..2026-10\n  plimsoll simulate examples/pricebook --periods 2026-10 --provider northwind \\\n      --format json | jq .totals"
)]
pub(super) struct Args {
    /// The directory of the other book
    #[cfg_attr(not(feature = "sim"), arg(required = true))]
    #[cfg_attr(feature = "sim", arg(required_unless_present = "seed"))]
    directory: Option<PathBuf>,
    /// The periods by the months in which they begin, first and last included: 2026-08..2026-10, or one: 2026-10
    #[arg(long, value_name = "A..B", value_parser = parse_periods)]
    #[cfg_attr(not(feature = "sim"), arg(required = true))]
    #[cfg_attr(feature = "sim", arg(required_unless_present = "seed"))]
    periods: Option<Periods>,
    /// Only contracts in which this provider buys or sells
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[cfg(feature = "sim")]
    #[command(flatten)]
    faults: super::faults::Faults,
}

/// Labels of periods in order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Periods(Vec<String>);

fn parse_periods(text: &str) -> Result<Periods, String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    match months(first, last) {
        Ok(labels) if !labels.is_empty() => Ok(Periods(labels)),
        Ok(_) => Err("the last period comes before the first; write 2026-08..2026-10".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl Args {
    /// Runs the fault simulator, if that is what is asked for.
    #[cfg(feature = "sim")]
    pub(super) fn inject_faults(&self) -> Option<anyhow::Result<ExitCode>> {
        self.faults.seed.map(|seed| self.faults.run(seed))
    }

    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let (Some(directory), Some(periods)) = (&self.directory, &self.periods) else {
            anyhow::bail!("say which directory and which --periods")
        };
        let Some(book) = source::read(directory)? else { return Ok(ExitCode::from(REFUSED)) };
        let client = Client::new(&config.clickhouse);
        let now = Rater::newest(&client).await?;
        let changed = changed_meters(now.book(), &book);
        if let Some(meter) = changed.first() {
            eprintln!(
                "plimsoll: meter {meter} is published with another definition, under which usage is stored: keep it"
            );
            return Ok(ExitCode::from(REFUSED));
        }
        let warnings = book.warnings().into_iter().chain(new_meters(now.book(), &book));
        warnings.for_each(|warning| eprintln!("warning: {warning}"));
        let hash = book.hash()?;
        let then = Rater::with_book(&client, book, hash).await?;
        match self.rate(&Comparison::new(now, then), &periods.0).await {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(Failure::Refused(error)) => {
                eprintln!("plimsoll: {error}");
                Ok(ExitCode::from(REFUSED))
            }
            Err(Failure::Other(error)) => Err(error),
        }
    }

    /// Some contracts of one period at a time: what was told is forgotten, but for the sums.
    async fn rate(&self, comparison: &Comparison, periods: &[String]) -> Result<(), Failure> {
        let contracts = comparison.contracts(self.provider.as_deref());
        let mut progress = Progress::new(contracts.len() * periods.len());
        let mut report = Report::new(self.format);
        for label in periods {
            for some in contracts.chunks(AT_ONCE) {
                for (contract, effects) in comparison.effects(some, label, &[]).await? {
                    let effects = effects.map_err(|error| Failure::of(&contract, label, error))?;
                    progress.print(|| report.add(effects))?;
                    progress.step(&contract, label);
                }
            }
            progress.print(|| report.end_period())?;
        }
        drop(progress);
        report.end()?;
        Ok(())
    }
}

/// Why there is no report.
enum Failure {
    /// A contract that cannot be rated.
    Refused(String),
    /// Anything else.
    Other(anyhow::Error),
}

impl Failure {
    fn of(contract: &str, label: &str, error: ComparisonError) -> Self {
        if error.is_of_contract() {
            return Self::Refused(format!("contract {contract} cannot be rated in {label}: {error}"));
        }
        Self::Other(error.into())
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// What is printed as it comes: a table a period, or one JSON object.
struct Report {
    format: Format,
    out: StdoutLock<'static>,
    /// Of this period, for its table.
    effects: Vec<Effect>,
    totals: Totals,
    count: usize,
}

impl Report {
    fn new(format: Format) -> Self {
        Self { format, out: std::io::stdout().lock(), effects: Vec::new(), totals: Totals::default(), count: 0 }
    }

    fn add(&mut self, effects: Vec<Effect>) -> anyhow::Result<()> {
        for effect in effects {
            self.totals.add(&effect)?;
            if self.format == Format::Json {
                let before = if self.count == 0 { "{\"effects\":[\n" } else { ",\n" };
                write!(self.out, "{before}{}", serde_json::to_string(&effect)?)?;
            } else {
                self.effects.push(effect);
            }
            self.count += 1;
        }
        Ok(())
    }

    fn end_period(&mut self) -> anyhow::Result<()> {
        if !self.effects.is_empty() {
            writeln!(self.out, "{}", effects::table(&self.effects))?;
            self.effects.clear();
        }
        Ok(())
    }

    fn end(mut self) -> anyhow::Result<()> {
        match self.format {
            Format::Json => {
                let before = if self.count == 0 { "{\"effects\":[]" } else { "\n]" };
                writeln!(self.out, "{before},\n\"totals\":{}}}", serde_json::to_string(&self.totals.by_currency()?)?)?;
            }
            Format::Table if self.count == 0 => writeln!(self.out, "no contract has a statement in these periods")?,
            Format::Table => writeln!(self.out, "{}", effects::totals(&self.totals)?)?,
        }
        Ok(self.out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_one_month_or_a_range_with_both_ends() {
        assert_eq!(parse_periods("2026-10").unwrap().0, ["2026-10"]);
        assert_eq!(parse_periods("2026-12..2027-01").unwrap().0, ["2026-12", "2027-01"]);
        for wrong in ["2026-10..2026-09", "2026", "2026-10..", "october"] {
            assert!(parse_periods(wrong).is_err(), "{wrong}");
        }
    }
}
