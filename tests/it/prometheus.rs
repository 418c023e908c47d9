//! The real Prometheus reads a running pipeline: every panel of the dashboard shows something, and what is wrong alarms.

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::deploy::tool;
use crate::worker::{Parts, Worker};

/// Longest wait until everything has been scraped often enough.
const WAIT: Duration = Duration::from_secs(90);

fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(deploy(path)).unwrap()
}

/// The panels' titles and queries.
fn panels() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&text("grafana/plimsoll.json")).unwrap();
    let of = |panel: &Value| -> Vec<(String, String)> {
        let title = panel["title"].as_str().unwrap().to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        targets.iter().map(|target| (title.clone(), target["expr"].as_str().unwrap().to_owned())).collect()
    };
    dashboard["panels"].as_array().unwrap().iter().flat_map(of).collect()
}

/// The names of our metrics in a text.
fn metrics(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("plimsoll_")).map(str::to_owned).collect()
}

#[test]
fn each_alert_is_provoked_and_left_alone_at_its_limit() {
    let alerts = text("prometheus/alerts.yml");
    let tests = text("prometheus/alerts_test.yml");
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() >= 6, "{names:?}");
    for name in &names {
        let quiet = format!("alertname: {name}, eval_time: 30m, exp_alerts: []");
        let fires = format!("alertname: {name}\n        eval_time: ");
        assert!(tests.contains(&quiet), "{name} is not tested at its limit");
        assert!(tests.contains(&fires), "{name} is not provoked");
        assert!(text("../docs/OPERATIONS.md").contains(&format!("### {name}\n")), "{name} has no runbook");
    }
    let Some(tools) = tool("prometheus") else { return };
    for arguments in [["check", "rules"], ["test", "rules"]] {
        let file = if arguments[0] == "check" { "prometheus/alerts.yml" } else { "prometheus/alerts_test.yml" };
        let said = Command::new(tools.join("promtool")).args(arguments).arg(deploy(file)).output().unwrap();
        let errors = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{}{errors}", String::from_utf8_lossy(&said.stdout));
    }
    // a rule that is broken is seen by those tests
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::copy(deploy("prometheus/alerts_test.yml"), folder.path().join("alerts_test.yml")).unwrap();
    for limit in ["> 120", "> 0.5", "< 3 * 86400", "> 86400", "== 0\n", "> 600"] {
        assert!(alerts.contains(limit), "{limit}");
        let other = format!("{} 7{}", &limit[..limit.len().min(2)], if limit.ends_with('\n') { "\n" } else { "" });
        std::fs::write(folder.path().join("alerts.yml"), alerts.replacen(limit, &other, 1)).unwrap();
        let mut command = Command::new(tools.join("promtool"));
        let said = command.args(["test", "rules"]).arg(folder.path().join("alerts_test.yml")).output().unwrap();
        assert!(!said.status.success(), "with {other} in the place of {limit} the tests pass all the same");
    }
}

struct Prometheus {
    tools: PathBuf,
    url: String,
    _server: Worker,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes each second, and evaluates the alerts as often.
    fn start(tools: &Path, targets: &[String]) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let address = free_address();
        let targets = targets.iter().map(|target| format!("\"{target}\"")).collect::<Vec<_>>().join(", ");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [\"{}\"]\nscrape_configs:\n\
             - job_name: plimsoll\n  static_configs:\n  - targets: [{targets}]\n",
            deploy("prometheus/alerts.yml").display()
        );
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(tools.join("prometheus"));
        command.arg(format!("--config.file={}", file.display())).arg(format!("--web.listen-address={address}"));
        command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Worker::of(command);
        Self { tools: tools.to_owned(), url: format!("http://{address}"), _server: server, _folder: folder }
    }

    /// The samples that a query gives, one a line.
    fn samples(&self, query: &str) -> String {
        let mut command = Command::new(self.tools.join("promtool"));
        let output = command.args(["query", "instant", &self.url, query]).output().unwrap();
        // no samples are an empty line
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The same once there are any: a scrape that takes too long on a busy machine leaves none until the next.
    fn awaited(&self, query: &str) -> String {
        let begun = Instant::now();
        loop {
            let samples = self.samples(query);
            if !samples.is_empty() {
                return samples;
            }
            assert!(begun.elapsed() < WAIT, "nobody exports {query}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn event(array: &str, id: usize, age: chrono::TimeDelta) -> (String, String) {
    let time = (chrono::Utc::now() - age).format("%Y-%m-%dT%H:%M:%SZ");
    let value = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"s","type":"dev.plimsoll.usage.v1","time":"{time}","data":{{"provider":"p","array":{{"id":"{array}"}},"readings":[{{"resource":"v","kind":"volume","meter":"used","value":7}}]}}}}"#
    );
    (array.to_owned(), value)
}

