//! The programme as people read it.

use comfy_table::{Cell, CellAlignment, Table, presets};

use super::health::Array;
use super::sales::Summary;
use crate::core::programme::certification::Track;
use crate::core::programme::error::ProgrammeError;
use crate::core::programme::group::key_name;
use crate::core::programme::level::{Lacking, Next};
use crate::core::programme::scorecard::Scorecard;
use crate::core::programme::standing::Standing;

fn empty(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(header);
    table
}

fn number(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn or_dash(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("-")
}

/// Standings: a table, then for each provider what it lacks, what ends, and the line to paste.
#[must_use]
pub fn levels(standings: &[Standing]) -> String {
    let mut table =
        empty(&["provider", "granted", "attained", "revenue", "promised", "to date", "run rate", "grace until"]);
    for one in standings {
        let promise = one.promise.as_ref();
        let of = |text: Option<&str>| number(text.unwrap_or("-"));
        table.add_row([
            Cell::new(&one.provider),
            Cell::new(or_dash(&one.granted)),
            Cell::new(or_dash(&one.attained)),
            number(&format!("{} {}", one.revenue, one.currency)),
            of(promise.map(|promise| promise.revenue.as_str())),
            of(promise.map(|promise| promise.to_date.as_str())),
            of(promise.and_then(|promise| promise.run_rate.as_deref())),
            Cell::new(or_dash(&one.grace_until)),
        ]);
    }
    standings.iter().fold(format!("{table}\n"), |text, one| text + &detail(one))
}

fn detail(one: &Standing) -> String {
    let mut text = format!("\n{} ({}), programme {}\n", one.provider, one.name, one.programme);
    let mut tell = |what: &str, line: String| text.push_str(&format!("  {what:<15}{line}\n"));
    tell("revenue", format!("{} {} of {} to {}", one.revenue, one.currency, one.revenue_from, one.revenue_to));
    for other in &one.unconverted {
        tell("not converted", format!("{} {}: the programme's fx has no rate", other.amount, other.currency));
    }
    if let Some(promise) = &one.promise {
        let until = promise.until.as_deref().map_or(String::new(), |until| format!(" to {until}"));
        let percent = promise.percent.as_deref().unwrap_or("0");
        tell("promised", format!("{} from {}{until}", promise.revenue, promise.from));
        tell("to date", format!("{} ({percent} %): issued {}, open {}", promise.to_date, promise.issued, promise.open));
    }
    if !one.certifications.is_empty() {
        tell("certified", one.certifications.iter().map(track).collect::<Vec<_>>().join("; "));
    }
    if let Some(next) = &one.next {
        let is_granted = one.granted.as_ref() == Some(&next.level);
        tell(if is_granted { "to keep" } else { "next" }, lacks(next, &one.currency));
    }
    if let (Some(since), Some(until)) = (&one.below_since, &one.grace_until) {
        tell("below", format!("since {since}; grace ends {until}"));
    }
    if let Some(fund) = &one.market_fund {
        tell("market fund", format!("{} {} ({} % of {})", fund.accrued, one.currency, fund.percent, fund.base));
    }
    if let Some(line) = &one.grant {
        tell("to grant", format!("in [provider.{}] of the price book:\n{line}", one.provider));
    }
    text
}

fn track(track: &Track) -> String {
    let expiring = match &track.expires {
        Some(at) => format!(", {} expiring within 90 days, first {at}", track.expiring),
        None => String::new(),
    };
    format!("{} {} of {}{expiring}", track.track, track.held, track.promised)
}

fn lacks(next: &Next, currency: &str) -> String {
    let path = |path: &Lacking| {
        let tracks = path.certifications.iter().filter(|track| track.lacking > 0);
        let mut lacking: Vec<String> = tracks.map(|track| format!("{} {}", track.lacking, track.track)).collect();
        if path.revenue_lacking != "0" {
            lacking.insert(0, format!("{} {currency}", path.revenue_lacking));
        }
        if lacking.is_empty() { "nothing".to_owned() } else { lacking.join(" and ") }
    };
    let paths: Vec<String> = next.paths.iter().map(path).collect();
    let lacks = if paths.is_empty() {
        "is granted by people only".to_owned()
    } else {
        format!("lacks {}", paths.join(", or "))
    };
    format!("{} ({} %) {lacks}", next.level, next.discount_percent)
}

/// Scorecards.
#[must_use]
pub fn scorecards(cards: &[Scorecard]) -> String {
    let mut table = empty(&[
        "provider",
        "granted",
        "attained",
        "revenue",
        "growth %",
        "arrays",
        "customers",
        "new",
        "TiB",
        "last reading",
        "last invoice",
        "",
    ]);
    for card in cards {
        let count = |count: Option<u64>| number(&count.map_or_else(|| "-".to_owned(), |count| count.to_string()));
        let invoice = card.last_invoice.as_ref().map(|one| format!("{} {}", one.number, one.issue_date));
        table.add_row([
            Cell::new(&card.provider),
            Cell::new(or_dash(&card.granted)),
            Cell::new(or_dash(&card.attained)),
            number(&format!("{} {}", card.revenue, card.currency)),
            number(or_dash(&card.growth_percent)),
            number(&card.arrays.to_string()),
            count(card.customers),
            count(card.new_customers),
            number(card.usage.as_ref().map_or("-", |usage| &usage.tib)),
            Cell::new(or_dash(&card.last_reading)),
            Cell::new(or_dash(&invoice)),
            Cell::new(if card.dormant { "dormant" } else { "" }),
        ]);
    }
    format!("{table}\n")
}

/// A page of arrays.
#[must_use]
pub fn arrays(arrays: &[Array]) -> String {
    let mut table = empty(&["provider", "array", "name", "site", "state", "last reading", ""]);
    for array in arrays {
        let mut notes: Vec<String> = Vec::new();
        if array.silent && array.state.as_str() != "silent" {
            notes.push("silent".to_owned());
        }
        notes.extend(array.orphaned.clone());
        notes.extend(array.other_provider.as_ref().map(|other| format!("provider {other}")));
        notes.extend(array.demo_until.as_ref().map(|until| format!("demo until {until}")));
        table.add_row([
            &array.provider,
            &array.array,
            or_dash(&array.name),
            or_dash(&array.site),
            array.state.as_str(),
            &array.last_reading,
            &notes.join("; "),
        ]);
    }
    format!("{table}\n")
}

/// Sales credits by their keys; the neutrality check is the last line.
///
/// # Errors
/// A figure that does not fit.
pub fn sales_credits(summary: &Summary) -> Result<String, ProgrammeError> {
    let names: Vec<&str> = summary.groups.keys().iter().map(|key| key_name(*key)).collect();
    let header: Vec<&str> =
        ["currency"].into_iter().chain(names.iter().copied()).chain(["at list", "billed", "credit"]).collect();
    let mut table = empty(&header);
    let maybe = |basis: &Option<String>| number(basis.as_deref().unwrap_or("-"));
    for group in summary.groups.groups() {
        let of = names.iter().map(|name| Cell::new(group.of.get(name).and_then(|text| text.as_deref()).unwrap_or("-")));
        let row = [Cell::new(&group.currency)].into_iter().chain(of);
        table.add_row(
            row.chain([maybe(&group.at_list), maybe(&group.billed), number(&group.credit)]).collect::<Vec<_>>(),
        );
    }
    let checks = summary.neutrality.checks()?;
    let none = "neutrality: no issued document says its route, nothing to compare\n".to_owned();
    let lines: String = checks.iter().map(|check| check.line() + "\n").collect();
    Ok(format!("{table}\n{}", if lines.is_empty() { none } else { lines }))
}
