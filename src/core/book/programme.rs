//! Partner programmes and sales credits of a book.

use super::card::{currency, is_currency};
use super::model::{Level, LevelPath, Programme, SalesCredit};
use super::reader::Section;

pub(super) fn programme(section: &Section<'_, '_>) -> Option<Programme> {
    section.need("level");
    let levels: Vec<Level> = section.tables("level").iter().filter_map(level).collect();
    let twice =
        levels.iter().enumerate().find(|(place, one)| levels[..*place].iter().any(|other| other.name == one.name));
    if let Some((_, level)) = twice {
        section.refuse("level", format!("level {} stands twice", level.name), "give each level a name of its own");
    }
    let fx = section.decimals("fx");
    for code in fx.keys().filter(|code| !is_currency(code)) {
        section.refuse("fx", format!("{code} is no currency of ISO 4217"), "write codes such as USD");
    }
    let months = |key, otherwise| {
        section.integer(key, 0, 120).and_then(|months| u32::try_from(months).ok()).unwrap_or(otherwise)
    };
    Some(Programme {
        levels,
        revenue_months: months("revenue_months", 12),
        grace_months: months("grace_months", 0),
        market_fund_percent: section.percent("market_fund_percent"),
        fx,
        currency: currency(section)?,
    })
}

fn level(section: &Section<'_, '_>) -> Option<Level> {
    let paths = section.tables("paths").iter().filter_map(path).collect();
    section.need("discount_percent");
    let discount = section.percent("discount_percent");
    let name = section.need_text("name");
    section.finish();
    Some(Level { name: name?, discount_percent: discount?, paths })
}

fn path(section: &Section<'_, '_>) -> Option<LevelPath> {
    section.need("revenue");
    let (revenue, certifications) = (section.decimal("revenue", 9), section.counts("certifications"));
    section.finish();
    Some(LevelPath { revenue: revenue?, certifications })
}

pub(super) fn sales_credit(section: &Section<'_, '_>) -> Option<SalesCredit> {
    section.need("team");
    section.need("percent");
    section.need("basis");
    let team = section.choice("team", &[("customer", "customer"), ("provider", "provider")]);
    let basis = section.choice("basis", &[("list", "list"), ("billed", "billed")]);
    let (percent, routes) = (section.percent("percent"), section.need_texts("routes"));
    if let Some(other) = routes.iter().find(|route| *route != "resale" && *route != "as_a_service") {
        section.refuse("routes", format!("unknown route {other}"), "write resale or as_a_service");
    }
    Some(SalesCredit { team: team?.to_owned(), percent: percent?, basis: basis?.to_owned(), routes })
}
