//! Providers to whose streams nothing was ever sent, or that have none: what bills fees alone is closed on decisions, and proved.

use std::sync::LazyLock;

use plimsoll::core::word::Instant;

use super::setting::bill;
use crate::stage::book::{book, contract, meter, provider, vendor};
use crate::stage::open_for;
use crate::worker::Parts;

const CARDS: &str = r#"[card.fees]
currency = "EUR"
rate = [{ id = "fee", fee = "90.00" }]
[card.usage]
currency = "EUR"
rate = [{ id = "mean", meter = "effective_used", of = "array", unit = "TiB-month", statistic = "mean", price = "10" }]
"#;

/// Provider f has a contract of fees and a minimum, provider m one that prices usage.
static BOOK: LazyLock<String> = LazyLock::new(|| {
    let from = ("2026-01-01", "UTC");
    let fees = "minimum = \"120.00\"\nissue = \"auto\"\nline = [{ rate = \"fee\" }]";
    let usage = "minimum = \"50.00\"\nissue = \"auto\"\nline = [{ rate = \"mean\" }]";
    book([
        meter("effective_used", "gauge"),
        vendor("v"),
        provider("f"),
        provider("m"),
        CARDS.to_owned(),
        contract("fees", ("v", "f"), "fees", from, fees),
        contract("usage", ("v", "m"), "usage", from, usage),
    ])
});

const DAY_MS: i64 = 86_400_000;

#[test]
fn a_provider_of_fees_alone_is_closed_issued_and_proved_though_nothing_was_ever_sent() {
    let parts = Parts::start();
    parts.publish_book(&BOOK);
    let close = |provider: &str, period: &str, more: &[&str]| {
        let output =
            parts.run(&[&["close", "--provider", provider, "--period", period, "--format", "json"], more].concat());
        let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), object)
    };
    let (code, object) = close("f", "2026-08", &[]);
    assert_eq!(
        (code, &object["drafts"][0]["total"], &object["holes"]),
        (Some(0), &"120.00".into(), &serde_json::json!([]))
    );
    // of whom usage is expected nobody closes anything without saying why
    let (code, object) = close("m", "2026-08", &[]);
    assert_eq!((code, &object["holes"][0]["kind"]), (Some(2), &"no_stream".into()), "{object}");
    let (code, object) = close("m", "2026-08", &["--override", "it has not begun"]);
    assert_eq!((code, &object["drafts"][0]["total"]), (Some(0), &"50.00".into()), "{object}");

    // what is due is closed by itself: of f, and of m a hole keeps it open, which is a metric
    let (mut worker, metrics, _runtime) = bill(&parts);
    let in_days = |days: i64| Instant(chrono::Utc::now().timestamp_millis() + days * DAY_MS);
    let round = worker.round_at(in_days(40)).unwrap();
    assert!(round.closed >= 1 && round.closed == round.refused && round.issued == 2 + round.closed, "{round:?}");
    let overdue = format!("plimsoll_periods_overdue {}", round.refused);
    assert!(metrics.text().unwrap().lines().any(|line| line == overdue), "{overdue}");

    // the same with a stream of its own to which nothing was sent
    open_for(&parts, "fees", "f", 2);
    let (code, object) = close("f", "2026-07", &[]);
    assert_eq!((code, &object["drafts"][0]["total"]), (Some(0), &"120.00".into()), "{object}");
    let later = worker.round_at(in_days(75)).unwrap();
    assert!(later.closed >= 1 && later.issued == later.closed + 1, "{later:?}");
    // a close that counts names no offset, and every document comes out of the ledger again
    let cut = "JSONLength(body, 'close', 'cut')";
    let closes = format!("SELECT count() FROM decision FINAL WHERE kind = 'PeriodClosed' AND {cut} = 0");
    let documents = (2 + round.closed + 1 + later.closed) as u64;
    assert_eq!(parts.number(&closes), documents);
    let proved = parts.lines(&["prove", "--all", "--with-log", "--format", "json"]);
    assert!(proved.iter().all(|one| one["proven"] != false), "{proved:?}");
    assert_eq!(parts.number("SELECT count() FROM invoice FINAL WHERE state = 'issued'"), documents);
    for _ in 0..documents {
        worker.round_at(in_days(75)).unwrap();
    }
    assert_eq!((metrics.prove_proved.get() as u64, metrics.prove_failed.get()), (documents, 0));

    // once something is sent it has to be folded first; then it is billed from there on
    let time = "2026-07-10T00:00:00Z";
    let reading = r#"{"kind":"array","resource":"a","meter":"effective_used","value":1}"#;
    let event = format!(
        r#"{{"specversion":"1.0","id":"1","source":"s","type":"dev.plimsoll.usage.v1","time":"{time}","data":{{"provider":"f","array":{{"id":"a"}},"readings":[{reading}]}}}}"#
    );
    parts.produce("fees", std::iter::once(("a".to_owned(), event)));
    let (code, object) = close("f", "2026-06", &["--override", "x"]);
    assert!(code == Some(2) && object["holes"].to_string().contains("no_checkpoint"), "{object}");
    parts.ok(&["run", "--until-caught-up"]);
    let (code, object) = close("f", "2026-06", &[]);
    assert_eq!((code, &object["drafts"][0]["total"]), (Some(0), &"120.00".into()), "{object}");
    // from now on workers have to take in what concerns the provider
    parts.ok(&["run", "--until-caught-up"]);
    let (code, object) = close("f", "2026-07", &[]);
    assert_eq!(
        (code, &object["outcome"]),
        (Some(2), &"nothing_to_correct".into()),
        "fees are what they were: {object}"
    );
}
