//! Issued documents of months as one file, from the real parts: the same lines as one by one, in the order of issue, or an error.

use std::path::PathBuf;

use plimsoll::clickhouse::Client;
use plimsoll::clickhouse::invoice::{InvoiceRow, insert};
use plimsoll::config::Config;
use plimsoll::core::billing::document::{Document, DocumentState};
use tokio::runtime::Runtime;

use crate::stage::invoice;
use crate::worker::Parts;

const FORMULA: &str = "=HYPERLINK(\"http://x\",1)";

/// A document as a closer stores it: another of the same rows.
fn stored(number: &str, decision: u64, change: impl FnOnce(&mut Document)) -> InvoiceRow {
    let mut document = invoice::september();
    document.number = Some(number.to_owned());
    change(&mut document);
    let document = document.sealed().unwrap();
    invoice::stored(&document, decision)
}

fn october(document: &mut Document) {
    document.period.label = "2026-10".to_owned();
}

/// One of September; of October, in the order of issue, NW-1, EG-119 and EG-117, of which the last was credited since.
fn fill(parts: &Parts) {
    let retail = |document: &mut Document| {
        october(document);
        (document.seller.id, document.buyer.id) = ("northwind".to_owned(), "acme".to_owned());
        document.currency = "USD".to_owned();
    };
    let hostile = |document: &mut Document| {
        october(document);
        document.buyer.id = "fjordcloud".to_owned();
        document.buyer.purchase_order = Some("@SUM(1)".to_owned());
        document.rows[0].description = FORMULA.to_owned();
        document.rows[1].description = "two\nlines, \"quoted\"".to_owned();
    };
    let credited = InvoiceRow {
        version: 2,
        ..stored("EG-117", 12, |document| {
            october(document);
            document.state = DocumentState::Credited;
        })
    };
    let rows = [
        stored("EG-118", 5, |_| ()),
        stored("NW-1", 7, retail),
        stored("EG-119", 9, hostile),
        stored("EG-117", 12, october),
        credited,
    ];
    let client = Client::new(&Config::load(Some(&parts.config)).unwrap().clickhouse);
    Runtime::new().unwrap().block_on(insert(&client, &rows)).unwrap();
}

/// What the documents are one by one, under one header.
fn one_by_one(parts: &Parts, form: &str, numbers: &[&str]) -> String {
    let mut all = String::new();
    for number in numbers {
        let text = parts.ok(&["invoices", number, "--format", form]);
        let (header, rows) = text.split_once("\r\n").unwrap();
        if all.is_empty() {
            all = format!("{header}\r\n");
        }
        all.push_str(rows);
    }
    all
}

struct Told {
    code: Option<i32>,
    out: String,
    errors: String,
}

