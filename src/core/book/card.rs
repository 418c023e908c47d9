//! Cards: price lists.

use rust_decimal::Decimal;

use super::band::{bands, one_band};
use super::model::{Card, Charge, Mode, Price, QuantityMode, Rate, RoundQuantity, Statistic, UsageRate};
use super::reader::Section;
use super::unit::Unit;
use crate::core::word::Kind;

/// Keys of a rate for usage.
const USAGE_KEYS: [&str; 6] = ["of", "unit", "statistic", "meter", "tier", "round_quantity"];
/// Keys of its price.
const PRICE_KEYS: [&str; 7] = ["price", "per", "bands", "mode", "evaluate", "committed", "overage"];

pub(super) fn card(section: &Section<'_, '_>) -> Option<Card> {
    section.need("rate");
    let written = section.tables("rate");
    if section.has("rate") && written.is_empty() {
        section.refuse("rate", "the card has no rate", "write [[card.ID.rate]] with id and what it charges for");
    }
    let rates: Vec<Rate> = written.iter().filter_map(rate).collect();
    let (currency, level_discount) = (currency(section), section.boolean("level_discount").unwrap_or(false));
    Some(Card { currency: currency?, level_discount, rates })
}

/// The section's `currency`: a code of ISO 4217 that has minor units.
pub(super) fn currency(section: &Section<'_, '_>) -> Option<String> {
    let code = section.need_text("currency")?;
    if is_currency(&code) {
        return Some(code);
    }
    section.refuse("currency", format!("{code} is no currency of ISO 4217"), "write a code such as EUR");
    None
}

/// Whether amounts of it can be rounded: ISO 4217 names its minor units.
pub(super) fn is_currency(code: &str) -> bool {
    iso_currency::Currency::from_code(code).and_then(iso_currency::Currency::exponent).is_some()
}

fn rate(section: &Section<'_, '_>) -> Option<Rate> {
    let id = section.need_text("id");
    let from = section.date("from");
    let forms = [section.has("meter"), section.has("fee"), section.has("share")];
    let charge = match forms {
        [true, false, false] => usage(section).map(Charge::Usage),
        [false, true, false] => section.decimal("fee", 9).map(Charge::Fee),
        [false, false, true] => share(section),
        _ => {
            section.refuse_whole(
                "a rate is exactly one of: metered usage, a fee, a share",
                "write meter, of, unit, statistic and a price; or fee; or share",
            );
            section.pass(&USAGE_KEYS);
            section.pass(&PRICE_KEYS);
            None
        }
    };
    section.finish();
    Some(Rate { id: id?, from, charge: charge? })
}

fn share(section: &Section<'_, '_>) -> Option<Charge> {
    let share = section.section("share")?;
    share.need("percent");
    let (percent, of) = (share.percent("percent"), share.need_texts("of"));
    share.finish();
    Some(Charge::Share { percent: percent?, of })
}

fn usage(section: &Section<'_, '_>) -> Option<UsageRate> {
    for key in ["of", "unit", "statistic"] {
        section.need(key);
    }
    let kinds = Kind::ALL.map(|kind| (kind.as_str(), kind));
    let of = section.choice("of", &kinds);
    let statistics =
        [("mean", Statistic::Mean), ("peak", Statistic::Peak), ("p95", Statistic::P95), ("sum", Statistic::Sum)];
    let statistic = section.choice("statistic", &statistics);
    let unit = section.text("unit");
    let grammar = "write SIZE, SIZE-hour, SIZE-month or SIZE-month@730h with SIZE byte, kB to PB, KiB to PiB, or each";
    match unit.as_deref().map(Unit::parse) {
        Some(None) => section.refuse("unit", "unknown unit", grammar),
        Some(Some(parsed)) if statistic.is_some_and(|statistic| !parsed.goes_with(statistic)) => section.refuse(
            "unit",
            "this unit does not go with this statistic",
            "mean goes with a -month or -hour unit; peak, p95 and sum go with a plain size",
        ),
        _ => {}
    }
    let round_quantity = section.section("round_quantity").and_then(|round| round_to(&round));
    let (meter, tier) = (section.need_text("meter"), section.text("tier"));
    let price = price(section);
    Some(UsageRate { meter: meter?, of: of?, tier, unit: unit?, statistic: statistic?, round_quantity, price: price? })
}

fn round_to(section: &Section<'_, '_>) -> Option<RoundQuantity> {
    section.need("to");
    section.need("mode");
    let modes = [
        ("up", QuantityMode::Up),
        ("half_up", QuantityMode::HalfUp),
        ("half_even", QuantityMode::HalfEven),
        ("down", QuantityMode::Down),
    ];
    let (to, mode) = (section.decimal("to", 6), section.choice("mode", &modes));
    if to == Some(Decimal::ZERO) {
        section.refuse("to", "to is 0", "write the size of a step: \"1\"");
    }
    section.finish();
    Some(RoundQuantity { to: to?, mode: mode? })
}

fn price(section: &Section<'_, '_>) -> Option<Price> {
    let (price, bands) = (section.has("price"), section.has("bands"));
    let (committed, overage) = (section.has("committed"), section.has("overage"));
    let form = match (price || bands, committed, overage) {
        (true, false, false) if price != bands => pay_as_you_go(section),
        (false, true, true) => commitment(section),
        (false, true, false) => {
            section.refuse(
                "committed",
                "overage is missing",
                "say what is above the commitment: overage = { price = \"27.00\" }",
            );
            None
        }
        (false, false, true) => {
            section.refuse(
                "overage",
                "committed is missing",
                "say the price of the committed unit: committed = \"24.00\"",
            );
            None
        }
        _ => {
            let mend = "write one of: price, bands, or committed and overage";
            section.refuse_whole("a rate for usage has exactly one form of price", mend);
            None
        }
    };
    if form.is_none() {
        section.pass(&PRICE_KEYS);
    }
    form
}

fn pay_as_you_go(section: &Section<'_, '_>) -> Option<Price> {
    let by_day = section.choice("evaluate", &[("period", false), ("day", true)]).unwrap_or(false);
    let mode = section.choice("mode", &[("graduated", Mode::Graduated), ("volume", Mode::Volume)]);
    let mode = mode.unwrap_or(Mode::Graduated);
    let bands = match section.has("price") {
        true => vec![one_band(section)?],
        false => bands(section, false)?,
    };
    let plain = mode == Mode::Graduated && bands.iter().all(|band| band.flat.is_none() && band.per.is_none());
    if by_day && !plain {
        section.refuse(
            "evaluate",
            "evaluate = \"day\" goes with plain graduated bands only",
            "take volume, flat and per away, or evaluate",
        );
    }
    Some(Price::Bands { mode, by_day, bands })
}

fn commitment(section: &Section<'_, '_>) -> Option<Price> {
    let price = section.decimal("committed", 9);
    let overage = section.section("overage")?;
    let by_day = overage.choice("evaluate", &[("day", true), ("period", false)]).unwrap_or(true);
    let bands = match (overage.has("price"), overage.has("bands")) {
        (true, false) => one_band(&overage).map(|band| vec![band]),
        (false, true) => bands(&overage, true),
        _ => {
            overage.refuse_whole("overage has exactly one of price and bands", "write overage = { price = \"27.00\" }");
            None
        }
    };
    overage.finish();
    Some(Price::Committed { price: price?, overage_by_day: by_day, bands: bands? })
}
