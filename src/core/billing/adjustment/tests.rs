//! Revisions: PRICING §14's numbers, and that a period's documents sum to the whole whatever came before.

use proptest::prelude::*;

use super::*;
use crate::core::billing::close::closed;
use crate::core::billing::document::{DocumentCredit, DocumentTax};
use crate::core::billing::row::{DocumentBand, DocumentRow};
use crate::core::billing::sample::{SUMS, figure, issue, northwind_invoice, northwind_statement, statement, sum};
use crate::core::book::model::{Book, Tax};
use crate::core::pricing::row_kind::RowKind;
use crate::core::pricing::sample::{TIB, at, dec, graduated, northwind, northwind_september, one, pool, three};

/// PRICING's three bands without a tax.
fn book() -> Book {
    one(graduated(three()))
}

/// A draft of 128.75 TiB and the like all month long, by 1/16 TiB.
fn whole(book: &Book, sixteenths: i128) -> Document {
    let (from, until) = (at("2026-09-01T00:00:00+02:00"), at("2026-10-01T00:00:00+02:00"));
    closed(statement(book, "c", &[pool(from, until, |_| sixteenths * TIB / 16)]), "k").unwrap()
}

fn adjusted(whole: Option<&Document>, before: &[Document]) -> Option<Document> {
    difference(whole, before, Cause::Adjustment).unwrap()
}

/// 130 instead of 128.75: 3,825.00 - 3,790.62 = +34.38, and back -34.38.
#[test]
fn the_worked_number_and_back() {
    let book = book();
    let first = adjusted(Some(&whole(&book, 2060)), &[]).unwrap();
    assert_eq!((first.kind, first.cause, &*first.total), (DocumentType::Invoice, None, "3790.62"));
    let mut documents = vec![issue(first, "P-1")];
    let more = adjusted(Some(&whole(&book, 2080)), &documents).unwrap();
    assert_eq!((more.kind, more.cause), (DocumentType::Adjustment, Some(Cause::Adjustment)));
    assert_eq!(more.references.corrects, ["P-1"]);
    let [row] = &more.rows[..] else { panic!("{:?}", more.rows) };
    assert_eq!((row.no, row.corrects, row.quantity.as_deref()), (1, Some(2), Some("1.25")));
    assert_eq!((&*row.amount, &*row.unrounded, &*more.total), ("34.38", "34.375", "34.38"));
    documents.push(issue(more, "P-2"));
    let back = adjusted(Some(&whole(&book, 2060)), &documents).unwrap();
    assert_eq!((back.kind, &*back.total), (DocumentType::CreditNote, "-34.38"));
    assert_eq!(back.references.corrects, ["P-1", "P-2"]);
    assert_eq!((back.rows[0].corrects, back.rows[0].quantity.as_deref()), (Some(2), Some("-1.25")));
    documents.push(issue(back, "P-3"));
    assert_eq!(adjusted(Some(&whole(&book, 2060)), &documents), None);
}

/// A band that nothing reached before has no row to correct, and one that nothing reaches any more is taken back.
#[test]
fn bands_come_and_go() {
    let book = book();
    let below = issue(whole(&book, 960), "P-1");
    let more = adjusted(Some(&whole(&book, 2080)), std::slice::from_ref(&below)).unwrap();
    let told = |document: &Document| -> Vec<(Option<usize>, String)> {
        document.rows.iter().map(|row| (row.corrects, row.amount.clone())).collect()
    };
    assert_eq!(told(&more), [(Some(1), "1200.00".to_owned()), (None, "825.00".to_owned())]);
    let before = [below, issue(more, "P-2")];
    let back = adjusted(Some(&whole(&book, 960)), &before).unwrap();
    assert_eq!(told(&back), [(Some(1), "-1200.00".to_owned()), (None, "-825.00".to_owned())]);
}

