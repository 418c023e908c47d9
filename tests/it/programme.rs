//! The partner programme over the command line and HTTP: documents are made by the product's own parts, figures are added up again here.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll::clickhouse::read::closed::register;
use plimsoll::clickhouse::{Client, allocation};
use plimsoll::config::Config;
use plimsoll::core::billing::document::{Cause, Document};
use plimsoll::core::billing::{adjustment, close, credit_note, issue};
use plimsoll::core::decision::closing::{CreditNote, CreditedRow};
use plimsoll::core::pricing::period::period;
use plimsoll::core::programme::promise::{Open, Promise};
use plimsoll::core::programme::standing::Standing;
use plimsoll::core::word::Instant;
use plimsoll::metrics::Metrics;
use plimsoll::programme::{Asked, OpenAmounts, Stand, keep, levels as levels_of, open, scorecards as cards_of, watch};
use plimsoll::prove::{Weighed, allocate, allocation_rows};
use plimsoll::statement::Rater;
use rust_decimal::Decimal;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::api::Served;
use crate::stage::shared_site;
use crate::worker::Parts;

/// 2026-10-05T00:00:00Z.
const START_S: i64 = 1_791_158_400;
const HOURS: i64 = 48;
/// When the last reading is an hour old.
const END: &str = "2026-10-07T00:00:00Z";
const DEMO: &str = "66aa2c13-0d81-433f-bb31-5fc33e76fa5f";
const BLOCK: &str = "//Block - Premium";
const FILE: &str = "//UFFO - Standard";

/// (provider, array, site, tier, TiB of the array, its customers' TiB, hours in which it reports).
type Row = (&'static str, &'static str, &'static str, &'static str, u64, &'static [(&'static str, u64)], (i64, i64));
const ARRAYS: [Row; 9] = [
    ("northwind", "ham-1", "HAM1", BLOCK, 1_000, &[("acme", 400), ("globex", 251), ("umbrella", 149)], (0, HOURS)),
    ("northwind", DEMO, "HAM1", BLOCK, 50, &[("acme", 10)], (0, HOURS)),
    ("northwind", "ham-2", "HAM1", BLOCK, 10, &[], (0, 12)),
    ("northwind", "ham-4", "HAM1", BLOCK, 10, &[], (0, 12)),
    ("fjordcloud", "ham-4", "BGO1", FILE, 10, &[], (40, HOURS)),
    ("northwind", "ham-5", "HAM1", BLOCK, 10, &[], (0, 41)),
    ("fjordcloud", "ham-5", "BGO1", FILE, 10, &[], (41, HOURS)),
    ("fjordcloud", "bgo-1", "BGO1", FILE, 200, &[("initech", 100)], (0, HOURS)),
    ("fjordcloud", "osl-1", "OSL1", FILE, 20, &[], (0, HOURS)),
];

