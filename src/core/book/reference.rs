//! References between parties, cards and meters: everything that is named exists and fits.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::Diagnostics;
use super::line;
use super::model::{Book, Buyer, Charge, Rate, Seller, Statistic, UsageRate};
use super::number;
use crate::core::metering::definition::MeterKind;
use crate::core::nearest::nearest;

/// Finds out who is who in each contract, and refuses what leads nowhere. `whole` says that no section was left out for faults
/// of its own: a name that nothing has is refused in any case, one that a part of such a section may have only then.
pub(super) fn check(book: &mut Book, whole: bool, found: &Diagnostics<'_>) {
    providers(book, found);
    claims(book, found);
    numbers(book, found);
    resolve(book, found);
    for (id, card) in &book.cards {
        for (place, rate) in card.rates.iter().enumerate() {
            let path = format!("card.{id}.rate.{place}");
            match &rate.charge {
                Charge::Usage(usage) => check_usage(book, usage, &path, found),
                Charge::Share { of, .. } if whole => check_share(book, id, rate, of, &path, found),
                Charge::Share { .. } | Charge::Fee(_) => {}
            }
        }
    }
    line::check(book, found);
}

fn providers(book: &Book, found: &Diagnostics<'_>) {
    for (id, provider) in &book.providers {
        let path = format!("provider.{id}");
        if book.vendors.contains_key(id) {
            found.at(&path, format!("{id} is a vendor as well"), "give one of the two another id");
        }
        let programme = provider.programme.as_ref().map(|name| (name, book.programmes.get(name)));
        if let Some((name, None)) = programme {
            if !found.knows(&format!("programme.{name}")) {
                let message = format!("there is no programme {name}");
                found.at(&format!("{path}.programme"), message, format!("add [programme.{name}]"));
            }
            continue;
        }
        let levels = programme.and_then(|(_, programme)| programme).map(|programme| &programme.levels);
        for (place, granted) in provider.levels.iter().enumerate() {
            if !levels.is_some_and(|levels| levels.iter().any(|level| level.name == granted.level)) {
                let message = format!("level {} is none of the provider's programme", granted.level);
                found.at(&format!("{path}.levels.{place}.level"), message, "write the name of one of its levels");
            }
        }
    }
}

/// A tag means one customer of a provider.
fn claims(book: &Book, found: &Diagnostics<'_>) {
    let mut claimed: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for (id, customer) in &book.customers {
        let path = format!("customer.{id}");
        let provider = &customer.provider;
        if !book.providers.contains_key(provider) && !found.knows(&format!("provider.{provider}")) {
            let message = format!("there is no provider {provider}");
            found.at(&format!("{path}.provider"), message, format!("add [provider.{provider}]"));
        }
        // a customer without tags is known by its id
        let own = customer.tags.is_empty().then_some(id);
        for tag in customer.tags.iter().chain(own) {
            if let Some(other) = claimed.insert((provider, tag), id).filter(|other| other != id) {
                let message = format!("tag {tag:?} is claimed by customer {other} already");
                let mend = "a tag means one customer of a provider: take it from one of the two";
                found.at(&format!("{path}.tags"), message, mend);
            }
        }
    }
}

/// Two sellers never yield one number.
fn numbers(book: &Book, found: &Diagnostics<'_>) {
    let mut formats: Vec<(&str, &str)> = Vec::new();
    let sellers = book.vendors.iter().map(|(id, vendor)| ("vendor", id, vendor));
    let sellers = sellers.chain(book.providers.iter().map(|(id, provider)| ("provider", id, &provider.party)));
    for (table, id, party) in sellers {
        for (key, format) in
            [("invoice_number", &party.invoice_number), ("credit_note_number", &party.credit_note_number)]
        {
            let Some(format) = format else { continue };
            let other = formats.iter().find(|(other, theirs)| other != id && number::collide(theirs, format));
            if let Some((other, _)) = other {
                let message = format!("{format:?} can yield a number that {other} yields too");
                let mend = "begin the numbers of each seller with letters of its own";
                found.at(&format!("{table}.{id}.{key}"), message, mend);
            }
            formats.push((id, format));
        }
    }
}

