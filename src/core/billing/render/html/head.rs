//! Letterhead, parties, dates.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use super::escape::escape;
use crate::core::billing::document::{Document, DocumentState};
use crate::core::event::time::parse;
use crate::core::pricing::period::local_day;
use crate::core::word::Instant;

pub(super) fn head(document: &Document, title: &str, name: &str) -> String {
    let seller = &document.seller;
    format!(
        "<header>\n<address class=\"seller\"><strong>{}</strong>{}</address>\n<h1>{title}<small>{}</small></h1>\n</header>\n{}\
         <div class=\"head\">\n<address class=\"to\"><span>To</span><strong>{}</strong><br>{}</address>\n<dl>\n{}</dl>\n</div>\n{}",
        escape(&seller.name),
        party(&seller.address, seller.tax_id.as_deref()),
        escape(name),
        notice(document),
        escape(&document.buyer.name),
        party(&document.buyer.address, document.buyer.tax_id.as_deref()),
        facts(document),
        document.reason.as_deref().map(|reason| format!("<p>Reason: {}</p>\n", escape(reason))).unwrap_or_default(),
    )
}

fn party(address: &[String], tax_id: Option<&str>) -> String {
    let lines = address.iter().map(|line| escape(line));
    let tax_id = tax_id.map(|id| format!("Tax id {}", escape(id)));
    lines.chain(tax_id).collect::<Vec<_>>().join("<br>")
}

/// Says plainly what is no invoice yet, and what is none any more.
fn notice(document: &Document) -> String {
    let words = match document.state {
        DocumentState::Open => {
            "Provisional: the amounts still change until the period is closed. This is not an invoice."
        }
        DocumentState::Closed if document.provisional => {
            "Provisional, of a closed period: the whole by what is known now. What differs from its documents is corrected by the next one. This is not an invoice."
        }
        DocumentState::Closed => "Draft: the amounts are frozen, but no number was given. This is not an invoice.",
        DocumentState::Credited => "Credited: credit notes take back all of this document.",
        DocumentState::PartlyCredited => "Partly credited: credit notes take back a part of this document.",
        DocumentState::Issued => return String::new(),
    };
    format!("<p class=\"notice\" role=\"note\">{words}</p>\n")
}

fn facts(document: &Document) -> String {
    let mut facts = String::new();
    let mut fact = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            facts.push_str(&format!("<dt>{name}</dt><dd>{}</dd>\n", escape(value)));
        }
    };
    fact("Date", document.issue_date.as_deref().map(written).as_deref());
    fact("Due", document.due_date.as_deref().map(written).as_deref());
    fact("Period", Some(&period(document)));
    let corrects = document.references.corrects.join(", ");
    fact("Corrects", Some(&*corrects).filter(|numbers| !numbers.is_empty()));
    fact("Your order", document.buyer.purchase_order.as_deref());
    fact("Contract", Some(&document.contract));
    fact("Level", document.level.as_deref());
    fact("Deal", document.deal.as_deref());
    fact("Reference", document.references.erp.as_deref());
    facts
}

/// First and last local day: `1 to 30 September 2026`.
fn period(document: &Document) -> String {
    let period = &document.period;
    let day = |text: &str, before_ms: i64| {
        let zone: Tz = period.time_zone.parse().ok()?;
        local_day(zone, Instant(parse(text)?.0 - before_ms))
    };
    match (day(&period.start, 0), day(&period.end, 1)) {
        (Some(first), Some(last)) if (first.year(), first.month()) == (last.year(), last.month()) => {
            format!("{} to {}", first.day(), written(&last.to_string()))
        }
        (Some(first), Some(last)) => format!("{} to {}", written(&first.to_string()), written(&last.to_string())),
        _ => format!("{} to {}", period.start, period.end),
    }
}

/// `4 October 2026`: a date that nobody reads the wrong way round.
fn written(date: &str) -> String {
    date.parse::<NaiveDate>().map_or_else(|_| date.to_owned(), |date| date.format("%-d %B %Y").to_string())
}