fn events() -> Vec<(String, String)> {
    let mut events = Vec::new();
    for hour in 0..HOURS {
        let time = chrono::DateTime::from_timestamp(START_S + hour * 3600, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
        for (provider, array, site, tier, tib, customers, hours) in ARRAYS {
            if hour < hours.0 || hour >= hours.1 {
                continue;
            }
            let kind = if tier == BLOCK { "volume" } else { "file_system" };
            let reading = |kind: &str, resource: &str, tag: &str, tib: u64| {
                format!(
                    r#"{{"kind":"{kind}","resource":"{resource}",{tag}"tier":"{tier}","meter":"effective_used","value":{}}}"#,
                    tib << 40
                )
            };
            let mut readings = vec![reading("array", array, "", tib)];
            let tag = |customer: &str| format!(r#""customer":"{customer}","#);
            readings.extend(customers.iter().map(|(id, tib)| reading(kind, &format!("v-{id}"), &tag(id), *tib)));
            events.push((array.to_owned(), format!(
                r#"{{"specversion":"1.0","id":"{provider}-{time}","source":"urn:{array}","type":"dev.plimsoll.usage.v1","time":"{time}","data":{{"provider":"{provider}","array":{{"id":"{array}","site":"{site}"}},"readings":[{}]}}}}"#,
                readings.join(",")
            )));
        }
    }
    events
}

/// The sample book, with which Northwind discloses its customers; account teams get so much.
fn book(account_percent: &str) -> String {
    let northwind = include_str!("../../examples/pricebook/northwind.toml");
    let fjordcloud = include_str!("../../examples/pricebook/fjordcloud.toml").replacen("format = 1", "", 1);
    let disclosed =
        northwind.replacen("partner_team = \"sp-emea\"", "partner_team = \"sp-emea\"\ndisclose_customers = true", 1);
    let credited = disclosed.replacen(
        "account = { team = \"customer\", percent = \"100\"",
        &format!("account = {{ team = \"customer\", percent = \"{account_percent}\""),
        1,
    );
    assert_ne!(disclosed, northwind);
    format!("{credited}\n{fjordcloud}")
}

/// Closes and issues, as a closer would.
struct Seller<'a> {
    parts: &'a Parts,
    client: Client,
    runtime: Runtime,
}

fn at(text: &str) -> Instant {
    Instant(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
}

impl<'a> Seller<'a> {
    fn new(parts: &'a Parts) -> Self {
        let client = Client::new(&Config::load(Some(&parts.config)).unwrap().clickhouse);
        Self { parts, client, runtime: Runtime::new().unwrap() }
    }

    /// The invoice of a wholesale contract's period with its allocation.
    fn invoice(&self, provider: &str, label: &str, number: &str, issued: &str) -> Document {
        self.revision(None, (provider, label), number, issued)
    }

    /// The same, or what the newest book makes of an invoice's period less that invoice.
    fn revision(&self, of: Option<&Document>, (provider, label): (&str, &str), number: &str, issued: &str) -> Document {
        let contract = format!("{provider}-wholesale");
        let rating = format!("r-{number}");
        let invoice = self.runtime.block_on(async {
            let rater = Rater::newest(&self.client).await.unwrap();
            let open = rater.statement(&contract, None, label).await.unwrap();
            let bounds = period(&rater.book().contracts[&contract], label).unwrap();
            let whole = close::closed(open, &rating).unwrap();
            let before = of.cloned().into_iter().collect::<Vec<_>>();
            let documents = [adjustment::difference(Some(&whole), &before, Cause::Reprice).unwrap().unwrap()];
            let split = allocate(&self.client, rater.book(), provider, &bounds, &documents, &Weighed::Buckets(None))
                .await
                .unwrap();
            allocation::insert(&self.client, &rating, &allocation_rows(&documents, &split).unwrap()).await.unwrap();
            let [draft] = documents;
            let corrects = draft.references.corrects.clone();
            issue::issued(draft, number.to_owned(), at(issued), chrono_tz::Europe::Berlin, 45, corrects).unwrap()
        });
        self.store(&invoice, provider);
        invoice
    }

    /// A credit note over a row.
    fn credit(&self, invoice: &Document, no: usize, number: &str, issued: &str) -> Document {
        let row = CreditedRow { no, amount: invoice.rows[no - 1].amount.clone() };
        let of = invoice.number.clone().unwrap();
        let note =
            CreditNote { number: of, sequence: 0, rows: vec![row], reason: "agreed".to_owned(), credits: Vec::new() };
        let draft = credit_note::credit_note(invoice, &[], &note).unwrap();
        let note =
            issue::issued(draft, number.to_owned(), at(issued), chrono_tz::Europe::Berlin, 45, Vec::new()).unwrap();
        self.store(&note, &invoice.buyer.id);
        note
    }

    fn store(&self, document: &Document, provider: &str) {
        let text = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        let some = |date: &Option<String>| text(date.as_deref().unwrap());
        let columns = [
            ("number", some(&document.number)),
            ("version", "1".to_owned()),
            ("decision", document.number.as_deref().unwrap()[8..].trim_start_matches('0').to_owned()),
            ("document_type", text(document.kind.as_str())),
            ("state", text("issued")),
            ("seller", text(&document.seller.id)),
            ("buyer", text(&document.buyer.id)),
            ("provider", text(provider)),
            ("contract", text(&document.contract)),
            ("label", text(&document.period.label)),
            ("issue_date", some(&document.issue_date)),
            ("currency", text(&document.currency)),
            ("rating_id", text(&document.proof.rating_id)),
            ("document", text(&serde_json::to_string(document).unwrap())),
        ];
        let names = columns.iter().map(|column| column.0).collect::<Vec<_>>().join(", ");
        let values = columns.iter().map(|column| column.1.as_str()).collect::<Vec<_>>().join(", ");
        self.parts.execute(&format!("INSERT INTO invoice ({names}) VALUES ({values})")).unwrap();
        let columns = "decision, version, number, document_type, state, seller, buyer, provider, contract, label, issue_date, currency";
        let rows = format!("SELECT {columns} FROM invoice WHERE number = {}", some(&document.number));
        self.parts.execute(&format!("INSERT INTO invoice_header ({columns}) {rows}")).unwrap();
    }
}

/// Cents.
fn cents(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let size: i128 = format!("{}{part:0<2}", whole.trim_start_matches('-')).parse().unwrap();
    if text.starts_with('-') { -size } else { size }
}

fn of(value: &Value) -> i128 {
    cents(value.as_str().unwrap())
}

#[test]
fn the_programme_is_read_by_those_whose_it_is() {
    let parts = shared_site(2);
    parts.publish_book(&book("100"));
    parts.produce("usage", events().into_iter());
    parts.ok(&["run", "--until-caught-up"]);

    let seller = Seller::new(&parts);
    let northwind = seller.invoice("northwind", "2026-10", "EG-2026-000001", "2026-11-04T08:00:00Z");
    let fjordcloud = seller.invoice("fjordcloud", "2026-10", "EG-2026-000002", "2026-11-04T08:00:00Z");
    let note = seller.credit(&northwind, 2, "EG-2026-000003", "2026-11-10T08:00:00Z");

    levels(&parts, &northwind, &note);
    scorecards(&parts);
    health(&parts);
    sales_credits(&parts, &[&northwind, &fjordcloud, &note]);
    kept(&parts, &seller);
    open_periods_kept(&parts, &seller);
    let served = Served::start(&parts, &PRINCIPALS);
    statuses(&served);
    pages(&served, &parts);
    secrets(&served);
    drop(served);
    alarms(&parts, &seller);
    corrected(&parts, &seller, &northwind);
    two_vendors(&parts, &seller, &northwind);
}

fn levels(parts: &Parts, invoice: &Document, note: &Document) {
    let told = parts.lines(&["levels", "--at", "2026-11-25T12:00:00Z", "--format", "json"]);
    let ids: Vec<&str> = told.iter().map(|one| one["provider"].as_str().unwrap()).collect();
    assert_eq!(ids, ["fjordcloud", "northwind"]);
    let one = &told[1];
    assert_eq!((&one["granted"], &one["attained"]), (&"advanced".into(), &"registered".into()));
    // the note counts in November, which is not over
    assert_eq!(one["revenue"], invoice.subtotal);
    assert_eq!((&one["revenue_from"], &one["revenue_to"]), (&"2025-11".into(), &"2026-10".into()));
    assert_eq!(of(&one["promise"]["issued"]), cents(&invoice.subtotal) + cents(&note.subtotal));
    let statement = |period: &str| {
        let lines = parts.lines(&["statement", "northwind-wholesale", "--period", period, "--format", "json"]);
        of(&lines[0]["subtotal"])
    };
    // the minimum of months before its first usage is in the book, and nobody will be billed for it
    assert!(statement("2026-09") >= 250_000 && statement("2026-11") >= 250_000);
    let open = statement("2026-11");
    assert_eq!(of(&one["promise"]["open"]), open);
    assert_eq!(of(&one["promise"]["to_date"]), of(&one["promise"]["open"]) + of(&one["promise"]["issued"]));
    assert_eq!((&one["grant"], &one["grace_until"]), (&Value::Null, &"2027-01-01".into()), "grace runs");
    // 1 % of revenue, to the cent
    assert!((of(&one["market_fund"]["accrued"]) * 100 - cents(&invoice.subtotal)).abs() <= 50);
    // before the invoice was issued October is open too
    let before =
        parts.lines(&["levels", "--provider", "northwind", "--at", "2026-11-03", "--format", "json"]).remove(0);
    assert_eq!((&before["revenue"], &before["revenue_to"]), (&"0.00".into(), &"2026-09".into()));
    assert_eq!(of(&before["promise"]["open"]), open + cents(&invoice.subtotal));
    let table = parts.ok(&["levels", "--at", "2026-11-25T12:00:00Z"]);
    assert!(table.contains("grace ends 2027-01-01") && !table.contains("to grant"), "{table}");
    let after = parts.ok(&["levels", "--provider", "northwind", "--at", "2027-01-01T12:00:00Z"]);
    assert!(after.contains("in [provider.northwind] of the price book:\nlevels = [{"), "{after}");
    assert!(after.contains("{ from = 2027-01-01, level = \"registered\" }]"), "{after}");
    // nothing comes together in months that have not begun
    let at = |at: &str| parts.lines(&["levels", "--provider", "northwind", "--at", at, "--format", "json"]).remove(0);
    let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert_eq!(at("2027-02-01")["promise"]["open"], at(&now)["promise"]["open"]);
    assert_eq!(parts.run(&["levels", "--provider", "nobody"]).status.code(), Some(2));
    assert_eq!(parts.run(&["levels", "--at", "soon"]).status.code(), Some(2));
}

fn scorecards(parts: &Parts) {
    let card = |at: &str, provider: &str| {
        parts.lines(&["providers", "--provider", provider, "--at", at, "--format", "json"]).remove(0)
    };
    let northwind = card(END, "northwind");
    assert_eq!(northwind["arrays"], 5);
    assert_eq!((&northwind["customers"], &northwind["new_customers"]), (&3.into(), &3.into()));
    // 1,000 TiB, and 10 until two hours after the last reading at 40:00: 18 of 24 hours; the demonstration is left out
    assert_eq!(northwind["usage"]["tib"], "1007.5");
    assert_eq!((&northwind["last_reading"], &northwind["dormant"]), (&"2026-10-06T23:00:00Z".into(), &false.into()));
    assert_eq!((&northwind["last_invoice"], &northwind["revenue"]), (&Value::Null, &"0.00".into()));
    assert_eq!(card(END, "fjordcloud")["customers"], 1);
    let later = card("2026-11-25T12:00:00Z", "northwind");
    assert_eq!((&later["dormant"], &later["arrays"]), (&true.into(), &0.into()));
    assert_eq!(later["last_invoice"]["number"], "EG-2026-000003");
    let table = parts.ok(&["providers", "--at", "2026-11-25T12:00:00Z"]);
    assert!(table.contains("dormant") && table.contains("fjordcloud"), "{table}");
    assert_eq!(parts.run(&["providers", "--provider", "nobody"]).status.code(), Some(2));
}

fn health(parts: &Parts) {
    let told = parts.lines(&["health", "--at", END, "--format", "json"]);
    let states: BTreeMap<String, &str> = told
        .iter()
        .map(|one| (format!("{} {}", one["provider"], one["array"]).replace('"', ""), one["state"].as_str().unwrap()))
        .collect();
    let demo = format!("northwind {DEMO}");
    let wanted = [
        ("fjordcloud bgo-1", "ok"),
        ("fjordcloud ham-4", "ok"),
        ("fjordcloud ham-5", "contested"),
        ("fjordcloud osl-1", "orphaned"),
        (demo.as_str(), "demo_busy"),
        ("northwind ham-1", "ok"),
        ("northwind ham-2", "silent"),
        ("northwind ham-4", "moved"),
        ("northwind ham-5", "contested"),
    ];
    assert_eq!(states, wanted.map(|(array, state)| (array.to_owned(), state)).into());
    let moved = told.iter().find(|one| one["state"] == "moved").unwrap();
    assert_eq!((&moved["other_provider"], &moved["orphaned"]), (&"fjordcloud".into(), &Value::Null));
    let table = parts.ok(&["health", "--at", END, "--state", "orphaned"]);
    assert!(table.contains("site OSL1") && !table.contains("ham-1"), "{table}");
    let counts = "3 ok, 1 silent, 0 demo, 1 demo_busy, 1 orphaned, 0 demo_expired, 1 moved, 2 contested";
    assert!(table.contains(counts), "{table}");
    assert_eq!(parts.run(&["health", "--state", "fine"]).status.code(), Some(2));
}

fn sales_credits(parts: &Parts, documents: &[&Document]) {
    let list = |document: &Document| cents(&document.subtotal) + cents(&document.saving);
    // the note takes back the second row: its quantity at its list price
    let number = |text: &Option<String>| text.as_deref().unwrap().parse::<Decimal>().unwrap();
    let row = &documents[0].rows[1];
    let noted = -cents(&(number(&row.quantity) * number(&row.list_price)).round_dp(2).to_string());
    let told = parts.lines(&["sales-credits", "--by", "role,route", "--format", "json"]);
    let sum = |role: &str, route: &str| {
        let own = told.iter().filter(|one| one["of"]["role"] == role && one["of"]["route"] == route);
        own.map(|one| of(&one["credit"])).sum::<i128>()
    };
    // the account team at list on either route, the partner team what is billed as a service
    assert_eq!(sum("account", "as_a_service"), list(documents[0]) + noted);
    assert_eq!(sum("account", "resale"), list(documents[1]));
    assert_eq!(sum("partner", "as_a_service"), cents(&documents[0].subtotal) + cents(&documents[2].subtotal));
    assert_eq!(sum("partner", "resale"), 0);
    assert!(sum("account", "as_a_service") > sum("partner", "as_a_service"), "a level takes something off");
    let check = &told.last().unwrap()["neutrality"][0];
    assert_eq!((&check["equal"], &check["routes"][0]["credit_per_unit"]), (&true.into(), &"1".into()));
    let table = parts.ok(&["sales-credits", "--by", "route,team"]);
    let last = table.lines().last().unwrap();
    assert!(last.starts_with("neutrality EUR: ") && last.ends_with(": equal"), "{last}");

    // each row, customer, team and role once; the customer with a team of its own is credited there
    let details = parts.lines(&["sales-credits", "--by", "number,no,customer,team,role", "--format", "json"]);
    let details = &details[..details.len() - 1];
    let teams = |customer: &str| {
        let own = details.iter().filter(|one| one["of"]["customer"] == customer && one["of"]["role"] == "account");
        own.map(|one| one["of"]["team"].as_str().unwrap()).collect::<BTreeSet<_>>()
    };
    assert_eq!(teams("acme"), ["emea-named-07"].into());
    assert_eq!((teams("globex"), teams("umbrella")), (["emea-house"].into(), ["emea-house"].into()));
    let named = |document: &Document, customer: &str| {
        let number = document.number.clone().unwrap();
        let own = details.iter().filter(|one| {
            one["of"]["number"] == *number && one["of"]["customer"] == customer && one["of"]["role"] == "account"
        });
        own.map(|one| (one["of"]["no"].as_str().unwrap().to_owned(), of(&one["credit"]))).collect::<BTreeMap<_, _>>()
    };
    // block rows: 400 of 1,000 TiB on ham-1 for 49 hours, and on ham-2, ham-4, ham-5 nothing of anybody's
    let (given, taken) = (named(documents[0], "acme"), named(documents[2], "acme"));
    assert_eq!(taken.values().sum::<i128>(), -given["0002"], "the note takes back what the row gave");
    let all = details.iter().filter(|one| one["of"]["number"] == "EG-2026-000001" && one["of"]["no"] == "0002");
    let row: i128 = all.filter(|one| one["of"]["role"] == "account").map(|one| of(&one["credit"])).sum();
    let hours = [(1_000, 49), (10, 13), (10, 13), (10, 42)].map(|(tib, hours)| tib * hours).iter().sum::<i128>();
    let exact = row * 400 * 49 / hours;
    assert!(row > 0 && (given["0002"] - exact).abs() <= 1, "{} of {row}, not {exact}", given["0002"]);

    let of_months = |periods: &str| {
        let told = parts.lines(&["sales-credits", "--by", "role", "--periods", periods, "--format", "json"]);
        told.iter().find(|one| one["of"]["role"] == "account").map(|one| of(&one["credit"]))
    };
    assert_eq!(of_months("2026-11"), Some(noted), "a correction counts in its month of issue");
    assert_eq!(of_months("2026-10"), Some(list(documents[0]) + list(documents[1])));
    assert_eq!(of_months("2026-01..2026-09"), None);
    let deals = parts.lines(&["sales-credits", "--by", "deal", "--format", "json"]);
    assert!(deals.iter().any(|one| one["of"]["deal"] == "DR-2231"), "{deals:?}");
    assert_eq!(parts.run(&["sales-credits", "--by", "colour"]).status.code(), Some(2));
    assert_eq!(parts.run(&["sales-credits", "--periods", "2026"]).status.code(), Some(2));
}

/// What is put together says what the ledger says, of what lies above it too, and what was counted is what a count gives.
fn kept(parts: &Parts, seller: &Seller<'_>) {
    let told = || parts.lines(&["health", "--format", "json"]);
    let together = || seller.runtime.block_on(keep::put_together_before(&seller.client, None)).unwrap();
    let of_ledger = told();
    assert_eq!(together(), 1, "both partitions in one statement");
    assert_eq!((together(), told()), (0, of_ledger.clone()));
    let shapes =
        parts.number("SELECT count() FROM stream_shape FINAL WHERE provider = 'northwind' AND array = 'ham-1'");
    assert_eq!(shapes, 2, "the array's own readings and its customers'");

    let record = |id: &str, array: &str| {
        let event = events().into_iter().find(|(key, _)| key == "ham-1").unwrap().1;
        let event = event.replace("ham-1", array).replace("northwind-2026-10-05T00:00:00Z", id);
        (array.to_owned(), event.replace("2026-10-05T00:00:00Z", "2026-10-06T23:30:00Z"))
    };
    parts.produce("usage", [record("late", "ham-1"), record("new", "ham-9")].into_iter());
    parts.ok(&["run", "--until-caught-up"]);
    let above = told();
    assert_eq!(above.len(), of_ledger.len() + 1);
    let newest = |array: &str| {
        let one = above.iter().find(|one| one["array"] == array).unwrap();
        (one["last_reading"].as_str().unwrap().to_owned(), one["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(
        [newest("ham-1"), newest("ham-9")],
        ["ham-1", "ham-9"].map(|_| ("2026-10-06T23:30:00Z".into(), "silent".into()))
    );
    assert!(together() > 0);
    assert_eq!(told(), above);
    let day =
        parts.number("SELECT count() FROM array_health WHERE provider = 'northwind' AND silent AND site = 'HAM1'");
    assert_eq!(day, 6);

    // of a document that is not written yet no credit is made, and none is left out
    let columns = "decision, version, number, buyer, provider";
    let ahead =
        format!("INSERT INTO invoice_header ({columns}) VALUES (99, 1, 'EG-2026-000099', 'northwind', 'northwind')");
    parts.execute(&ahead).unwrap();
    let credit = || seller.runtime.block_on(keep::credit(&seller.client)).unwrap();
    assert_eq!((credit(), credit()), (false, false));
    parts.execute("ALTER TABLE invoice_header DELETE WHERE decision = 99 SETTINGS mutations_sync = 2").unwrap();
    assert_eq!((credit(), credit()), (true, true));
    let details = parts.lines(&["sales-credits", "--by", "number,no,customer,team,role", "--format", "json"]);
    assert_eq!(parts.number("SELECT count() FROM sales_credit FINAL"), details.len() as u64 - 1);
    let sum = details.iter().filter(|one| one["of"]["role"] == "account").map(|one| of(&one["credit"])).sum::<i128>();
    let stored =
        parts.number("SELECT toUInt64(round(sum(credit) * 100)) FROM sales_credit FINAL WHERE role = 'account'");
    assert_eq!(i128::from(stored), sum);
    assert_eq!(parts.number("SELECT toUInt64(max(next_offset)) FROM sales_credit_mark"), 4);

    // rows that another version made, of other teams: once both tables are empty all are made again, and nothing is left of those
    let rows = "SELECT groupBitXor(cityHash64(number, no, holder, customer, team, role, basis, credit)) FROM sales_credit FINAL";
    let made = parts.number(rows);
    let other = "SELECT * REPLACE('another team' AS team) FROM sales_credit FINAL";
    parts.execute(&format!("INSERT INTO sales_credit {other}")).unwrap();
    assert!(credit());
    assert_ne!(parts.number(rows), made, "what is made is not made again");
    for table in ["sales_credit", "sales_credit_mark"] {
        parts.execute(&format!("TRUNCATE TABLE {table}")).unwrap();
    }
    assert!(credit() && parts.number(rows) == made);

    // what is measured: of now every document counts that is issued, of a day before only those until then
    let cards = |is_past: bool| -> Vec<Value> {
        let cards = seller.runtime.block_on(async {
            let rater = Rater::newest(&seller.client).await.unwrap();
            let providers = vec!["fjordcloud".to_owned(), "northwind".to_owned()];
            let asked = Asked { providers, seller: None, at: at(END), is_past };
            let stand = Stand::read(&seller.client, None).await.unwrap();
            cards_of(&seller.client, rater.book(), &asked, true, stand.as_ref()).await.unwrap()
        });
        let measured = ["provider", "arrays", "customers", "new_customers", "usage", "last_reading"];
        let of = |card| measured.map(|key| serde_json::to_value(&card).unwrap()[key].clone());
        cards.into_iter().map(|card| of(card).to_vec().into()).collect()
    };
    let of_buckets = cards(true);
    assert_eq!(cards(false), of_buckets, "nothing is counted before");
    let count = |when: &str| {
        seller.runtime.block_on(keep::count(&seller.client, at(when))).unwrap();
        parts.number("SELECT count() FROM provider_activity FINAL")
    };
    assert_eq!(count("2026-10-04T12:00:00Z"), 0, "before its first usage a provider is counted when it is asked for");
    assert_eq!(count(END), 2);
    assert_eq!((cards(false), &of_buckets[1][2]), (of_buckets.clone(), &Value::from(3)));
    let tib = "SELECT toUInt64(sum(tib)) FROM provider_scorecard WHERE provider = 'northwind' AND customers = 3";
    assert_eq!(parts.number(tib), 1028, "1,000 TiB, 10 for 18 hours, and 1,000 for half an hour");
    let other =
        "SELECT * REPLACE(toUInt64(77) AS customers, counted_at + 1 AS counted_at) FROM provider_activity FINAL";
    parts.execute(&format!("INSERT INTO provider_activity {other}")).unwrap();
    assert!(cards(false).iter().all(|card| card[2] == 77), "what was counted is not counted again");
    parts.execute("TRUNCATE TABLE provider_activity").unwrap();
}

/// A list of levels takes what open periods came to lately, where that was kept, and rates the others.
fn open_periods_kept(parts: &Parts, seller: &Seller<'_>) {
    let now = watch::now();
    let promise = |from: OpenAmounts| -> Promise {
        seller.runtime.block_on(async {
            let rater = Rater::newest(&seller.client).await.unwrap();
            let asked = Asked { providers: vec!["northwind".to_owned()], seller: None, at: now, is_past: false };
            levels_of(&rater, &register(&seller.client).await.unwrap(), &asked, from)
                .await
                .unwrap()
                .remove(0)
                .promise
                .unwrap()
        })
    };
    let rated = promise(OpenAmounts::Rated);
    assert_eq!((promise(OpenAmounts::Kept), &rated.open_rated_at), (rated.clone(), &None), "nothing is kept");
    let october = Open { label: "2026-10".to_owned(), contract: "northwind-wholesale".to_owned() };
    let subtotal = seller.runtime.block_on(async {
        let rater = Rater::newest(&seller.client).await.unwrap();
        for (open, provider) in open::all(&rater, &register(&seller.client).await.unwrap(), now).await.unwrap() {
            open::keep(&rater, &open, &provider, open::KEPT_FROM_BUCKETS).await.unwrap();
        }
        open::keep(&rater, &october, "northwind", 0).await.unwrap();
        rater.statement(&october.contract, None, &october.label).await.unwrap().subtotal
    });
    assert_eq!(parts.number("SELECT count() FROM open_revenue"), 1, "little usage is rated when it is asked for");
    let kept = format!(
        "SELECT count() FROM open_revenue WHERE label = '2026-10' AND currency = 'EUR' AND amount = '{subtotal}'"
    );
    assert_eq!(parts.number(&kept), 1, "{subtotal}");

    // a period of which no invoice is issued, as if it had been rated so many minutes ago
    let hash = seller.runtime.block_on(Rater::newest(&seller.client)).unwrap().hash().to_owned();
    let row = |amount: &str, minutes: i32, hash: &str| {
        let at = format!("now64(3, 'UTC') - INTERVAL {minutes} MINUTE");
        let values = format!("('northwind-wholesale', '2026-11', '{hash}', 'EUR', '{amount}', {at})");
        parts.execute("TRUNCATE TABLE open_revenue").unwrap();
        parts.execute(&format!("INSERT INTO open_revenue VALUES {values}")).unwrap();
        promise(OpenAmounts::Kept)
    };
    let (less, more) = (row("1000.00", 60, &hash), row("1077.25", 60, &hash));
    assert_eq!(cents(&more.open) - cents(&less.open), 7_725, "{more:?} {less:?}");
    assert!(more.open_rated_at.is_some(), "who reads it sees that it is not of now");
    assert_eq!(promise(OpenAmounts::Rated), rated);
    assert_eq!(row("1000.00", 180, &hash), rated, "what is too old is rated");
    assert_eq!(row("1000.00", -60, &hash), rated, "and what somebody's clock says of tomorrow");
    assert_eq!(row("1000.00", 60, "of another book"), rated, "by another book it may be another's");
    assert_eq!(row("", 60, &hash), rated, "what could not be rated is told in words");
    parts.execute("TRUNCATE TABLE open_revenue").unwrap();
}

const PRINCIPALS: [&str; 6] = [
    "operator",
    "vendor:evergrove",
    "vendor:other",
    "provider:northwind",
    "provider:fjordcloud",
    "customer:northwind/globex",
];

/// Route x principal: a vendor reads its providers' standing, a provider its own, a customer nothing of these.
fn statuses(served: &Served) {
    let routes = [
        ("/v1/levels", [200, 200, 200, 200, 200, 403]),
        ("/v1/levels?provider=northwind", [200, 200, 404, 200, 404, 403]),
        ("/v1/levels?at=soon", [400, 400, 400, 400, 400, 403]),
        ("/v1/providers", [200, 200, 200, 200, 200, 403]),
        ("/v1/providers?provider=fjordcloud", [200, 200, 404, 404, 200, 403]),
        ("/v1/providers?cursor=00", [400, 400, 400, 400, 400, 403]),
        ("/v1/sales-credits", [200, 200, 200, 403, 403, 403]),
        ("/v1/sales-credits?provider=northwind", [200, 200, 404, 403, 403, 403]),
        ("/v1/sales-credits/summary?by=route,team", [200, 200, 200, 403, 403, 403]),
        ("/v1/sales-credits/summary?by=colour", [400, 400, 400, 403, 403, 403]),
        ("/v1/sales-credits/summary?periods=october", [400, 400, 400, 403, 403, 403]),
        ("/v1/arrays?provider=fjordcloud", [200, 200, 404, 404, 200, 403]),
    ];
    for (path, wanted) in routes {
        let statuses = PRINCIPALS.map(|principal| served.get(principal, path).0);
        assert_eq!(statuses, wanted, "{path}");
    }
    assert_eq!(served.get("nobody's", "/v1/levels").0, 401);
}

/// Page after page gives what the command gives.
fn pages(served: &Served, parts: &Parts) {
    let (mut lines, mut cursor, mut count) = (Vec::new(), String::new(), 0);
    loop {
        let page = served.get("vendor:evergrove", &format!("/v1/sales-credits?limit=7{cursor}")).1;
        lines.extend(page["data"].as_array().unwrap().clone());
        count += 1;
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert!(count > 3, "{count}");
    let key = |one: &Value| ["number", "no", "customer", "holder", "team", "role"].map(|key| one[key].to_string());
    assert_eq!(lines.iter().map(key).collect::<BTreeSet<_>>().len(), lines.len(), "each credit is there once");
    let details = parts.lines(&["sales-credits", "--by", "number,no,customer,team,role", "--format", "json"]);
    assert_eq!(lines.len(), details.len() - 1);
    let summary = served.get("vendor:evergrove", "/v1/sales-credits/summary?by=route,team").1;
    let sum = |all: &[Value]| all.iter().map(|one| of(&one["credit"])).sum::<i128>();
    assert_eq!(sum(&lines), sum(summary["data"].as_array().unwrap()));
    assert_eq!(summary["neutrality"][0]["equal"], true);
    let first = served.get("operator", "/v1/providers?limit=1").1;
    assert_eq!(first["data"][0]["provider"], "fjordcloud");
    let next = first["next_cursor"].as_str().unwrap();
    let second = served.get("operator", &format!("/v1/providers?limit=1&cursor={next}")).1;
    assert_eq!((&second["data"][0]["provider"], &second["next_cursor"]), (&"northwind".into(), &Value::Null));
    let at = "2026-11-25T12:00:00Z";
    let page = served.get("vendor:evergrove", &format!("/v1/levels?at={at}")).1;
    assert_eq!(page["data"], Value::from(parts.lines(&["levels", "--at", at, "--format", "json"])));
}

/// Nobody learns of others what is not theirs.
fn secrets(served: &Served) {
    let all = served.get("vendor:other", "/v1/sales-credits/summary").1;
    assert_eq!((&all["data"], &all["neutrality"]), (&Value::Array(Vec::new()), &Value::Array(Vec::new())));
    assert_eq!(served.get("vendor:other", "/v1/levels").1["data"], Value::Array(Vec::new()));
    let own = served.get("provider:northwind", "/v1/providers").1;
    assert_eq!(own["data"].as_array().unwrap().len(), 1);
    // how many customers a provider has is told to the vendor where they are disclosed
    let customers = |principal: &str| {
        let cards = served.get(principal, &format!("/v1/providers?at={END}")).1["data"].clone();
        cards.as_array().unwrap().iter().map(|card| card["customers"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(customers("vendor:evergrove"), [Value::Null, 3.into()]);
    assert_eq!(customers("operator"), [Value::from(1), 3.into()]);
    let undisclosed = served.get("vendor:evergrove", "/v1/sales-credits?provider=fjordcloud").1;
    let lines = undisclosed["data"].as_array().unwrap();
    assert!(!lines.is_empty() && lines.iter().all(|one| one["holder"] == "undisclosed" && one["customer"].is_null()));
    let other = |principal: &str| {
        let page = served.get(principal, &format!("/v1/arrays?provider=northwind&at={END}")).1;
        let moved = page["data"].as_array().unwrap().iter().find(|one| one["state"] == "moved").unwrap().clone();
        moved["other_provider"].clone()
    };
    assert_eq!(other("provider:northwind"), Value::Null, "who has it now is not the old provider's business");
}

/// What wants attention is a metric, and a book that favours a route is found.
fn alarms(parts: &Parts, seller: &Seller<'_>) {
    let metrics = Metrics::new().unwrap();
    let look = |when: &str| {
        assert!(seller.runtime.block_on(watch::look(&seller.client, &metrics, at(when))).unwrap());
        metrics.text().unwrap()
    };
    let (november, january) = ("2026-11-25T12:00:00Z", "2027-01-25T12:00:00Z");
    let text = look(november);
    for line in [
        "plimsoll_arrays{state=\"orphaned\"} 1",
        "plimsoll_arrays{state=\"contested\"} 2",
        "plimsoll_arrays{state=\"moved\"} 1",
        "plimsoll_providers_dormant 2",
        "plimsoll_providers_below_level 1",
        "plimsoll_certifications_expiring 0",
        "plimsoll_sales_credits_unequal 0",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}: {text}");
    }
    // whoever sells as a service is credited half from now on
    parts.publish_book(&book("50"));
    parts.ok(&["run", "--until-caught-up"]);
    seller.invoice("northwind", "2026-11", "EG-2026-000004", "2026-12-04T08:00:00Z");
    assert!(look(november).contains("plimsoll_sales_credits_unequal 1"));
    // of what counts or is issued in December and January only one route is billed, until an invoice of a month long past is issued
    assert!(look(january).contains("plimsoll_sales_credits_unequal 0"));
    seller.invoice("fjordcloud", "2026-10", "EG-2026-000005", "2026-12-10T08:00:00Z");
    assert!(look(january).contains("plimsoll_sales_credits_unequal 1"));
    let output = parts.run(&["sales-credits"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.lines().last().unwrap().ends_with("NOT EQUAL"), "{told}");
}

/// What a re-pricing takes back, it takes from those to whom its invoice gave, whoever has the customer by the newest book.
fn corrected(parts: &Parts, seller: &Seller<'_>, invoice: &Document) {
    let moved = book("50").replace("emea-named-07", "emea-named-08");
    assert_ne!(moved, book("50"));
    parts.publish_book(&moved);
    parts.ok(&["run", "--until-caught-up"]);
    let whose = ("northwind", "2026-10");
    let revision = seller.revision(Some(invoice), whose, "EG-2026-000006", "2026-12-11T08:00:00Z");
    assert_ne!(revision.proof.price_book, invoice.proof.price_book);
    let note = seller.credit(&revision, 1, "EG-2026-000007", "2026-12-12T08:00:00Z");
    let output = parts.run(&["sales-credits", "--by", "number,team,role", "--format", "json"]);
    let told: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_document = |number: &str| {
        let own = told.iter().filter(|one| one["of"]["number"] == number && one["of"]["role"] == "account");
        own.map(|one| (one["of"]["team"].as_str().unwrap().to_owned(), of(&one["credit"]))).collect::<BTreeMap<_, _>>()
    };
    let teams = |number: &str| of_document(number).into_keys().collect::<BTreeSet<_>>();
    let [given, later, taken] = ["EG-2026-000001", "EG-2026-000006", "EG-2026-000007"].map(teams);
    assert!(given.contains("emea-named-07") && later.contains("emea-named-07"), "{given:?} {later:?}");
    assert!(later.is_subset(&given) && taken.is_subset(&later), "{given:?} {later:?} {taken:?}");
    // all of it at list, not half as by the newest book
    let list = cents(&revision.subtotal) + cents(&revision.saving);
    assert_eq!(of_document("EG-2026-000006").values().sum::<i128>(), list);
    assert_ne!(note.subtotal, "0.00");
}

/// Where two vendors sell to a provider its level is judged by both, and each is told what it sold.
fn two_vendors(parts: &Parts, seller: &Seller<'_>, invoice: &Document) {
    let mut other = invoice.clone();
    other.seller.id = "other".to_owned();
    (other.subtotal, other.number) = ("20000000.00".to_owned(), Some("EG-2026-000008".to_owned()));
    seller.store(&other, "northwind");
    let standings = |seller_id: Option<&str>| {
        seller.runtime.block_on(async {
            let rater = Rater::newest(&seller.client).await.unwrap();
            let (providers, told_to) = (vec!["northwind".to_owned()], seller_id.map(str::to_owned));
            let asked = Asked { providers, seller: told_to, at: at("2026-11-25T12:00:00Z"), is_past: true };
            let standing = levels_of(&rater, &register(&seller.client).await.unwrap(), &asked, OpenAmounts::Kept)
                .await
                .unwrap()
                .remove(0);
            (standing, cards_of(&seller.client, rater.book(), &asked, false, None).await.unwrap().remove(0))
        })
    };
    let ((whole, card), (own, own_card)) = (standings(None), standings(Some("evergrove")));
    assert_eq!((whole.attained.as_deref(), whole.partial), (Some("advanced"), false));
    assert_eq!((&own.attained, &own.below_since, &own.grant), (&whole.attained, &None, &whole.grant));
    assert_eq!((&own.next, &own.market_fund, own.partial), (&None, &None, true));
    assert_eq!((&own.revenue, &own_card.revenue), (&invoice.subtotal, &invoice.subtotal));
    assert_eq!(cents(&whole.revenue) - cents(&own.revenue), 2_000_000_000);
    let issued = |standing: &Standing| cents(&standing.promise.as_ref().unwrap().issued);
    assert_eq!(issued(&whole) - issued(&own), 2_000_000_000);
    assert_eq!((&own_card.attained, &card.attained), (&whole.attained, &whole.attained));
    parts.execute("ALTER TABLE invoice DELETE WHERE seller = 'other' SETTINGS mutations_sync = 2").unwrap();
}
