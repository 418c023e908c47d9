//! Documents over HTTP: closed, issued, read in every form, credited, traced, proved; and every route of the API × whoever has no business
//! there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::Served;
use crate::stage::book::{self, contract, customer, meter, provider, vendor};
use crate::stage::{open_for, site_of};
use crate::worker::Worker;

const PRINCIPALS: [&str; 10] = [
    "operator",
    "vendor:v",
    "vendor:w",
    "provider:p",
    "provider:q",
    "customer:p/acme",
    "customer:p/beta",
    "customer:q/gamma",
    "producer:p",
    "producer:q",
];

/// Two vendors, two providers, three customers. Nothing is issued by itself.
fn book() -> String {
    let from = ("2026-01-01", "Europe/Berlin");
    let bought = "close_below = \"0\"\nissue = \"manual\"\nline = [{ rate = \"arrays\" }]";
    let sold = "issue = \"manual\"\nline = [{ rate = \"volumes\" }, { rate = \"fee\" }]";
    book::book([
        meter("effective_used", "gauge"),
        vendor("v").replace("V-{seq:4}", "V-{year}-{seq:4}"),
        vendor("w"),
        provider("p") + PARTNER,
        provider("q"),
        customer("p", "acme"),
        customer("p", "beta"),
        customer("q", "gamma"),
        CARD.to_owned(),
        contract("p-wholesale", ("v", "p"), "k", from, bought),
        contract("q-wholesale", ("w", "q"), "k", from, bought),
        contract("p-retail", ("p", "*"), "k", from, sold),
        contract("q-retail", ("q", "*"), "k", from, sold),
    ])
}

const PARTNER: &str = r#"programme = "sp"
levels = [{ from = 2026-01-01, level = "registered" }]
[programme.sp]
currency = "EUR"
revenue_months = 12
grace_months = 6
market_fund_percent = "1"
level = [{ name = "registered", discount_percent = "0" }]
"#;

const CARD: &str = r#"[card.k]
currency = "EUR"
rate = [
  { id = "arrays", meter = "effective_used", of = "array", unit = "TiB-month", statistic = "mean", price = "10" },
  { id = "volumes", meter = "effective_used", of = "volume", unit = "TiB-month", statistic = "mean", price = "40" },
  { id = "fee", fee = "90.00" },
]
"#;

const ACME: &str = "/v1/statements/p-retail/acme";
const HOURS: i64 = 30;
/// 10 October 2026.
const START_S: i64 = 1_791_590_400;
const WAIT: Duration = Duration::from_secs(90);

