//! Contracts and their lines.

use chrono::{Offset, TimeZone};
use rust_decimal::Decimal;

use super::model::{BookDate, Buyer, Commitment, Contract, Deal, Line, Per, Route, Seller, Tax};
use super::reader::Section;
use crate::core::word::Instant;

pub(super) fn contract(section: &Section<'_, '_>) -> Option<Contract> {
    let zone = zone(section);
    // without a zone no date can be placed; another one stands in so that the rest is still checked
    let at = |from: &Section<'_, '_>, key| instant(from, key, zone.unwrap_or(chrono_tz::UTC));
    section.need("from");
    section.need("line");
    let (from, until) = (at(section, "from"), at(section, "until"));
    if let (Some(from), Some(until)) = (from, until) {
        section.in_order(from, until);
    }
    let deal = section.section("deal").and_then(|each| deal(&each, zone.unwrap_or(chrono_tz::UTC)));
    let lines = section.tables("line").iter().filter_map(|each| line(each, zone.unwrap_or(chrono_tz::UTC))).collect();
    let (minimum, maximum) = (section.decimal("minimum", 9), section.decimal("maximum", 9));
    if let (Some(minimum), Some(maximum)) = (minimum, maximum)
        && minimum > maximum
    {
        section.refuse("maximum", "maximum is below minimum", "write a maximum of at least the minimum");
    }
    section.choice("period", &[("month", ())]);
    let whole = |key, most, otherwise| {
        section.integer(key, 0, most).and_then(|number| u32::try_from(number).ok()).unwrap_or(otherwise)
    };
    let parts = (section.need_text("seller"), section.need_text("buyer"), section.need_text("card"));
    if let (Some(from), Some(zone)) = (from, zone)
        && off_quarter(zone, from)
    {
        let message = format!("local midnights of {zone} are not on a quarter of an hour at {from}");
        section.refuse("time_zone", message, "write a zone whose offset from UTC is a whole quarter of an hour");
    }
    let contract = Contract {
        deal,
        lines,
        minimum,
        maximum,
        until,
        route: section.choice("route", &[("as_a_service", Route::AsAService), ("resale", Route::Resale)]),
        anchor_day: section.integer("anchor_day", 1, 28).and_then(|day| u32::try_from(day).ok()).unwrap_or(1),
        grace_hours: whole("grace_hours", 8760, 72),
        close_below: close_below(section),
        half_up: section.choice("rounding", &[("half_even", false), ("half_up", true)]).unwrap_or(false),
        payment_days: whole("payment_days", 3650, 30),
        purchase_order: section.text("purchase_order"),
        tax: section.section("tax").and_then(|tax_section| tax(&tax_section)),
        issue_auto: section.choice("issue", &[("auto", true), ("manual", false)]).unwrap_or(true),
        // who is who is found out when all parties are known
        seller: Seller::Provider(parts.0?),
        buyer: match parts.1? {
            every if every == "*" => Buyer::EachCustomer,
            id => Buyer::Customer(id),
        },
        card: parts.2?,
        from: from?,
        time_zone: zone?,
    };
    Some(contract)
}

fn deal(section: &Section<'_, '_>, zone: chrono_tz::Tz) -> Option<Deal> {
    section.need("percent");
    let (from, until) = (instant(section, "from", zone), instant(section, "until", zone));
    if let (Some(from), Some(until)) = (from, until) {
        section.in_order(from, until);
    }
    let (percent, reference) = (section.percent("percent"), section.need_text("reference"));
    section.finish();
    Some(Deal { reference: reference?, percent: percent?, from, until })
}

fn close_below(section: &Section<'_, '_>) -> Decimal {
    let limit = section.decimal("close_below", 6).unwrap_or(Decimal::new(95, 2));
    if limit > Decimal::ONE {
        section.refuse("close_below", "close_below is above 1", "write the least coverage from \"0\" to \"1\"");
    }
    limit.normalize()
}