fn ask_api(address: &str) {
    use std::io::{Read as _, Write as _};
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    stream.write_all(b"GET /v1/arrays HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
}

fn send_event(address: &str, id: usize) {
    use std::io::{Read as _, Write as _};
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    let (_, event) = event("a", id, chrono::TimeDelta::zero());
    let head =
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/cloudevents+json\r\n";
    stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{event}", event.len()).as_bytes()).unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
}

/// A collector whose one array does not answer.
fn collector(folder: &Path) -> (Worker, String) {
    let (address, file, token) = (free_address(), folder.join("collect.toml"), folder.join("token"));
    std::fs::write(&token, "t").unwrap();
    let text = format!(
        "[kafka]\nbootstrap_servers = \"127.0.0.1:1\"\n[metrics]\nlisten = \"{address}\"\n[collect]\nprovider = \"p\"\ninterval_seconds = 1\n\
         delay_seconds = 0\nspool_dir = {:?}\n[[array]]\nname = \"away\"\nid = \"away\"\nurl = \"https://127.0.0.1:1\"\napi_version = \"2.26\"\n\
         api_token_file = {token:?}\n",
        folder.join("spool")
    );
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["collect", "flasharray", "--config"]).arg(&file);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    (Worker::of(command), address)
}

#[test]
fn every_panel_shows_a_running_pipeline_and_what_is_wrong_alarms() {
    let Some(tools) = tool("prometheus") else { return };
    let parts = Parts::start();
    parts.ok(&["stream", "open", "usage", "--provider", "p", "--partitions", "2"]);
    parts.publish_book("format = 1\n[meter.used]\nkind = \"gauge\"\nbase = \"byte\"\n");
    let days = chrono::TimeDelta::days;
    let records = [event("a", 0, days(0)), event("a", 0, days(0)), event("quiet", 1, days(2)), event("b", 2, days(90))];
    parts.produce("usage", records.into_iter().chain([("a".to_owned(), "{".to_owned())]));
    parts.ok(&["run", "--until-caught-up"]);

    let (api, gateway) = (free_address(), free_address());
    let start = |role: &str| {
        let address = free_address();
        let mut command = parts.command(&[role]);
        command.env("PLIMSOLL_METRICS__LISTEN", &address).env("PLIMSOLL_HTTP__LISTEN", &api);
        command.env("PLIMSOLL_GATEWAY__LISTEN", &gateway);
        (Worker::of(command), address)
    };
    let (_processes, addresses): (Vec<Worker>, Vec<String>) = ["run", "serve", "bill"].map(start).into_iter().unzip();
    let folder = tempfile::TempDir::new().unwrap();
    let (_collector, collects) = collector(folder.path());
    let addresses = [addresses, vec![collects]].concat();
    let prometheus = Prometheus::start(&tools, &addresses);

    let queries = panels();
    assert!(queries.len() > 20, "{queries:?}");
    let mut waiting: Vec<(String, String)> =
        queries.iter().map(|(title, query)| (title.clone(), query.replace("$__rate_interval", "10s"))).collect();
    for (alert, state) in [
        ("PlimsollArraySilent", "firing"),
        ("PlimsollQuarantineUnresolved", "pending"),
        ("PlimsollArrayUnreachable", "pending"),
    ] {
        waiting.push((alert.to_owned(), format!("ALERTS{{alertname=\"{alert}\",alertstate=\"{state}\"}}")));
    }
    let begun = Instant::now();
    for id in 10.. {
        parts.produce("usage", [event("a", id, days(0))].into_iter());
        ask_api(&api);
        send_event(&gateway, 1_000_000 + id);
        waiting.retain(|(_, query)| prometheus.samples(query).is_empty());
        if waiting.is_empty() {
            break;
        }
        assert!(begun.elapsed() < WAIT, "these show nothing: {waiting:#?}");
        std::thread::sleep(Duration::from_millis(500));
    }
    let silent = prometheus.awaited("plimsoll_array_silent_seconds");
    assert!(silent.contains("array=\"quiet\"") && !silent.contains("array=\"a\""), "{silent}");
    let unresolved = prometheus.awaited("plimsoll_quarantine_unresolved{provider=\"p\"}");
    assert!(unresolved.contains("=> 1 @"), "{unresolved}");
    let firing = prometheus.awaited("ALERTS{alertstate=\"firing\"}");
    assert!(firing.lines().all(|line| line.contains("PlimsollArraySilent")), "{firing}");

    // and no alert asks for what nobody exports
    for name in metrics(&text("prometheus/alerts.yml")) {
        prometheus.awaited(&name);
    }
}