/// An hour of one array with a volume for each of some customers.
fn event(provider: &str, array: &str, customers: &[&str], hour: i64) -> (String, String) {
    let time = chrono::DateTime::from_timestamp(START_S + hour * 3600, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
    let tib = 1_099_511_627_776_u64;
    let mut readings = vec![json!({"kind": "array", "resource": array, "meter": "effective_used", "value": 9 * tib})];
    let volume = |customer: &&str| json!({"kind": "volume", "resource": format!("vol-{customer}"), "customer": customer, "meter": "effective_used", "value": 3 * tib});
    readings.extend(customers.iter().map(volume));
    let data = json!({"provider": provider, "array": {"id": array}, "readings": readings});
    let event = json!({"specversion": "1.0", "id": format!("{hour}"), "source": array, "type": "dev.plimsoll.usage.v1", "time": time.to_string(), "data": data});
    (array.to_owned(), event.to_string())
}

#[test]
fn documents_are_read_and_decided_about_by_those_they_concern() {
    let parts = site_of("p", 1);
    open_for(&parts, "others", "q", 1);
    parts.publish_book(&book());
    parts.produce("usage", (0..HOURS).map(|hour| event("p", "a1", &["acme", "beta"], hour)));
    parts.produce("others", (0..HOURS).map(|hour| event("q", "b1", &["gamma"], hour)));
    let _worker = Worker::of(parts.command(&["run"]));
    let served = Served::start(&parts, &PRINCIPALS);
    until("arrays are metered", || served.get("operator", "/v1/arrays").1["data"].as_array().map(Vec::len) == Some(2));
    // usage and decisions are mirrored by two hands: arrays can be listed before the price book can
    let acme = format!("{ACME}?period=2026-10");
    until("the price book is known", || served.get("provider:p", &acme).0 == 200);
    let statement = statements(&served);
    closes(&served);
    let drafts = drafts(&served);
    issues(&served, &drafts);
    lists(&served);
    forms(&served, &statement);
    decides(&served);
    traces(&served);
    proves(&served);
    parts.produce("usage", std::iter::once(("a1".to_owned(), "not an event".to_owned())));
    until("it is put aside", || {
        served.get("provider:p", "/v1/quarantine").1["data"].as_array().is_some_and(|data| !data.is_empty())
    });
    foreigners(&served, &drafts["beta"]);
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < WAIT, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// A statement in its forms, each marked; and what keeps its period open.
fn statements(served: &Served) -> Value {
    let (status, document) = served.get("provider:p", &format!("{ACME}?period=2026-10&closing=true"));
    assert_eq!((status, &document["state"], &document["provisional"]), (200, &json!("open"), &json!(true)));
    assert_eq!(document["as_of"]["cut"], document["proof"]["cut"]);
    assert!(document["cannot_close"].is_array(), "{document}");
    // how much another provider sends is not theirs to know
    let is_own = |cut: &Value| cut.as_array().unwrap().iter().map(|point| &point["stream"]).eq(["usage-1"]);
    assert!(is_own(&document["proof"]["cut"]), "{document}");
    let page = served.get("vendor:v", "/v1/statements?period=2026-10&provider=p").1;
    let listed = page["data"].as_array().unwrap();
    assert!(!listed.is_empty() && listed.iter().all(|one| is_own(&one["proof"]["cut"])), "{page}");
    let margin = served.get("provider:p", "/v1/providers/p/margin?period=2026-10").1;
    assert!(is_own(&margin["cut"]), "{margin}");
    let open = served.get("vendor:v", "/v1/statements/p-wholesale.json?period=2099-01&closing=true").1;
    assert_eq!(open["cannot_close"][0]["kind"], "not_ended", "{open}");
    let get = |ending: &str| {
        let head = format!("GET {ACME}{ending}?period=2026-10 HTTP/1.1\r\nAuthorization: Bearer provider:p\r\n");
        let (status, head, body) = served.text(&head, "");
        assert_eq!(status, 200, "{ending}: {body}");
        assert!(ending == ".html" || head.contains("provisional"), "{head}");
        body
    };
    assert!(get(".csv").lines().all(|line| line.ends_with(",state") || line.ends_with(",open")));
    assert!(get(".focus.csv").lines().nth(1).unwrap().contains(",open,"));
    assert!(get(".html").contains("Provisional statement"));
    document
}

/// A dry run says what would be; closing waits until workers have taken in what was decided.
fn closes(served: &Served) {
    let close = |provider: &str, body: Value| {
        served.post("operator", &format!("/v1/providers/{provider}/periods/2026-10/close"), &body)
    };
    let (status, dry) = close("p", json!({}));
    assert_eq!((status, &dry["dry_run"]), (200, &json!(true)), "{dry}");
    assert_eq!(close("p", json!({"override": "x"})).0, 400);
    assert_eq!(close("p", json!({"dry_run": false, "override": " "})).0, 400);
    assert_eq!(close("nobody", json!({})).0, 404);
    let label = |label: &str| served.post("operator", &format!("/v1/providers/p/periods/{label}/close"), &json!({}));
    assert_eq!((label("2020-01").0, label("october").0), (404, 400));
    let (status, early) = served.post("operator", "/v1/providers/p/periods/2099-01/close", &json!({"dry_run": false}));
    assert!(status == 409 && early["error"]["message"].as_str().unwrap().contains("not_ended"), "{early}");
    for provider in ["p", "q"] {
        until("it is closed", || match close(provider, json!({"dry_run": false})) {
            (200, done) => {
                assert_eq!(done["closes"][0]["outcome"], "closed", "{done}");
                true
            }
            (409, refused) => {
                let text = refused["error"]["message"].as_str().unwrap();
                assert!(text.contains("undecided") || text.contains("behind"), "{refused}");
                false
            }
            other => panic!("{other:?}"),
        });
        until("a second close says so", || {
            let (status, refused) = close(provider, json!({"dry_run": false}));
            assert_eq!(status, 409);
            refused["error"]["message"].as_str().unwrap().contains("nothing accepted since alters an amount")
        });
    }
}

/// Drafts by buyer, and who sees which.
fn drafts(served: &Served) -> BTreeMap<String, String> {
    let of = |principal: &str| {
        let (status, page) = served.get(principal, "/v1/drafts");
        assert_eq!(status, 200, "{page}");
        let draft = |draft: &Value| {
            let text = |key: &str| draft[key].as_str().unwrap().to_owned();
            (text("buyer"), text("draft"))
        };
        page["data"].as_array().unwrap().iter().map(draft).collect::<BTreeMap<_, _>>()
    };
    let buyers = |principal: &str| of(principal).into_keys().collect::<Vec<_>>().join(" ");
    assert_eq!(buyers("operator"), "acme beta gamma p q");
    assert_eq!(buyers("provider:p"), "acme beta p");
    assert_eq!((buyers("vendor:v"), buyers("vendor:w")), ("p".to_owned(), "q".to_owned()));
    let (mut seen, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = served.get("operator", &format!("/v1/drafts?limit=2{cursor}")).1;
        seen.extend(page["data"].as_array().unwrap().iter().map(|draft| draft["draft"].to_string()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 5);
    of("operator")
}

fn issues(served: &Served, drafts: &BTreeMap<String, String>) {
    let issue = |principal: &str, buyer: &str| {
        served.post(principal, &format!("/v1/drafts/{}/issue", drafts[buyer]), &json!({}))
    };
    assert_eq!(issue("provider:p", "p").0, 403, "who buys does not issue");
    assert_eq!(issue("customer:p/acme", "acme").0, 404);
    assert_eq!(issue("vendor:v", "p").1["number"].as_str().unwrap().split_at(2).0, "V-");
    assert_eq!(issue("provider:p", "acme"), (200, json!({"draft": drafts["acme"], "number": "P-0001"})));
    let (status, again) = issue("operator", "acme");
    assert!(status == 409 && again["error"]["message"].as_str().unwrap().contains("P-0001"), "{again}");
    assert_eq!(issue("operator", "q").1["number"], "W-0001");
    let discard = |reason: &str| {
        served.post("provider:q", &format!("/v1/drafts/{}/discard", drafts["gamma"]), &json!({"reason": reason}))
    };
    assert_eq!((discard(" ").0, discard("agreed").0, discard("agreed").0), (400, 200, 409));
    assert_eq!(served.post("operator", "/v1/drafts/0000000000000000/issue", &json!({})).0, 404);
}

fn numbers(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|row| row["number"].as_str().unwrap().to_owned()).collect()
}

fn wholesale(served: &Served) -> String {
    numbers(&served.get("vendor:v", "/v1/invoices").1).remove(0)
}

fn lists(served: &Served) {
    let v = wholesale(served);
    let of = |principal: &str, query: &str| {
        let (status, page) = served.get(principal, &format!("/v1/invoices?{query}"));
        assert_eq!(status, 200, "{page}");
        numbers(&page)
    };
    assert_eq!(of("operator", ""), [&*v, "P-0001", "W-0001"]);
    for (principal, expected) in [
        ("vendor:v", vec![&*v]),
        ("vendor:w", vec!["W-0001"]),
        ("provider:p", vec![&*v, "P-0001"]),
        ("provider:q", vec!["W-0001"]),
        ("customer:p/acme", vec!["P-0001"]),
        ("customer:p/beta", vec![]),
        ("customer:q/gamma", vec![]),
    ] {
        assert_eq!(of(principal, "period=2026-10"), expected, "{principal}");
    }
    // another provider's id is a 404 as in other lists
    for principal in ["provider:q", "customer:q/gamma"] {
        assert_eq!(served.get(principal, "/v1/invoices?provider=p").0, 404, "{principal}");
        assert_eq!(served.get(principal, "/v1/invoices?provider=q").0, 200, "{principal}");
    }
    assert_eq!(served.get("provider:q", "/v1/drafts?provider=p").0, 404);
    for (query, expected) in [
        ("seller=p", vec!["P-0001"]),
        ("buyer=q", vec!["W-0001"]),
        ("provider=p", vec![&*v, "P-0001"]),
        ("period=2026-09", vec![]),
        ("state=credited", vec![]),
        ("state=issued&seller=w", vec!["W-0001"]),
        ("issued_since=2099-01-01", vec![]),
        ("issued_since=2026-11-01T00:00:00Z&limit=1000", vec![&*v, "P-0001", "W-0001"]),
    ] {
        assert_eq!(of("operator", query), expected, "{query}");
    }
    let first = served.get("operator", "/v1/invoices?limit=2").1;
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(of("operator", &format!("limit=2&cursor={cursor}")), ["W-0001"]);
    assert_eq!(served.get("operator", &format!("/v1/invoices?seller=p&cursor={cursor}")).0, 400);
    assert_eq!(served.get("operator", "/v1/invoices?state=open").0, 400);
}

/// The status, the ETag and the body of one document.
fn fetched(served: &Served, principal: &str, name: &str, tag: &str) -> (u16, String, String) {
    let head =
        format!("GET /v1/invoices/{name} HTTP/1.1\r\nAuthorization: Bearer {principal}\r\nIf-None-Match: {tag}\r\n");
    let (status, head, body) = served.text(&head, "");
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap_or_default();
    (status, tag.to_owned(), body)
}

fn forms(served: &Served, statement: &Value) {
    let (status, tag, body) = fetched(served, "customer:p/acme", "P-0001", "\"other\"");
    let document: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &document["state"], &document["number"]), (200, &json!("issued"), &json!("P-0001")));
    assert_eq!(document["total"], statement["total"], "as the statement said");
    plimsoll::core::billing::document::Document::from_json(&body).expect("it hashes to its digest");
    assert_eq!(tag, format!("\"{}-1\"", document["proof"]["digest"].as_str().unwrap()));
    for form in ["", ".json", ".csv", ".focus.csv", ".html"] {
        let name = format!("P-0001{form}");
        assert_eq!(fetched(served, "customer:p/acme", &name, &tag).0, 304, "{name}");
        assert_eq!(fetched(served, "customer:p/acme", &name, "*").0, 304, "{name}");
        assert_eq!(fetched(served, "customer:p/beta", &name, &tag).0, 404, "{name}");
        assert_eq!(fetched(served, "customer:p/acme", &name, "\"x\"").0, 200, "{name}");
    }
    for nothing in ["P-0001.pdf", "P-0001.", "P-9999", "P-9999.csv", ".csv"] {
        assert_eq!(fetched(served, "operator", nothing, "\"x\"").0, 404, "{nothing}");
    }
    let csv = fetched(served, "operator", "P-0001.csv", "\"x\"").2;
    assert!(csv.lines().count() == 3 && csv.lines().nth(1).unwrap().starts_with("P-0001,invoice,"), "{csv}");
    let page = fetched(served, "operator", "P-0001.html", "\"x\"").2;
    assert!(page.contains("Invoice P-0001") && page.contains("Acme"), "{page}");
    prints(&page);
}

/// Where there is a browser, the page of an issued document prints on paper.
fn prints(page: &str) {
    let Some(browser) = crate::print::browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let pdf = crate::print::print(&browser, folder.path(), page);
    let sheets = String::from_utf8_lossy(&pdf).matches("/Type /Page\n").count();
    assert!(pdf.starts_with(b"%PDF-") && (1..=2).contains(&sheets), "{sheets} sheets");
}

/// A part credited, the rest, and an ERP's id: each changes state and tag, and the document stays what it was.
fn decides(served: &Served) {
    let credit = |principal: &str, number: &str, body: &Value| {
        served.post(principal, &format!("/v1/invoices/{number}/credit"), body)
    };
    let part = json!({"rows": [{"no": 1, "amount": "0.01"}], "reason": "agreed"});
    assert_eq!(credit("provider:p", &wholesale(served), &part).0, 403, "who buys does not credit");
    assert_eq!(credit("customer:p/acme", "P-0001", &part).0, 403);
    assert_eq!(credit("provider:p", "P-0001", &json!({"rows": [], "reason": "agreed"})).0, 400);
    assert_eq!(credit("provider:p", "P-0001", &json!({"reason": ""})).0, 400);
    let much = json!({"rows": [{"no": 1, "amount": "100000"}], "reason": "agreed"});
    assert_eq!(credit("provider:p", "P-0001", &much).0, 409);
    let before: Value = serde_json::from_str(&fetched(served, "operator", "P-0001", "\"x\"").2).unwrap();
    assert_eq!(credit("provider:p", "P-0001", &part), (200, json!({"number": "P-0002", "corrects": "P-0001"})));
    let (_, tag, body) = fetched(served, "operator", "P-0001", "\"x\"");
    let after: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&after["state"], &after["proof"]), (&json!("partly_credited"), &before["proof"]));
    assert!(tag.ends_with("-2\""), "{tag}");
    let refer = |erp: &str| served.post("provider:p", "/v1/invoices/P-0001/reference", &json!({"erp": erp}));
    assert_eq!(refer("").0, 400);
    assert_eq!(refer(" SAP-0 "), (200, json!({"erp": "SAP-0", "replaced": null})));
    assert_eq!(refer("SAP-1"), (200, json!({"erp": "SAP-1", "replaced": "SAP-0"})));
    assert_eq!(refer("SAP-1"), (200, json!({"erp": "SAP-1", "replaced": null})), "it was known so before");
    let (_, tag, body) = fetched(served, "operator", "P-0001", "\"x\"");
    assert!(tag.ends_with("-5\"") && body.contains("SAP-1"), "{tag}");
    assert_eq!(credit("operator", "P-0001", &json!({"reason": "all of it"})).0, 200);
    let states = served.get("customer:p/acme", "/v1/invoices?state=credited").1;
    assert_eq!(numbers(&states), ["P-0001"]);
    let all = served.get("customer:p/acme", "/v1/invoices").1;
    assert_eq!(numbers(&all), ["P-0001", "P-0002", "P-0003"], "{all}");
    assert_eq!(served.get("customer:p/acme", "/v1/invoices/P-0003").1["type"], "credit_note");
    for (principal, expected) in
        [("customer:p/acme", vec!["P-0002", "P-0003"]), ("provider:p", vec!["P-0002", "P-0003"]), ("vendor:v", vec![])]
    {
        let notes = served.get(principal, "/v1/invoices?corrects=P-0001").1;
        assert_eq!(numbers(&notes), expected, "{principal}");
    }
}

