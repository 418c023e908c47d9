//! The printable page in a real browser: two sheets of A4, and nothing asked of anybody.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plimsoll::core::billing::detail::{CommitmentDay, CommitmentDays, Detail};
use plimsoll::core::billing::document::Document;
use plimsoll::core::billing::render::html;

/// Northwind's September 2026, as the billing tests issue it.
const INVOICE: &str = include_str!(
    "../../src/core/billing/render/snapshots/plimsoll__core__billing__render__tests__northwind_as_json.snap"
);

/// How long a browser may take for one page.
const LIMIT: Duration = Duration::from_secs(60);

pub fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.is_file())
}

fn invoice() -> Document {
    let body = INVOICE.splitn(3, "---\n").nth(2).expect("a snapshot has a head");
    Document::from_json(body).expect("the snapshot is a document that hashes to its digest")
}

fn detail() -> Detail {
    let day = |day: u32| CommitmentDay {
        date: format!("2026-09-{day:02}"),
        used: "95".to_owned(),
        commitment: "100".to_owned(),
        unused: "5".to_owned(),
        over: "0".to_owned(),
    };
    let days = (1..=30).map(day).collect();
    let line = CommitmentDays { line: "block-premium".to_owned(), unit: "TiB-month".to_owned(), by_day: true, days };
    Detail { commitments: vec![line], ..Detail::default() }
}

/// Prints a page; the browser is ended if it takes too long.
pub fn print(browser: &Path, folder: &Path, text: &str) -> Vec<u8> {
    let (page, pdf) = (folder.join("page.html"), folder.join("page.pdf"));
    std::fs::write(&page, text).unwrap();
    let mut child = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--print-to-pdf={}", pdf.display()))
        .arg(format!("file://{}", page.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the browser starts");
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{} printed nothing in {LIMIT:?}", browser.display());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    std::fs::read(&pdf).expect("the browser printed a file")
}

/// Needs a browser, which no machine has to have: without one it says so where the test's line stands.
#[test]
fn an_invoice_prints_on_two_sheets() {
    let Some(browser) = browser() else {
        // past the capture of the test runner, so that nobody takes it for a test that has run
        use std::io::Write;
        writeln!(std::io::stderr(), "SKIPPED print::an_invoice_prints_on_two_sheets: no chromium in PATH").unwrap();
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let pdf = print(&browser, folder.path(), &html::page(&invoice(), Some(&detail())));
    assert!(pdf.starts_with(b"%PDF-"));
    let text = String::from_utf8_lossy(&pdf);
    let sheets = text.matches("/Type /Page\n").count();
    assert_eq!(sheets, 2, "sheets of paper");
    // A4 in points
    assert!(text.contains("/MediaBox [0 0 594.95996 841.91998]") || text.contains("/MediaBox [0 0 595"), "no A4");
}