fn export(parts: &Parts, arguments: &[&str]) -> Told {
    let output = parts.run(&[&["export"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Told { code: output.status.code(), out: text(output.stdout), errors: text(output.stderr) }
}

#[test]
fn documents_of_months_are_one_file_or_an_error() {
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--shared", "--partitions", "1"]);
    parts.publish_book(include_str!("../../examples/pricebook/northwind.toml"));
    parts.ok(&["run", "--until-caught-up"]);
    fill(&parts);

    for form in ["csv", "focus"] {
        for (arguments, numbers) in [
            (&["--period", "2026-10"][..], &["NW-1", "EG-119", "EG-117"][..]),
            (&["--period", "2026"], &["EG-118", "NW-1", "EG-119", "EG-117"]),
            (&["--from", "2026-09", "--to", "2026-09"], &["EG-118"]),
            (&["--period", "2026", "--provider", "northwind"], &["EG-118", "NW-1", "EG-117"]),
            (&["--period", "2026", "--seller", "northwind"], &["NW-1"]),
            (&["--period", "2026", "--provider", "northwind", "--seller", "evergrove"], &["EG-118", "EG-117"]),
            // the book does not name it, a document does
            (&["--period", "2026", "--buyer", "fjordcloud"], &["EG-119"]),
        ] {
            let told = export(&parts, &[&[form], arguments].concat());
            assert_eq!(told.code, Some(0), "{arguments:?}: {}", told.errors);
            assert_eq!(told.out, one_by_one(&parts, form, numbers), "{form} {arguments:?}");
        }
    }
    let told = export(&parts, &["csv", "--period", "2026-10"]);
    let line = "2026-10 to 2026-10: 2 documents, 10 rows of 6521.74 EUR";
    assert!(told.errors.contains(line) && told.errors.contains("come to 6521.74 EUR"), "{}", told.errors);
    assert!(
        told.out.contains(",\"'=HYPERLINK(\"\"http://x\"\",1)\",") && told.out.contains(",'@SUM(1),"),
        "{}",
        told.out
    );
    assert!(told.out.lines().last().unwrap().ends_with(",credited"), "the newest state: {}", told.out);

    refusals(&parts);
    files(&parts);
    parquet(&parts);
    broken(&parts);
}

fn refusals(parts: &Parts) {
    for (arguments, code, words) in [
        (&["csv", "--period", "2026", "--provider", "nobody"][..], 2, "provider nobody is of no document"),
        (&["csv", "--period", "2026", "--seller", "acme"], 2, "seller acme is of no document"),
        (&["csv", "--from", "2026-10", "--to", "2026-09"], 2, "the first month comes first"),
        (&["csv", "--period", "2026-10", "--output", "/no/such/file"], 2, "cannot make /no/such/file.part"),
        (&["csv", "--period", "2026-10", "--output", ".."], 2, "is no file"),
        (&["csv"], 2, "--period"),
        (&["csv", "--period", "october"], 2, "write a month or a year"),
        (&["csv", "--period", "2026-10", "--from", "2026-10", "--to", "2026-10"], 2, "cannot be used with"),
    ] {
        let told = export(parts, arguments);
        assert_eq!(told.code, Some(code), "{arguments:?}: {}", told.errors);
        assert!(told.out.is_empty() && told.errors.contains(words), "{arguments:?}: {}", told.errors);
    }
    let none = export(parts, &["focus", "--period", "2026-08"]);
    assert_eq!((none.code, none.out.lines().count()), (Some(0), 1), "the header alone");
    assert!(none.errors.contains("no document of 2026-08 to 2026-08 is issued"), "{}", none.errors);
}

fn path(parts: &Parts, name: &str) -> PathBuf {
    parts.directory.path().join(name)
}

fn files(parts: &Parts) {
    let (file, part) = (path(parts, "october.csv"), path(parts, "october.csv.part"));
    let arguments = ["csv", "--period", "2026-10", "--output", file.to_str().unwrap()];
    std::fs::write(&part, "of a killed one").unwrap();
    let told = export(parts, &arguments);
    assert!(told.code == Some(2) && told.errors.contains("another export writes it"), "{}", told.errors);
    assert!(!file.exists() && part.exists());
    std::fs::remove_file(&part).unwrap();
    for _ in 0..2 {
        let told = export(parts, &arguments);
        assert_eq!((told.code, told.out.as_str()), (Some(0), ""), "{}", told.errors);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), export(parts, &["csv", "--period", "2026-10"]).out);
        assert!(!part.exists());
    }
}

/// Read back by another implementation: the engine's own.
fn parquet(parts: &Parts) {
    let file = path(parts, "2026.parquet");
    let told = export(parts, &["parquet", "--period", "2026", "--output", file.to_str().unwrap()]);
    assert_eq!(told.code, Some(0), "{}", told.errors);
    let file = format!("file('{}', Parquet)", file.display());
    assert_eq!(parts.number(&format!("SELECT count() FROM {file}")), 20);
    let both = [
        "SELECT concat_ws(' ', number, toString(no), line, kind, description, toString(amount), toString(price), toString(issue_date)) FROM invoice_row"
            .to_owned(),
        format!(
            "SELECT concat_ws(' ', invoice, toString(no), ifNull(line, ''), kind, description, toString(amount), toString(price), toString(issue_date)) FROM {file}"
        ),
    ];
    for (one, other) in [(0, 1), (1, 0)] {
        let differ = format!("SELECT count() FROM ({} EXCEPT {})", both[one], both[other]);
        assert_eq!(parts.number(&differ), 0, "{differ}");
    }
    let typed = format!(
        "SELECT countIf(toTypeName(amount) LIKE '%Decimal(38, 9)%' AND toTypeName(unrounded) LIKE '%Decimal(38, 15)%' \
         AND toTypeName(period_start) LIKE '%DateTime64(3, \\'UTC\\')%' AND toTypeName(issue_date) LIKE '%Date%' \
         AND period_start = toDateTime64('2026-08-31 22:00:00', 3, 'UTC')) FROM {file}"
    );
    assert_eq!(parts.number(&typed), 20);
    let formula = format!("SELECT countIf(description = '{FORMULA}') FROM {file}");
    assert_eq!(parts.number(&formula), 1, "a typed text needs no guard");
    let again = path(parts, "again.parquet");
    parts.ok(&["export", "parquet", "--period", "2026", "--output", again.to_str().unwrap()]);
    assert_eq!(std::fs::read(path(parts, "2026.parquet")).unwrap(), std::fs::read(again).unwrap(), "byte for byte");
}

/// What is not what was issued is no file.
fn broken(parts: &Parts) {
    let file = path(parts, "broken.csv");
    let export = |period: &str, form: &str, words: &str| {
        let told = export(parts, &[form, "--period", period, "--output", file.to_str().unwrap()]);
        assert!(told.code == Some(1) && told.errors.contains(words), "{form}: {:?} {}", told.code, told.errors);
        let left = std::fs::read_dir(parts.directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(left.filter(|name| name.to_string_lossy().starts_with("broken")).count(), 0);
    };
    let header = |change: &str, number: &str| {
        let own = format!("(SELECT * FROM invoice_header FINAL WHERE number = '{number}')");
        let rows = format!("SELECT * REPLACE({change}) FROM {own}");
        parts.execute(&format!("INSERT INTO invoice_header {rows}")).unwrap();
    };
    header("toUInt64(9) AS version, total + 1 AS total", "EG-118");
    for form in ["csv", "focus", "parquet"] {
        export("2026-09", form, "totals of documents in EUR come to 3260.87, not 3261.87");
    }
    header("toUInt64(20) AS decision, 'EG-120' AS number", "EG-119");
    export("2026-10", "focus", "document EG-120 is listed and not stored");
    let changed = "SELECT * REPLACE(toUInt64(9) AS version, replaceAll(document, '2188.32', '2188.33') AS document)";
    let own = "(SELECT * FROM invoice FINAL WHERE number = 'EG-119')";
    parts.execute(&format!("INSERT INTO invoice {changed} FROM {own}")).unwrap();
    export("2026-10", "csv", "document EG-119: the document hashes to");
}
