//! Documents in all their forms.

use super::*;
use crate::core::billing::adjustment::difference;
use crate::core::billing::close::closed;
use crate::core::billing::credit_note::{credit_note, whole};
use crate::core::billing::document::{Cause, Document};
use crate::core::billing::sample::{
    figure, issue, northwind_detail, northwind_invoice, northwind_statement, statement, sum,
};
use crate::core::book::model::{Charge, Tax};
use crate::core::decision::closing::CreditNote;
use crate::core::pricing::sample::*;

fn credited() -> Document {
    let invoice = northwind_invoice();
    let rows = whole(&invoice, &[]).unwrap();
    let note = CreditNote {
        number: "EG-2026-000118".to_owned(),
        sequence: 0,
        rows,
        reason: "Wrong site".to_owned(),
        credits: Vec::new(),
    };
    issue(credit_note(&invoice, &[], &note).unwrap(), "EG-2026-000119")
}

/// Packages, flats, a fee, a share, a minimum, a tax: what Northwind does not have.
fn motley() -> Document {
    let mut steps = bands(&[("100", "5"), ("", "4")]);
    (steps[0].per, steps[0].flat) = (Some(dec("20")), Some(dec("12.5")));
    let share = Charge::Share { percent: dec("8"), of: vec!["u".to_owned()] };
    let mut book = retail(vec![
        rate("u", Charge::Usage(usage_rate(graduated(steps)))),
        rate("desk", Charge::Fee(dec("90"))),
        rate("care", share),
    ]);
    let contract = book.contracts.get_mut("c").unwrap();
    contract.from = at("2026-09-11T12:00:00+02:00");
    contract.minimum = Some(dec("5000"));
    contract.tax = Some(Tax { percent: dec("19"), note: None });
    let (from, until) = (at("2026-09-01T00:00:00+02:00"), at("2026-10-01T00:00:00+02:00"));
    closed(statement(&book, "c", &[pool(from, until, |_| 210 * TIB)]), "k").unwrap()
}

/// Columns of CSV that a test wants, of each line.
fn columns<'a>(names: &[&str], columns: &[&'a str], text: &'a str) -> Vec<Vec<String>> {
    let places: Vec<usize> =
        names.iter().map(|name| columns.iter().position(|column| column == name).unwrap()).collect();
    let lines = text.split("\r\n").filter(|line| !line.is_empty()).map(cells);
    lines.map(|line| places.iter().map(|place| line[*place].clone()).collect()).collect()
}

/// The cells of a line without line ends inside.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

/// What tests of the whole program read, too.
#[test]
fn northwind_as_json() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&northwind_invoice()).unwrap());
}

#[test]
fn northwind_as_csv() {
    insta::assert_snapshot!(csv::file(&northwind_invoice()));
}

#[test]
fn northwind_as_focus() {
    insta::assert_snapshot!(focus::file(&northwind_invoice()).unwrap());
}

#[test]
fn northwind_as_a_page() {
    insta::assert_snapshot!(html::page(&northwind_invoice(), Some(&northwind_detail())));
}

#[test]
fn every_line_has_every_column() {
    for document in [northwind_invoice(), northwind_statement(), credited(), motley()] {
        for (header, lines) in
            [(csv::header(), csv::rows(&document)), (focus::header(), focus::rows(&document).unwrap())]
        {
            let wanted = cells(header.trim_end()).len();
            assert!(lines.split("\r\n").filter(|line| !line.is_empty()).all(|line| cells(line).len() == wanted));
        }
    }
}

