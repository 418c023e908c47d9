//! The second page: how complete the readings were, what of commitments was used day by day, and how to compute it all again.

use super::escape::escape;
use super::money::{Shown, plain};
use super::rows::percent;
use crate::core::billing::detail::{CommitmentDay, CommitmentDays, Detail};
use crate::core::billing::document::Document;
use crate::core::book::unit::size_name;

pub(super) fn proof(document: &Document, detail: Option<&Detail>, shown: &Shown) -> String {
    format!(
        "<section class=\"proof\">\n<h2>How this was computed</h2>\n{}{}{}</section>\n",
        coverage(document),
        commitments(document, detail, shown),
        again(document)
    )
}

/// One line of the table for each line of the contract that was metered.
fn coverage(document: &Document) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut body = String::new();
    for row in &document.rows {
        let (Some(line), Some(meter)) = (&row.line, &row.meter) else { continue };
        if lines.contains(&line.as_str()) {
            continue;
        }
        lines.push(line);
        let estimated = document.rows.iter().any(|other| other.line == row.line && other.estimated);
        body.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>\n",
            escape(line),
            escape(meter),
            row.arrays.map(|arrays| arrays.to_string()).unwrap_or_default(),
            row.coverage.as_deref().map_or_else(|| "none expected".to_owned(), percent),
            if estimated { "gaps held at the last level" } else { "none" },
        ));
    }
    if body.is_empty() {
        return String::new();
    }
    format!(
        "<h3>Coverage</h3>\n<p class=\"small\">The part of the time in which the arrays were heard of.</p>\n<div class=\"scroll\"><table>\n\
         <thead><tr><th>Line</th><th>Meter</th><th class=\"n\">Arrays</th><th class=\"n\">Coverage</th><th>Estimates</th></tr></thead>\n\
         <tbody>\n{body}</tbody></table></div>\n"
    )
}

fn commitments(document: &Document, detail: Option<&Detail>, shown: &Shown) -> String {
    let mut tables = String::new();
    for row in &document.rows {
        if let (Some(line), Some(used), Some(unused)) = (&row.line, &row.used_quantity, &row.unused_quantity) {
            let unit = escape(row.unit.as_deref().unwrap_or_default());
            let (used, unused) = (shown.figure(used), shown.figure(unused));
            tables.push_str(&format!(
                "<p class=\"small\">{}: used {used}, not used {unused} {unit}.</p>\n",
                escape(line)
            ));
        }
    }
    let days = detail.map(|detail| detail.commitments.as_slice()).unwrap_or_default();
    tables.extend(days.iter().filter(|line| !line.days.is_empty()).map(by_day));
    if tables.is_empty() { String::new() } else { format!("<h3>Commitments</h3>\n{tables}") }
}

fn by_day(line: &CommitmentDays) -> String {
    let (whole, size) = (if line.by_day { "day by day" } else { "over the period as one" }, size_name(&line.unit));
    let halves = line.days.chunks(line.days.len().div_ceil(2).max(1));
    let table = |days: &[CommitmentDay]| {
        let rows: String = days.iter().map(day).collect();
        format!(
            "<table><thead><tr><th>Day</th><th class=\"n\">Used</th><th class=\"n\">Commitment</th><th class=\"n\">Unused</th>\
             <th class=\"n\">Over</th></tr></thead>\n<tbody>\n{rows}</tbody></table>\n"
        )
    };
    let tables: String = halves.map(table).collect();
    format!(
        "<p class=\"small\">{} by local day, means in {}; overage is found {whole}.</p>\n<div class=\"days\">\n{tables}</div>\n",
        escape(&line.line),
        escape(size),
    )
}

fn day(day: &CommitmentDay) -> String {
    let over = match day.over.as_str() {
        "0" => String::new(),
        over => format!("<span class=\"over\">{}</span>", plain(over)),
    };
    format!(
        "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{over}</td></tr>\n",
        escape(&day.date),
        plain(&day.used),
        plain(&day.commitment),
        if day.unused == "0" { String::new() } else { plain(&day.unused) },
    )
}

/// What it was computed from, and how to compute it again.
fn again(document: &Document) -> String {
    let (proof, period) = (&document.proof, &document.period);
    let mut facts = String::new();
    let mut fact = |name: &str, value: &str| {
        facts.push_str(&format!("<dt>{name}</dt><dd><code>{}</code></dd>\n", escape(value)));
    };
    fact("Period", &format!("{} to {} ({})", period.start, period.end, period.time_zone));
    fact("Price book", &proof.price_book);
    fact("Rating", &proof.rating_id);
    fact("Digest", proof.digest.as_deref().unwrap_or_default());
    let (fold, rate) = (proof.versions.fold, proof.versions.rate);
    fact("Versions", &format!("metering {fold}, pricing {rate}"));
    let cut = proof.cut.iter().map(|at| format!("{}/{} below {}", at.stream, at.partition.0, at.offset.0));
    fact("Readings", &cut.collect::<Vec<_>>().join(", "));
    fact("Decisions", &format!("below {}", proof.after));
    let prove = document.number.as_deref().map(|number| {
        format!("<p>Prove it: the same figures and the same digest come out again from what is stored.</p>\n<pre><code>plimsoll prove {}</code></pre>\n", escape(number))
    });
    format!("<h3>Proof</h3>\n{}<dl>\n{facts}</dl>\n", prove.unwrap_or_default())
}
