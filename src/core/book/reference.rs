//! References inside a book: everything that is named exists and fits.

use std::collections::BTreeMap;

use super::contract::local_midnight;
use super::diagnostic::Diagnostics;
use super::model::{Book, BookDate, Buyer, Charge, Contract, Price, Rate, Seller, Statistic};
use crate::core::metering::definition::MeterKind;
use crate::core::word::Instant;

/// Finds out who is who in each contract, and refuses what leads nowhere.
pub(super) fn check(book: &mut Book, found: &Diagnostics) {
    parties(book, found);
    resolve(book, found);
    for (id, card) in &book.cards {
        for (place, rate) in card.rates.iter().enumerate() {
            check_rate(book, &card.rates, rate, &format!("card.{id}.rate.{place}"), found);
        }
    }
    for (id, contract) in &book.contracts {
        check_contract(book, id, contract, found);
    }
}

fn parties(book: &Book, found: &Diagnostics) {
    for (id, provider) in &book.providers {
        let path = format!("provider.{id}");
        if book.vendors.contains_key(id) {
            found.at(&path, format!("{id} is a vendor as well"), "give one of the two another id");
        }
        let programme = provider.programme.as_ref().map(|programme| (programme, book.programmes.get(programme)));
        if let Some((name, None)) = programme {
            found.at(
                &format!("{path}.programme"),
                format!("there is no programme {name}"),
                format!("add [programme.{name}]"),
            );
        }
        let levels = programme.and_then(|(_, programme)| programme).map(|programme| &programme.levels);
        for (place, granted) in provider.levels.iter().enumerate() {
            if !levels.is_some_and(|levels| levels.iter().any(|level| level.name == granted.level)) {
                let message = format!("level {} is none of the provider's programme", granted.level);
                found.at(&format!("{path}.levels.{place}.level"), message, "write the name of one of its levels");
            }
        }
    }
    let mut claimed: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for (id, customer) in &book.customers {
        let path = format!("customer.{id}");
        if !book.providers.contains_key(&customer.provider) {
            let message = format!("there is no provider {}", customer.provider);
            found.at(&format!("{path}.provider"), message, format!("add [provider.{}]", customer.provider));
        }
        for tag in &customer.tags {
            if let Some(other) = claimed.insert((&customer.provider, tag), id) {
                let message = format!("tag {tag:?} is claimed by customer {other} already");
                found.at(
                    &format!("{path}.tags"),
                    message,
                    "a tag means one customer of a provider: take it from one of the two",
                );
            }
        }
    }
    let mut formats: BTreeMap<String, &str> = BTreeMap::new();
    let sellers = book.vendors.iter().map(|(id, vendor)| ("vendor", id, vendor));
    let sellers = sellers.chain(book.providers.iter().map(|(id, provider)| ("provider", id, &provider.party)));
    for (table, id, party) in sellers {
        for (key, format) in
            [("invoice_number", &party.invoice_number), ("credit_note_number", &party.credit_note_number)]
        {
            let Some(format) = format else { continue };
            if let Some(other) = formats.insert(shape(format), id).filter(|other| *other != id) {
                let message = format!("{format:?} can yield a number that {other} yields too");
                found.at(
                    &format!("{table}.{id}.{key}"),
                    message,
                    "begin the numbers of each seller with letters of its own",
                );
            }
        }
    }
}

/// What of a format tells its numbers from another's: digits may be anything.
fn shape(format: &str) -> String {
    let cut = |text: &str| text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>();
    let mut shape = cut(&format.replace("{year}", "0000"));
    if let (Some(from), Some(to)) = (shape.find("{seq"), shape.find('}')) {
        shape.replace_range(from..=to, "#");
    }
    shape.replace('0', "")
}

fn resolve(book: &mut Book, found: &Diagnostics) {
    let (vendors, providers) = (&book.vendors, &book.providers);
    for (id, contract) in &mut book.contracts {
        let Seller::Provider(seller) = &contract.seller else { continue };
        if vendors.contains_key(seller) {
            contract.seller = Seller::Vendor(seller.clone());
            match &contract.buyer {
                Buyer::Customer(buyer) if providers.contains_key(buyer) => {
                    contract.buyer = Buyer::Provider(buyer.clone())
                }
                _ => found.at(
                    &format!("contract.{id}.buyer"),
                    "a vendor sells to providers only",
                    "name a provider as buyer: customers buy from their provider",
                ),
            }
        } else if let Some(provider) = providers.get(seller) {
            if provider.party.invoice_number.is_none() {
                let message = format!("provider {seller} sells but has no invoice_number");
                found.at(&format!("provider.{seller}"), message, "add invoice_number = \"XX-{year}-{seq:5}\"");
            }
            let foreign = match &contract.buyer {
                Buyer::Customer(buyer) => book.customers.get(buyer).is_none_or(|customer| customer.provider != *seller),
                _ => false,
            };
            if foreign {
                let message = format!("the buyer is no customer of {seller}");
                found.at(
                    &format!("contract.{id}.buyer"),
                    message,
                    "name one of the provider's customers, or \"*\" for each",
                );
            }
        } else {
            found.at(
                &format!("contract.{id}.seller"),
                format!("there is no vendor or provider {seller}"),
                "add its section",
            );
        }
    }
}