/// Used and unused of the commitment move with the usage, even where the document is about something else: shares, credits, taxes.
#[test]
fn northwind_again_with_more_usage_and_a_tax() {
    let mut book = northwind();
    book.contracts.get_mut("northwind-wholesale").unwrap().tax = Some(Tax { percent: dec("19"), note: None });
    let rated = |usages: &[_]| closed(statement(&book, "northwind-wholesale", usages), "k").unwrap();
    let mut usages = northwind_september();
    let before = issue(rated(&usages), "EG-1");
    let (from, until) = (at("2026-09-01T00:00:00+02:00"), at("2026-10-01T00:00:00+02:00"));
    let level = |start: crate::core::word::Instant| [98, 110, 133][((start.0 - from.0) / 864_000_000) as usize] * TIB;
    usages[0].parts = pool(from, until, level).parts;
    let after = rated(&usages);
    let adjustment = adjusted(Some(&after), std::slice::from_ref(&before)).unwrap();
    let told: Vec<_> =
        adjustment.rows.iter().map(|row| (row.kind, row.corrects, row.quantity.as_deref().unwrap())).collect();
    assert_eq!(told, [(RowKind::Overage, Some(3), "1"), (RowKind::Share, Some(5), "36.93")]);
    assert_eq!(adjustment.taxes.len(), 1);
    assert_eq!(sum([&before, &adjustment], |document| &document.total), figure(&after.total));
    assert_eq!(sum([&before, &adjustment], |document| &document.taxes[0].amount), figure(&after.taxes[0].amount));
}

/// Another book: quantities stay, the words say what the price was.
#[test]
fn a_repricing_says_what_the_price_was() {
    let before = issue(whole(&book(), 960), "P-1");
    let mut cheaper = three();
    cheaper[0].price = Some(dec("29"));
    let whole = whole(&one(graduated(cheaper)), 960);
    let revision = difference(Some(&whole), &[before], Cause::Reprice).unwrap().unwrap();
    assert_eq!((revision.cause, &*revision.total), (Some(Cause::Reprice), "-60.00"));
    let row = &revision.rows[0];
    assert_eq!((row.quantity.as_deref(), row.price.as_deref(), row.corrects), (Some("0"), Some("29"), Some(1)));
    assert!(row.description.ends_with(", price 29 instead of 30"), "{}", row.description);
}

/// Usage that fell away altogether: the documents before are taken back whole.
#[test]
fn without_a_whole_everything_is_taken_back() {
    let invoice = northwind_invoice();
    let back = adjusted(None, std::slice::from_ref(&invoice)).unwrap();
    assert_eq!((back.kind, &*back.total, &*back.saving), (DocumentType::CreditNote, "-3260.87", "-303.30"));
    assert_eq!(back.rows[0].used_quantity.as_deref(), Some("-98.333334"));
    assert_eq!(adjusted(None, &[invoice, back]), None);
    assert_eq!(adjusted(None, &[]), None);
}

#[test]
fn documents_of_other_periods_are_refused() {
    let invoice = northwind_invoice();
    let refused = |change: fn(&mut Document)| {
        let mut whole = closed(northwind_statement(), "k").unwrap();
        change(&mut whole);
        difference(Some(&whole), std::slice::from_ref(&invoice), Cause::Adjustment).unwrap_err().to_string()
    };
    assert!(refused(|whole| whole.contract = "other".to_owned()).contains("contract of the documents is other"));
    assert!(refused(|whole| whole.buyer.id = "other".to_owned()).contains("buyer"));
    assert!(refused(|whole| whole.period.start = "2026-08-01T00:00:00Z".to_owned()).contains("start"));
    assert!(refused(|whole| whole.currency = "USD".to_owned()).contains("currency"));
    assert!(refused(|whole| whole.total = "1.00".to_owned()).contains("totals of the documents come to"));
    assert!(refused(|whole| whole.rows[0].amount = "1.0.0".to_owned()).contains("no figure"));
}

/// A row of a small world: (line, band, amount in minor units, quantity in millionths).
type RandomRow = (usize, usize, i64, i64);

