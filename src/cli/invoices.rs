//! `plimsoll invoices`, `reference` and `reprice`: issued documents.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};

use super::actor::default_actor;
use super::closing::{decided, with_closer};
use super::month::label;
use super::output::refused;
use super::unknown;
use crate::cli::output::say;
use crate::clickhouse::Client;
use crate::clickhouse::read::invoices::{self, InvoiceQuery, ListedRow};
use crate::config::Config;
use crate::core::billing::detail::Detail;
use crate::core::billing::document::Document;
use crate::core::billing::render::{csv, focus, html};
use crate::core::closing::period::labelled;

/// `plimsoll invoices`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  plimsoll invoices\n  plimsoll invoices --provider northwind --period 2026-10 --format json\n  plimsoll invoices EG-2026-000118 --format html > invoice.html"
)]
pub(super) struct Args {
    /// One document by its number
    number: Option<String>,
    /// Documents of this provider's periods
    #[arg(long, value_name = "ID", conflicts_with = "number")]
    provider: Option<String>,
    /// Of periods that begin in this month
    #[arg(long, value_name = "YYYY-MM", value_parser = label, conflicts_with = "number")]
    period: Option<String>,
    /// How a document is shown: JSON unless said otherwise; of the list json is an object a line
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Csv,
    Focus,
    Html,
}

/// `plimsoll reference`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  plimsoll reference EG-2026-000118 SAP-90017723")]
pub(super) struct Reference {
    /// The document's number
    number: String,
    /// The ERP's id of it
    reference: String,
    /// Who says so, for the record [default: the user, by USER or LOGNAME, else unknown]
    #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
    actor: String,
}

/// `plimsoll reprice`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The next revision of the period is rated with the newest published book (or the one of --book) at the cut of the revision before: prices change and nothing else. `plimsoll close` or `plimsoll bill` makes it.\n\nExamples:\n  plimsoll catalog apply DIR\n  plimsoll reprice --provider northwind --period 2026-10 --reason \"band of 20 TiB was agreed\""
)]
pub(super) struct Reprice {
    /// Whose closed period
    #[arg(long, value_name = "ID")]
    provider: String,
    /// The period by the month in which it begins
    #[arg(long, value_name = "YYYY-MM", value_parser = label)]
    period: String,
    /// Hash of a published book; else the newest
    #[arg(long, value_name = "HASH")]
    book: Option<String>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who decides, for the record [default: the user, by USER or LOGNAME, else unknown]
    #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
    actor: String,
}

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let client = Client::new(&config.clickhouse);
        let mut out = std::io::stdout().lock();
        let Some(number) = &self.number else {
            if !matches!(self.format, None | Some(Format::Json)) {
                return refused("a list is text or --format json: name one document, or `plimsoll export` many");
            }
            let query = InvoiceQuery { provider: self.provider, period: self.period, ..InvoiceQuery::default() };
            let provider = query.provider.clone();
            let (mut rows, mut is_empty) = (invoices::list(&client, &query)?, true);
            while let Some(row) = rows.next().await? {
                is_empty = false;
                if self.format == Some(Format::Json) {
                    writeln!(out, "{}", header(&row))?;
                    continue;
                }
                writeln!(
                    out,
                    "{}  {}  {}  {}  {} to {}  {} {}  {}",
                    row.number,
                    row.issue_date(),
                    row.document_type,
                    row.label,
                    row.seller,
                    row.buyer,
                    row.shown_total(),
                    row.currency,
                    row.state
                )?;
            }
            if is_empty {
                unknown::refuse_provider(&client, provider.as_deref()).await?;
                eprintln!("no document fits: `plimsoll drafts` lists what waits to be issued");
            }
            return Ok(ExitCode::SUCCESS);
        };
        let Some(stored) = invoices::one(&client, number).await? else {
            return refused(format!("no document {number} is issued; `plimsoll invoices` lists them"));
        };
        let document = Document::from_json(&stored.document)?;
        let detail: Detail = serde_json::from_str(&stored.detail)?;
        let text = match self.format.unwrap_or(Format::Json) {
            Format::Json => stored.document + "\n",
            Format::Csv => csv::file(&document),
            Format::Focus => focus::file(&document)?,
            Format::Html => html::page(&document, Some(&detail)),
        };
        out.write_all(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A document's header for programs.
fn header(row: &ListedRow) -> serde_json::Value {
    let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    serde_json::json!({
        "number": row.number, "type": row.document_type, "state": row.state, "issue_date": row.issue_date().to_string(),
        "due_date": row.due_date().to_string(), "seller": row.seller, "buyer": row.buyer, "provider": row.provider,
        "contract": row.contract, "customer": filled(&row.customer), "period": row.label, "currency": row.currency,
        "total": row.shown_total(), "corrects": row.corrects, "erp": filled(&row.erp),
    })
}

impl Reference {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        with_closer(config, self.actor.clone(), |closer| {
            let before = match decided(closer.reference(&self.number, &self.reference))? {
                Ok(before) => before,
                Err(refused) => return Ok(refused),
            };
            closer.materialise()?;
            let instead = before.filter(|before| before != self.reference.trim());
            let instead = instead.map_or(String::new(), |before| format!(", and no longer as {before}"));
            say(format_args!("{} is known as {}{instead}", self.number, self.reference.trim()))?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

impl Reprice {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        with_closer(config, self.actor.clone(), |closer| {
            let register = closer.register();
            let Some((newest, _)) = register.newest_book() else {
                return refused("no price book is published: plimsoll catalog apply DIR");
            };
            let hash = self.book.clone().unwrap_or_else(|| newest.to_owned());
            let Some(book) = register.book(&hash) else { return refused(format!("no price book {hash} is published")) };
            let periods = match labelled(book, &self.provider, &self.period) {
                Ok(periods) => periods,
                Err(error) => return refused(error),
            };
            let closed: Vec<_> = periods.into_iter().filter(|period| register.next_revision(&period.key) > 0).collect();
            if closed.is_empty() {
                return refused(format!("no period of {} that begins in {} is closed", self.provider, self.period));
            }
            // whether anybody reads it must not decide how far this goes
            let mut told = Ok(());
            for period in closed {
                match decided(closer.reprice(&period.key, &hash, &self.reason))? {
                    Ok(revision) => {
                        let label = &period.label;
                        told = told.and(say(format_args!(
                            "revision {revision} of {} {label} will be rated with {hash}",
                            self.provider
                        )));
                    }
                    Err(refused) => return Ok(refused),
                }
            }
            told?;
            Ok(ExitCode::SUCCESS)
        })
    }
}