/// Who sells and who buys under each contract.
fn resolve(book: &mut Book, found: &Diagnostics<'_>) {
    let (vendors, providers) = (&book.vendors, &book.providers);
    for (id, contract) in &mut book.contracts {
        let path = format!("contract.{id}");
        let Seller::Provider(seller) = contract.seller.clone() else { continue };
        let (vendor, provider) = (format!("vendor.{seller}"), format!("provider.{seller}"));
        if vendors.contains_key(&seller) || found.knows(&vendor) {
            contract.seller = Seller::Vendor(seller);
            match &contract.buyer {
                Buyer::Customer(buyer) if providers.contains_key(buyer) => {
                    contract.buyer = Buyer::Provider(buyer.clone());
                }
                Buyer::Customer(buyer) if found.knows(&format!("provider.{buyer}")) => {}
                _ => found.at(
                    &format!("{path}.buyer"),
                    "a vendor sells to providers only",
                    "name a provider as buyer: customers buy from their provider",
                ),
            }
        } else if found.knows(&provider) {
            if providers.get(&seller).is_some_and(|provider| provider.party.invoice_number.is_none()) {
                let message = format!("provider {seller} sells but has no invoice_number");
                found.at(&provider, message, "add invoice_number = \"XX-{year}-{seq:5}\"");
            }
            let Buyer::Customer(buyer) = &contract.buyer else { continue };
            let message = match book.customers.get(buyer) {
                Some(customer) if customer.provider == seller => continue,
                None if found.knows(&format!("customer.{buyer}")) => continue,
                Some(_) => format!("{buyer} is no customer of {seller}"),
                None => format!("there is no customer {buyer}"),
            };
            let mend = "name one of the provider's customers, or \"*\" for each";
            found.at(&format!("{path}.buyer"), message, mend);
        } else {
            let message = format!("there is no vendor or provider {seller}");
            found.at(&format!("{path}.seller"), message, format!("add [vendor.{seller}] or [provider.{seller}]"));
        }
    }
}

fn check_usage(book: &Book, usage: &UsageRate, path: &str, found: &Diagnostics<'_>) {
    let Some(meter) = book.meters.get(&usage.meter) else {
        if !found.knows(&format!("meter.{}", usage.meter)) {
            let message = format!("there is no meter {}", usage.meter);
            let add = format!("add [meter.{}] with kind and base", usage.meter);
            let mend = match nearest(&usage.meter, book.meters.keys().map(String::as_str)) {
                Some(near) => format!("did you mean {near}? else {add}"),
                None => add,
            };
            found.at(&format!("{path}.meter"), message, mend);
        }
        return;
    };
    let gauge = meter.definition.kind == MeterKind::Gauge;
    if gauge == (usage.statistic == Statistic::Sum) {
        let mend = "a gauge has mean, peak and p95; a delta or counter has sum";
        found.at(&format!("{path}.statistic"), "this statistic does not go with this kind of meter", mend);
    }
    if usage.statistic == Statistic::P95 && meter.definition.cell_ms != 300_000 {
        let mend = format!("p95 needs 5-minute cells: a meter with cell_minutes = 5 instead of {}", usage.meter);
        found.at(&format!("{path}.statistic"), "p95 of a meter with 15-minute cells", mend);
    }
    if (meter.base == "each") != usage.unit.starts_with("each") {
        found.at(&format!("{path}.unit"), format!("the meter's base is {}", meter.base), "use a unit of the same base");
    }
}

/// A share is of rates of its card or of lines of the contracts that use it.
fn check_share(book: &Book, card: &str, rate: &Rate, of: &[String], path: &str, found: &Diagnostics<'_>) {
    let contracts = book.contracts.values().filter(|contract| contract.card == card);
    let mut known: BTreeSet<&str> = contracts.flat_map(|contract| &contract.lines).map(|line| &*line.id).collect();
    known.extend(book.cards.get(card).into_iter().flat_map(|card| &card.rates).map(|rate| &*rate.id));
    for id in of {
        let path = format!("{path}.share.of");
        if *id == rate.id {
            found.at(&path, format!("{id} is a share of itself"), "name the lines that it is a percentage of");
        } else if !known.contains(&**id) {
            let message = format!("{id} is no line of a contract that uses card {card}, and none of its rates");
            found.at(&path, message, "name lines by their ids; a line without one has the id of its rate");
        }
    }
}
