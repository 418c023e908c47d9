//! Cards: price lists.

use rust_decimal::Decimal;

use super::model::{Band, Card, Charge, Edge, Mode, Price, QuantityMode, Rate, RoundQuantity, Statistic, UsageRate};
use super::reader::{Section, decimal};
use super::unit::Unit;
use crate::core::word::Kind;

/// Most bands of a rate.
const MAX_BANDS: usize = 100;

pub(super) fn card(section: &Section<'_, '_>) -> Option<Card> {
    section.need("rate");
    let rates: Vec<Rate> = section.tables("rate").iter().filter_map(rate).collect();
    let currency = section.need_text("currency");
    if let Some(code) = &currency
        && iso_currency::Currency::from_code(code).is_none()
    {
        section.refuse("currency", format!("{code} is no currency of ISO 4217"), "write a code such as EUR");
    }
    Some(Card { currency: currency?, level_discount: section.boolean("level_discount").unwrap_or(false), rates })
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
            None
        }
    };
    section.finish();
    Some(Rate { id: id?, from, charge: charge? })
}

fn share(section: &Section<'_, '_>) -> Option<Charge> {
    let share = section.section("share")?;
    share.need("percent");
    share.need("of");
    let (percent, of) = (share.percent("percent"), share.texts("of"));
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
    match (price || bands, committed, overage) {
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
    }
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

fn one_band(section: &Section<'_, '_>) -> Option<Band> {
    let band = Band { up_to: None, price: Some(section.decimal("price", 9)?), per: per(section), flat: None };
    Some(band)
}

fn per(section: &Section<'_, '_>) -> Option<Decimal> {
    let per = section.decimal("per", 6)?;
    if per.is_zero() {
        section.refuse("per", "per is 0", "write the size of a package: \"20\"");
        return None;
    }
    Some(per)
}

fn bands(section: &Section<'_, '_>, percent_edges: bool) -> Option<Vec<Band>> {
    let written = section.tables("bands");
    if written.is_empty() || written.len() > MAX_BANDS {
        section.refuse("bands", "bands has no band or too many", format!("write 1 to {MAX_BANDS} bands"));
        return None;
    }
    let mut bands = Vec::new();
    for (place, each) in written.iter().enumerate() {
        let up_to = edge(each, percent_edges);
        let band = Band { up_to, price: each.decimal("price", 9), per: per(each), flat: each.decimal("flat", 9) };
        if !each.has("price") && !each.has("flat") {
            each.refuse_whole("a band has neither price nor flat", "write price = \"0\" for a free band");
        }
        if each.has("per") && !each.has("price") {
            each.refuse("per", "per without price", "say what a package costs: price = \"5.00\"");
        }
        let last = place + 1 == written.len();
        if last && each.has("up_to") {
            each.refuse(
                "up_to",
                "the last band has an upper edge",
                "leave up_to out of the last band: what lies above needs a price",
            );
        }
        if !last && !each.has("up_to") {
            each.refuse_whole("up_to is missing", "only the last band has no upper edge");
        }
        each.finish();
        bands.push(band);
    }
    for (pair, section) in bands.windows(2).zip(written.iter().skip(1)) {
        if let (Some(below), Some(above)) = (pair[0].up_to, pair[1].up_to)
            && !rises(below, above)
        {
            section.refuse(
                "up_to",
                "edges do not rise",
                "write bands by rising up_to, all in quantities or all in percent",
            );
        }
    }
    Some(bands)
}

fn rises(below: Edge, above: Edge) -> bool {
    match (below, above) {
        (Edge::Quantity(below), Edge::Quantity(above)) | (Edge::Percent(below), Edge::Percent(above)) => below < above,
        _ => false,
    }
}

fn edge(section: &Section<'_, '_>, percent_edges: bool) -> Option<Edge> {
    let percent = section.text_of("up_to").filter(|text| text.ends_with('%'));
    let Some(text) = percent else {
        let edge = section.decimal("up_to", 6)?;
        if edge.is_zero() {
            section.refuse("up_to", "up_to is 0", "write the greatest quantity of the band");
        }
        return Some(Edge::Quantity(edge));
    };
    if !percent_edges {
        section.refuse(
            "up_to",
            "an edge in percent outside overage",
            "write a quantity: only overage has a commitment to be a part of",
        );
        return None;
    }
    match decimal(text.trim_end_matches('%'), 6) {
        Ok(edge) if !edge.is_zero() => Some(Edge::Percent(edge)),
        _ => {
            section.refuse("up_to", format!("up_to cannot be {text:?}"), "write a percentage above 0: \"20%\"");
            None
        }
    }
}
