//! Credits that were granted: statements have what is left of them, revisions those that the first document of their period could use.

use serde_json::Value;

use super::setting::{Poll, Setting, VOLUMES, event, hours, until};

/// The statement of the wholesale contract in a month.
fn statement(setting: &Setting, label: &str) -> Value {
    setting.parts.lines(&["statement", "wholesale", "--period", label, "--format", "json"])[0].clone()
}

/// Waits until workers have mirrored what makes the statement come to this.
fn comes_to(setting: &Setting, label: &str, total: &str) {
    until(&format!("the statement of {label} comes to {total}"), || statement(setting, label)["total"] == total);
    setting.parts.ok(&["prove", "--statement", "wholesale", "--period", label]);
}

fn granted(setting: &Setting, id: &str, amount: &str) {
    setting.parts.ok(&["credit", "grant", "wholesale", "--id", id, "--amount", amount, "--reference", "outage"]);
}

/// Closes a month and issues what comes of it: what the wholesale draft is.
fn closed(setting: &Setting, label: &str) -> Value {
    let (code, object, said) = setting.close(label, &[]);
    assert_eq!(code, Some(0), "{object} {said}");
    setting.parts.ok(&["issue", "--all"]);
    object["drafts"].as_array().unwrap().iter().find(|one| one["contract"] == "wholesale").unwrap().clone()
}

/// The line of `credit list` about a grant.
fn listed(setting: &Setting, id: &str) -> String {
    let all = setting.parts.ok(&["credit", "list"]);
    all.lines().find(|line| line.contains(&format!("  {id}  "))).unwrap().to_owned()
}

#[test]
fn statements_have_what_is_left_and_revisions_what_their_period_had() {
    let mut setting = Setting::start(9, 10);
    granted(&setting, "sla", "100.00");
    comes_to(&setting, "2026-10", "70.00");
    assert_eq!(closed(&setting, "2026-09")["total"], "70.00");

    // the closed month used it up
    comes_to(&setting, "2026-10", "170.00");
    assert!(listed(&setting, "sla").contains("  100.00  0.00 left  "), "{}", listed(&setting, "sla"));
    until("workers mirror what was issued", || statement(&setting, "2026-09")["references"]["corrects"][0] == "V-0001");
    let september = statement(&setting, "2026-09");
    assert_eq!((&september["total"], &september["state"]), (&"70.00".into(), &"closed".into()), "{september}");

    // granted after the close, more usage after the cut: the month's statement, and its revision, know of the usage alone
    granted(&setting, "late", "50.00");
    comes_to(&setting, "2026-10", "120.00");
    let middle = (hours(9).start + hours(9).end) / 2;
    let more = |hour| event(&Poll { hour, copy: 1, array: 10, volumes: &VOLUMES });
    setting.say((hours(9).start..middle).map(more).collect());
    comes_to(&setting, "2026-09", "80.00");
    let text = setting.parts.ok(&["statement", "wholesale", "--period", "2026-09"]);
    for words in
        ["(closed; what it comes to now)", "closed as  V-0001  invoice  70.00 EUR", "would correct it by  10.00 EUR"]
    {
        assert!(text.contains(words), "{text}");
    }
    let adjusted = closed(&setting, "2026-09");
    assert_eq!((&adjusted["type"], &adjusted["total"]), (&"adjustment".into(), &"10.00".into()), "{adjusted}");
    assert!(listed(&setting, "late").contains("  50.00  50.00 left  "));
    assert_eq!(closed(&setting, "2026-10")["total"], "120.00");
    assert!(listed(&setting, "late").contains("  50.00  0.00 left  "));
    setting.parts.ok(&["bill", "--once"]);
    setting.parts.ok(&["prove", "--all"]);
    worthless(&setting);
    alone(&setting);
    credited(&setting);
}

/// What no period could use is refused.
fn worthless(setting: &Setting) {
    let grant = ["credit", "grant", "wholesale", "--id", "old", "--amount", "1.00", "--reference", "r", "--expires"];
    let output = setting.parts.run(&[&grant[..], &["2026-11-30"]].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("first open period of wholesale ends"), "{said}");
    let own =
        ["credit", "grant", "others", "--customer", "acme", "--id", "in-time", "--amount", "1.00", "--reference", "r"];
    setting.parts.ok(&[&own[..], &["--expires", "2026-12-01"]].concat());
}

/// A credit that comes back may be all that a revision is made of: it takes off the margin's wholesale what it takes off.
fn alone(setting: &Setting) {
    let margin = || {
        let sheet = &setting.parts.lines(&["margin", "--provider", "p", "--period", "2026-10", "--format", "json"])[0];
        let currency = &sheet["currencies"][0];
        [currency["total"]["wholesale"].clone(), currency["credits"]["wholesale"].clone()]
    };
    until("the margin is of the closed month", || margin() == ["120.00", "-50.00"]);
    setting.parts.ok(&["credit", "V-0001", "--reason", "September is on us"]);
    let revised = closed(setting, "2026-10");
    assert_eq!((&revised["type"], &revised["total"]), (&"credit_note".into(), &"-100.00".into()), "{revised}");
    until("the margin has the correction", || margin() == ["20.00", "-150.00"]);
    setting.parts.ok(&["bill", "--once"]);
    setting.parts.ok(&["prove", "--all"]);
}

/// What was paid of a document is paid back: the rest of its rows was paid by credits, and a note over it would be one of nothing.
fn credited(setting: &Setting) {
    granted(setting, "early", "20.00");
    let (_, object, said) = setting.close("2026-08", &["--override", "the array came in September"]);
    assert_eq!(object["outcome"], "closed", "{object} {said}");
    assert_eq!(object["drafts"][0]["total"], "70.00", "{object}");
    setting.parts.ok(&["issue", "--all"]);
    let all = setting.parts.lines(&["invoices", "--period", "2026-08", "--format", "json"]);
    let number = all[0]["number"].as_str().unwrap();
    setting.parts.ok(&["credit", number, "--row", "2=70.00", "--reason", "agreed"]);
    let output = setting.parts.run(&["credit", number, "--reason", "and the rest"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("it is credited already"), "{said}");
}
