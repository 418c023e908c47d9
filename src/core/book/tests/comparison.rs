//! Warnings, what another book changes, and what it leaves without a price or an owner.

use super::*;

#[test]
fn what_may_surprise_is_warned_of() {
    let mut files = sample();
    files[0].1 = files[0].1.replacen(
        "{ rate = \"read-traffic\" }, { rate = \"platform\" }]",
        "{ rate = \"platform\", sites = [\"HAM1\"] }]",
        2,
    );
    files[0].1 =
        files[0].1.replacen("commitment = \"100\"", "commitment = [{ from = 2026-05-01, quantity = \"100\" }]", 1);
    files[1].1 = files[1].1.replacen("[\"Storgata 5\", \"0155 Oslo\", \"NO\"]", "[]", 1);
    insta::assert_snapshot!(parse(&files).unwrap().warnings().join("\n"));
}

/// A rate that ended before the contract began binds it to nothing.
#[test]
fn only_rates_in_force_count() {
    let mut files = sample();
    let card = "{ id = \"support\", share";
    let old = "{ id = \"old\", meter = \"installed\", of = \"array\", unit = \"TiB-month\", statistic = \"mean\", price = \"1\" },\n  \
               { id = \"old\", from = 2026-01-01, meter = \"installed\", of = \"array\", unit = \"TiB-month\", statistic = \"mean\", committed = \"1\", overage = { price = \"2\" } },\n  ";
    files[0].1 = files[0].1.replacen(card, &format!("{old}{card}"), 1);
    files[0].1 = files[0].1.replacen(
        "{ rate = \"support\" }]",
        "{ rate = \"support\" }, { rate = \"old\", commitment = \"5\" }]",
        1,
    );
    assert!(parse(&files).is_ok(), "{:?}", parse(&files));
}