#[test]
fn a_name_is_no_formula_and_no_markup() {
    let mut document = northwind_invoice();
    document.buyer.name = "=HYPERLINK(\"http://x\")<script>alert('x')</script>".to_owned();
    document.buyer.id = "@x".to_owned();
    document.buyer.purchase_order = Some("+1".to_owned());
    document.rows[0].description = "-2 & \"<b>\"".to_owned();
    let csv = columns(&["buyer", "purchase_order", "description"], &csv::COLUMNS, &csv::rows(&document)).remove(0);
    assert_eq!(csv, ["'@x", "'+1", "'-2 & <b>"]);
    let focus = focus::rows(&document).unwrap();
    assert!(focus.contains("\"'=HYPERLINK(\"\"http://x\"\")<script>"));
    let page = html::page(&document, None);
    assert!(!page.contains("<script") && !page.contains("<b>"));
    assert!(page.contains("=HYPERLINK(&quot;http://x&quot;)&lt;script&gt;alert(&#39;x&#39;)"));
    for outside in ["http:", "https:", "url(", "@import", "src="] {
        assert!(!html::page(&northwind_invoice(), Some(&northwind_detail())).contains(outside), "{outside}");
    }
}

#[test]
fn a_page_says_what_it_is() {
    let says = |document: &Document, words: &[&str]| {
        let page = html::page(document, None);
        words.iter().for_each(|word| assert!(page.contains(word), "{word} is not on the page"));
        page
    };
    says(
        &northwind_invoice(),
        &["<h1>Invoice<small>EG-2026-000118", "4 October 2026", "18 November 2026", "EUR 3\u{202f}260.87"],
    );
    says(&northwind_statement(), &["<h1>Provisional statement", "This is not an invoice."]);
    says(&closed(northwind_statement(), "k").unwrap(), &["<h1>Draft invoice", "no number"]);
    let page = says(
        &credited(),
        &["<h1>Credit note", "EG-2026-000118", "Wrong site", "EUR 3\u{202f}260.87", "corrects row 1"],
    );
    assert!(!page.contains('\u{2212}'), "a credit note shows positive amounts");
    assert!(!says(&northwind_invoice(), &["plimsoll prove EG-2026-000118"]).contains("class=\"notice\""));
}

#[test]
fn focus_says_what_was_used_of_a_commitment() {
    let names = ["ChargeCategory", "CommitmentDiscountStatus", "BilledCost", "EffectiveCost", "PricingQuantity"];
    let lines = columns(&names, &focus::COLUMNS, &focus::rows(&northwind_invoice()).unwrap());
    assert_eq!(lines[0], ["Purchase", "", "2188.32", "0", "100"]);
    assert_eq!(lines[1], ["Usage", "Used", "0", "2151.8480145888", "98.333334"]);
    assert_eq!(lines[2], ["Usage", "Unused", "0", "36.4719854112", "1.666666"]);
    assert_eq!(lines[3], ["Usage", "", "246.19", "246.19", "10"]);
    assert_eq!(lines.last().unwrap()[0], "Tax");
}

/// Price and quantity make the cost of everything but credits and taxes; packages count as packages.
#[test]
fn focus_prices_everything_that_is_bought() {
    let names = ["x_RowKind", "PricingQuantity", "PricingUnit", "ContractedUnitPrice", "ContractedCost"];
    for document in [northwind_invoice(), motley()] {
        let lines = columns(&names, &focus::COLUMNS, &focus::rows(&document).unwrap());
        for line in lines.iter().filter(|line| !line[0].is_empty()) {
            let cost = figure(&line[1]).times(figure(&line[3])).unwrap();
            assert_eq!(cost, figure(&line[4]), "{line:?}");
        }
    }
    let lines = columns(&names, &focus::COLUMNS, &focus::rows(&motley()).unwrap());
    let told: Vec<[&str; 3]> = lines.iter().map(|line| [&*line[0], &*line[1], &*line[2]]).collect();
    assert_eq!(
        told,
        [
            ["usage", "5", "Packages"],
            ["flat", "1", "Count"],
            ["usage", "36.5", "TiB-Months"],
            ["fee", "0.65", "Periods"],
            ["share", "183.5", "EUR"],
            ["minimum", "1", "Count"],
            ["", "", ""],
        ]
    );
}

