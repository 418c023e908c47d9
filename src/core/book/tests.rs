use super::*;

fn sample() -> Vec<(String, String)> {
    [
        ("northwind.toml", include_str!("../../../examples/pricebook/northwind.toml")),
        ("fjordcloud.toml", include_str!("../../../examples/pricebook/fjordcloud.toml")),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .to_vec()
}

/// The faults of the sample with one piece of text replaced.
fn faults(from: &str, to: &str) -> String {
    let mut files = sample();
    assert!(files[0].1.contains(from), "{from}");
    files[0].1 = files[0].1.replacen(from, to, 1);
    let found = parse(&files).expect_err(to);
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_sample_is_a_book_and_its_canonical_form_says_all_of_it() {
    let book = parse(&sample()).unwrap_or_else(|found| panic!("{}", found[0]));
    assert_eq!(book.contracts.len(), 5);
    assert_eq!(book.warnings(), Vec::<String>::new());
    let canonical = book.canonical().unwrap();
    assert_eq!(Book::from_canonical(&canonical).unwrap(), book);
}

#[test]
fn layout_comments_and_file_names_do_not_change_the_hash() {
    let book = parse(&sample()).unwrap();
    let mut other = sample();
    other.reverse();
    other[0].0 = "other.toml".to_owned();
    other[1].1 = other[1].1.replace("# granted", "# something else").replace("kind = \"gauge\" ", "kind=\"gauge\"");
    other[1].1 = other[1].1.replace("\"24.00\"", "\"24\"").replace("max_hold_minutes = 120\n", "");
    assert_eq!(parse(&other).unwrap().hash().unwrap(), book.hash().unwrap());
    other[1].1 = other[1].1.replace("\"24\"", "\"24.01\"");
    assert_ne!(parse(&other).unwrap().hash().unwrap(), book.hash().unwrap());
}

#[test]
fn each_fault_is_named_with_its_place_and_what_to_write() {
    let cases = [
        ("format = 1", "format = 2"),
        ("committed = \"24.00\"", "committed = 24.00"),
        ("committed = \"24.00\", ", ""),
        ("committed = \"24.00\"", "committed = \"24.0000000001\""),
        ("commitment = \"100\"", "commitment = \"100.0000001\""),
        (", commitment = \"100\"", ""),
        ("{ rate = \"file-standard\" }", "{ rate = \"file-standard\", commitment = \"5\" }"),
        ("max_hold_minutes = 120", "max_hold_minuts = 120"),
        ("kind = \"gauge\"", "kind = \"level\""),
        ("seller = \"evergrove\"", "seller = \"nobody\""),
        ("buyer = \"northwind\"", "buyer = \"acme\""),
        ("buyer = \"acme\"", "buyer = \"initech\""),
        ("card = \"vendor-2026\"", "card = \"vendor-2025\""),
        ("rate = \"support\"", "rate = \"suport\""),
        ("of = [\"block-premium\", \"file-standard\"]", "of = [\"block\"]"),
        ("up_to = \"100\", price = \"15.00\"", "up_to = \"20%\", price = \"15.00\""),
        ("{ up_to = \"500\", price = \"13.50\" }", "{ up_to = \"50\", price = \"13.50\" }"),
        ("{ price = \"12.00\" }] },", "{ up_to = \"900\", price = \"12.00\" }] },"),
        ("unit = \"TiB-month\"", "unit = \"TB/month\""),
        ("statistic = \"mean\"", "statistic = \"peak\""),
        (
            "meter = \"read_bytes\", of = \"volume\", unit = \"GiB\", statistic = \"sum\"",
            "meter = \"read_bytes\", of = \"volume\", unit = \"GiB\", statistic = \"p95\"",
        ),
        ("level = \"advanced\" }]", "level = \"gold\" }]"),
        ("from = 2026-03-17T12:00:00+01:00", "from = 2026-03-17T12:05:00+01:00"),
        ("from = 2026-03-17T12:00:00+01:00", "from = 2026-03-17T12:00:00"),
        ("time_zone = \"Europe/Berlin\"", "time_zone = \"Europe/Bonn\""),
        (
            "tax = { percent = \"0\", note = \"VAT reverse charge, Art. 196 Directive 2006/112/EC\" }",
            "tax = { percent = \"0\" }",
        ),
        ("percent = \"3\"", "percent = \"103\""),
        ("minimum = \"2500.00\"", "minimum = \"2500.00\"\nmaximum = \"1000\""),
        ("invoice_number = \"EG-{year}-{seq:6}\"", "invoice_number = \"EG/{year}\""),
        ("invoice_number = \"NW-{year}-{seq:5}\"", "invoice_number = \"EG-{year}-{seq:5}\""),
        ("tags = [\"acme\", \"ACME\"]", "tags = [\"globex\"]"),
        (
            "{ rate = \"file-standard\" }, ",
            "{ rate = \"file-standard\" }, { rate = \"file-standard\", id = \"again\", sites = [\"BGO1\"] }, ",
        ),
        (
            "id = \"platform\", fee = \"90.00\"",
            "id = \"platform\", fee = \"90.00\", share = { percent = \"1\", of = [] }",
        ),
        ("currency = \"EUR\"\nlevel_discount", "currency = \"EUX\"\nlevel_discount"),
        ("[vendor.evergrove]", "[vendor.evergrove"),
    ];
    let all: Vec<String> =
        cases.iter().map(|(from, to)| format!("{from:?} -> {to:?}\n{}\n", faults(from, to))).collect();
    insta::assert_snapshot!(all.join("\n"));
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
}