fn traces(served: &Served) {
    let of = |principal: &str, number: &str, query: &str| {
        served.get(principal, &format!("/v1/invoices/{number}/rows/1/trace?{query}"))
    };
    until("decisions are mirrored", || of("provider:p", "P-0001", "by=hour").0 == 200);
    let (_, trace) = of("provider:p", "P-0001", "by=hour");
    assert_eq!((&trace["sum"]["equal"], trace["sum"]["pieces"].as_u64() > Some(20)), (&json!(true), true), "{trace}");
    let pieces = trace["data"].as_array().unwrap();
    assert!(pieces.iter().any(|piece| piece["positions"][0]["stream"] == "usage-1"), "{trace}");
    let fee = served.get("provider:p", "/v1/invoices/P-0001/rows/2/trace").1;
    assert!(fee["data"].as_array().unwrap().is_empty() && fee["sum"].is_null(), "{fee}");
    assert_eq!(served.get("provider:p", "/v1/invoices/P-0001/rows/9/trace").0, 404);
    let v = wholesale(served);
    assert_eq!(of("provider:p", &v, "by=resource").1["data"][0]["resource"], "a1");
    assert_eq!((of("vendor:v", &v, "by=resource").0, of("vendor:v", &v, "").0), (403, 200));
    assert_eq!((of("vendor:v", "P-0001", "").0, of("customer:p/acme", "P-0001", "").0), (404, 403));
    // of what is another's nobody hears what may be asked of it
    assert_eq!([of("customer:p/beta", "P-0001", "").0, of("vendor:w", &v, "by=resource").0], [404, 404]);
    // an array that is not behind the row, and a side of what has but one
    for query in ["array=nobody", "side=before"] {
        let (status, answer) = of("provider:p", "P-0001", query);
        assert_eq!(status, 400, "{query}: {answer}");
    }
    until("the note is mirrored", || of("provider:p", "P-0003", "").0 == 200);
    let (status, note) = of("provider:p", "P-0003", "");
    assert_eq!(
        (status, &note["side"]["side"], &note["sum"]["equal"]),
        (200, &json!("credited"), &json!(true)),
        "{note}"
    );
    assert!(note["row"]["amount"].as_str().unwrap().starts_with('-') && note["difference"].is_null(), "{note}");
    assert!(note["sum"]["amount"].is_string(), "{note}");
}

