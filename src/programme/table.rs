//! The programme as people read it.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};

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

/// The most columns of a terminal that words take at the end of a row, where there is one: they are folded, and where that is not enough once
/// more, since an id that is folded is of no use.
const WORDS_COLUMNS: [u16; 3] = [32, 24, 14];

/// The table as wide as a terminal is: without the columns that are needed least, as many as have to go, and folded if that is not enough.
/// Where no width is known nothing is left out.
fn fitted(mut table: Table, header: &[&str], least: &[&str], columns: Option<u16>) -> String {
    let Some(columns) = columns else { return format!("{table}\n") };
    let is_wide = |table: &Table| table.lines().any(|line| line.chars().count() > usize::from(columns));
    let constrain = |table: &mut Table, place: usize, constraint: ColumnConstraint| {
        table.column_mut(place).map(|column| column.set_constraint(constraint)).is_some()
    };
    let fold = |table: &mut Table, words: u16| {
        let most = ColumnConstraint::UpperBoundary(Width::Fixed(words));
        constrain(table, header.len().saturating_sub(1), most);
    };
    fold(&mut table, WORDS_COLUMNS[0]);
    let mut hidden = Vec::new();
    for (place, name) in least.iter().filter_map(|name| Some((header.iter().position(|head| head == name)?, *name))) {
        if is_wide(&table) && constrain(&mut table, place, ColumnConstraint::Hidden) {
            hidden.push(name);
        }
    }
    for words in WORDS_COLUMNS {
        if is_wide(&table) {
            fold(&mut table, words);
        }
    }
    if is_wide(&table) {
        table.set_width(columns).set_content_arrangement(ContentArrangement::Dynamic);
    }
    match hidden.is_empty() {
        true => format!("{table}\n"),
        false => format!("{table}\nno room for {}: a wider terminal or --format json has them\n", hidden.join(", ")),
    }
}

fn number(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

fn or_dash(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("-")
}

/// Standings: a table, then for each provider what it lacks, what ends, and the line to paste. `columns` are those of a terminal.
#[must_use]
pub fn levels(standings: &[Standing], columns: Option<u16>) -> String {
    let header = ["provider", "granted", "attained", "revenue", "promised", "to date", "run rate", "grace until"];
    let mut table = empty(&header);
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
    // what stands below as well goes first
    let text = fitted(table, &header, &["grace until", "to date", "promised", "run rate"], columns);
    standings.iter().fold(text, |text, one| text + &detail(one))
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

/// Scorecards. `columns` are those of a terminal.
#[must_use]
pub fn scorecards(cards: &[Scorecard], columns: Option<u16>) -> String {
    let header = [
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
    ];
    let mut table = empty(&header);
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
    fitted(table, &header, &["last invoice", "new", "growth %", "last reading", "attained", "customers"], columns)
}

/// A page of arrays. `columns` are those of a terminal.
#[must_use]
pub fn arrays(arrays: &[Array], columns: Option<u16>) -> String {
    let header = ["provider", "array", "name", "site", "state", "last reading", ""];
    let mut table = empty(&header);
    for array in arrays {
        let mut notes: Vec<String> = Vec::new();
        if array.silent && array.state.as_str() != "silent" {
            notes.push("silent".to_owned());
        }
        notes.extend(array.orphaned.clone());
        notes.extend(array.other_provider.as_ref().map(|other| format!("{other} reports it too")));
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
    fitted(table, &header, &["site", "name", "last reading"], columns)
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

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [&str; 4] = ["array", "name", "last reading", ""];

    fn table() -> Table {
        let mut table = empty(&HEADER);
        let words = "no contract in force prices block of its tier and site, which is long";
        table.add_row(["66aa2c13-0d81-433f-bb31-5fc33e76fa5f", "nw-ham1-fa-01", "2026-10-31T22:55:00Z", words]);
        table
    }

    #[test]
    fn a_table_is_no_wider_than_its_terminal_and_says_what_it_leaves_out() {
        let shown = |columns: Option<u16>| fitted(table(), &HEADER, &["name", "last reading"], columns);
        let widest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest(&shown(None)) > 140 && !shown(None).contains("no room"), "{}", shown(None));
        let wide = shown(Some(120));
        assert!(widest(&wide) <= 120 && wide.contains("2026-10-31") && wide.contains("nw-ham1"), "{wide}");
        let narrow = shown(Some(100));
        assert!(narrow.contains("no room for name: a wider terminal"), "{narrow}");
        assert!(widest(&narrow) <= 100 && narrow.contains("2026-10-31"), "{narrow}");
        let least = shown(Some(80));
        assert!(
            least.contains("no room for name, last reading:") && least.contains("66aa2c13-0d81-433f-bb31-5fc33e76fa5f"),
            "{least}"
        );
        // an id stays in one piece as long as there is room for it
        assert!(shown(Some(64)).contains("66aa2c13-0d81-433f-bb31-5fc33e76fa5f"), "{}", shown(Some(64)));
        for columns in [80, 64, 40] {
            let table = shown(Some(columns));
            let (table, _) = table.split_once("no room").unwrap();
            assert!(widest(table) <= usize::from(columns), "{columns}: {table}");
        }
    }
}