/// A month of 730 hours is another unit than the period: whoever multiplies prices by hours must be able to tell.
#[test]
fn focus_tells_months_of_730_hours_from_periods() {
    let names = ["PricingUnit", "ConsumedUnit"];
    let units = |unit: &str| {
        let mut invoice = northwind_invoice();
        invoice.rows[3].unit = Some(unit.to_owned());
        let mut lines = columns(&names, &focus::COLUMNS, &focus::rows(&invoice).unwrap());
        lines.swap_remove(5)
    };
    assert_eq!(units("GiB-month@730h"), ["730 GiB-Hours", "730 GiB-Hours"]);
    assert_eq!(units("GiB-month"), ["GiB-Months", "GiB-Months"]);
    assert_eq!(units("GiB-hour"), ["GiB-Hours", "GiB-Hours"]);
}

#[test]
fn focus_bills_the_total_and_takes_effect_with_it() {
    let invoice = northwind_invoice();
    let mut more = closed(northwind_statement(), "k").unwrap();
    more.rows[3].amount = "600.00".to_owned();
    for sum in [&mut more.subtotal, &mut more.net, &mut more.total, &mut more.taxes[0].base] {
        "3283.02".clone_into(sum);
    }
    let adjustment = difference(Some(&more), std::slice::from_ref(&invoice), Cause::Adjustment).unwrap().unwrap();
    for document in [invoice, credited(), motley(), adjustment] {
        let lines =
            columns(&["BilledCost", "EffectiveCost", "ChargeClass"], &focus::COLUMNS, &focus::rows(&document).unwrap());
        for column in 0..2 {
            let sum = lines.iter().fold(figure("0"), |sum, line| sum.plus(figure(&line[column])).unwrap());
            assert_eq!(sum, figure(&document.total), "{column}");
        }
        let corrects = document.kind != crate::core::billing::document::DocumentType::Invoice;
        assert!(lines.iter().all(|line| line[2] == if corrects { "Correction" } else { "" }));
    }
}

#[test]
fn a_document_that_does_not_add_up_is_no_focus() {
    let mut document = northwind_invoice();
    document.total = "3260.88".to_owned();
    assert!(focus::rows(&document).unwrap_err().to_string().contains("billed costs"));
}

/// Yen have no places, dinars three: rows, sums and pages follow the currency.
#[test]
fn currencies_have_their_places() {
    for (code, total) in [("JPY", "3825"), ("KWD", "3825.000"), ("EUR", "3825.00")] {
        let mut book = one(graduated(three()));
        book.cards.get_mut("card").unwrap().currency = code.to_owned();
        let (from, until) = (at("2026-09-01T00:00:00+02:00"), at("2026-10-01T00:00:00+02:00"));
        let draft =
            |level: i128| closed(statement(&book, "c", &[pool(from, until, |_| level * TIB / 16)]), "k").unwrap();
        let (before, after) = (issue(draft(2060), "P-1"), draft(2080));
        assert_eq!(after.total, total);
        assert!(html::page(&after, None).contains(&format!("{code} 3\u{202f}{}", &total[1..])));
        let adjustment = difference(Some(&after), std::slice::from_ref(&before), Cause::Adjustment).unwrap().unwrap();
        assert_eq!(adjustment.total.len(), total.len() - 2, "{}", adjustment.total);
        assert_eq!(sum([&before, &adjustment], |document| &document.total), figure(total));
        let note = CreditNote {
            number: "P-1".to_owned(),
            sequence: 0,
            rows: whole(&before, &[]).unwrap(),
            reason: "test".to_owned(),
            credits: Vec::new(),
        };
        let note = credit_note(&before, &[], &note).unwrap();
        assert!(sum([&before, &note], |document| &document.total).is_zero());
        assert!(focus::rows(&adjustment).is_ok() && focus::rows(&note).is_ok());
    }
}
