//! What documents must come to, from what producers sent: cells by brute force, one division, a price list written down twice.

use std::collections::{BTreeMap, BTreeSet};

use super::super::integral;
use super::super::oracle::{Told, rank};
use super::PROVIDER;
use super::book::{BookSpec, EDGE, MINIMUM, TAX};
use crate::core::decision::closing::PeriodKey;
use crate::core::metering::definition::Meters;
use crate::core::word::HOUR_MS;

const DAY_MS: i64 = 24 * HOUR_MS;
/// A quantity has six places.
const MICRO: i128 = 1_000_000;

/// The usage of a period, by meter and customer, and by day where that is priced.
#[derive(Debug, Default)]
pub(super) struct Sums<'a> {
    amounts: BTreeMap<(&'a str, Option<&'a str>), i128>,
    days: BTreeMap<i64, i128>,
    /// Customers of whom there is a cell.
    pub(super) seen: BTreeSet<&'a str>,
}

impl<'a> Sums<'a> {
    /// Adds what the events of a place below an offset of its generation make.
    pub(super) fn add(&mut self, told: &'a Told, (generation, below): (u32, u64), meters: &Meters, period: &PeriodKey) {
        for (name, samples) in integral::series(&told.all, rank(generation, below)) {
            let Some(definition) = integral::definition(meters, name.4).filter(|_| name.0 == PROVIDER) else {
                continue;
            };
            for (hour, cells) in integral::cells(&samples, &definition) {
                for ((index, (customer, ..)), figures) in cells {
                    let start = hour * HOUR_MS + i64::from(index) * definition.cell_ms;
                    if start < period.start.0 || start >= period.end.0 {
                        continue;
                    }
                    self.seen.extend(customer);
                    *self.amounts.entry((name.4, customer)).or_default() += figures.amount;
                    if name.4 == "fine" {
                        *self.days.entry(start.div_euclid(DAY_MS)).or_default() += figures.amount;
                    }
                }
            }
        }
    }

    fn amount(&self, meter: &str, customer: Option<&str>) -> i128 {
        let is_own = |tag: &Option<&str>| customer.is_none() || *tag == customer;
        self.amounts.iter().filter(|((own, tag), _)| *own == meter && is_own(tag)).map(|(_, amount)| amount).sum()
    }
}

/// What a place comes to, in cents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) total: i128,
    /// What came off credits, by id.
    pub(super) applied: BTreeMap<String, i128>,
}

/// The whole of a contract for a customer (none: everybody), with what is left of its credits.
pub(super) fn whole(
    (spec, contract): (&BookSpec, &str),
    customer: Option<&str>,
    sums: &Sums<'_>,
    period: &PeriodKey,
    credits: &BTreeMap<String, i128>,
) -> Whole {
    let period_ms = i128::from(period.end.0 - period.start.0);
    let mut net = 0;
    for meter in ["used", "fine", "read", "written"] {
        let is_line = contract == "w" || meter == "used" || meter == "written";
        if !is_line || !spec.has(meter) {
            continue;
        }
        let (first, second) = spec.price(contract, meter);
        let quantity = match meter {
            "used" => halves_even(sums.amount(meter, customer) * MICRO, 1_000 * period_ms),
            "fine" => halves_even(sums.days.values().copied().max().unwrap_or(0) * MICRO, 1_000 * i128::from(DAY_MS)),
            _ => halves_even(sums.amount(meter, customer) * MICRO, 1_000),
        };
        let edge = if contract == "w" && meter == "used" { i128::from(EDGE) * MICRO } else { i128::MAX };
        net += cents(quantity.min(edge), first) + cents((quantity - edge).max(0), second);
    }
    if contract == "w" {
        net += (i128::from(MINIMUM) * 100 - net).max(0);
    }
    let mut applied = BTreeMap::new();
    for (id, left) in credits {
        let off = (*left).min(net);
        if off > 0 {
            applied.insert(id.clone(), off);
            net -= off;
        }
    }
    let tax = if contract == "c" { halves_even(net * i128::from(TAX), 100) } else { 0 };
    Whole { total: net + tax, applied }
}

/// A quantity in millionths at a price in thousandths.
fn cents(quantity: i128, price: i64) -> i128 {
    halves_even(quantity * i128::from(price) * 100, MICRO * 1_000)
}

/// The nearest whole number, the even one of two; of nothing negative.
fn halves_even(dividend: i128, divisor: i128) -> i128 {
    let (down, rest) = (dividend / divisor, dividend % divisor);
    let is_up = rest * 2 > divisor || (rest * 2 == divisor && down % 2 == 1);
    down + i128::from(is_up)
}

/// An amount as documents show it, in cents; none if it is no amount.
pub(super) fn shown(text: &str) -> Option<i128> {
    let (whole, cents) = text.split_once('.')?;
    format!("{whole}{cents}").parse().ok().filter(|_| cents.len() == 2)
}

impl Whole {
    /// What a document says.
    pub(super) fn of(document: &crate::core::billing::document::Document) -> Self {
        let credits = document.credits.iter();
        let applied = credits.map(|credit| (credit.id.clone(), shown(&credit.applied).unwrap_or(i128::MIN)));
        // a credit of which nothing comes off is listed too
        let applied = applied.filter(|(_, applied)| *applied != 0).collect();
        Self { total: shown(&document.total).unwrap_or(i128::MIN), applied }
    }

    /// Takes another whole off; what is nothing then is none.
    pub(super) fn take(&mut self, other: &Whole) {
        self.total -= other.total;
        for (id, applied) in &other.applied {
            *self.applied.entry(id.clone()).or_default() -= applied;
        }
        self.applied.retain(|_, applied| *applied != 0);
    }
}