fn zone(section: &Section<'_, '_>) -> Option<chrono_tz::Tz> {
    let name = section.need_text("time_zone")?;
    let zone = name.parse::<chrono_tz::Tz>().ok();
    if zone.is_none() {
        section.refuse(
            "time_zone",
            format!("unknown time zone {name}"),
            "write a name of the IANA list: \"Europe/Berlin\"",
        );
    }
    zone
}

fn tax(section: &Section<'_, '_>) -> Option<Tax> {
    section.need("percent");
    let (percent, note) = (section.percent("percent"), section.text("note"));
    if percent == Some(Decimal::ZERO) && note.is_none() {
        section.refuse(
            "percent",
            "a tax of 0 without a note",
            "say why: note = \"VAT reverse charge, Art. 196 Directive 2006/112/EC\"",
        );
    }
    section.finish();
    Some(Tax { percent: percent?, note })
}

fn line(section: &Section<'_, '_>, zone: chrono_tz::Tz) -> Option<Line> {
    let rate = section.need_text("rate");
    let id = section.text("id").or_else(|| rate.clone());
    let commitment = match section.text_of("commitment").is_some() || section.is_bare("commitment") {
        true => section
            .decimal("commitment", 6)
            .map(|quantity| vec![Commitment { from: None, quantity }])
            .unwrap_or_default(),
        false => section.tables("commitment").iter().filter_map(|each| dated_commitment(each, zone)).collect(),
    };
    let list = section.value("commitment").and_then(|value| value.get_ref().as_array());
    if list.is_some_and(|list| list.is_empty()) {
        section.refuse("commitment", "commitment has no entry", "write commitment = \"100\", or leave it out");
    }
    if commitment.windows(2).any(|pair| pair[0].from >= pair[1].from) {
        section.refuse("commitment", "commitments do not follow each other in time", "write them by rising from");
    }
    let per = section.choice("per", &[("array", Per::Array), ("resource", Per::Resource)]);
    let gap_hold = section.choice("gap", &[("hold", true), ("zero", false)]).unwrap_or(false);
    let (sites, arrays) = (section.texts("sites"), section.texts("arrays"));
    section.finish();
    Some(Line { id: id?, rate: rate?, sites, arrays, commitment, per, gap_hold })
}

fn dated_commitment(section: &Section<'_, '_>, zone: chrono_tz::Tz) -> Option<Commitment> {
    section.need("from");
    section.need("quantity");
    let (from, quantity) = (instant(section, "from", zone), section.decimal("quantity", 6));
    section.finish();
    Some(Commitment { from: Some(from?), quantity: quantity? })
}

/// A date of a contract: local midnight of its zone, or an instant; on a quarter of an hour in either case.
fn instant(section: &Section<'_, '_>, key: &'static str, zone: chrono_tz::Tz) -> Option<Instant> {
    let day = match section.date(key)? {
        BookDate::At(instant) => return Some(instant),
        BookDate::Day(day) => local_midnight(zone, day),
    };
    match day {
        Some(instant) => section.on_quarter(key, instant),
        None => {
            section.refuse(key, "this zone has no such midnight", "write the instant with its offset");
            None
        }
    }
}

/// Whether cells would be cut at local midnights (PRICING §2): the offset then is no whole quarter of an hour.
fn off_quarter(zone: chrono_tz::Tz, at: Instant) -> bool {
    let local = zone.timestamp_millis_opt(at.0).single();
    local.is_none_or(|local| local.offset().fix().local_minus_utc().rem_euclid(900) != 0)
}

/// The first instant of a local day. Where the clock jumps over midnight the day begins when the clock goes on.
#[must_use]
pub fn local_midnight(zone: chrono_tz::Tz, day: chrono::NaiveDate) -> Option<Instant> {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    let first = (0..=8).find_map(|quarters| {
        zone.from_local_datetime(&(midnight + chrono::TimeDelta::minutes(15 * quarters))).earliest()
    });
    first.map(|first| Instant(first.timestamp_millis()))
}
