//! A small book for tests: INVOICE §3's Northwind, and the parts of it to build others from.

use rust_decimal::Decimal;

use super::usage::{ArrayCoverage, LineUsage, PartUsage, Slot};
use crate::core::book::model::*;
use crate::core::metering::definition::Definition;
use crate::core::word::{Instant, Kind};

/// Bytes of a TiB.
pub const TIB: i128 = 1 << 40;

pub fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn at(text: &str) -> Instant {
    Instant(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}

/// Bands from (upper edge, price): an edge such as "20%" is a percent, "" is none.
pub fn bands(list: &[(&str, &str)]) -> Vec<Band> {
    let edge = |text: &str| match text.strip_suffix('%') {
        Some(percent) => Edge::Percent(dec(percent)),
        None => Edge::Quantity(dec(text)),
    };
    let band = |(up_to, price): &(&str, &str)| Band {
        up_to: (!up_to.is_empty()).then(|| edge(up_to)),
        price: Some(dec(price)),
        per: None,
        flat: None,
    };
    list.iter().map(band).collect()
}

/// The bands of PRICING's worked numbers.
pub fn three() -> Vec<Band> {
    bands(&[("100", "30"), ("500", "27.5"), ("", "25")])
}

pub fn graduated(bands: Vec<Band>) -> Price {
    Price::Bands { mode: Mode::Graduated, by_day: false, bands }
}

pub fn committed(price: &str, overage_by_day: bool, bands: Vec<Band>) -> Price {
    Price::Committed { price: dec(price), overage_by_day, bands }
}

pub fn usage_rate(price: Price) -> UsageRate {
    UsageRate {
        meter: "effective_used".to_owned(),
        of: Kind::Array,
        tier: None,
        unit: "TiB-month".to_owned(),
        statistic: Statistic::Mean,
        round_quantity: None,
        price,
    }
}

pub fn rate(id: &str, charge: Charge) -> Rate {
    Rate { id: id.to_owned(), from: None, charge }
}

pub fn line(id: &str) -> Line {
    Line {
        id: id.to_owned(),
        rate: id.to_owned(),
        sites: Vec::new(),
        arrays: Vec::new(),
        commitment: Vec::new(),
        per: None,
        gap_hold: false,
    }
}

pub fn commit(quantity: &str) -> Vec<Commitment> {
    vec![Commitment { from: None, quantity: dec(quantity) }]
}

pub fn contract(seller: Seller, buyer: Buyer, card: &str, lines: Vec<Line>) -> Contract {
    Contract {
        seller,
        buyer,
        route: None,
        card: card.to_owned(),
        from: at("2026-01-01T00:00:00+01:00"),
        until: None,
        time_zone: chrono_tz::Europe::Berlin,
        anchor_day: 1,
        grace_hours: 72,
        close_below: dec("0.95"),
        half_up: false,
        minimum: None,
        maximum: None,
        deal: None,
        payment_days: 30,
        purchase_order: None,
        tax: None,
        issue_auto: true,
        lines,
    }
}

/// A book with the retail contract `c`: provider `p`, customer `acme`, its lines and rates of the same ids.
pub fn retail(rates: Vec<Rate>) -> Book {
    let lines = rates.iter().map(|rate| line(&rate.id)).collect();
    let mut book = Book::default();
    book.providers.insert("p".to_owned(), Provider::default());
    let customer =
        Customer { provider: "p".to_owned(), tags: vec!["acme".to_owned(), "ACME".to_owned()], ..Customer::default() };
    book.customers.insert("acme".to_owned(), customer);
    book.cards.insert("card".to_owned(), Card { currency: "EUR".to_owned(), level_discount: false, rates });
    let buyer = Buyer::Customer("acme".to_owned());
    book.contracts.insert("c".to_owned(), contract(Seller::Provider("p".to_owned()), buyer, "card", lines));
    book
}

/// A book with one usage line `u` at this price, in the contract `c`.
pub fn one(price: Price) -> Book {
    retail(vec![rate("u", Charge::Usage(usage_rate(price)))])
}

/// Quarters of an hour from `from` to `until` at a level that each instant has.
pub fn slots(from: Instant, until: Instant, level: impl Fn(Instant) -> i128) -> Vec<Slot> {
    let count = (until.0 - from.0) / 900_000;
    let slot = |index: i64| {
        let start = from.plus_ms(index * 900_000);
        Slot { start, length_ms: 900_000, amount: level(start) * 900_000 }
    };
    (0..count).map(slot).filter(|slot| slot.amount != 0).collect()
}

/// One pool with these slots, observed of array `a` all the time.
pub fn pool(from: Instant, until: Instant, level: impl Fn(Instant) -> i128) -> LineUsage {
    let slots = slots(from, until, level);
    LineUsage {
        parts: vec![PartUsage { name: String::new(), slots, known: Vec::new() }],
        arrays: vec![seen("a", from, until)],
    }
}

pub fn seen(array: &str, from: Instant, until: Instant) -> ArrayCoverage {
    let observed = slots(from, until, |_| 1).iter().map(|slot| (slot.start, slot.length_ms)).collect();
    ArrayCoverage { array: array.to_owned(), first_reading: Some(from), handed_over: None, observed }
}

/// INVOICE §3's book.
pub fn northwind() -> Book {
    let mut book = Book::default();
    book.meters
        .insert("effective_used".to_owned(), Meter { definition: Definition::OBSERVED, base: "byte".to_owned() });
    let vendor = Party {
        name: "Evergrove Storage BV".to_owned(),
        address: ["Kade 1", "1011 AB Amsterdam", "NL"].map(str::to_owned).to_vec(),
        tax_id: Some("NL001234567B01".to_owned()),
        ..Party::default()
    };
    book.vendors.insert("evergrove".to_owned(), vendor);
    book.providers.insert("northwind".to_owned(), northwind_provider());
    let level =
        |name: &str, percent| Level { name: name.to_owned(), discount_percent: dec(percent), paths: Vec::new() };
    let programme = Programme {
        currency: "EUR".to_owned(),
        levels: vec![level("registered", "0"), level("advanced", "6"), level("premier", "12")],
        revenue_months: 12,
        grace_months: 6,
        market_fund_percent: None,
        fx: Default::default(),
    };
    book.programmes.insert("service-provider".to_owned(), programme);
    book.cards.insert("vendor-2026".to_owned(), vendor_card());
    book.contracts.insert("northwind-wholesale".to_owned(), northwind_contract());
    book
}

fn northwind_provider() -> Provider {
    let granted = |from, level: &str| Granted { from: at(from), level: level.to_owned() };
    Provider {
        party: Party {
            name: "Northwind Cloud GmbH".to_owned(),
            address: ["Hafenstrasse 4", "20457 Hamburg", "DE"].map(str::to_owned).to_vec(),
            tax_id: Some("DE811234567".to_owned()),
            ..Party::default()
        },
        programme: Some("service-provider".to_owned()),
        levels: vec![
            granted("2026-01-01T00:00:00Z", "registered"),
            granted("2026-07-01T00:00:00Z", "advanced"),
            granted("2026-09-15T00:00:00Z", "premier"),
        ],
        ..Provider::default()
    }
}

fn vendor_card() -> Card {
    let tier = |name: &str, price| UsageRate { tier: Some(name.to_owned()), ..usage_rate(price) };
    let block = tier("//Block - Premium", committed("24.00", true, bands(&[("20%", "27.00"), ("", "40.50")])));
    let file = tier("//UFFO - Standard", graduated(bands(&[("100", "15.00"), ("500", "13.50"), ("", "12.00")])));
    let of = vec!["block-premium".to_owned(), "file-standard".to_owned()];
    let rates = vec![
        rate("block-premium", Charge::Usage(block)),
        rate("file-standard", Charge::Usage(file)),
        rate("support", Charge::Share { percent: dec("4"), of }),
    ];
    Card { currency: "EUR".to_owned(), level_discount: true, rates }
}

fn northwind_contract() -> Contract {
    let mut block = line("block-premium");
    block.sites = vec!["HAM1".to_owned()];
    block.commitment = commit("100");
    let lines = vec![block, line("file-standard"), line("support")];
    let (seller, buyer) = (Seller::Vendor("evergrove".to_owned()), Buyer::Provider("northwind".to_owned()));
    let note = Some("VAT reverse charge, Art. 196 Directive 2006/112/EC".to_owned());
    Contract {
        route: Some(Route::AsAService),
        until: Some(at("2029-01-01T00:00:00+01:00")),
        minimum: Some(dec("2500.00")),
        deal: Some(Deal {
            reference: "DR-2231".to_owned(),
            percent: dec("3"),
            from: None,
            until: Some(at("2026-12-31T00:00:00+01:00")),
        }),
        payment_days: 45,
        purchase_order: Some("PO-77120".to_owned()),
        tax: Some(Tax { percent: dec("0"), note }),
        ..contract(seller, buyer, "vendor-2026", lines)
    }
}

/// Northwind's September 2026: 95, 110, 130 TiB for ten days each, and 42.25 TiB of files.
pub fn northwind_september() -> Vec<LineUsage> {
    let (from, until) = (at("2026-09-01T00:00:00+02:00"), at("2026-10-01T00:00:00+02:00"));
    let mut block = pool(from, until, |start| [95, 110, 130][((start.0 - from.0) / 864_000_000) as usize] * TIB);
    block.arrays = ["a", "b", "c"].map(|array| seen(array, from, until)).to_vec();
    vec![block, pool(from, until, |_| 169 * TIB / 4)]
}