fn proves(served: &Served) {
    let of = |principal: &str, query: &str| served.get(principal, &format!("/v1/invoices/P-0001/proof{query}"));
    let (status, stored) = of("customer:p/acme", "");
    assert_eq!((status, &stored["run"]), (200, &Value::Null));
    assert!(stored["proof"]["digest"].as_str().unwrap().starts_with("sha256:"), "{stored}");
    let (status, run) = of("provider:p", "?run=true");
    assert_eq!((status, &run["run"]["proven"]), (200, &json!(true)), "{run}");
    assert!(run["run"]["events"].as_u64() >= Some(HOURS as u64), "{run}");
    assert_eq!((of("customer:p/acme", "?run=true").0, of("vendor:v", "?run=true").0), (403, 404));
}

/// Nobody of these has any business with what p, v and acme have between them.
const FOREIGN: [&str; 4] = ["vendor:w", "provider:q", "customer:q/gamma", "customer:p/beta"];

/// Every route of the API, asked about what is p's, v's or acme's: its path, its body, and what the operator is answered.
fn asked(draft: &str) -> Vec<(&'static str, String, Option<Value>, u16)> {
    let get = |route: &'static str, path: &str| (route, path.to_owned(), None, 200);
    let post = |route: &'static str, path: &str, body: Value, status: u16| (route, path.to_owned(), Some(body), status);
    let aside = json!({"filter": {"provider": "p"}, "reason": "mine?"});
    vec![
        get("GET /v1/usage", "/v1/usage?provider=p&customer=acme&from=2026-10-01&to=2026-11-01&step=period"),
        get("GET /v1/arrays", "/v1/arrays?provider=p"),
        get("GET /v1/levels", "/v1/levels?provider=p"),
        get("GET /v1/providers", "/v1/providers?provider=p"),
        get("GET /v1/sales-credits", "/v1/sales-credits?provider=p"),
        get("GET /v1/sales-credits/summary", "/v1/sales-credits/summary?provider=p"),
        get("GET /v1/statements", "/v1/statements?period=2026-10&provider=p"),
        get("GET /v1/statements/{contract}", "/v1/statements/p-wholesale?period=2026-10"),
        get("GET /v1/statements/{contract}/{customer}", "/v1/statements/p-retail/acme?period=2026-10"),
        get("GET /v1/catalog", "/v1/catalog"),
        get("GET /v1/caller", "/v1/caller"),
        get("GET /v1/pipeline", "/v1/pipeline"),
        get("GET /v1/providers/{provider}/unclaimed", "/v1/providers/p/unclaimed?period=2026-10"),
        get("GET /v1/providers/{provider}/margin", "/v1/providers/p/margin?period=2026-10"),
        get("GET /v1/quarantine", "/v1/quarantine?provider=p"),
        get("GET /v1/quarantine/{stream}/{partition}/{offset}", &format!("/v1/quarantine/usage-1/0/{HOURS}")),
        get(
            "GET /v1/quarantine/{stream}/{partition}/{offset}/value",
            &format!("/v1/quarantine/usage-1/0/{HOURS}/value"),
        ),
        post("POST /v1/quarantine/retry", "/v1/quarantine/retry", aside.clone(), 200),
        post("POST /v1/quarantine/discard", "/v1/quarantine/discard", aside.clone(), 200),
        post("POST /v1/late/accept", "/v1/late/accept", aside, 200),
        get("GET /v1/invoices", "/v1/invoices?provider=p&buyer=acme"),
        get("GET /v1/invoices/{number}", "/v1/invoices/P-0001"),
        post("POST /v1/invoices/{number}/credit", "/v1/invoices/P-0001/credit", json!({"reason": "mine?"}), 409),
        post("POST /v1/invoices/{number}/reference", "/v1/invoices/P-0001/reference", json!({"erp": "mine"}), 200),
        get("GET /v1/invoices/{number}/rows/{no}/trace", "/v1/invoices/P-0001/rows/1/trace"),
        get("GET /v1/invoices/{number}/proof", "/v1/invoices/P-0001/proof?run=true"),
        get("GET /v1/drafts", "/v1/drafts?provider=p"),
        post("POST /v1/drafts/{id}/discard", &format!("/v1/drafts/{draft}/discard"), json!({"reason": "mine?"}), 200),
        post("POST /v1/drafts/{id}/issue", &format!("/v1/drafts/{draft}/issue"), json!({}), 409),
        post(
            "POST /v1/providers/{provider}/periods/{label}/close",
            "/v1/providers/p/periods/2026-10/close",
            json!({}),
            200,
        ),
        post(SENT, "/v1/events", serde_json::from_str(&event("p", "a1", &["acme"], HOURS).1).unwrap(), 202),
    ]
}

