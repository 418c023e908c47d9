//! A real browser, driven over the WebDriver protocol: plain HTTP and JSON to chromedriver.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest wait for anything that a page does.
const WAIT: Duration = Duration::from_secs(60);
/// The key under which the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys that have no letter, as the protocol writes them.
pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const DOWN: &str = "\u{e015}";

/// A browser with one session; both end when it is dropped.
pub struct Browser {
    driver: Child,
    address: String,
    session: String,
    _profile: TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // so that the browser ends as well
        if !self.session.is_empty() {
            let _ = exchange(&self.address, "DELETE", &format!("/session/{}", self.session), None);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    /// Starts chromedriver and a browser of a fresh profile.
    pub fn start(tools: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let profile = TempDir::new().unwrap();
        let driver = Command::new(tools.join("chromedriver"))
            .arg(format!("--port={port}"))
            .arg("--log-level=OFF")
            .env("TMPDIR", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let address = format!("127.0.0.1:{port}");
        let mut browser = Self { driver, address, session: String::new(), _profile: profile };
        let begun = Instant::now();
        while TcpStream::connect(&browser.address).is_err() {
            assert!(begun.elapsed() < WAIT, "chromedriver does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
        ];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", browser._profile.path().join("profile").display()));
        let chrome = json!({"binary": tools.join("chromium"), "args": arguments});
        let logs = json!({"performance": "ALL", "browser": "ALL"});
        let wanted =
            json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": chrome, "goog:loggingPrefs": logs}}});
        let (status, answer) = exchange(&browser.address, "POST", "/session", Some(&wanted));
        assert_eq!(status, 200, "{answer}");
        browser.session = answer["value"]["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let path = format!("/session/{}{path}", self.session);
        let (status, mut answer) = exchange(&self.address, method, &path, body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer["value"].take()
    }

    /// Goes to an address and waits until it is loaded.
    pub fn go(&self, url: &str) {
        self.ask("POST", "/url", Some(&json!({"url": url})));
    }

    /// What a script returns.
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.ask("POST", "/execute/sync", Some(&json!({"script": script, "args": arguments})))
    }

    /// The text of the page's body, as a person sees it.
    pub fn text(&self) -> String {
        self.run("return document.body.innerText", &[]).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a script returns something true, and returns that.
    pub fn until(&self, what: &str, script: &str) -> Value {
        let since = Instant::now();
        loop {
            let found = self.run(script, &[]);
            if !matches!(found, Value::Null | Value::Bool(false)) && found != json!("") {
                return found;
            }
            assert!(since.elapsed() < WAIT, "in vain: {what}; the page says: {}", self.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the page has a text.
    pub fn sees(&self, text: &str) {
        let script = format!("return document.body.innerText.includes({})", json!(text));
        self.until(&format!("the page shows {text:?}"), &script);
    }

    /// Clicks, as a person would, on the first element of a CSS selector that bears a text.
    pub fn click(&self, selector: &str, text: &str) {
        let (selector, wanted) = (json!(selector), json!(text));
        let script = format!(
            "return [...document.querySelectorAll({selector})].find(one => (one.textContent + (one.getAttribute('aria-label') ?? '')).includes({wanted}))"
        );
        let element = self.until(&format!("{selector} with {text:?}"), &script);
        let id = element[ELEMENT].as_str().unwrap();
        self.ask("POST", &format!("/element/{id}/click"), Some(&json!({})));
    }

    /// Presses and releases keys, one after the other, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let of = |key: char| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})];
        let actions: Vec<Value> = keys.chars().flat_map(of).collect();
        self.ask(
            "POST",
            "/actions",
            Some(&json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})),
        );
    }

    /// How wide the window's inside is, in pixels of CSS; and how the reader likes colours.
    pub fn emulate(&self, width: u32, scheme: &str) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &scheme);
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.ask("POST", "/goog/cdp/execute", Some(&json!({"cmd": command, "params": parameters})))
    }

    /// The windows and tabs that there are.
    pub fn windows(&self) -> Vec<String> {
        let handles = self.ask("GET", "/window/handles", None);
        handles.as_array().unwrap().iter().map(|handle| handle.as_str().unwrap().to_owned()).collect()
    }

    /// Turns to another window.
    pub fn turn_to(&self, window: &str) {
        self.ask("POST", "/window", Some(&json!({"handle": window})));
    }

    /// Closes the window that is turned to.
    pub fn close(&self) {
        self.ask("DELETE", "/window", None);
    }

    /// Addresses that the browser has asked for since this was asked last.
    pub fn requests(&self) -> Vec<String> {
        let lines = self.ask("POST", "/se/log", Some(&json!({"type": "performance"})));
        let message = |line: &Value| serde_json::from_str::<Value>(line["message"].as_str().unwrap()).unwrap();
        let sent = |message: Value| {
            let message = &message["message"];
            let is_sent = message["method"] == "Network.requestWillBeSent";
            is_sent.then(|| message["params"]["request"]["url"].as_str().unwrap().to_owned())
        };
        lines.as_array().unwrap().iter().map(message).filter_map(sent).collect()
    }

    /// What the page complained of since this was asked last: errors of scripts, refusals of the policy.
    pub fn complaints(&self) -> Vec<String> {
        let lines = self.ask("POST", "/se/log", Some(&json!({"type": "browser"})));
        lines.as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }
}

/// One request on a connection of its own: the status and the answer.
fn exchange(address: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(WAIT * 2)).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    // it may leave the connection open all the same, so its length is read
    let mut answer = Vec::new();
    let mut piece = [0; 65536];
    loop {
        let read = stream.read(&mut piece).unwrap();
        answer.extend_from_slice(&piece[..read]);
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
            assert!(read > 0, "{method} {path}: no answer");
            continue;
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        let body = &answer[end + 4..];
        if read == 0 || length.is_some_and(|length| body.len() >= length) {
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            return (status, serde_json::from_slice(body).unwrap_or(Value::Null));
        }
    }
}
