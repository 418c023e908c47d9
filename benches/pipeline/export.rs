//! `plimsoll export` of ten million rows: seconds, and the greatest memory of its process.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant as Moment};

use plimsoll::clickhouse::invoice::{InvoiceRow, insert};
use plimsoll::clickhouse::{Client, migrate};
use plimsoll::core::billing::document::Document;

use crate::end_to_end::Parts;
use crate::invoices::first;
use crate::row;

/// Rows of documents; `PLIMSOLL_BENCH_EXPORT_ROWS` sets another number.
const ROWS: usize = 10_000_000;
/// Rows of a document: each of the five of INVOICE §3's so many times.
const OF_DOCUMENT: usize = 1_000;
/// Documents of an insert: some 50 MB of JSON.
const OF_INSERT: usize = 100;

/// Prints the figures.
pub fn measure() {
    let asked = std::env::var("PLIMSOLL_BENCH_EXPORT_ROWS").ok().and_then(|text| text.parse().ok());
    let documents = asked.unwrap_or(ROWS) / OF_DOCUMENT;
    let parts = Parts::start();
    let mut settings = parts.config.clickhouse.clone();
    settings.database = "export".to_owned();
    settings.insert_timeout = Duration::from_secs(600);
    let client = Client::new(&settings);
    parts.runtime.block_on(migrate::apply(&client)).unwrap();
    let long = long();
    println!(
        "\n{} rows in {documents} documents of {} bytes, engine beside",
        documents * OF_DOCUMENT,
        serde_json::to_string(&long).unwrap().len()
    );
    let started = Moment::now();
    for from in (0..documents).step_by(OF_INSERT) {
        let some: Vec<InvoiceRow> = (from..documents.min(from + OF_INSERT)).map(|no| numbered(&long, no)).collect();
        parts.runtime.block_on(insert(&client, &some)).unwrap();
    }
    println!("  inserted in {:.0} s", started.elapsed().as_secs_f64());
    let directory = tempfile::TempDir::new().unwrap();
    for form in ["csv", "focus", "parquet"] {
        let file = directory.path().join(form);
        let (seconds, peak) = exported(&parts, form, &file);
        let size = std::fs::metadata(&file).unwrap().len();
        std::fs::remove_file(&file).unwrap();
        println!("  {form}: {} MB", size / 1_000_000);
        row(&format!("export {form}: of a year, to a file"), seconds, "s", None);
        row("... a second", (documents * OF_DOCUMENT) as f64 / seconds, "rows/s", None);
        row("... greatest memory of its process", peak as f64 / 1024.0, "MiB", None);
    }
}

/// INVOICE §3's document with its rows again and again: it still adds up.
fn long() -> Document {
    let mut document = Document::from_json(&first().document).unwrap();
    let times = OF_DOCUMENT / document.rows.len();
    let rows = std::mem::take(&mut document.rows);
    document.rows = rows.iter().cycle().take(OF_DOCUMENT).cloned().collect();
    for (no, row) in (1..).zip(&mut document.rows) {
        row.no = no;
    }
    let cents: usize = document.total.replace('.', "").parse().unwrap();
    let total = format!("{}.{:02}", cents * times / 100, cents * times % 100);
    for sum in [&mut document.subtotal, &mut document.net, &mut document.total, &mut document.taxes[0].base] {
        sum.clone_from(&total);
    }
    document
}

fn numbered(long: &Document, no: usize) -> InvoiceRow {
    let mut document = long.clone();
    let number = format!("EG-2026-{no:07}");
    document.number = Some(number.clone());
    document.period.label = format!("2026-{:02}", 1 + no % 12);
    let document = document.sealed().unwrap();
    let billionths = document.total.replace('.', "").parse::<i128>().unwrap() * 10_000_000;
    InvoiceRow {
        number,
        decision: no as u64,
        label: document.period.label.clone(),
        total: billionths,
        net: billionths,
        digest: document.proof.digest.clone().unwrap(),
        document: serde_json::to_string(&document).unwrap(),
        ..first()
    }
}

/// Seconds, and KiB at the most.
fn exported(parts: &Parts, form: &str, file: &Path) -> (f64, u64) {
    let started = Moment::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.arg("export").arg(form).args(["--period", "2026", "--output"]).arg(file);
    command.env("PLIMSOLL_CLICKHOUSE__URL", &parts.config.clickhouse.url);
    command.env("PLIMSOLL_CLICKHOUSE__DATABASE", "export").env("PLIMSOLL_LOG__FILTER", "warn");
    let mut child = command.stdin(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        // the kernel's own high-water mark; gone with the process
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak = peak.max(mark.unwrap_or_default());
        match child.try_wait().unwrap() {
            Some(ended) => break ended,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    assert!(ended.success(), "export {form}: {ended}");
    (started.elapsed().as_secs_f64(), peak)
}