/// The one route that takes what the others show.
const SENT: &str = "POST /v1/events";

fn foreigners(served: &Served, draft: &str) {
    let asked = asked(draft);
    let document: Value = serde_json::from_str(&std::fs::read_to_string("docs/openapi.json").unwrap()).unwrap();
    let methods = |(path, methods): (&String, &Value)| {
        let methods = methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase()));
        methods.collect::<Vec<_>>()
    };
    let routes: BTreeSet<String> = document["paths"].as_object().unwrap().iter().flat_map(methods).collect();
    // what is answered here is what the document says may be
    let listed = |route: &str, status: u16| {
        let (method, path) = route.split_once(' ').unwrap();
        let responses = &document["paths"][path][method.to_lowercase()]["responses"];
        assert!(
            responses[status.to_string()].is_object(),
            "{route} answers {status}, and openapi.json does not list it"
        );
    };
    let known: BTreeSet<String> = asked.iter().map(|(route, ..)| (*route).to_owned()).collect();
    assert_eq!(routes, known, "every route has its line in the table of this test");
    let send = |principal: &str, path: &str, body: &Option<Value>| match body {
        None => served.get(principal, path),
        Some(body) => served.post(principal, path, body),
    };
    for (route, path, body, _) in &asked {
        for principal in FOREIGN {
            let (status, answer) = send(principal, path, body);
            listed(route, status);
            // whom a token stands for is told to whoever bears it, and to nobody else
            let own = *route == "GET /v1/caller" && answer["credential"] == principal;
            let nothing = own || answer["data"].as_array().is_some_and(Vec::is_empty);
            assert!(
                matches!(status, 403 | 404) || (status == 200 && nothing),
                "{route} {principal}: {status} {answer}"
            );
        }
        listed(route, 401);
        for token in ["", "wrong"] {
            assert_eq!(send(token, path, body).0, 401, "{route} {token:?}");
        }
        // who only sends reads nothing, not even what is its own provider's, and is told so
        for token in ["producer:p", "producer:q"].iter().filter(|_| *route != SENT) {
            let (status, answer) = send(token, path, body);
            listed(route, status);
            let told = answer["error"]["message"].as_str().is_some_and(|words| words.contains("reads nothing"));
            assert!(status == 403 && told, "{route} {token:?}: {status} {answer}");
        }
        let method = if body.is_some() { "POST" } else { "GET" };
        assert_eq!(served.text(&format!("{method} {path} HTTP/1.1\r\n"), "").0, 401, "{route} without a token");
    }
    // and that there was something to be seen
    for (route, path, body, wanted) in &asked {
        let (status, answer) = send("operator", path, body);
        assert_eq!(status, *wanted, "{route}: {answer}");
        listed(route, status);
        let list = answer["data"].as_array();
        // nothing is late, nobody has a team here, and every tag is a customer's
        let may_be_empty = route.starts_with("POST /v1/late")
            || route.starts_with("GET /v1/sales-credits")
            || route.ends_with("/unclaimed");
        assert!(may_be_empty || list.is_none_or(|list| !list.is_empty()), "{route}: {answer}");
    }
}
