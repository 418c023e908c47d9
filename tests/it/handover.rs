//! An array that goes from one provider to another is billed to one of them at a time.

use crate::stage::book::{self, contract, meter, provider, vendor};
use crate::stage::shared_site;

const CARD: &str = r#"[card.c]
currency = "EUR"
rate = [{ id = "mean", meter = "used", of = "array", unit = "TiB-hour", statistic = "mean", price = "1" }]
"#;

fn book() -> String {
    let bought =
        |buyer: &str| contract(buyer, ("v", buyer), "c", ("2026-01-01", "UTC"), r#"line = [{ rate = "mean" }]"#);
    let [old, new] = ["old", "new"];
    book::book([
        meter("used", "gauge"),
        vendor("v"),
        provider(old),
        provider(new),
        CARD.to_owned(),
        bought(old),
        bought(new),
    ])
}

fn event(provider: &str, (array, tier): (&str, &str), minutes: i64, tib: u64) -> (String, String) {
    let time = chrono::DateTime::from_timestamp(1_793_836_800 + minutes * 60, 0).unwrap();
    let time = time.format("%Y-%m-%dT%H:%M:%SZ");
    let value = tib << 40;
    let text = format!(
        r#"{{"specversion":"1.0","id":"{provider}-{time}","source":"s","type":"dev.plimsoll.usage.v1","time":"{time}","data":{{"provider":"{provider}","array":{{"id":"{array}"}},"readings":[{{"resource":"{array}","kind":"array","tier":"{tier}","meter":"used","value":{value}}}]}}}}"#
    );
    (array.to_owned(), text)
}

#[test]
fn a_hand_over_ends_the_old_holds() {
    let parts = shared_site(2);
    parts.publish_book(&book());
    // the old one each hour from 0:00 to 5:00 at 1 TiB, the new one each hour from 5:40 to 8:40 at 2 TiB
    let y = ("y", "t");
    let old = (0..=5).map(|hour| event("old", y, hour * 60, 1));
    parts.produce("usage", old.chain((0..4).map(|hour| event("new", y, 340 + hour * 60, 2))));
    // another one changes its tier two minutes before, in the same cell: 4 TiB for 62 minutes, 1 TiB for 2, then 3 TiB for 2 hours
    let z = [("old", "t1", 240, 4), ("old", "t2", 302, 1), ("new", "t2", 304, 3)];
    parts.produce(
        "usage",
        z.into_iter().map(|(provider, tier, minutes, tib)| event(provider, ("z", tier), minutes, tib)),
    );
    parts.ok(&["run", "--until-caught-up"]);
    let row = |contract: &str| {
        let document = parts.lines(&["statement", contract, "--period", "2026-11", "--format", "json"]).remove(0);
        (document["rows"][0]["quantity"].clone(), document["rows"][0]["coverage"].clone())
    };
    // 5 h 40 min + 4 h 8 min + 2 min, and 5 h of 2 TiB + 6: nothing is billed twice, and the old provider owes no readings afterwards
    assert_eq!(row("old"), ("9.833333".into(), "1".into()));
    assert_eq!(row("new").0, "16");
}
