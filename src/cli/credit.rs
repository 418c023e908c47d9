//! `plimsoll credit`: amounts that come off a contract's documents.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args as ClapArgs, Subcommand};

use super::catalog::published::history;
use super::closing::{decided, with_closer};
use super::output::refused;
use super::output::say;
use super::stream::{default_actor, follow};
use crate::clickhouse::read::window::parse_instant;
use crate::closer::decide::Credited;
use crate::config::Config;
use crate::core::book::Book;
use crate::core::book::claim;
use crate::core::book::model::{Buyer, Contract, Seller};
use crate::core::decision::Decision;
use crate::core::decision::credit::{Grant, Grants};
use crate::core::pricing::currency::Currency;
use crate::core::word::Offset;
use crate::kafka::control::{ControlFollower, append};

/// `plimsoll credit`: a credit note over a document, or credits for documents to come.
#[derive(Debug, ClapArgs)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  plimsoll credit EG-2026-000118 --reason \"agreed on 12 November\"               all that is left of it\n  plimsoll credit EG-2026-000118 --row 2 --row 3=12.50 --reason \"wrong array\"  rows, in whole or in part\n  plimsoll credit grant northwind-wholesale --id sla-7 --amount 120.00 --reference \"outage\""
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The number of the issued document
    #[arg(required = true)]
    number: Option<String>,
    /// A row by its number, or NO=AMOUNT for a part of it without tax; all that is left of the document without any
    #[arg(long, value_name = "NO[=AMOUNT]", value_parser = parse_row)]
    row: Vec<(usize, Option<String>)>,
    /// Why: it stands on the note
    #[arg(long, value_name = "TEXT", required = true)]
    reason: Option<String>,
    /// Who credits, for the record
    #[arg(long, default_value_t = default_actor(), value_name = "WHO")]
    actor: String,
}

fn parse_row(text: &str) -> Result<(usize, Option<String>), String> {
    let (no, amount) = text.split_once('=').map_or((text, None), |(no, amount)| (no, Some(amount.to_owned())));
    no.parse().map(|no| (no, amount)).map_err(|_| "write it as 2 or as 2=12.50".to_owned())
}

impl Args {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        if let Some(command) = self.command {
            return super::block_on(command.run(config));
        }
        let (number, reason) = (self.number.unwrap_or_default(), self.reason.unwrap_or_default());
        let credited = if self.row.is_empty() { Credited::Whole } else { Credited::Rows(self.row) };
        with_closer(config, self.actor, |closer| match decided(closer.credit(&number, &credited, &reason))? {
            Ok(note) => {
                closer.materialise()?;
                say(format_args!("{number} is credited by {note}"))?;
                Ok(ExitCode::SUCCESS)
            }
            Err(refused) => Ok(refused),
        })
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Grant a credit: it comes off the contract's documents, earliest expiry first, until it is used up
    #[command(
        after_help = "Examples:\n  plimsoll credit grant northwind-wholesale --id sla-7 --amount 120.00 --reference \"outage of 12 October\"\n  plimsoll credit grant northwind-customers --customer globex --id welcome --amount 50.00 --expires 2027-01-01 --reference \"offer 4711\""
    )]
    Grant(GrantArgs),
    /// List the credits that were granted
    #[command(after_help = "Example:\n  plimsoll credit list")]
    List,
}