fn check_rate(book: &Book, rates: &[Rate], rate: &Rate, path: &str, found: &Diagnostics) {
    match &rate.charge {
        Charge::Usage(usage) => match book.meters.get(&usage.meter) {
            None => {
                let message = format!("there is no meter {}", usage.meter);
                found.at(&format!("{path}.meter"), message, format!("add [meter.{}] with kind and base", usage.meter));
            }
            Some(meter) => {
                let gauge = meter.definition.kind == MeterKind::Gauge;
                if gauge == (usage.statistic == Statistic::Sum) {
                    let mend = "a gauge has mean, peak and p95; a delta or counter has sum";
                    found.at(&format!("{path}.statistic"), "this statistic does not go with this kind of meter", mend);
                }
                if usage.statistic == Statistic::P95 && meter.definition.cell_ms != 300_000 {
                    let mend =
                        format!("p95 needs 5-minute cells: a meter with cell_minutes = 5 instead of {}", usage.meter);
                    found.at(&format!("{path}.statistic"), "p95 of a meter with 15-minute cells", mend);
                }
                if (meter.base == "each") != usage.unit.starts_with("each") {
                    found.at(
                        &format!("{path}.unit"),
                        format!("the meter's base is {}", meter.base),
                        "use a unit of the same base",
                    );
                }
            }
        },
        Charge::Share { of, .. } => {
            for id in of.iter().filter(|id| !rates.iter().any(|rate| rate.id == **id)) {
                let message = format!("the card has no rate {id}");
                found.at(&format!("{path}.share.of"), message, "name rates of this card");
            }
        }
        Charge::Fee(_) => {}
    }
    let before =
        rates.iter().take_while(|other| !std::ptr::eq(*other, rate)).filter(|other| other.id == rate.id).last();
    if let Some(before) = before
        && (rate.from.is_none() || before.from >= rate.from)
    {
        found.at(
            path,
            format!("rate {} stands twice without a later from", rate.id),
            "a new price has the same id and a later from",
        );
    }
}

fn check_contract(book: &Book, id: &str, contract: &Contract, found: &Diagnostics) {
    let path = format!("contract.{id}");
    let Some(card) = book.cards.get(&contract.card) else {
        let message = format!("there is no card {}", contract.card);
        return found.at(
            &format!("{path}.card"),
            message,
            format!("add [card.{}] with currency and rate", contract.card),
        );
    };
    if contract.lines.is_empty() {
        found.at(&path, "the contract has no line", "add line = [{ rate = \"...\" }]");
    }
    let mut ids = std::collections::BTreeSet::new();
    for (place, line) in contract.lines.iter().enumerate() {
        let path = format!("{path}.line.{place}");
        if !ids.insert(&line.id) {
            found.at(&path, format!("line {} stands twice", line.id), "give one of the two an id of its own");
        }
        let rates: Vec<&Rate> = card.rates.iter().filter(|rate| rate.id == line.rate).collect();
        if rates.is_empty() {
            let message = format!("card {} has no rate {}", contract.card, line.rate);
            found.at(&format!("{path}.rate"), message, "name a rate of the contract's card");
        }
        for rate in rates {
            check_line(contract, line.commitment.is_empty(), rate, &path, found);
        }
    }
}

fn check_line(contract: &Contract, uncommitted: bool, rate: &Rate, path: &str, found: &Diagnostics) {
    let committed = matches!(&rate.charge, Charge::Usage(usage) if matches!(usage.price, Price::Committed { .. }));
    if committed && uncommitted {
        found.at(
            path,
            format!("rate {} has a committed price, the line no commitment", rate.id),
            "add commitment = \"100\"",
        );
    }
    if !committed && !uncommitted {
        let message = format!("rate {} has no committed price", rate.id);
        found.at(
            &format!("{path}.commitment"),
            message,
            "take the commitment away, or give the rate committed and overage",
        );
    }
    let Some(from) = rate.from else { return };
    let at = match from {
        BookDate::At(instant) => Some(instant),
        BookDate::Day(day) => local_midnight(contract.time_zone, day),
    };
    let off_quarter = at.is_none_or(|at| at.0.rem_euclid(900_000) != 0);
    if off_quarter {
        let message = format!("rate {} begins off a quarter of an hour in {}", rate.id, contract.time_zone);
        found.at(path, message, "write its from on :00, :15, :30 or :45 UTC");
    }
    let whole = match &rate.charge {
        Charge::Fee(_) => true,
        Charge::Share { .. } => false,
        Charge::Usage(usage) => match &usage.price {
            Price::Bands { bands, .. } | Price::Committed { bands, .. } => {
                bands.iter().any(|band| band.per.is_some() || band.flat.is_some())
            }
        },
    };
    let inside = at.is_some_and(|at| at > contract.from && !starts_period(contract, at));
    if whole && inside {
        let message = format!("rate {} with fee, per or flat changes inside a period of this contract", rate.id);
        found.at(path, message, format!("let it begin on day {} of a month at local midnight", contract.anchor_day));
    }
}

fn starts_period(contract: &Contract, at: Instant) -> bool {
    use chrono::{Datelike, TimeZone};
    let local = contract.time_zone.timestamp_millis_opt(at.0).single();
    local.is_some_and(|local| {
        local.day() == contract.anchor_day && local_midnight(contract.time_zone, local.date_naive()) == Some(at)
    })
}
