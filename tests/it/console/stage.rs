//! What the console is tried on: a month of two providers, with names that would be harm if they were taken for more than text.

use serde_json::json;

use super::browser::Browser;
use crate::api::Served;
use crate::stage::book::{self, contract, customer, meter, provider, vendor};
use crate::stage::{open_for, site_of};
use crate::worker::{Parts, Worker};

pub const PRINCIPALS: [&str; 6] =
    ["operator", "vendor:v", "provider:p", "provider:q", "customer:p/acme", "customer:q/gamma"];

/// A name that does something wherever it is taken for HTML.
pub const EVIL: &str = "<img src=x onerror=\"window.owned=1\">";

/// 10 October 2026.
const START_S: i64 = 1_791_590_400;
const HOURS: i64 = 30;

const PARTNER: &str = r#"programme = "sp"
levels = [{ from = 2026-01-01, level = "registered" }]
committed = { from = 2026-01-01, until = 2027-01-01, revenue = "1000", certifications = { engineer = 2 } }
certified = [{ track = "engineer", count = 1, until = 2027-06-30 }]
[programme.sp]
currency = "EUR"
revenue_months = 12
grace_months = 6
level = [{ name = "registered", discount_percent = "0" }]
"#;

const CARD: &str = r#"[card.k]
currency = "EUR"
rate = [
  { id = "arrays", meter = "effective_used", of = "array", unit = "TiB-month", statistic = "mean", committed = "10", overage = { evaluate = "day", bands = [{ price = "12" }] } },
  { id = "volumes", meter = "effective_used", of = "volume", unit = "TiB-month", statistic = "mean", price = "40" },
  { id = "fee", fee = "90.00" },
]
"#;

const LENT: &str = r#"[array.lent]
purpose = "demo"
until = 2030-01-01
[array.overdue]
purpose = "demo"
until = 2026-10-10
"#;

/// Two lines of provider P, each over an array of its own, and one of provider Q.
const BOUGHT: [&str; 2] = [
    r#"line = [{ rate = "arrays", arrays = ["a1"], commitment = "8" }, { rate = "arrays", id = "second", arrays = ["a2"], commitment = "12" }]"#,
    r#"line = [{ rate = "arrays", commitment = "8" }]"#,
];

/// The price book.
pub fn book() -> String {
    let from = ("2026-01-01", "Europe/Berlin");
    let bought = |lines: &str| format!("close_below = \"0\"\nissue = \"manual\"\n{lines}");
    let sold = "issue = \"manual\"\nline = [{ rate = \"volumes\" }, { rate = \"fee\" }]";
    // as TOML writes a quotation mark
    let evil = format!("Provider P {}", EVIL.replace('"', "\\\""));
    book::book([
        meter("effective_used", "gauge"),
        vendor("v"),
        provider("p").replace("Provider P", &evil) + PARTNER,
        provider("q"),
        customer("p", "acme").replace("Acme", "Acme <script>window.owned=1</script>"),
        customer("q", "gamma"),
        CARD.to_owned(),
        LENT.to_owned(),
        contract("p-wholesale", ("v", "p"), "k", from, &bought(BOUGHT[0])),
        contract("q-wholesale", ("v", "q"), "k", from, &bought(BOUGHT[1])),
        contract("p-retail", ("p", "*"), "k", from, sold),
    ])
}

/// Everything that runs.
pub struct Stage {
    pub served: Served,
    pub browser: Browser,
    _worker: Worker,
    pub parts: Parts,
}

impl Stage {
    pub fn set(tools: &std::path::Path) -> Self {
        let parts = site_of("p", 1);
        open_for(&parts, "others", "q", 1);
        parts.publish_book(&book());
        parts.produce("usage", (0..HOURS).map(|hour| event("p", "a1", &["acme", EVIL], hour)));
        // one that another line meters, one that is lent and in use, one that was to be back
        for (array, tags) in [("a2", &[][..]), ("lent", &["acme"]), ("overdue", &[])] {
            parts.produce("usage", (0..HOURS).map(|hour| event("p", array, tags, hour)));
        }
        parts.produce("others", (0..HOURS).map(|hour| event("q", "b1", &["gamma"], hour)));
        parts.produce("usage", std::iter::once(("a1".to_owned(), "not an event".to_owned())));
        let worker = Worker::of(parts.command(&["run"]));
        let served = Served::start(&parts, &PRINCIPALS);
        super::until("arrays are metered and a record is put aside", || {
            let rows = |path: &str| served.get("operator", path).1["data"].as_array().map_or(0, Vec::len);
            rows("/v1/arrays") == 5 && rows("/v1/quarantine") == 1 && rows("/v1/providers") == 2
        });
        Self { browser: Browser::start(tools), served, _worker: worker, parts }
    }

    /// The console at one of its pages, as this principal.
    pub fn open(&self, principal: &str, page: &str) {
        let (browser, origin) = (&self.browser, self.served.origin());
        browser.go(&format!("{origin}/console/mark.svg"));
        browser.run("sessionStorage.setItem('plimsoll.token', arguments[0])", &[json!(principal)]);
        browser.go(&format!("{origin}/console/#/{page}"));
        browser.until("a page is shown", "return document.querySelector('main h1') !== null && document.querySelector('main').getAttribute('aria-busy') === 'false'");
    }
}

/// An hour of one array, with a volume for each tag.
fn event(provider: &str, array: &str, tags: &[&str], hour: i64) -> (String, String) {
    let time = chrono::DateTime::from_timestamp(START_S + hour * 3600, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
    let tib = 1_099_511_627_776_u64;
    let mut readings = vec![json!({"kind": "array", "resource": array, "meter": "effective_used", "value": 9 * tib})];
    let volume = |(number, tag): (usize, &&str)| json!({"kind": "volume", "resource": format!("vol-{number}"), "customer": tag, "meter": "effective_used", "value": 3 * tib});
    readings.extend(tags.iter().enumerate().map(volume));
    let data = json!({"provider": provider, "array": {"id": array, "name": EVIL}, "readings": readings});
    let event = json!({"specversion": "1.0", "id": format!("{hour}"), "source": array, "type": "dev.plimsoll.usage.v1", "time": time.to_string(), "data": data});
    (array.to_owned(), event.to_string())
}
