//! Orphaned arrays (DESIGN §3): no wholesale line in force could price any of their readings.

use super::period::Span;
use super::terms;
use crate::core::book::model::{ArrayPurpose, Book, Buyer, Charge, Contract, UsageRate};
use crate::core::word::{Instant, Kind};

/// What a line looks at of a reading. Texts are empty where the event has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// What is measured.
    pub kind: Kind,
    /// The meter.
    pub meter: String,
    /// The service tier.
    pub tier: String,
    /// The array's site.
    pub site: String,
}

/// Why an array with readings of these shapes is billed to nobody at an instant; none if it is billed, or stands there for
/// demonstration.
#[must_use]
pub fn orphaned(book: &Book, provider: &str, array: &str, at: Instant, shapes: &[Shape]) -> Option<String> {
    let demo = |purpose: &ArrayPurpose| purpose.demo && purpose.until.is_none_or(|end| at < end);
    if book.arrays.get(array).is_some_and(demo) {
        return None;
    }
    let moment = Span { from: at, until: at.plus_ms(1) };
    let buys = |contract: &&Contract| {
        contract.buyer == Buyer::Provider(provider.to_owned())
            && contract.from <= at
            && contract.until.is_none_or(|until| at < until)
    };
    let contracts: Vec<&Contract> = book.contracts.values().filter(buys).collect();
    if contracts.is_empty() {
        return Some(format!("no wholesale contract of {provider} is in force"));
    }
    let Some(first) = shapes.first() else {
        return Some("none of its readings is of a meter that the price book defines".to_owned());
    };
    if contracts.iter().any(|contract| shapes.iter().any(|shape| prices(book, contract, array, moment, shape))) {
        return None;
    }
    let named = shapes.iter().find(|shape| shape.kind == Kind::Array).unwrap_or(first);
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    Some(format!(
        "no wholesale line of {provider} prices {} of {}, tier {}, site {}",
        named.meter,
        named.kind.as_str(),
        or_none(&named.tier),
        or_none(&named.site)
    ))
}

/// Whether a line of the contract could price such a reading of the array (PRICING §1).
fn prices(book: &Book, contract: &Contract, array: &str, moment: Span, shape: &Shape) -> bool {
    let Some(card) = book.cards.get(&contract.card) else { return false };
    let usage = |rate: &UsageRate| {
        rate.of == shape.kind && rate.meter == shape.meter && rate.tier.as_ref().is_none_or(|tier| *tier == shape.tier)
    };
    contract.lines.iter().any(|line| {
        let place = (line.sites.is_empty() || line.sites.contains(&shape.site))
            && (line.arrays.is_empty() || line.arrays.iter().any(|named| named == array));
        let segments = terms::segments(card, contract, line, &[moment]).unwrap_or_default();
        place && segments.iter().any(|segment| matches!(&segment.rate.charge, Charge::Usage(rate) if usage(rate)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::pricing::sample::{at, northwind};

    fn shape(tier: &str, site: &str) -> Shape {
        let (meter, tier, site) = ("effective_used".to_owned(), tier.to_owned(), site.to_owned());
        Shape { kind: Kind::Array, meter, tier, site }
    }

    #[test]
    fn the_reason_is_named() {
        let (book, now) = (northwind(), at("2026-09-10T00:00:00Z"));
        let reason = |provider: &str, at, shapes: &[Shape]| orphaned(&book, provider, "a", at, shapes);
        assert_eq!(reason("northwind", now, &[shape("x", "y"), shape("//Block - Premium", "HAM1")]), None);
        assert_eq!(reason("northwind", now, &[shape("//UFFO - Standard", "anywhere")]), None);
        insta::assert_snapshot!(
            [
                reason("northwind", now, &[shape("//Block - Premium", "BGO1")]),
                reason("northwind", now, &[shape("", "")]),
                reason("northwind", now, &[]),
                reason("northwind", at("2029-01-01T00:00:00+01:00"), &[shape("//Block - Premium", "HAM1")]),
                reason("fjordcloud", now, &[shape("//Block - Premium", "HAM1")]),
            ]
            .map(Option::unwrap)
            .join("\n"),
            @"
        no wholesale line of northwind prices effective_used of array, tier //Block - Premium, site BGO1
        no wholesale line of northwind prices effective_used of array, tier none, site none
        none of its readings is of a meter that the price book defines
        no wholesale contract of northwind is in force
        no wholesale contract of fjordcloud is in force
        "
        );
    }
}