#[test]
fn a_volume_inversion_is_warned_of_with_its_span() {
    let mut files = sample();
    files[0].1 = files[0].1.replacen(
        "statistic = \"mean\", bands = [{ up_to = \"100\"",
        "statistic = \"mean\", mode = \"volume\", bands = [{ up_to = \"100\"",
        1,
    );
    let warnings = parse(&files).unwrap().warnings();
    assert_eq!(
        warnings[0],
        "card vendor-2026, rate file-standard: above 100 everything is cheaper than at 100, up to 111.111111"
    );
    let inversion = |bands: &str| {
        let bands = format!("mode = \"volume\", bands = [{bands}] }},\n  {{ id = \"read-traffic\"");
        let old =
            "bands = [{ up_to = \"50\", price = \"28.00\" }, { price = \"25.00\" }] },\n  { id = \"read-traffic\"";
        changed(&[(old, &bands)]).warnings().join("; ").replace("card northwind-retail, rate file: ", "")
    };
    assert_eq!(inversion(r#"{ up_to = "1000", flat = "750" }, { flat = "1200" }"#), "");
    assert_eq!(
        inversion(r#"{ up_to = "1000", flat = "750" }, { flat = "500" }"#),
        "above 1000 everything is cheaper than at 1000, whatever the quantity"
    );
    assert_eq!(
        inversion(r#"{ up_to = "500", price = "27.50" }, { up_to = "520", price = "25" }, { price = "27.50" }"#),
        "above 500 everything is cheaper than at 500, up to 520"
    );
}

/// The sample with pieces of text replaced, each of them in the first file that has it.
fn changed(pieces: &[(&str, &str)]) -> Book {
    let mut files = sample();
    for (from, to) in pieces {
        let file = files.iter_mut().find(|(_, text)| text.contains(from)).unwrap_or_else(|| panic!("{from}"));
        file.1 = file.1.replacen(from, to, 1);
    }
    parse(&files).unwrap_or_else(|found| panic!("{}", found[0]))
}

#[test]
fn changes_are_told_in_words_of_the_book() {
    let old = changed(&[(
        "  { id = \"file-standard\", from = 2027-01-01, meter = \"effective_used\", of = \"array\", tier = \"//UFFO - Standard\", unit = \"TiB-month\", statistic = \"mean\", bands = [{ up_to = \"100\", price = \"14.40\" }, { price = \"12.00\" }] },\n",
        "",
    )]);
    let new = changed(&[
        ("price = \"40.50\"", "price = \"41\""),
        ("committed = \"24.00\"", "committed = \"24.5\""),
        ("evaluate = \"day\"", "evaluate = \"period\""),
        ("fee = \"90.00\"", "fee = \"95.00\""),
        ("share = { percent = \"4\"", "share = { percent = \"5\""),
        ("buyer = \"acme\"", "buyer = \"acme\"\nminimum = \"100\""),
        ("deal = { reference = \"Q-118\", percent = \"10\" }", "deal = { reference = \"Q-118\", percent = \"12\" }"),
        (
            "commitment = \"100\"",
            "commitment = [{ from = 2026-01-01, quantity = \"100\" }, { from = 2027-01-01, quantity = \"150\" }]",
        ),
        ("sites = [\"BGO1\"]", "sites = [\"BGO1\", \"BGO2\"], gap = \"hold\""),
        ("tags = [\"initech\"]", "tags = [\"initech\", \"it\"]"),
        ("level = \"advanced\" }]", "level = \"premier\" }]"),
        ("{ name = \"advanced\", discount_percent = \"6\"", "{ name = \"advanced\", discount_percent = \"7\""),
        (
            "[sales_credit] ",
            "[customer.hooli]\nprovider = \"northwind\"\nname = \"Hooli GmbH\"\naddress = [\"Platz 1\"]\n[sales_credit] ",
        ),
        ("[array.\"66aa2c13-0d81-433f-bb31-5fc33e76fa5f\"]\npurpose = \"demo\"", "[array.a7]\npurpose = \"demo\""),
        ("{ rate = \"block\" }, { rate = \"file\" }", "{ rate = \"file\" }, { rate = \"block\" }"),
    ]);
    insta::assert_snapshot!(change::changes(&old, &new).unwrap().join("\n"));
    assert_eq!(change::changes(&new, &new).unwrap(), Vec::<String>::new());
    assert!(!change::changes(&Book::default(), &new).unwrap().is_empty());
}

#[test]
fn what_is_not_obligatory_has_its_default() {
    let book = changed(&[("purpose = \"demo\" ", "# production "), ("max_hold_minutes = 120\n", "")]);
    assert!(book.arrays.values().all(|array| !array.demo));
    assert_eq!(book.meters["effective_used"].definition.max_hold_ms, 120 * 60_000);
}

#[test]
fn a_meter_is_set_once() {
    let old = changed(&[]);
    let new =
        changed(&[("max_hold_minutes = 120", "max_hold_minutes = 180"), ("[meter.installed]", "[meter.capacity]")]);
    assert_eq!(change::changed_meters(&old, &new), ["effective_used"]);
    assert_eq!(change::changed_meters(&old, &old), Vec::<String>::new());
}

#[test]
fn stored_usage_without_a_price_or_an_owner_is_named() {
    use crate::core::event::time;
    use crate::core::word::Kind;
    let book = changed(&[]);
    let mut wholesale = uncovered::Wholesale::of(&book, "northwind");
    assert_eq!(wholesale.meters(), ["effective_used"]);
    let mut report = |array: &str, site: &str, meter: &str, kind, tier: &str| {
        let at = |text| time::parse(text).unwrap();
        let (from, until) = (at("2025-12-31T22:00:00Z"), at("2026-10-01T00:00:00Z"));
        let (array, site, meter, tier) = (array.to_owned(), site.to_owned(), meter.to_owned(), tier.to_owned());
        let from = if array == "early" { from } else { at("2026-02-01T00:00:00Z") };
        wholesale.add(uncovered::Reported { array, site, meter, kind, tier, from, until });
    };
    report("a1", "HAM1", "effective_used", Kind::Array, "//Block - Premium");
    report("a2", "HAM2", "effective_used", Kind::Array, "//Block - Premium");
    report("a3", "HAM2", "effective_used", Kind::Array, "//Block - Premium");
    report("a1", "HAM1", "effective_used", Kind::Array, "//Archive");
    report("early", "HAM1", "effective_used", Kind::Array, "//UFFO - Standard");
    // not for sale wholesale: another kind, another meter; and a demonstration array
    report("a1", "HAM1", "effective_used", Kind::Volume, "//Archive");
    report("a1", "HAM1", "installed", Kind::Array, "//Archive");
    report("66aa2c13-0d81-433f-bb31-5fc33e76fa5f", "HAM1", "effective_used", Kind::Array, "//Archive");
    let tags = ["acme", "ACME", "globex", "initech", "", "hooli"].map(str::to_owned);
    let mut told = wholesale.warnings();
    told.extend(uncovered::unclaimed(&book, "northwind", &tags));
    told.extend(uncovered::unclaimed(&changed(&[("\"acme\", \"ACME\"", "\"ACME\"")]), "northwind", &tags[..1]));
    insta::assert_snapshot!(told.join("\n"));
}

/// Every value of a canonical book, by JSON pointer.
fn pointers(value: &serde_json::Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &serde_json::Value)> = match value {
        serde_json::Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
        serde_json::Value::Array(items) => items.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    found.push(at.to_owned());
    for (key, value) in inner {
        pointers(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
    }
}

/// Whatever is hashed is told: no value of a book can change unseen.
#[test]
fn no_change_goes_untold() {
    use serde_json::json;
    let book = changed(&[]);
    let canonical = book.canonical().unwrap();
    let mut all = Vec::new();
    pointers(&canonical, "", &mut all);
    let others = [
        json!("7"),
        json!("2031-01-01T00:00:00Z"),
        json!(null),
        json!(true),
        json!(false),
        json!(17),
        json!("peak"),
        json!([]),
    ];
    let lines = (
        "{ rate = \"file-standard\" }, { rate = \"support\" }]",
        "{ rate = \"support\" }, { rate = \"file-standard\" }]",
    );
    let reordered = change::changes(&book, &changed(&[lines])).unwrap();
    assert_eq!(reordered, ["contract northwind-wholesale: its entries stand in another order"]);
    let mut rates = book.clone();
    rates.cards.get_mut("northwind-retail").unwrap().rates.reverse();
    assert_eq!(change::changes(&book, &rates).unwrap(), ["card northwind-retail: its rates stand in another order"]);
    let mut told = 0;
    for pointer in all {
        for other in &others {
            let mut changed = canonical.clone();
            *changed.pointer_mut(&pointer).unwrap() = other.clone();
            let Ok(new) = Book::from_canonical(&changed) else { continue };
            if new != book {
                assert!(!change::changes(&book, &new).unwrap().is_empty(), "{pointer}: {other}");
                told += 1;
            }
        }
    }
    assert!(told > 500, "{told}");
}