/// A document that adds up: rows, a credit, a tax of 19 %.
fn random_document(rows: &[RandomRow], credit: i64, percent: &str) -> Document {
    let mut document = closed(northwind_statement(), "k").unwrap();
    let minor = |minor: i64| Figure::of_minor(minor.into(), 2).unwrap();
    let form = document.rows[1].clone();
    document.rows = rows
        .iter()
        .enumerate()
        .map(|(index, &(line, band, amount, quantity))| DocumentRow {
            no: index + 1,
            line: Some(["a", "b"][line].to_owned()),
            kind: RowKind::Overage,
            band: Some(DocumentBand { over: band.to_string(), up_to: None }),
            amount: minor(amount).amount(2).unwrap(),
            unrounded: minor(amount).plus(Figure::of_minor((quantity % 7).into(), 9).unwrap()).unwrap().to_string(),
            quantity: Some(Figure::of_minor(quantity.into(), 6).unwrap().to_string()),
            ..form.clone()
        })
        .collect();
    let subtotal = Figure::sum(document.rows.iter().map(|row| &*row.amount)).unwrap();
    let applied = minor(credit).min(subtotal.size());
    let net = subtotal.minus(applied).unwrap();
    let tax = net.share(figure(percent), figure("100"), 2, document.rounding).unwrap();
    let shown = |figure: Figure| figure.amount(2).unwrap();
    document.subtotal = shown(subtotal);
    document.saving = "0.00".to_owned();
    document.credits = match applied.is_zero() {
        true => Vec::new(),
        false => vec![DocumentCredit { id: "sla".to_owned(), applied: shown(applied), left: "1.00".to_owned() }],
    };
    document.net = shown(net);
    document.taxes =
        vec![DocumentTax { percent: percent.to_owned(), base: shown(net), amount: shown(tax), note: None }];
    document.total = shown(net.plus(tax).unwrap());
    document.sealed().unwrap()
}

fn random_whole() -> impl Strategy<Value = Option<Document>> {
    let row = (0..2usize, 0..3usize, -9_999..9_999i64, -5_000_000..5_000_000i64);
    let document = (proptest::collection::vec(row, 0..7), 0..3_000i64, prop_oneof![Just("19"), Just("7"), Just("0")])
        .prop_map(|(rows, credit, percent)| Some(random_document(&rows, credit, percent)));
    prop_oneof![8 => document, 1 => Just(None)]
}

/// Σ of a figure of every row of one line and band.
fn by_band(documents: &[Document], of: fn(&DocumentRow) -> &str) -> Vec<Figure> {
    let rows = || documents.iter().flat_map(|document| &document.rows);
    let place = |line: &str, band: usize| {
        let own = |row: &&DocumentRow| {
            row.line.as_deref() == Some(line) && row.band.as_ref().is_some_and(|own| own.over == band.to_string())
        };
        Figure::sum(rows().filter(own).map(of)).unwrap()
    };
    ["a", "b"]
        .iter()
        .flat_map(|line| (0..3).map(move |band| (line, band)))
        .map(|(line, band)| place(line, band))
        .collect()
}

proptest! {
    /// Whatever the wholes of a period were, its documents sum to the newest: rows, net, taxes, total.
    #[test]
    fn the_documents_of_a_period_sum_to_the_whole(wholes in proptest::collection::vec(random_whole(), 1..6)) {
        let mut documents: Vec<Document> = Vec::new();
        for (index, whole) in wholes.iter().enumerate() {
            if let Some(revision) = adjusted(whole.as_ref(), &documents) {
                prop_assert_eq!(revision.kind == DocumentType::Invoice, documents.is_empty());
                prop_assert!(documents.is_empty() || (revision.kind == DocumentType::CreditNote) == (figure(&revision.total).sign() < 0));
                documents.push(issue(revision, &format!("N-{index}")));
            }
            let whole = whole.as_slice();
            for of in SUMS {
                prop_assert_eq!(sum(&documents, of), sum(whole, of));
            }
            let tax = |documents: &[Document]| {
                let taxes = documents.iter().flat_map(|document| &document.taxes);
                Figure::sum(taxes.map(|tax| &*tax.amount)).unwrap()
            };
            prop_assert_eq!(tax(&documents), tax(whole));
            prop_assert_eq!(by_band(&documents, |row| &row.amount), by_band(whole, |row| &row.amount));
            prop_assert_eq!(adjusted(whole.first(), &documents), None, "nothing moved since");
        }
    }
}
