//! Lines under their contracts: the card has their rates, at every instant, and they change only when they may.

use std::collections::BTreeSet;

use chrono::{Datelike, TimeZone};

use super::contract::local_midnight;
use super::date::is_on_quarter;
use super::diagnostic::Diagnostics;
use super::model::{Book, BookDate, Card, Charge, Contract, Line, Price, Rate};
use super::term::{Term, begin, may_follow, terms};
use crate::core::word::Instant;

/// Refuses contracts whose lines could not be rated.
pub(super) fn check(book: &Book, found: &Diagnostics<'_>) {
    for (id, card) in &book.cards {
        successions(id, card, found);
    }
    for (id, contract) in &book.contracts {
        let path = format!("contract.{id}");
        match book.cards.get(&contract.card) {
            Some(card) => check_contract(book, (id, contract), card, &path, found),
            None if found.knows(&format!("card.{}", contract.card)) => {}
            None => found.at(
                &format!("{path}.card"),
                format!("there is no card {}", contract.card),
                format!("add [card.{}] with currency and rate", contract.card),
            ),
        }
    }
}

/// Rates of one id follow each other in time. A date and an instant are compared under each contract, whose zone says more.
fn successions(id: &str, card: &Card, found: &Diagnostics<'_>) {
    for (place, rate) in card.rates.iter().enumerate() {
        let Some(before) = card.rates[..place].iter().rev().find(|before| before.id == rate.id) else { continue };
        let follows = match (before.from, rate.from) {
            (_, None) => false,
            (Some(BookDate::Day(before)), Some(BookDate::Day(day))) => before < day,
            (Some(BookDate::At(before)), Some(BookDate::At(at))) => before < at,
            _ => true,
        };
        if !follows {
            let message = format!("rate {} stands twice without a later from", rate.id);
            let mend = "a new price has the same id and a later from, and stands below the older one";
            found.at(&format!("card.{id}.rate.{place}"), message, mend);
        }
    }
}

fn check_contract(book: &Book, (id, contract): (&str, &Contract), card: &Card, path: &str, found: &Diagnostics<'_>) {
    if contract.lines.is_empty() {
        found.at(path, "the contract has no line", "add line = [{ rate = \"...\" }]");
    }
    let mut ids = BTreeSet::new();
    for (place, line) in contract.lines.iter().enumerate() {
        let path = format!("{path}.line.{place}");
        if !ids.insert(&line.id) {
            found.at(&path, format!("line {} stands twice", line.id), "give one of the two an id of its own");
        }
        let rates: Vec<&Rate> = card.rates.iter().filter(|rate| rate.id == line.rate).collect();
        if rates.is_empty() {
            let message = format!("card {} has no rate {}", contract.card, line.rate);
            found.at(&format!("{path}.rate"), message, "name a rate of the contract's card");
            continue;
        }
        check_begins(contract, &rates, &path, found);
        check_terms((id, contract), line, &terms(book, contract, line), &path, found);
    }
}

/// Rates begin on a quarter of an hour, one after the other.
fn check_begins(contract: &Contract, rates: &[&Rate], path: &str, found: &Diagnostics<'_>) {
    for rate in rates.iter().filter(|rate| rate.from.is_some()) {
        let zone = contract.time_zone;
        let (message, mend) = match begin(contract, rate) {
            Some(at) if is_on_quarter(at) => continue,
            Some(at) => (
                format!("rate {} begins at {at} in {zone}, which is not on a quarter of an hour", rate.id),
                "write its from with an offset, at :00, :15, :30 or :45 UTC",
            ),
            None => {
                (format!("rate {} begins on a day that {zone} does not have", rate.id), "write its from with an offset")
            }
        };
        found.at(path, message, mend);
    }
    let mixed = |pair: &&[&Rate]| {
        matches!(
            (pair[0].from, pair[1].from),
            (Some(BookDate::Day(_)), Some(BookDate::At(_))) | (Some(BookDate::At(_)), Some(BookDate::Day(_)))
        )
    };
    if rates.windows(2).filter(mixed).any(|pair| begin(contract, pair[0]) >= begin(contract, pair[1])) {
        let message = format!("in {} two rates {} do not follow each other in time", contract.time_zone, rates[0].id);
        found.at(path, message, "write the rates of one id by rising from, all as dates or all with an offset");
    }
}

/// The line has a rate at every instant, its commitment fits it, and it changes only when it may.
fn check_terms(
    (id, contract): (&str, &Contract),
    line: &Line,
    terms: &[Term<'_>],
    path: &str,
    found: &Diagnostics<'_>,
) {
    match terms.first() {
        Some(first) if first.from == contract.from => {}
        first => {
            let priced = match (first, contract.until) {
                (Some(term), _) => format!("before {}", term.from),
                (None, Some(until)) => format!("before it ends at {until}"),
                (None, None) => "at any time".to_owned(),
            };
            let message = format!("rate {} has no price {priced}; the contract begins at {}", line.rate, contract.from);
            found.at(path, message, "take the first rate's from away, or let it begin with the contract");
        }
    }
    for term in terms {
        check_commitment(line, term.rate, path, found);
    }
    for pair in terms.windows(2) {
        if !may_follow(pair[0].rate, pair[1].rate) && !starts_period(contract, pair[1].from) {
            let message = format!(
                "rate {} changes at {} inside a period of contract {id} in more than prices of plain bands",
                line.rate, pair[1].from
            );
            let mend = format!(
                "let it begin at local midnight of day {} of a month: fee, share, per, flat, meter and form change only there",
                contract.anchor_day
            );
            found.at(path, message, mend);
        }
    }
}

fn check_commitment(line: &Line, rate: &Rate, path: &str, found: &Diagnostics<'_>) {
    let committed = matches!(&rate.charge, Charge::Usage(usage) if matches!(usage.price, Price::Committed { .. }));
    match (committed, line.commitment.is_empty()) {
        (true, true) => {
            let message = format!("rate {} has a committed price, the line no commitment", rate.id);
            found.at(path, message, "add commitment = \"100\"");
        }
        (false, false) => {
            let mend = "take the commitment away, or give the rate committed and overage";
            found.at(&format!("{path}.commitment"), format!("rate {} has no committed price", rate.id), mend);
        }
        _ => {}
    }
}

/// Whether one of the contract's periods begins there.
fn starts_period(contract: &Contract, at: Instant) -> bool {
    let local = contract.time_zone.timestamp_millis_opt(at.0).single();
    local.is_some_and(|local| {
        local.day() == contract.anchor_day && local_midnight(contract.time_zone, local.date_naive()) == Some(at)
    })
}
