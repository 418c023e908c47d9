//! The HTTP API as its readers meet it: every route with every principal, over real usage of two providers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stage::principals::give_tokens;
use crate::stage::{SAMPLE, shared_site};
use crate::worker::Parts;

/// Each principal's token is its own name: the configuration holds the hash only.
const PRINCIPALS: [&str; 6] = [
    "operator",
    "vendor:evergrove",
    "provider:northwind",
    "provider:fjordcloud",
    "customer:northwind/globex",
    "customer:fjordcloud/initech",
];

/// (array, provider, site, kind, resource, customer, tier): what reports once an hour on three days of October.
const SERIES: [(&str, &str, &str, &str, &str, &str, &str); 6] = [
    ("ham-1", "northwind", "HAM1", "array", "ham-1", "", "//Block - Premium"),
    ("ham-1", "northwind", "HAM1", "volume", "v1", "globex", "//Block - Premium"),
    ("ham-1", "northwind", "HAM1", "volume", "v2", "umbrella", "//Block - Premium"),
    ("ham-1", "northwind", "HAM1", "volume", "v3", "", "//Block - Premium"),
    ("bgo-1", "fjordcloud", "BGO1", "array", "bgo-1", "", "//UFFO - Standard"),
    ("osl-1", "fjordcloud", "OSL1", "array", "osl-1", "", "//UFFO - Standard"),
];
const HOURS: i64 = 72;
const START_S: i64 = 1_791_800_000 - 1_791_800_000 % 86_400;

