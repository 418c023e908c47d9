//! A small site runs everything in one process: events come in by HTTP, are folded, closed, issued, and read by HTTP.

use super::*;
use crate::stage::book::{self, contract, meter, provider, vendor};
use crate::stage::site_of;

const CARD: &str = r#"[card.k]
currency = "EUR"
rate = [{ id = "volumes", meter = "used", of = "volume", unit = "TiB-month", statistic = "mean", price = "10" }]
"#;

fn book() -> String {
    let wholesale = "close_below = \"0\"\nissue = \"auto\"\nline = [{ rate = \"volumes\" }]";
    let contract = contract("wholesale", ("v", "p"), "k", ("2026-01-01", "Europe/Berlin"), wholesale);
    book::book([meter("used", "gauge"), vendor("v"), provider("p"), CARD.to_owned(), contract])
}

#[test]
fn one_process_takes_folds_closes_issues_and_serves() {
    let parts = site_of("p", 1);
    parts.publish_book(&book());
    with_credentials(&parts);
    let mut command = parts.command(&["run", "--all"]);
    command.env("PLIMSOLL_BILL__INTERVAL_SECONDS", "1");
    let mut door = Door::of(command, &[]);
    // the whole month before the last one is past its grace
    let month = chrono::Utc::now().date_naive().format("%Y-%m-01").to_string();
    let first = chrono::NaiveDate::parse_from_str(&month, "%Y-%m-%d").unwrap() - chrono::Months::new(2);
    let events = (0..48).map(|hour| {
        let time = first.and_hms_opt(0, 0, 0).unwrap() + chrono::TimeDelta::hours(240 + hour);
        let mut event = event("p", "a", &format!("h{hour}"));
        event["time"] = json!(time.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        event
    });
    let answer = door.send("producer:p", BATCH, &batch(events));
    assert_eq!(answer.status, 202, "{answer:?}");

    let begun = Instant::now();
    let invoices = loop {
        let mut stream = TcpStream::connect(&door.api).unwrap();
        let ask =
            "GET /v1/invoices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer provider:p\r\nConnection: close\r\n\r\n";
        stream.write_all(ask.as_bytes()).unwrap();
        let invoices = super::answer(stream).unwrap().body;
        if invoices["data"].as_array().is_some_and(|data| !data.is_empty()) {
            break invoices;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "nothing is issued: {invoices}");
        std::thread::sleep(Duration::from_millis(300));
    };
    assert_eq!(invoices["data"][0]["number"], "V-0001", "{invoices}");
    // SAFETY: our own child, which is not waited for before this
    assert_eq!(unsafe { libc::kill(door.process.pid(), libc::SIGTERM) }, 0);
    let begun = Instant::now();
    while door.process.ended().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(40), "it does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(door.process.ended().unwrap().success());
}
