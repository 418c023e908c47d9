//! Meters, parties and arrays of a book.

use super::model::{ArrayPurpose, Certified, Committed, Customer, Granted, Meter, Party, Provider};
use super::number;
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

/// A party that numbers documents of its own.
fn party(section: &Section<'_, '_>) -> Option<Party> {
    let name = section.need_text("name");
    let party = Party {
        name: String::new(),
        address: section.need_texts("address"),
        tax_id: section.text("tax_id"),
        invoice_number: number_format(section, "invoice_number"),
        credit_note_number: number_format(section, "credit_note_number"),
    };
    if let (Some(invoices), Some(notes)) = (&party.invoice_number, &party.credit_note_number)
        && number::collide(invoices, notes)
    {
        let message = format!("{notes:?} can yield a number that invoice_number yields too");
        let mend = "begin it with other letters, or leave it out: credit notes are numbered among the invoices then";
        section.refuse("credit_note_number", message, mend);
    }
    Some(Party { name: name?, ..party })
}

fn number_format(section: &Section<'_, '_>, key: &'static str) -> Option<String> {
    let format = section.text(key)?;
    if number::is_format(&format) {
        return Some(format);
    }
    let mend = "use letters, digits, -, {year} and exactly one {seq:N} with N from 1 to 12: \"EG-{year}-{seq:6}\"";
    section.refuse(key, format!("{key} cannot be {format:?}"), mend);
    None
}

pub(super) fn vendor(section: &Section<'_, '_>) -> Option<Party> {
    section.need("invoice_number");
    party(section)
}

pub(super) fn provider(section: &Section<'_, '_>) -> Option<Provider> {
    let levels: Vec<Granted> = section.tables("levels").iter().filter_map(granted).collect();
    if levels.windows(2).any(|pair| pair[0].from >= pair[1].from) {
        section.refuse("levels", "levels do not follow each other in time", "write them by rising from");
    }
    let provider = Provider {
        committed: section.section("committed").and_then(|promise| committed(&promise)),
        certified: section.tables("certified").iter().filter_map(certified).collect(),
        levels,
        disclose_customers: section.boolean("disclose_customers").unwrap_or(false),
        programme: section.text("programme"),
        account_team: section.text("account_team"),
        partner_team: section.text("partner_team"),
        party: Party::default(),
    };
    Some(Provider { party: party(section)?, ..provider })
}

fn granted(section: &Section<'_, '_>) -> Option<Granted> {
    section.need("from");
    let (from, level) = (section.utc_date("from"), section.need_text("level"));
    section.finish();
    Some(Granted { from: from?, level: level? })
}

fn committed(section: &Section<'_, '_>) -> Option<Committed> {
    section.need("from");
    let (from, until) = (section.utc_date("from"), section.utc_date("until"));
    if let (Some(from), Some(until)) = (from, until) {
        section.in_order(from, until);
    }
    let (revenue, certifications) = (section.decimal("revenue", 9), section.counts("certifications"));
    section.finish();
    Some(Committed { from: from?, until, revenue, certifications })
}

fn certified(section: &Section<'_, '_>) -> Option<Certified> {
    section.need("count");
    let (track, until) = (section.need_text("track"), section.utc_date("until"));
    let count = section.integer("count", 0, 1_000_000).and_then(|count| u32::try_from(count).ok());
    section.finish();
    Some(Certified { track: track?, count: count?, until })
}

pub(super) fn customer(section: &Section<'_, '_>) -> Option<Customer> {
    let (tags, account_team) = (section.texts("tags"), section.text("account_team"));
    let (provider, name) = (section.need_text("provider"), section.need_text("name"));
    section.need("address");
    let (address, tax_id) = (section.texts("address"), section.text("tax_id"));
    let party = Party { name: name?, address, tax_id, invoice_number: None, credit_note_number: None };
    Some(Customer { provider: provider?, party, tags, account_team })
}

pub(super) fn array(section: &Section<'_, '_>) -> Option<ArrayPurpose> {
    let demo = section.choice("purpose", &[("production", false), ("demo", true)]);
    Some(ArrayPurpose { demo: demo.unwrap_or(false), until: section.utc_date("until") })
}
