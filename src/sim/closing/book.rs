//! The price books of a schedule: always the same contracts, with prices that differ from book to book.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::super::broker::METERS;
use super::super::sent::SentReading;
use super::{ClosingPlan, PROVIDER};
use crate::core::book::model::*;
use crate::core::word::Instant;

/// 2026-10-01T00:00:00Z: before this nobody has a contract.
const CONTRACTS_FROM_MS: i64 = 1_790_812_800_000;
/// Up to here the first band of wholesale reaches.
pub(super) const EDGE: i64 = 20;
/// Minimum of the wholesale contract.
pub(super) const MINIMUM: i64 = 500;
/// Tax on the contract of a customer that is named, in percent.
pub(super) const TAX: i64 = 19;

/// What differs from book to book.
#[derive(Clone, Debug)]
pub(in crate::sim) struct BookSpec {
    /// Its name in the log.
    pub(in crate::sim) hash: String,
    /// Prices rise with it.
    pub(in crate::sim) version: i64,
    /// Which of [`METERS`] it prices.
    pub(in crate::sim) meters: Vec<usize>,
}

impl BookSpec {
    /// Whether it prices a meter.
    pub(super) fn has(&self, meter: &str) -> bool {
        self.meters.iter().any(|place| METERS[*place].0 == meter)
    }

    /// What a unit costs, in thousandths: of a contract and meter, in its first and its second band.
    pub(super) fn price(&self, contract: &str, meter: &str) -> (i64, i64) {
        let rise = self.version * 7;
        match (contract == "w", meter) {
            (true, "used") => (2_505 + rise, 1_750 + rise),
            (true, "fine") => (31 + rise, 0),
            (true, "read") => (120 + rise, 0),
            (true, _) => (3 + rise, 0),
            (false, "used") => (4_100 + rise, 0),
            (false, _) => (7 + rise, 0),
        }
    }
}

/// The book as its decision has it.
pub(in crate::sim) fn canonical(plan: &ClosingPlan, spec: &BookSpec) -> serde_json::Value {
    made(plan, spec).canonical().unwrap_or_default()
}

fn made(plan: &ClosingPlan, spec: &BookSpec) -> Book {
    let mut book = Book::default();
    for place in &spec.meters {
        let (name, definition) = METERS[*place];
        book.meters.insert(name.to_owned(), Meter { definition, base: "byte".to_owned() });
    }
    let party = |name: &str, format: &str| Party {
        name: name.to_owned(),
        address: vec!["Kade 1".to_owned()],
        tax_id: None,
        invoice_number: Some(format.to_owned()),
        credit_note_number: plan.separate_notes.then(|| format!("C{format}")),
    };
    book.vendors.insert("v".to_owned(), party("Vendor", "V-{seq:1}"));
    let provider = Provider { party: party("Provider", "P-{year}-{seq:1}"), ..Provider::default() };
    book.providers.insert(PROVIDER.to_owned(), provider);
    let (provider, tags) = (PROVIDER.to_owned(), vec!["acme".to_owned()]);
    book.customers.insert(
        "acme".to_owned(),
        Customer { provider, party: party("Acme", "A-{seq:1}"), tags, ..Customer::default() },
    );
    let seller = || Seller::Provider(PROVIDER.to_owned());
    let all: BTreeMap<&str, Contract> = [
        ("w", contract(plan, spec, "w", (Seller::Vendor("v".to_owned()), Buyer::Provider(PROVIDER.to_owned())))),
        ("r", contract(plan, spec, "r", (seller(), Buyer::EachCustomer))),
        ("c", contract(plan, spec, "c", (seller(), Buyer::Customer("acme".to_owned())))),
    ]
    .into();
    for (id, contract) in all {
        let rates = contract.lines.iter().filter_map(|line| rate(spec, id, &line.id)).collect();
        let card = Card { currency: "EUR".to_owned(), level_discount: false, rates };
        book.cards.insert(contract.card.clone(), card);
        book.contracts.insert(id.to_owned(), contract);
    }
    book
}

fn contract(plan: &ClosingPlan, spec: &BookSpec, id: &str, (seller, buyer): (Seller, Buyer)) -> Contract {
    let meters: &[&str] = if id == "w" { &["used", "fine", "read", "written"] } else { &["used", "written"] };
    let lines = meters.iter().filter(|meter| spec.has(meter)).map(|meter| Line {
        id: (*meter).to_owned(),
        rate: (*meter).to_owned(),
        sites: Vec::new(),
        arrays: Vec::new(),
        commitment: Vec::new(),
        per: None,
        gap_hold: false,
    });
    Contract {
        seller,
        buyer,
        route: None,
        card: format!("card-{id}"),
        from: Instant(CONTRACTS_FROM_MS),
        until: None,
        time_zone: chrono_tz::UTC,
        anchor_day: if id == "c" { plan.anchor_day } else { 1 },
        grace_hours: plan.grace_hours,
        close_below: Decimal::ZERO,
        half_up: false,
        minimum: (id == "w").then(|| Decimal::from(MINIMUM)),
        maximum: None,
        deal: None,
        payment_days: 30,
        purchase_order: None,
        tax: (id == "c").then(|| Tax { percent: Decimal::from(TAX), note: None }),
        issue_auto: plan.is_auto,
        lines: lines.collect(),
    }
}

fn rate(spec: &BookSpec, contract: &str, meter: &str) -> Option<Rate> {
    let (first, second) = spec.price(contract, meter);
    let price = |thousandths| Some(Decimal::new(thousandths, 3));
    let band = |up_to, price| Band { up_to, price, per: None, flat: None };
    let bands = match (contract, meter) {
        ("w", "used") => {
            vec![band(Some(Edge::Quantity(Decimal::from(EDGE))), price(first)), band(None, price(second))]
        }
        _ => vec![band(None, price(first))],
    };
    let (unit, statistic) = match meter {
        "used" => ("kB-month", Statistic::Mean),
        "fine" => ("kB", Statistic::Peak),
        _ => ("kB", Statistic::Sum),
    };
    let charge = Charge::Usage(UsageRate {
        meter: meter.to_owned(),
        of: SentReading::KIND,
        tier: None,
        unit: unit.to_owned(),
        statistic,
        round_quantity: None,
        price: Price::Bands { mode: Mode::Graduated, by_day: false, bands },
    });
    spec.has(meter).then(|| Rate { id: meter.to_owned(), from: None, charge })
}
