//! A changed price book against stored usage: the plan tells terms, warnings and what statements move by; the simulation tells the
//! same figures; neither writes anything. The usage is a level, so that every figure can be found by hand.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::stage::book::{book, contract, customer, meter, provider, vendor};
use crate::stage::site_of;

const TIB: u64 = 1 << 40;
/// 2026-10-01T00:00:00Z.
const START_S: i64 = 1_790_812_800;
const HOURS: i64 = 31 * 24;

const CARDS: &str = r#"[card.wholesale]
currency = "EUR"
rate = [{ id = "block", meter = "used", of = "array", tier = "//Block", unit = "TiB-month", statistic = "mean", price = "10.00" }]
[card.retail]
currency = "EUR"
rate = [{ id = "block", meter = "used", of = "volume", unit = "TiB-month", statistic = "mean", bands = [{ up_to = "5", price = "20.00" }, { price = "18.00" }] }]
"#;

static BOOK: LazyLock<String> = LazyLock::new(|| {
    let (from, block) = (("2026-10-01", "UTC"), r#"line = [{ rate = "block" }]"#);
    let taxed = format!("tax = {{ percent = \"19\" }}\n{block}");
    book([
        meter("used", "gauge"),
        vendor("evergrove"),
        provider("northwind"),
        customer("northwind", "acme"),
        CARDS.to_owned(),
        contract("wholesale", ("evergrove", "northwind"), "wholesale", from, block),
        contract("acme", ("northwind", "acme"), "retail", from, &taxed),
        contract("others", ("northwind", "*"), "retail", from, block),
    ])
});

/// Ten TiB on an array each hour of October: four are acme's, six those of a tag that nobody claims. Another array of a tier
/// without a price is seen once.
fn events() -> impl Iterator<Item = (String, String)> {
    let event = |array: &str, hour: i64, readings: &str| {
        let time = chrono::DateTime::from_timestamp(START_S + hour * 3600, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
        let data =
            format!(r#"{{"provider":"northwind","array":{{"id":"{array}","site":"HAM1"}},"readings":[{readings}]}}"#);
        let value = format!(
            r#"{{"specversion":"1.0","id":"{time}","source":"urn:{array}","type":"dev.plimsoll.usage.v1","time":"{time}","data":{data}}}"#
        );
        (array.to_owned(), value)
    };
    let reading = |kind: &str, resource: &str, tags: &str, tib: u64| {
        format!(r#"{{"resource":"{resource}","kind":"{kind}",{tags}"meter":"used","value":{}}}"#, tib * TIB)
    };
    let readings = [
        reading("array", "a1", r#""tier":"//Block","#, 10),
        reading("volume", "v1", r#""customer":"acme","tier":"//Block","#, 4),
        reading("volume", "v2", r#""customer":"hooli","tier":"//Block","#, 6),
    ]
    .join(",");
    let archive = event("a2", 5, &reading("array", "a2", r#""tier":"//Archive","#, 1));
    (0..HOURS).map(move |hour| event("a1", hour, &readings)).chain([archive])
}

/// The book with other prices, and a contract more.
fn changed() -> String {
    // without an address, which is warned of
    let gamma = customer("northwind", "gamma").replace(r#"["gamma"]"#, r#"["hooli"]"#);
    let gamma = gamma.replace(r#"["Gasse 1", "DE"]"#, "[]");
    let line = r#"line = [{ rate = "block" }]"#;
    let gamma = gamma + &contract("gamma", ("northwind", "gamma"), "retail", ("2026-10-01", "UTC"), line);
    let text = BOOK.replace("price = \"10.00\"", "price = \"12.50\"").replace("price = \"18.00\"", "price = \"15.00\"");
    format!("{text}{gamma}")
}

fn october<'a>(plan: &'a Value, contract: &str) -> Vec<&'a Value> {
    let effects = plan["effects"].as_array().unwrap().iter();
    effects.filter(|effect| effect["period"] == "2026-10" && effect["contract"] == contract).collect()
}

fn sums(effect: &Value) -> [Value; 4] {
    [
        effect["buyer"].clone(),
        effect["now"]["total"].clone(),
        effect["then"]["total"].clone(),
        effect["difference"].clone(),
    ]
}

#[test]
fn a_changed_book_is_planned_simulated_and_applied() {
    let parts = site_of("northwind", 1);
    parts.publish_book(&BOOK);
    parts.produce("usage", events());
    parts.ok(&["run", "--until-caught-up"]);
    let directory = parts.directory.path().join("other");
    let other = directory.to_str().unwrap();
    let write = |text: &str| {
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("book.toml"), text).unwrap();
    };

    // the same book: nothing changes, nothing moves, and what is stored without a price or an owner is told
    write(&BOOK);
    let plan = parts.ok(&["catalog", "plan", other]);
    assert!(plan.contains("nothing changes") && plan.contains(" 0 of them move"), "{plan}");
    assert!(plan.contains(r#"warning: provider northwind: tag "hooli" is claimed by no customer"#), "{plan}");
    assert!(plan.contains("no wholesale line in force prices used of array tier //Archive (array a2)"), "{plan}");

    write(&changed());
    let plan: Value = serde_json::from_str(&parts.ok(&["catalog", "plan", other, "--format", "json"])).unwrap();
    let changes: Vec<&str> = plan["changes"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert_eq!(
        changes[..2],
        [
            "card retail, rate block: price of the last band: 18.00 -> 15.00",
            "card wholesale, rate block: price: 10.00 -> 12.50",
        ]
    );
    assert!(changes[2].starts_with("contract gamma is new: ") && changes[3].starts_with("customer gamma is new: "));
    let warnings = plan["warnings"].to_string();
    assert!(warnings.contains("customer gamma has no address") && !warnings.contains("hooli"), "{warnings}");
    // 10 x 10.00; 4 x 20.00 and 19 %; 5 x 20.00 + 1 x 18.00, which gamma's own contract takes over
    let expected = [
        ("wholesale", json!(["northwind", "100.00", "125.00", "25.00"])),
        ("acme", json!(["acme", "95.20", "95.20", "0.00"])),
        ("others", json!(["hooli", "118.00", null, null])),
        ("gamma", json!(["gamma", null, "115.00", null])),
    ];
    for (contract, sums_of) in &expected {
        let effects = october(&plan, contract);
        assert_eq!(effects.len(), 1, "{contract}: {plan}");
        assert_eq!(json!(sums(effects[0])), *sums_of, "{contract}");
        assert_eq!(effects[0]["moves"], json!(*contract != "acme"));
    }

    let simulated = parts.ok(&["simulate", other, "--periods", "2026-09..2026-10", "--format", "json"]);
    let simulated: Value = serde_json::from_str(&simulated).unwrap();
    assert_eq!(simulated["effects"].as_array().unwrap().len(), 4, "no contract is in force in September: {simulated}");
    for (contract, sums_of) in &expected {
        assert_eq!(json!(sums(october(&simulated, contract)[0])), *sums_of, "{contract}");
    }
    let total = json!([{ "currency": "EUR", "now": "313.20", "then": "335.20", "difference": "22.00" }]);
    assert_eq!(simulated["totals"], total);
    let table = parts.ok(&["simulate", other, "--periods", "2026-10", "--provider", "northwind"]);
    assert!(table.contains("313.20") && table.contains("25.00") && table.contains(" - "), "{table}");
    assert_eq!(parts.run(&["simulate", other, "--periods", "2026-10..2026-09"]).status.code(), Some(2));

    // nothing was written so far
    assert_eq!(parts.lines(&["catalog", "history", "--format", "json"]).len(), 1);
    let shown = parts.ok(&["catalog", "show"]);
    let applied = parts.ok(&["catalog", "apply", other, "--actor", "eva"]);
    assert!(applied.contains("card wholesale, rate block: price: 10.00 -> 12.50"), "{applied}");
    let history = parts.lines(&["catalog", "history", "--format", "json"]);
    assert_eq!((history.len(), &history[1]["actor"], &history[1]["hash"]), (2, &json!("eva"), &plan["hash"]));
    let first = history[0]["offset"].to_string();
    assert_eq!(parts.ok(&["catalog", "show", "--at", &first]), shown);
    assert_ne!(parts.ok(&["catalog", "show"]), shown);
    assert_eq!(parts.run(&["catalog", "show", "--at", "2026-01-01"]).status.code(), Some(2));

    // a meter is set once: refused wherever the book is read
    write(&changed().replace("kind = \"gauge\"", "kind = \"gauge\"\nmax_hold_minutes = 240"));
    for command in [
        vec!["catalog", "plan", other],
        vec!["catalog", "apply", other],
        vec!["simulate", other, "--periods", "2026-10"],
    ] {
        let output = parts.run(&command);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {told}");
        assert!(told.contains("meter used is published"), "{told}");
    }
    write(&changed().replace("price = \"12.50\"", "price = 12.50"));
    let output = parts.run(&["catalog", "check", other]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("write prices in quotes: price = \"12.50\"") && told.contains("book.toml:20:121"), "{told}");
}
