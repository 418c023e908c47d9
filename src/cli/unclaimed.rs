//! `plimsoll unclaimed`: what of a provider's usage no customer of the price book claims.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};
use comfy_table::{Table, presets};
use serde::Serialize;

use super::month::label;
use super::output::refused;
use super::unknown;
use crate::clickhouse::Client;
use crate::clickhouse::read::unclaimed::{UnclaimedRow, read};
use crate::clickhouse::read::whole::Whole;
use crate::config::Config;
use crate::core::book::Book;
use crate::core::book::claim::{claimed, file};
use crate::core::book::model::Contract;
use crate::core::pricing::period::{Period, period};
use crate::statement::Rater;

#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Tags that no customer claims are rated under the contract for each customer, but their documents cannot be issued; resources without a tag are on no customer's statement.\n\nExamples:\n  plimsoll unclaimed --provider northwind --period 2026-10\n  plimsoll unclaimed --provider northwind --period 2026-10 --format json | jq -s 'map(.resource)'"
)]
pub(super) struct Args {
    /// Whose resources
    #[arg(long, value_name = "ID")]
    provider: String,
    /// The period by the month in which it begins: 2026-10
    #[arg(long, value_name = "YYYY-MM", value_parser = label)]
    period: String,
    /// For people (by tag, with the section to paste) or for programs (JSON, one resource, meter and tier a line)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
}

/// One line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    list: &'static str,
    customer: Option<&'a str>,
    array: &'a str,
    kind: &'a str,
    resource: &'a str,
    meter: &'a str,
    tier: Option<&'a str>,
    #[serde(flatten)]
    figure: BTreeMap<&'static str, Whole>,
}

/// Arrays and resources under one tag.
#[derive(Default)]
struct Tagged {
    arrays: BTreeSet<String>,
    resources: BTreeSet<(String, String, String)>,
}

impl Args {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let client = Client::new(&config.clickhouse);
        let rater = Rater::newest(&client).await?;
        let Some(period) = self.period(&rater)? else {
            return refused(match rater.book().providers.contains_key(&self.provider) {
                true => format!("no contract of the price book concerns provider {}", self.provider),
                false => unknown::provider(&self.provider, rater.book()),
            });
        };
        let claimed = claimed(rater.book(), &self.provider);
        let mut rows = read(&client, &self.provider, period.span(), &claimed)?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        let mut tags: BTreeMap<String, Tagged> = BTreeMap::new();
        while let Some(row) = rows.next().await? {
            match self.format {
                Format::Json => writeln!(out, "{}", serde_json::to_string(&line(&row))?)?,
                Format::Table => {
                    let tagged = tags.entry(row.customer).or_default();
                    tagged.arrays.insert(row.array.clone());
                    tagged.resources.insert((row.array, row.kind, row.resource));
                }
            }
        }
        if let Format::Table = self.format {
            write!(out, "{}", self.table(rater.book(), &tags))?;
        }
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }

    /// The period in the time zone of the provider's contracts, wholesale first.
    fn period(&self, rater: &Rater) -> anyhow::Result<Option<Period>> {
        let contract = rater.contracts_of(&self.provider).into_iter().next();
        let contract: Option<&Contract> = contract.and_then(|id| rater.book().contracts.get(&id));
        Ok(contract.map(|contract| period(contract, &self.period)).transpose()?)
    }

    fn table(&self, book: &Book, tags: &BTreeMap<String, Tagged>) -> String {
        if tags.is_empty() {
            return format!("all usage of {} in {} bears the tag of a customer\n", self.provider, self.period);
        }
        let mut table = Table::new();
        table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_header(["tag", "arrays", "resources", "first of them"]);
        for (tag, tagged) in tags {
            let name = if tag.is_empty() { "(untagged)" } else { tag.as_str() };
            let first = tagged.resources.first().map(|(array, kind, resource)| format!("{kind} {resource} on {array}"));
            let (arrays, resources) = (tagged.arrays.len().to_string(), tagged.resources.len().to_string());
            table.add_row([name.to_owned(), arrays, resources, first.unwrap_or_default()]);
        }
        let mut claimable = tags.keys().map(String::as_str).filter(|tag| !tag.is_empty()).peekable();
        let paste = match claimable.peek() {
            None => String::new(),
            Some(_) => format!(
                "\nto claim them, fill in names and addresses and put this into a new .toml file of the price book; in one that is there, leave \
                 its first line out:\n\n{}",
                file(book, &self.provider, claimable)
            ),
        };
        format!("{table}\n{paste}")
    }
}

fn line(row: &UnclaimedRow) -> Line<'_> {
    let some = |text| Some(text).filter(|text: &&str| !text.is_empty());
    let figure = match row.meter_kind.as_str() {
        "gauge" => "integral",
        "delta" => "sum",
        _ => "increase",
    };
    Line {
        list: if row.customer.is_empty() { "untagged" } else { "unknown_customer" },
        customer: some(&row.customer),
        array: &row.array,
        kind: &row.kind,
        resource: &row.resource,
        meter: &row.meter,
        tier: some(&row.tier),
        figure: BTreeMap::from([(figure, Whole(row.amount))]),
    }
}
