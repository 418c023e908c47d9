//! A closed month re-priced and corrected: each revision by its own cut, its credits, and who has a document at all.

use std::collections::BTreeMap;

use serde_json::Value;

use super::setting::{BOOK, Poll, Setting, event, hours};

/// A billing round, which issues what waits.
fn issue(setting: &Setting) {
    setting.parts.ok(&["bill", "--once"]);
}

fn closed(setting: &Setting) -> Value {
    let (code, object, said) = setting.close("2026-10", &[]);
    assert_eq!((code, &object["outcome"]), (Some(0), &"closed".into()), "{object} {said}");
    issue(setting);
    object
}

/// Wholesale cents by customer that a rating gave to each; "" is unallocated.
fn allocated(setting: &Setting, rating_id: &Value) -> BTreeMap<&'static str, u64> {
    let id = rating_id.as_str().unwrap();
    let of = |customer: &'static str| {
        let sum = "toUInt64(sum(amount) * 100)";
        let sql = format!("SELECT {sum} FROM allocation FINAL WHERE rating_id = '{id}' AND customer = '{customer}'");
        (customer, setting.parts.number(&sql))
    };
    ["acme", "globex", ""].map(of).into()
}

/// Numbers of issued documents by buyer and total.
fn numbers(setting: &Setting) -> BTreeMap<(String, String), String> {
    let listed = setting.parts.ok(&["invoices"]);
    let of = |line: &str| {
        let fields: Vec<&str> = line.split("  ").collect();
        let (_, buyer) = fields[4].split_once(" to ").unwrap();
        let (total, _) = fields[5].split_once(' ').unwrap();
        ((buyer.to_owned(), total.to_owned()), fields[0].to_owned())
    };
    listed.lines().map(of).collect()
}

#[test]
fn revisions_are_of_their_own_cut_and_a_customer_without_tags_is_proved() {
    let mut setting = Setting::start(10, 10);
    let first = closed(&setting);
    let amounts = BTreeMap::from([("acme", 6375), ("globex", 4250), ("", 6375)]);
    assert_eq!(allocated(&setting, &first["rating_id"]), amounts, "170.00 by 3, 2 and 3 TiB");

    // what was globex' turns out to be acme's; then the price turns out to be wrong
    let corrected = |hour| event(&Poll { hour, copy: 1, array: 8, volumes: &[("v1", "acme", 3), ("v2", "acme", 2)] });
    let events = hours(10).map(corrected).collect();
    setting.say(events);
    setting.parts.reprice_book(&BOOK.replace("price = \"10\"", "price = \"12\""));
    let repriced = closed(&setting);
    assert_eq!(repriced["revision"], 1);
    // 16.00 more, by what was known at the cut of revision 0 and not by what is known now
    let amounts = BTreeMap::from([("acme", 600), ("globex", 400), ("", 600)]);
    assert_eq!(allocated(&setting, &repriced["rating_id"]), amounts);
    margin(&setting, "186.00", "125.00");

    let adjusted = closed(&setting);
    assert_eq!(adjusted["revision"], 2);
    margin(&setting, "186.00", "125.00");
    let numbers = numbers(&setting);
    let of = |buyer: &str, total: &str| &*numbers[&(buyer.to_owned(), total.to_owned())];
    for number in [of("globex", "-50.00"), of("globex", "50.00"), of("acme", "50.00"), of("p", "16.00")] {
        setting.parts.ok(&["prove", number]);
    }
    let proved = setting.parts.lines(&["prove", of("globex", "-50.00"), "--format", "json"]);
    assert_eq!((&proved[0]["proven"], &proved[0]["customer"]), (&true.into(), &"globex".into()), "{proved:?}");
    setting.parts.ok(&["prove", "--all"]);
}

/// The margin adds up: what is allocated and what is not is what was bought, what customers pay is what was sold.
fn margin(setting: &Setting, bought: &str, sold: &str) {
    let sheet = &setting.parts.lines(&["margin", "--provider", "p", "--period", "2026-10", "--format", "json"])[0];
    let total = &sheet["currencies"][0]["total"];
    assert_eq!((&total["wholesale"], &total["retail"]), (&bought.into(), &sold.into()), "{sheet}");
}

#[test]
fn a_note_over_a_whole_document_gives_its_credits_back() {
    let setting = Setting::start(9, 10);
    setting.parts.ok(&["credit", "grant", "wholesale", "--id", "sla", "--amount", "100.00", "--reference", "outage"]);
    let close = |label: &str| {
        let (code, object, said) = setting.close(label, &[]);
        assert_eq!(code, Some(0), "{object} {said}");
        object["drafts"].as_array().unwrap().iter().find(|one| one["contract"] == "wholesale").unwrap().clone()
    };
    // 170.00 less 100.00, and nothing is left for the next month until the whole is taken back
    let september = close("2026-09");
    assert_eq!(september["total"], "70.00");
    setting.parts.ok(&["issue", september["draft"].as_str().unwrap()]);
    let (_, object, said) = setting.close("2026-10", &["--dry-run"]);
    assert_eq!(total(&object), "170.00", "{object} {said}");
    setting.parts.ok(&["credit", "V-0001", "--row", "1=10.00", "--reason", "a part"]);
    let (_, object, said) = setting.close("2026-10", &["--dry-run"]);
    assert_eq!(total(&object), "170.00", "a part gives money back and no credit: {object} {said}");
    setting.parts.ok(&["credit", "V-0001", "--reason", "the whole"]);
    assert_eq!(close("2026-10")["total"], "70.00");
    issue(&setting);
    let proved = setting.parts.lines(&["prove", "--all", "--format", "json"]);
    for number in ["V-0001", "V-0002", "V-0003"] {
        let verdict = proved.iter().find(|verdict| verdict["number"] == number);
        assert!(verdict.is_some_and(|verdict| verdict["proven"] == true), "{number}: {proved:?}");
    }
    let altered = "ALTER TABLE invoice UPDATE document = replaceOne(document, '\"-10.00\"', '\"-11.00\"') WHERE number = 'V-0002' \
                   SETTINGS mutations_sync = 2";
    setting.parts.execute(altered).unwrap();
    let output = setting.parts.run(&["prove", "V-0002"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && text.contains("V-0002") && text.contains("-11.00"), "{text}");
}

fn total(object: &Value) -> &str {
    let drafts = object["drafts"].as_array().unwrap();
    drafts.iter().find(|one| one["contract"] == "wholesale").unwrap()["total"].as_str().unwrap()
}