#[derive(Debug, ClapArgs)]
pub(super) struct GrantArgs {
    /// The contract
    contract: String,
    /// Of a contract for each customer: whose, by id or unknown tag
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// Its id, once a contract and customer
    #[arg(long)]
    id: String,
    /// How much, in the contract's currency
    #[arg(long, value_name = "AMOUNT")]
    amount: String,
    /// From when on it is worth nothing: a date (its midnight in the contract's zone) or an instant. It counts for periods that end by then
    #[arg(long, value_name = "T")]
    expires: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    reference: String,
    /// Who grants it, for the record
    #[arg(long, default_value_t = default_actor(), value_name = "WHO")]
    actor: String,
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let control = follow(config)?;
        match self {
            Command::Grant(grant) => grant.run(config, &control).await,
            Command::List => {
                for (offset, grant, actor) in grants(&control).iter() {
                    let whose = grant.customer.as_ref().map_or(String::new(), |customer| format!("/{customer}"));
                    let expires = grant.expires.map_or("never".to_owned(), |instant| instant.to_string());
                    say(format_args!(
                        "{:>8}  {}{whose}  {}  {}  expires {expires}  {actor}  {}",
                        offset.0, grant.contract, grant.id, grant.amount, grant.reference
                    ))?;
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl GrantArgs {
    async fn run(self, config: &Config, control: &ControlFollower) -> anyhow::Result<ExitCode> {
        let books = history(control);
        let Some(newest) = books.last() else { bail!("no price book is published: plimsoll catalog apply DIR") };
        let book = newest.read()?;
        let (grant, actor) = match self.checked(&book) {
            Ok(grant) => grant,
            Err(refusal) => return refused(&refusal),
        };
        let same = |known: &Grant| {
            (&known.contract, &known.customer, &known.id) == (&grant.contract, &grant.customer, &grant.id)
        };
        if let Some((_, known, _)) = grants(control).iter().find(|(_, known, _)| same(known)) {
            if *known == grant {
                say(format_args!("credit {} is granted already", grant.id))?;
                return Ok(ExitCode::SUCCESS);
            }
            return refused(format!(
                "credit {} is granted already with other terms: give this one another --id",
                grant.id
            ));
        }
        let (id, amount) = (grant.id.clone(), grant.amount.clone());
        let offset = append(&config.kafka, &Decision::CreditGranted { grant, actor }).await?;
        say(format_args!("credit {id} of {amount} is granted, at {} of {}", offset.0, config.kafka.control_topic))?;
        Ok(ExitCode::SUCCESS)
    }

    fn checked(self, book: &Book) -> Result<(Grant, String), String> {
        let GrantArgs { contract, customer, id, amount, expires, reference, actor } = self;
        let terms: &Contract =
            book.contracts.get(&contract).ok_or_else(|| format!("the price book has no contract {contract}"))?;
        match (&terms.buyer, &customer) {
            (Buyer::EachCustomer, None) => {
                return Err(format!("contract {contract} is for each customer: add --customer"));
            }
            (Buyer::Provider(_) | Buyer::Customer(_), Some(_)) => {
                return Err(format!("contract {contract} has one buyer: leave --customer out"));
            }
            _ => {}
        }
        let card = book.cards.get(&terms.card).ok_or_else(|| format!("the price book has no card {}", terms.card))?;
        let currency = Currency::new(&card.currency).map_err(|error| error.to_string())?;
        let expires =
            expires.map(|text| parse_instant(&text, terms.time_zone)).transpose().map_err(|error| error.to_string())?;
        if let (Some(tag), Seller::Provider(provider)) = (&customer, &terms.seller) {
            match claim::owners(book, provider).get(tag).copied() {
                Some(owner) if owner != tag => {
                    return Err(format!("{tag} is a tag of customer {owner}: grant it with --customer {owner}"));
                }
                Some(_) => {}
                None => {
                    eprintln!(
                        "plimsoll: no customer of the price book claims {tag}: the credit waits for usage under that tag"
                    );
                }
            }
        }
        if id.trim() != id {
            return Err("--id begins or ends with a space: leave it out".to_owned());
        }
        if id.trim().is_empty() || reference.trim().is_empty() {
            return Err("--id and --reference must say something".to_owned());
        }
        let grant = Grant { contract, customer, id, amount, expires, reference };
        match grant.minor(currency.places) {
            Some(_) => Ok((grant, actor)),
            None => Err(format!(
                "--amount {} is no amount above 0 in {} with at most {} places: write it as 120.00",
                grant.amount, currency.code, currency.places
            )),
        }
    }
}

fn grants(control: &ControlFollower) -> Grants {
    let records = control.records(Offset(0)).into_iter();
    let granted = records.filter_map(|record| match record.decision {
        Decision::CreditGranted { grant, actor } => Some((record.offset, grant, actor)),
        _ => None,
    });
    Grants::new(granted.collect())
}
