//! `plimsoll export`: issued documents of months as one file.

mod bar;
mod part;

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Args as ClapArgs, ValueEnum};

use super::month::month;
use super::output::refused;
use super::refusal::refuse;
use super::signal::asked_to_stop;
use crate::clickhouse::Client;
use crate::clickhouse::read::documents::DocumentsQuery;
use crate::clickhouse::read::invoices::{self, InvoiceQuery};
use crate::config::Config;
use crate::core::billing::figure::Figure;
use crate::core::pricing::currency::Currency;
use crate::core::programme::month::{Month, Months};
use crate::export::{Form, Sums, export};
use crate::statement::Rater;
use bar::Bar;
use part::Part;

/// Bytes that are gathered before they are written.
const GATHERED: usize = 256 << 10;

#[derive(Debug, ClapArgs)]
#[command(
    group = ArgGroup::new("months").args(["period", "from", "to"]).required(true).multiple(true),
    after_help = "Every document that was issued of periods that begin in these months, what corrects them included, in the order of issue. `csv` has one line a row without taxes, `parquet` the same with types, `focus` one line a charge: they come to the documents' totals. A file is FILE.part until it is whole. What was written is held against what is stored; if they differ the exit code is 1.\n\nExamples:\n  plimsoll export focus --period 2026-10 --output focus-2026-10.csv\n  plimsoll export parquet --period 2026 --provider northwind --output 2026.parquet\n  plimsoll export csv --from 2026-07 --to 2026-09 --seller evergrove | gzip > q3.csv.gz"
)]
pub(super) struct Args {
    /// What the file is
    #[arg(value_enum)]
    form: Named,
    /// Periods that begin in this month, or in this year
    #[arg(long, value_name = "YYYY-MM|YYYY", value_parser = period, conflicts_with_all = ["from", "to"])]
    period: Option<Months>,
    /// Periods that begin in this month or later
    #[arg(long, value_name = "YYYY-MM", value_parser = month, requires = "to")]
    from: Option<Month>,
    /// ... and in this month or before it
    #[arg(long, value_name = "YYYY-MM", value_parser = month, requires = "from")]
    to: Option<Month>,
    /// Of this provider's periods, both sides
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// What this party sold
    #[arg(long, value_name = "ID")]
    seller: Option<String>,
    /// What this party bought
    #[arg(long, value_name = "ID")]
    buyer: Option<String>,
    /// Where it is written to; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Named {
    /// FOCUS 1.3
    Focus,
    /// The columns of `plimsoll invoices --format csv`
    Csv,
    /// The same with types, compressed
    Parquet,
}

impl From<Named> for Form {
    fn from(named: Named) -> Self {
        match named {
            Named::Focus => Form::Focus,
            Named::Csv => Form::Csv,
            Named::Parquet => Form::Parquet,
        }
    }
}

fn period(text: &str) -> Result<Months, String> {
    let ends = match text.len() {
        4 => [format!("{text}-01"), format!("{text}-12")],
        _ => [text.to_owned(), text.to_owned()],
    };
    match ends.map(|end| Month::parse(&end)) {
        [Some(first), Some(last)] => Ok(Months { first, last }),
        _ => Err("write a month or a year: 2026-10 or 2026".to_owned()),
    }
}

impl Args {
    fn months(&self) -> anyhow::Result<Months> {
        match (self.period, self.from, self.to) {
            (Some(months), ..) => Ok(months),
            (None, Some(first), Some(last)) if first <= last => Ok(Months { first, last }),
            _ => refuse("--from is behind --to: the first month comes first"),
        }
    }

    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let query =
            DocumentsQuery { months: self.months()?, provider: self.provider, seller: self.seller, buyer: self.buyer };
        let (form, client) = (Form::from(self.form), Client::new(&config.clickhouse));
        if let Some(unknown) = unknown(&client, &query).await? {
            return refused(format!(
                "{unknown} of no document and of no price book; `plimsoll catalog show` lists all"
            ));
        }
        let is_stdout = self.output == Path::new("-");
        if is_stdout && form == Form::Parquet && io::stdout().is_terminal() {
            return refused("a parquet file is nothing to look at: write --output FILE");
        }
        let sums = if is_stdout {
            written(&client, &query, form, Box::new(io::stdout())).await?
        } else {
            let (part, file) = Part::create(&self.output)?;
            let sums = written(&client, &query, form, Box::new(file.try_clone()?)).await?;
            part.finish(&file)?;
            sums
        };
        tell(&query, form, &sums);
        Ok(ExitCode::SUCCESS)
    }
}

