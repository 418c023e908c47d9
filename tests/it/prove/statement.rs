//! Statements proved and traced by the product's own commands, and what they say of a ledger or of buckets that were tampered with.

use std::sync::LazyLock;

use serde_json::Value;

use super::random::polls;
use crate::quote::random::Random;
use crate::stage::book::{book, contract, customer, meter, provider, vendor};
use crate::stage::shared_site;
use crate::worker::Parts;

/// One provider with every kind of line.
pub static BOOK: LazyLock<String> = LazyLock::new(|| {
    let fine = "cell_minutes = 5\nmax_hold_minutes = 300\n";
    let sold = r#"line = [{ rate = "kept" }, { rate = "flow" }]"#;
    book([
        meter("effective_used", "gauge"),
        meter("read_bytes", "counter"),
        meter("fine", "gauge") + fine,
        meter("written", "delta"),
        vendor("v"),
        provider("p"),
        provider("northwind"),
        customer("p", "acme").replace(r#"["acme"]"#, r#"["acme", "ACME"]"#),
        CARD.to_owned(),
        contract("wholesale", ("v", "p"), "k", ("2026-01-01", "Asia/Kolkata"), BOUGHT),
        contract("others", ("p", "*"), "k", ("2026-01-01", "Europe/Berlin"), sold),
        contract("acme", ("p", "acme"), "k", ("2026-10-11T12:00:00+02:00", "Europe/Berlin"), ACME),
    ])
});

const CARD: &str = r#"[card.k]
currency = "EUR"
rate = [
  { id = "mean", meter = "effective_used", of = "array", unit = "TiB-month", statistic = "mean", bands = [{ up_to = "20", price = "10" }, { price = "8" }] },
  { id = "kept", meter = "effective_used", of = "volume", tier = "//Block - Premium", unit = "GiB-month@730h", statistic = "mean", price = "0.04" },
  { id = "peak", meter = "fine", of = "volume", unit = "TiB", statistic = "peak", price = "3" },
  { id = "p95", meter = "fine", of = "file_system", unit = "GiB", statistic = "p95", price = "0.1" },
  { id = "flow", meter = "read_bytes", of = "volume", unit = "GB", statistic = "sum", price = "0.02" },
  { id = "written", meter = "written", of = "volume", unit = "GiB", statistic = "sum", bands = [{ up_to = "10", flat = "5" }, { price = "0.01" }] },
  { id = "promised", meter = "effective_used", of = "volume", tier = "//UFFO - Standard", unit = "TiB-month", statistic = "mean", committed = "2", overage = { bands = [{ up_to = "20%", price = "4" }, { price = "6" }] } },
  { id = "fee", fee = "90.00" },
  { id = "share", share = { percent = "4", of = ["mean", "fee"] } },
]
"#;

const BOUGHT: &str = r#"minimum = "100000"
line = [
  { rate = "mean" }, { rate = "kept", gap = "hold" }, { rate = "peak", per = "resource" }, { rate = "p95" }, { rate = "flow", per = "array" },
  { rate = "written" }, { rate = "promised", commitment = "5" }, { rate = "fee" }, { rate = "share" },
]"#;

const ACME: &str = r#"line = [{ rate = "kept", gap = "hold" }, { rate = "flow" }, { rate = "peak" }]"#;

const ALL: [&str; 7] = ["prove", "--statements", "--provider", "p", "--period", "2026-10", "--format"];

pub fn whole(value: &Value) -> i128 {
    value.as_str().unwrap().parse().unwrap()
}

/// A row's pieces add up to what was priced, whatever they are.
fn traced(parts: &Parts, statement: &Value, row: &Value, by: &str) {
    let (contract, no) = (statement["contract"].as_str().unwrap(), row["no"].to_string());
    let mut arguments =
        vec!["trace", "--statement", contract, "--period", "2026-10", "--row", &no, "--by", by, "--format", "json"];
    if contract == "others" {
        arguments.extend(["--customer", statement["buyer"]["id"].as_str().unwrap()]);
    }
    let lines = parts.lines(&arguments);
    let (kind, what) = (row["kind"].as_str().unwrap(), format!("{contract} {row} by {by}"));
    assert_eq!(lines[0]["row"], *row, "{what}");
    let of = |kind: &'static str| lines.iter().filter(move |line| line["type"] == kind);
    match kind {
        "fee" => assert_eq!(lines.len(), 1, "{what}"),
        "share" | "minimum" => assert!(of("source").count() > 0, "{what}"),
        _ => {
            let sum = lines.last().unwrap();
            assert_eq!((&sum["type"], &sum["equal"]), (&"sum".into(), &true.into()), "{what}: {sum}");
            assert_eq!(of("piece").map(|piece| whole(&piece["amount"])).sum::<i128>(), whole(&sum["amount"]), "{what}");
            assert_eq!(of("piece").count() as u64, sum["pieces"].as_u64().unwrap());
            // a piece that is not held has been measured, so there is an event of it
            let empty = |piece: &&Value| {
                piece["positions"].as_array().unwrap().is_empty() && whole(&piece["amount"]) > whole(&piece["held"])
            };
            if by == "array" || by == "resource" {
                assert_eq!(of("piece").find(empty), None, "{what}");
            }
            assert!(kind != "overage" || of("window").count() >= 31, "{what}");
        }
    }
}

#[test]
fn statements_are_proved_and_traced_and_tampering_is_seen() {
    let parts = shared_site(2);
    parts.publish_book(&BOOK);
    parts.produce("usage", polls(&mut Random::new(5)).into_iter());
    parts.ok(&["run", "--until-caught-up"]);

    let statements = parts.lines(&["statement", "--all", "--provider", "p", "--period", "2026-10", "--format", "json"]);
    let mut proved = parts.lines(&[&ALL[..], &["json"]].concat());
    let summary = proved.pop().unwrap();
    assert_eq!(summary["proven"], summary["documents"], "{proved:?}");
    assert_eq!((proved.len(), &summary["holes"]), (statements.len(), &serde_json::json!([])));
    assert!(statements.len() >= 6 && summary["readings"].as_u64().unwrap() > 10_000, "{summary}");

    let kinds = |kind: &str| {
        statements.iter().flat_map(|one| one["rows"].as_array().unwrap()).filter(|row| row["kind"] == kind).count()
    };
    for kind in ["usage", "commitment", "overage", "fee", "share", "minimum", "flat"] {
        assert!(kinds(kind) > 0, "no {kind} row to trace");
    }
    assert!(statements[0]["rows"].as_array().unwrap().iter().any(|row| row["estimated"] == true), "no gap is held");
    for (place, row) in statements[0]["rows"].as_array().unwrap().iter().enumerate() {
        for by in [["array", "hour"], ["resource", "day"]][place % 2] {
            traced(&parts, &statements[0], row, by);
        }
    }
    for statement in &statements[1..4] {
        for row in statement["rows"].as_array().unwrap() {
            traced(&parts, statement, row, "resource");
        }
    }

    // a stored bucket that is not what the ledger gives
    parts.execute(
        "ALTER TABLE usage_bucket UPDATE cell_amount = arrayMap(amount -> amount + 1099511627776000000, cell_amount) \
         WHERE array = 'd' AND kind = 'array' AND meter = 'effective_used' AND hour = toDateTime('2026-10-10 10:00:00', 'UTC') SETTINGS mutations_sync = 2",
    ).unwrap();
    let output = parts.run(&[&ALL[..], &["table"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("DIFFERS  wholesale, 2026-10") && text.contains("(row 1: mean, usage)"), "{text}");
    assert!(text.contains("/quantity") && !text.contains("lacks rows"), "{text}");

    // ... and a ledger that lacks a row
    parts
        .execute("ALTER TABLE usage_event DELETE WHERE partition = 0 AND offset = 777 SETTINGS mutations_sync = 2")
        .unwrap();
    let lines = String::from_utf8(parts.run(&[&ALL[..], &["json"]].concat()).stdout).unwrap();
    let summary: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    let hole = &summary["holes"][0];
    assert!(hole["from"].as_u64().unwrap() <= 777 && 777 < hole["to"].as_u64().unwrap(), "{summary}");
    assert_eq!(hole["counted"].as_u64().unwrap(), hole["found"].as_u64().unwrap() + 1);

    // ... or one that says something else
    let altered = parts.number("SELECT max(offset) FROM usage_event WHERE provider = 'p' AND partition = 1 AND time < toDateTime('2026-10-20 00:00:00', 'UTC')");
    parts
        .execute(&format!(
            "ALTER TABLE usage_event UPDATE reading_value = arrayMap(value -> value + 1, reading_value) \
             WHERE partition = 1 AND offset = {altered} SETTINGS mutations_sync = 2"
        ))
        .unwrap();
    let lines = String::from_utf8(parts.run(&[&ALL[..], &["json"]].concat()).stdout).unwrap();
    let summary: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(summary["altered"], serde_json::json!([{"stream": "usage-1", "partition": 1, "offset": altered}]));

    let code = |arguments: &[&str]| parts.run(arguments).status.code();
    assert_eq!(code(&["prove", "--statement", "nobody", "--period", "2026-10"]), Some(2));
    assert_eq!(code(&["trace", "--statement", "acme", "--period", "2026-10", "--row", "99"]), Some(2));
}
