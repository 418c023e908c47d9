//! Meters, parties, programmes and arrays of a book.

use super::model::{
    ArrayPurpose, Certified, Committed, Customer, Granted, Level, LevelPath, Meter, Party, Programme, Provider,
    SalesCredit,
};
use super::reader::Section;
use crate::core::metering::definition::{Definition, MeterKind};

/// A hold must outlast an hour, or pollers that miss one poll would tear gaps.
const MIN_HOLD_MINUTES: i64 = 60;
/// 31 days: longer than any outage that a step function could honestly bridge.
const MAX_HOLD_MINUTES: i64 = 44_640;

pub(super) fn meter(section: &Section<'_, '_>) -> Option<Meter> {
    if section.id().starts_with('$') {
        section.refuse_whole("meters that begin with $ are Plimsoll's own", "give the meter another name");
    }
    section.need("kind");
    let kinds = [("gauge", MeterKind::Gauge), ("delta", MeterKind::Delta), ("counter", MeterKind::Counter)];
    let kind = section.choice("kind", &kinds);
    section.need("base");
    let base = section.choice("base", &[("byte", "byte"), ("each", "each")]);
    let hold = section.integer("max_hold_minutes", MIN_HOLD_MINUTES, MAX_HOLD_MINUTES).unwrap_or(120);
    let cell = section.integer("cell_minutes", 5, 15).unwrap_or(15);
    if cell != 5 && cell != 15 {
        section.refuse(
            "cell_minutes",
            "cell_minutes is neither 15 nor 5",
            "write cell_minutes = 15 or cell_minutes = 5",
        );
    }
    let definition = Definition { kind: kind?, max_hold_ms: hold * 60_000, cell_ms: cell * 60_000 };
    Some(Meter { definition, base: base?.to_owned() })
}

fn party(section: &Section<'_, '_>, address_needed: bool) -> Option<Party> {
    if address_needed {
        section.need("address");
    }
    let party = Party {
        name: section.need_text("name")?,
        address: section.texts("address"),
        tax_id: section.text("tax_id"),
        invoice_number: number_format(section, "invoice_number"),
        credit_note_number: number_format(section, "credit_note_number"),
    };
    Some(party)
}

/// A format of numbers: letters, digits, -, `{year}` and exactly one `{seq:N}`.
fn number_format(section: &Section<'_, '_>, key: &'static str) -> Option<String> {
    let format = section.text(key)?;
    let mut rest = format.replace("{year}", "");
    let sequence = (1..=12).map(|width| format!("{{seq:{width}}}")).find(|sequence| rest.contains(sequence.as_str()));
    if let Some(sequence) = &sequence {
        rest = rest.replacen(sequence.as_str(), "", 1);
    }
    let plain = rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if sequence.is_none() || !plain {
        let mend = "use letters, digits, -, {year} and exactly one {seq:N} with N from 1 to 12: \"EG-{year}-{seq:6}\"";
        section.refuse(key, format!("{key} cannot be {format:?}"), mend);
        return None;
    }
    Some(format)
}

pub(super) fn vendor(section: &Section<'_, '_>) -> Option<Party> {
    section.need("invoice_number");
    party(section, true)
}

pub(super) fn provider(section: &Section<'_, '_>) -> Option<Provider> {
    let levels = section.tables("levels");
    let levels: Vec<Granted> = levels
        .iter()
        .filter_map(|level| {
            level.need("from");
            let granted = Granted { from: level.utc_date("from")?, level: level.need_text("level")? };
            level.finish();
            Some(granted)
        })
        .collect();
    if levels.windows(2).any(|pair| pair[0].from >= pair[1].from) {
        section.refuse("levels", "levels do not follow each other in time", "write them by rising from");
    }
    let committed = section.section("committed").and_then(|committed| {
        committed.need("from");
        let promise = Committed {
            from: committed.utc_date("from")?,
            until: committed.utc_date("until"),
            revenue: committed.decimal("revenue", 9),
            certifications: committed.counts("certifications"),
        };
        committed.finish();
        Some(promise)
    });
    let certified = section.tables("certified");
    let certified = certified.iter().filter_map(|held| {
        held.need("count");
        let certified = Certified {
            track: held.need_text("track")?,
            count: u32::try_from(held.integer("count", 0, 1_000_000)?).ok()?,
            until: held.utc_date("until"),
        };
        held.finish();
        Some(certified)
    });
    Some(Provider {
        certified: certified.collect(),
        committed,
        levels,
        disclose_customers: section.boolean("disclose_customers").unwrap_or(false),
        programme: section.text("programme"),
        account_team: section.text("account_team"),
        partner_team: section.text("partner_team"),
        party: party(section, true)?,
    })
}

pub(super) fn customer(section: &Section<'_, '_>) -> Option<Customer> {
    let (tags, account_team) = (section.texts("tags"), section.text("account_team"));
    let provider = section.need_text("provider");
    section.need("address");
    let party = Party {
        name: section.need_text("name")?,
        address: section.texts("address"),
        tax_id: section.text("tax_id"),
        invoice_number: None,
        credit_note_number: None,
    };
    Some(Customer { provider: provider?, party, tags, account_team })
}

pub(super) fn programme(section: &Section<'_, '_>) -> Option<Programme> {
    section.need("level");
    let levels = section.tables("level").iter().filter_map(level).collect();
    let months = |key, otherwise| {
        section.integer(key, 0, 120).and_then(|months| u32::try_from(months).ok()).unwrap_or(otherwise)
    };
    Some(Programme {
        levels,
        revenue_months: months("revenue_months", 12),
        grace_months: months("grace_months", 0),
        market_fund_percent: section.percent("market_fund_percent"),
        fx: section.decimals("fx"),
        currency: section.need_text("currency")?,
    })
}

fn level(section: &Section<'_, '_>) -> Option<Level> {
    let paths = section.tables("paths");
    let paths = paths.iter().filter_map(|path| {
        path.need("revenue");
        let path_read =
            LevelPath { revenue: path.decimal("revenue", 9)?, certifications: path.counts("certifications") };
        path.finish();
        Some(path_read)
    });
    let paths = paths.collect();
    section.need("discount_percent");
    let discount = section.percent("discount_percent");
    let name = section.need_text("name");
    section.finish();
    Some(Level { name: name?, discount_percent: discount?, paths })
}

pub(super) fn sales_credit(section: &Section<'_, '_>) -> Option<SalesCredit> {
    section.need("team");
    section.need("percent");
    section.need("basis");
    let team = section.choice("team", &[("customer", "customer"), ("provider", "provider")]);
    let basis = section.choice("basis", &[("list", "list"), ("billed", "billed")]);
    let (percent, routes) = (section.percent("percent"), section.texts("routes"));
    if let Some(other) = routes.iter().find(|route| *route != "resale" && *route != "as_a_service") {
        section.refuse("routes", format!("unknown route {other}"), "write resale or as_a_service");
    }
    Some(SalesCredit { team: team?.to_owned(), percent: percent?, basis: basis?.to_owned(), routes })
}

pub(super) fn array(section: &Section<'_, '_>) -> Option<ArrayPurpose> {
    section.need("purpose");
    let demo = section.choice("purpose", &[("production", false), ("demo", true)]);
    let until = section.utc_date("until");
    Some(ArrayPurpose { demo: demo?, until })
}
