//! `plimsoll credit grant` and `list`: credits for documents to come.

use std::process::ExitCode;

use anyhow::bail;
use clap::{Args as ClapArgs, Subcommand};

use super::actor::default_actor;
use super::catalog::published::{History, history};
use super::closing::register;
use super::control::follow;
use super::output::{refused, say};
use crate::clickhouse::read::window::parse_instant;
use crate::config::Config;
use crate::core::book::Book;
use crate::core::book::claim;
use crate::core::book::model::{Buyer, Contract, Seller};
use crate::core::closing::credit;
use crate::core::closing::period::of_key;
use crate::core::closing::register::Register;
use crate::core::decision::Decision;
use crate::core::decision::credit::{Grant, Grants};
use crate::core::pricing::calendar::labels;
use crate::core::pricing::currency::Currency;
use crate::core::pricing::party;
use crate::core::pricing::period::period;
use crate::core::word::{HOUR_MS, Offset};
use crate::kafka::control::ControlFollower;
use crate::kafka::control_writer::append;

/// No billing period is longer: a month, and an hour of another zone rule.
const LONGEST_PERIOD_MS: i64 = 32 * 24 * HOUR_MS;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Grant a credit: it comes off the contract's documents, earliest expiry first, until it is used up
    #[command(
        after_help = "Examples:\n  plimsoll credit grant northwind-wholesale --id sla-7 --amount 120.00 \\\n      --reference \"outage of 12 October\"\n  plimsoll credit grant northwind-customers --customer globex --id welcome --amount 50.00 \\\n      --expires 2027-01-01 --reference \"offer 4711\""
    )]
    Grant(GrantArgs),
    /// List the credits that were granted, with what documents that stand have left of each
    #[command(after_help = "Examples:\n  plimsoll credit list")]
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
    // what is below 0 is refused in words, and not taken for an option
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    amount: String,
    /// From when on it is worth nothing: a date (its midnight in the contract's zone) or an instant. It counts for periods that end by then
    #[arg(long, value_name = "T")]
    expires: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    reference: String,
    /// Who grants it, for the record [default: the user, by USER or LOGNAME, else unknown]
    #[arg(long, default_value_t = default_actor(), hide_default_value = true, value_name = "WHO")]
    actor: String,
}

impl Command {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let control = follow(config)?;
        match self {
            Command::Grant(grant) => grant.run(config, &control).await,
            Command::List => {
                let (grants, register) = (grants(&control), register(&control));
                let books = history(&control);
                if grants.iter().next().is_none() {
                    eprintln!("no credit is granted; `plimsoll credit grant` grants one");
                }
                for (offset, grant, actor) in grants.iter() {
                    let left = left(&register, &grants, grant, &books)?;
                    let whose = grant.customer.as_ref().map_or(String::new(), |customer| format!("/{customer}"));
                    let expires = grant.expires.map_or("never".to_owned(), |instant| instant.to_string());
                    say(format_args!(
                        "{:>8}  {}{whose}  {}  {}  {left} left  expires {expires}  {actor}  {}",
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
        if let Some(refusal) = too_late(&register(control), &book, &grant) {
            return refused(refusal);
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

/// Why a grant would be worth nothing from the beginning: it expires before the first period ends that is not closed.
fn too_late(register: &Register, book: &Book, grant: &Grant) -> Option<String> {
    let (expires, terms) = (grant.expires?, book.contracts.get(&grant.contract)?);
    let closed = register.newest_of(party::provider(terms)).filter_map(|closed| {
        let key = &closed.close.period;
        let period = of_key(register.book(&closed.close.book)?, key)?;
        period.contracts.contains(&grant.contract).then_some(key.end)
    });
    let from = closed.max().unwrap_or(terms.from).max(terms.from);
    let labels = labels(terms, from, from.plus_ms(LONGEST_PERIOD_MS));
    let end = labels.iter().filter_map(|label| period(terms, label).ok()).map(|period| period.end).min()?;
    (expires < end).then(|| {
        format!(
            "--expires {expires} is before the first open period of {} ends, {end}: no document could use it, since a credit counts for \
             periods that end by its expiry",
            grant.contract
        )
    })
}

/// What is left of a grant for periods to come, as its currency shows amounts; of a contract that no book has any more nothing is known.
fn left(register: &Register, grants: &Grants, grant: &Grant, books: &History) -> anyhow::Result<String> {
    for published in books.iter().rev() {
        let book = published.read()?;
        let card = book.contracts.get(&grant.contract).and_then(|terms| book.cards.get(&terms.card));
        if let Some(card) = card {
            let currency = Currency::new(&card.currency)?;
            let whose = (&*grant.contract, grant.customer.as_deref());
            let credits = credit::left_for_later(register, grants, whose, currency.places);
            let own = credits.iter().find(|credit| credit.id == grant.id);
            return Ok(currency.show(own.map_or(0, |credit| credit.amount)));
        }
    }
    Ok("?".to_owned())
}
