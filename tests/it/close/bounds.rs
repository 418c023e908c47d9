//! Periods that nobody used, periods that overlap, and books that would change what is closed.

use plimsoll::core::decision::Decision;

use super::setting::{BOOK, Setting};

/// What a command says that is refused.
fn refused(setting: &Setting, arguments: &[&str]) -> String {
    let output = setting.parts.run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    said
}

/// A directory with a book.
fn book(setting: &Setting, name: &str, text: &str) -> String {
    let directory = setting.parts.directory.path().join(name);
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("book.toml"), text).unwrap();
    directory.to_str().unwrap().to_owned()
}

/// How many decisions there are.
fn decided(setting: &Setting) -> u64 {
    let (mut closer, ..) = setting.closer();
    closer.follow().unwrap();
    closer.register().next().0
}

#[test]
fn a_month_without_usage_says_what_it_bills_and_time_is_billed_once() {
    let setting = Setting::start(10, 10);
    let close = ["close", "--provider", "p", "--period", "2026-08"];
    for more in [&[][..], &["--dry-run"]] {
        let output = setting.parts.run(&[&close[..], more].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let words =
            "no_usage: no usage of contract wholesale in this period: it bills 90.00 EUR all the same (fee 90.00)";
        assert!(output.status.code() == Some(2) && text.contains(words), "{text}");
    }
    let text = setting.parts.ok(&[&close[..], &["--override", "agreed from January on"]].concat());
    assert!(
        text.contains("accepted: no_usage: no usage of contract wholesale") && text.contains("90.00 EUR"),
        "{text}"
    );

    let (code, object, said) = setting.close("2026-10", &[]);
    assert_eq!(code, Some(0), "{object} {said}");
    assert_eq!(object["without_usage"].as_array().unwrap().len(), 0, "{object}");
    books(&setting);
    overlaps(&setting);
}

/// Books that cannot follow, in words, with nothing written; and the newest re-pricing before a close is the one that counts.
fn books(setting: &Setting) {
    let before = decided(setting);
    let moved =
        book(setting, "moved", &BOOK.replacen("time_zone = \"UTC\"", "time_zone = \"UTC\"\nanchor_day = 15", 1));
    for command in ["apply", "plan"] {
        let said = refused(setting, &["catalog", command, &moved]);
        assert!(said.contains("contract wholesale would have other periods in the closed one"), "{said}");
    }
    let said = refused(setting, &["catalog", "apply", &moved, "--reprice", "all right"]);
    assert!(said.contains("billed twice or never"), "no re-pricing mends it: {said}");
    let clashing = book(
        setting,
        "clashing",
        &BOOK.replace("[vendor.v]", "[vendor.w]").replace("seller = \"v\"", "seller = \"w\""),
    );
    let said = refused(setting, &["catalog", "apply", &clashing]);
    assert!(said.contains("begin them with other letters"), "{said}");
    let same = book(setting, "same", &BOOK);
    let said = refused(setting, &["catalog", "apply", &same, "--reprice", "it was wrong"]);
    assert!(said.contains("is published already") && said.contains("plimsoll reprice"), "{said}");
    assert_eq!(decided(setting), before, "something was written");

    let dearer = book(setting, "dearer", &BOOK.replace("price = \"10\"", "price = \"12\""));
    let text = String::from_utf8(setting.parts.run(&["catalog", "plan", &dearer]).stdout).unwrap();
    assert!(text.contains("closed periods with usage: 3 statements, 1 of them would move"), "{text}");
    assert!(text.contains("open periods with usage: "), "{text}");
    setting.parts.ok(&["issue", "--all"]);
    setting.parts.ok(&["catalog", "apply", &dearer, "--reprice", "12 was agreed"]);
    let dearest = book(setting, "dearest", &BOOK.replace("price = \"10\"", "price = \"14\""));
    setting.parts.ok(&["catalog", "apply", &dearest, "--reprice", "14, that is"]);
    let (code, object, said) = setting.close("2026-10", &[]);
    assert_eq!(code, Some(0), "{object} {said}");
    let draft = &object["drafts"][0];
    assert_eq!((&draft["type"], &draft["total"]), (&"adjustment".into(), &"32.00".into()), "{object}");
    let again = setting.parts.run(&["close", "--provider", "p", "--period", "2026-10"]);
    let text = String::from_utf8(again.stdout).unwrap();
    assert!(
        again.status.code() == Some(2) && text.contains("is closed already, as revision 1: nothing to correct"),
        "{text}"
    );
}

/// A book that nobody held against closed periods gives one of them other bounds: the close is refused.
fn overlaps(setting: &Setting) {
    let (mut closer, _client, _runtime) = setting.closer();
    closer.follow().unwrap();
    let (_, newest) = closer.register().newest_book().unwrap();
    let mut book = newest.clone();
    book.contracts.get_mut("wholesale").unwrap().time_zone = "Europe/Berlin".parse().unwrap();
    let (hash, canonical) = (book.hash().unwrap(), book.canonical().unwrap());
    closer.decide(&Decision::PriceBookPublished { hash, book: canonical, actor: "test".to_owned() }).unwrap();
    let before = decided(setting);
    let (code, _, said) = setting.close("2026-10", &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("contract wholesale is closed from 2026-10-01T00:00:00Z") && said.contains("billed twice"),
        "{said}"
    );
    assert_eq!(decided(setting), before, "something was written");
}