fn events() -> Vec<(String, String)> {
    let mut events = Vec::new();
    for hour in 0..HOURS {
        let time = chrono::DateTime::from_timestamp(START_S + hour * 3600, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
        for array in ["ham-1", "bgo-1", "osl-1"] {
            // one falls silent after a day
            if array == "osl-1" && hour >= 24 {
                continue;
            }
            let own: Vec<_> = SERIES.iter().filter(|series| series.0 == array).collect();
            let tag =
                |name: &str, text: &str| if text.is_empty() { String::new() } else { format!(r#""{name}":"{text}","#) };
            let readings: Vec<String> = own
                .iter()
                .map(|(_, _, _, kind, resource, customer, tier)| {
                    let (customer, tier) = (tag("customer", customer), tag("tier", tier));
                    format!(r#"{{{customer}{tier}"kind":"{kind}","resource":"{resource}","meter":"effective_used","value":1099511627776}}"#)
                })
                .collect();
            let (provider, site) = (own[0].1, own[0].2);
            events.push((array.to_owned(), format!(
                r#"{{"specversion":"1.0","id":"{time}","source":"urn:{array}","type":"dev.plimsoll.usage.v1","time":"{time}","data":{{"provider":"{provider}","array":{{"id":"{array}","site":"{site}"}},"readings":[{}]}}}}"#,
                readings.join(",")
            )));
        }
    }
    events.push(("ham-1".to_owned(), "not an event".to_owned()));
    events
}

/// `plimsoll serve` in a process of its own, with a token for each principal: its own name.
pub struct Served {
    process: Child,
    address: String,
    gateway: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Served {
    pub fn start(parts: &Parts, principals: &[&str]) -> Self {
        give_tokens(parts, principals);
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (address, gateway) = (free(), free());
        let mut command = parts.command(&["serve"]);
        command.env("PLIMSOLL_HTTP__LISTEN", &address).env("PLIMSOLL_GATEWAY__LISTEN", &gateway);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let served = Self { process: command.spawn().unwrap(), address, gateway };
        let begun = Instant::now();
        while TcpStream::connect(&served.gateway).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "the API does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        served
    }

    /// What addresses begin with.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The status and the body of a GET.
    pub fn get(&self, token: &str, path: &str) -> (u16, Value) {
        self.ask(&format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n"), "")
    }

    /// The status and the body of a POST.
    pub fn post(&self, token: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let kind = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        self.ask(&format!("POST {path} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n{kind}"), &body)
    }

    fn ask(&self, head: &str, body: &str) -> (u16, Value) {
        let (status, _, body) = self.text(head, body);
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// The status, the head and the body of any request; `head` is its lines but for Host and Connection.
    pub fn text(&self, head: &str, body: &str) -> (u16, String, String) {
        // events have a listener of their own
        let address = if head.starts_with("POST /v1/events ") { &self.gateway } else { &self.address };
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let text = format!("{head}Host: x\r\nConnection: close\r\n\r\n{body}");
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let body = match head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
            true => body.split("\r\n").skip(1).step_by(2).collect::<String>(),
            false => body.to_owned(),
        };
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body)
    }
}

const OCTOBER: &str = "from=2026-10-01&to=2026-11-01&step=period";

#[test]
fn each_principal_reads_its_own_and_nothing_else() {
    let parts = shared_site(3);
    parts.ok(&["catalog", "apply", SAMPLE]);
    parts.produce("usage", events().into_iter());
    parts.ok(&["run", "--until-caught-up"]);
    let served = Served::start(&parts, &PRINCIPALS);
    statuses(&served);
    usage(&served);
    arrays(&served);
    statements(&served);
    pages(&served);
}

/// Route × principal, in the order of [`PRINCIPALS`]: 200, 403 where such a principal never reads it, 404 for what is another's.
fn statuses(served: &Served) {
    let routes = [
        ("/v1/usage?provider=northwind&by=meter&", [200, 200, 200, 404, 200, 404]),
        ("/v1/usage?provider=fjordcloud&by=meter&", [200, 200, 404, 200, 404, 200]),
        ("/v1/usage?provider=nobody&by=meter&", [200, 404, 404, 404, 404, 404]),
        ("/v1/usage?provider=northwind&by=customer&", [200, 403, 200, 404, 200, 404]),
        ("/v1/usage?provider=northwind&by=meter&customer=umbrella&", [200, 403, 200, 404, 404, 404]),
        ("/v1/usage?provider=northwind&by=meter&kind=volume&", [200, 403, 200, 404, 200, 404]),
        ("/v1/arrays?provider=northwind", [200, 200, 200, 404, 403, 403]),
        ("/v1/arrays?provider=nobody", [200, 404, 404, 404, 403, 403]),
        ("/v1/quarantine?provider=northwind", [200, 403, 200, 404, 403, 403]),
        ("/v1/statements?period=2026-10", [200, 200, 200, 200, 403, 403]),
        ("/v1/statements?period=2026-10&provider=northwind", [200, 200, 200, 404, 403, 403]),
        ("/v1/statements?period=2026-10&provider=nobody", [200, 404, 404, 404, 403, 403]),
        ("/v1/statements/northwind-customers/initech?period=2026-10", [404, 404, 404, 404, 404, 404]),
        ("/v1/statements/northwind-wholesale?period=2026-10", [200, 200, 200, 404, 404, 404]),
        ("/v1/statements/northwind-customers/globex?period=2026-10", [200, 404, 200, 404, 404, 404]),
        ("/v1/statements/northwind-customers?period=2026-10", [400, 404, 400, 404, 404, 404]),
        ("/v1/statements/nothing?period=2026-10", [404, 404, 404, 404, 404, 404]),
        ("/v1/providers/northwind/margin?period=2026-10", [200, 404, 200, 404, 404, 404]),
        ("/v1/providers/nobody/margin?period=2026-10", [404, 404, 404, 404, 404, 404]),
        ("/v1/providers/northwind/margin?period=october", [400, 404, 400, 404, 404, 404]),
        ("/v1/nothing", [404, 404, 404, 404, 404, 404]),
    ];
    for (path, wanted) in routes {
        let path = if path.ends_with('&') { format!("{path}{OCTOBER}") } else { path.to_owned() };
        let statuses = PRINCIPALS.map(|principal| served.get(principal, &path).0);
        assert_eq!(statuses, wanted, "{path}");
    }
    assert_eq!(served.get("nobody's", "/v1/statements?period=2026-10").0, 401);
}

/// Three days of 1 TiB each hour, held 2 hours after the last.
fn usage(served: &Served) {
    let tib_ms = |resources: i64| (i128::from(resources * ((HOURS - 1) * 3600 + 7200) * 1000) << 40).to_string();
    let of =
        |principal: &str, query: &str| served.get(principal, &format!("/v1/usage?{query}&{OCTOBER}")).1["data"].clone();
    let volumes = of("provider:northwind", "by=customer&kind=volume");
    let rows: Vec<_> =
        volumes.as_array().unwrap().iter().map(|row| (row["customer"].clone(), row["integral"].clone())).collect();
    let one = Value::from(tib_ms(1));
    assert_eq!(rows, [(Value::Null, one.clone()), ("globex".into(), one.clone()), ("umbrella".into(), one.clone())]);
    // a vendor sees what arrays say of themselves, a customer what bears its tag
    assert_eq!(of("vendor:evergrove", "provider=northwind&by=kind")[0]["integral"], one);
    assert_eq!(of("vendor:evergrove", "provider=northwind&by=kind").as_array().unwrap().len(), 1);
    assert_eq!(of("customer:northwind/globex", "by=resource")[0]["resource"], "v1");
    assert_eq!(of("customer:northwind/globex", "by=resource").as_array().unwrap().len(), 1);
    assert_eq!(of("customer:fjordcloud/initech", "by=resource"), Value::Array(Vec::new()));
}

fn arrays(served: &Served) {
    let end = chrono::DateTime::from_timestamp(START_S + HOURS * 3600, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
    let page = served.get("vendor:evergrove", &format!("/v1/arrays?at={end}")).1;
    let state = |row: &Value| (row["array"].clone(), row["state"].clone(), row["silent"].clone());
    let states: Vec<_> = page["data"].as_array().unwrap().iter().map(state).collect();
    let wanted = [("bgo-1", "ok", false), ("osl-1", "orphaned", true), ("ham-1", "ok", false)];
    let wanted = wanted.map(|(array, state, silent)| (Value::from(array), Value::from(state), Value::from(silent)));
    assert_eq!(states, wanted);
    assert!(page["data"][1]["orphaned"].as_str().unwrap().contains("site OSL1"), "{page}");
    // by the log's own time, which is today, all have long been silent
    let now = served.get("operator", "/v1/arrays").1;
    assert!(now["data"].as_array().unwrap().iter().all(|row| row["silent"] == true), "{now}");
}

fn statements(served: &Served) {
    let of = |principal: &str| {
        let page = served.get(principal, "/v1/statements?period=2026-10").1;
        let name = |document: &Value| {
            format!("{} {}", document["contract"].as_str().unwrap(), document["buyer"]["id"].as_str().unwrap())
        };
        page["data"].as_array().unwrap().iter().map(name).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(of("vendor:evergrove"), "fjordcloud-wholesale fjordcloud, northwind-wholesale northwind");
    assert_eq!(
        of("provider:northwind"),
        "acme acme, northwind-customers globex, northwind-customers umbrella, northwind-wholesale northwind"
    );
    assert_eq!(of("provider:fjordcloud"), "fjordcloud-wholesale fjordcloud");
    let (_, document) = served.get("provider:northwind", "/v1/statements/northwind-customers/globex?period=2026-10");
    assert_eq!(
        (&document["state"], &document["provisional"], &document["number"]),
        (&"open".into(), &true.into(), &Value::Null)
    );
    let hours = (HOURS - 1 + 2) as f64 / (31.0 * 24.0 + 1.0);
    let quantity: f64 = document["rows"][0]["quantity"].as_str().unwrap().parse().unwrap();
    assert!((quantity - hours).abs() < 1e-6, "{quantity} {hours}");
}

/// Page after page gives each row once, and a cursor is good for its own question only.
fn pages(served: &Served) {
    let question = "/v1/usage?provider=northwind&from=2026-10-01&to=2026-11-01&step=hour&by=resource&kind=volume";
    let (mut rows, mut cursor, mut count) = (Vec::new(), String::new(), 0);
    loop {
        let page = served.get("provider:northwind", &format!("{question}&limit=50{cursor}")).1;
        rows.extend(
            page["data"].as_array().unwrap().iter().map(|row| (row["resource"].to_string(), row["start"].to_string())),
        );
        count += 1;
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!((rows.len(), count), (3 * (HOURS as usize + 1), 5));
    assert!(rows.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(served.get("provider:northwind", &format!("{question}&step=day{cursor}")).0, 400);
}