async fn written(
    client: &Client,
    query: &DocumentsQuery,
    form: Form,
    to: Box<dyn Write + Send>,
) -> anyhow::Result<Sums> {
    let bar = Bar::new();
    let to = Box::new(BufWriter::with_capacity(GATHERED, to));
    let told = |progress| bar.written(progress);
    tokio::select! {
        sums = export(client, query, form, to, &told) => Ok(sums?),
        () = asked_to_stop() => anyhow::bail!("stopped before the export was whole"),
    }
}

/// The first party of the question that nobody has heard of, with the word for what it is.
async fn unknown(client: &Client, query: &DocumentsQuery) -> anyhow::Result<Option<String>> {
    let DocumentsQuery { provider, seller, buyer, .. } = query;
    let parties = [("provider", provider), ("seller", seller), ("buyer", buyer)];
    if parties.iter().all(|(_, id)| id.is_none()) {
        return Ok(None);
    }
    let rater = Rater::newest(client).await?;
    let book = rater.book();
    for (role, id) in parties {
        let Some(id) = id else { continue };
        let is_named = match role {
            "provider" => book.providers.contains_key(id),
            "seller" => book.providers.contains_key(id) || book.vendors.contains_key(id),
            _ => book.providers.contains_key(id) || book.customers.contains_key(id),
        };
        // whom a later book left out has documents all the same
        if !is_named && !has_documents(client, role, id).await? {
            return Ok(Some(format!("{role} {id} is")));
        }
    }
    Ok(None)
}

async fn has_documents(client: &Client, role: &str, id: &str) -> anyhow::Result<bool> {
    let own = |of: &str| (of == role).then(|| id.to_owned());
    let query = InvoiceQuery {
        provider: own("provider"),
        seller: own("seller"),
        buyer: own("buyer"),
        limit: Some(1),
        ..InvoiceQuery::default()
    };
    Ok(invoices::list(client, &query)?.next().await?.is_some())
}

/// What was written, for people.
fn tell(query: &DocumentsQuery, form: Form, Sums(sums): &Sums) {
    let Months { first, last } = query.months;
    if sums.is_empty() {
        eprintln!("no document of {first} to {last} is issued: the export has no rows");
    }
    for (currency, sum) in sums {
        let places = Currency::new(currency).map(|currency| currency.places);
        // what has more places than its currency is told as it is
        let shown = |figure: Figure| {
            let padded = places.as_ref().ok().and_then(|places| figure.amount(*places).ok());
            padded.unwrap_or_else(|| figure.to_string())
        };
        let (amount, total) = (shown(sum.amount), shown(sum.total));
        let why = match form {
            Form::Csv | Form::Parquet => " before credits and taxes; with them the documents come",
            Form::Focus => "; the documents come",
        };
        eprintln!(
            "{first} to {last}: {} documents, {} rows of {amount} {currency}{why} to {total} {currency}",
            sum.documents, sum.rows
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_month_or_a_year() {
        let shown = |text| period(text).map(|months| format!("{} {}", months.first, months.last));
        assert_eq!(shown("2026-10").unwrap(), "2026-10 2026-10");
        assert_eq!(shown("2026").unwrap(), "2026-01 2026-12");
        for wrong in ["", "26", "2026-13", "2026-10..2026-11", "year", "2026-1", "+026"] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }
}
